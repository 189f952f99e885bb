//! A real Pixel with Android 10, as far as a bug report is one, and the truth about its permissions that was taken without
//! this program.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use preloaded::inventory::{Grant, GrantKind, Inventory, Package};

/// A file of the real captures. They may not be passed on, so they are not everywhere.
pub(crate) fn real(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("NOT RUN: {} is not here", found.display());
    None
}

/// What the bug report of the Pixel has between the title of a service and the next. The service's file beside it is the
/// same dump with some words redacted by whoever passed it on.
pub(crate) fn of_bug_report(service: &str) -> Option<String> {
    let name = "bugreport-sailfish-QP1A.191005.007.A3-2020-01-08-15-30-07";
    let path = real(&format!("captures/chkbugreport/{name}.zip"))?;
    let mut archive = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(&format!("{name}.txt")).unwrap().read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (_, section) = text.split_once(&format!("\nDUMP OF SERVICE {service}:\n")).unwrap();
    let (section, _) = section.split_once("\n--------- ").unwrap();
    Some(format!("{section}\n"))
}

/// Owner kind, owner, permission, section, granted, flags: how often. The truth has no user ids, so a runtime permission
/// that is alike for users 0 and 11 stands there twice.
pub(crate) type Rows = BTreeMap<[String; 6], i64>;

/// The rows of the independent truth.
pub(crate) fn true_rows() -> Option<Rows> {
    let text = fs::read_to_string(real("truth/grants-pixel-aosp10.tsv")?).unwrap();
    let mut rows = Rows::new();
    for line in text.lines().skip(1) {
        let cell: Vec<&str> = line.split('\t').collect();
        let at = |column: usize| cell.get(column).copied().unwrap_or_default().trim().to_owned();
        *rows.entry([at(0), at(1), at(6), at(9), at(10), at(11)]).or_default() += 1;
    }
    Some(rows)
}

/// The rows of an inventory, in the truth's words.
pub(crate) fn rows(inventory: &Inventory) -> Rows {
    let mut rows = Rows::new();
    for ((kind, owner), grants) in holders(inventory) {
        for grant in grants {
            let section = match grant.kind {
                GrantKind::Install => "install permissions:",
                GrantKind::Runtime => "runtime permissions:",
                GrantKind::Untold => panic!("dumpsys tells how a permission is granted"),
            };
            let flags = match grant.flags.as_slice() {
                [] => String::new(),
                flags => format!("flags=[ {}]", flags.join("|")),
            };
            let granted = grant.granted.to_string();
            let row = [kind.to_owned(), owner.clone(), grant.permission, section.to_owned(), granted, flags];
            *rows.entry(row).or_default() += 1;
        }
    }
    rows
}

/// Its packages.
pub(crate) fn packages(inventory: &Inventory) -> &[Package] {
    inventory.packages.known().unwrap()
}

/// Distinct holders of grants: packages of their own, and each shared user once. Members of one must agree.
pub(crate) fn holders(inventory: &Inventory) -> BTreeMap<(&'static str, String), Vec<Grant>> {
    let mut found = BTreeMap::new();
    for package in packages(inventory) {
        let holder = match package.shared_user.known().unwrap() {
            Some(name) => ("SharedUser", name.clone()),
            None => ("Package", package.name.clone()),
        };
        let grants = package.grants.known().unwrap().clone();
        if let Some(before) = found.insert(holder.clone(), grants.clone()) {
            assert_eq!(before, grants, "{holder:?}");
        }
    }
    found
}

/// Its users, as `pm list users` prints them: the bug report names the ids only.
pub(crate) const USERS: &str = "Users:\n\tUserInfo{0:null:13} running\n\tUserInfo{11:User2:10}\n";
