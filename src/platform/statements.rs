//! Which statements of vendors' files are about which package.

use crate::inventory::{Inventory, Package, PackageCopy, Preinstall, PreinstallAction, PreinstallSubject};

/// Where Xiaomi's lists look for the package files that they name, each in a folder of its own name.
const XIAOMI: &str = "/cust/app/";

/// Statements of one kind about a package, in order.
pub(super) fn about<'a>(
    inventory: &'a Inventory,
    package: &'a Package,
    action: PreinstallAction,
) -> impl Iterator<Item = &'a Preinstall> {
    let all = inventory.preinstalls.known().into_iter().flatten().filter(move |statement| statement.action == action);
    all.filter(|statement| match statement.names {
        PreinstallSubject::Package => statement.subject == package.name,
        _ => package.copies.iter().any(|copy| names_copy(statement, copy)),
    })
}

/// Whether a statement is about a copy by its path.
pub(super) fn names_copy(statement: &Preinstall, copy: &PackageCopy) -> bool {
    let (folder, file) = copy.path.rsplit_once('/').unwrap_or(("", &copy.path));
    match statement.names {
        PreinstallSubject::Package => false,
        PreinstallSubject::Path => {
            let subject = statement.subject.trim_end_matches('/');
            subject == copy.path || subject == folder || is_full_form(subject, &copy.path)
        }
        PreinstallSubject::Folder => {
            copy.path.strip_prefix(statement.subject.as_str()).is_some_and(|rest| rest.starts_with('/'))
        }
        PreinstallSubject::FileName => {
            let own_folder = || {
                let stem = file.strip_suffix(".apk").unwrap_or(file);
                copy.path.starts_with(XIAOMI) && folder.rsplit('/').next() == Some(stem)
            };
            let skip = statement.action == PreinstallAction::Skip;
            statement.subject == file && (skip || own_folder())
        }
    }
}

/// Whether `full` is the compressed full form of the placeholder at `stub`: in the same folder, or in the one without
/// `-Stub` at its end.
pub(super) fn is_full_form(full: &str, stub: &str) -> bool {
    let Some(full) = full.strip_suffix(".apk.gz") else { return false };
    let (full, stub) = (full.rsplit_once('/'), stub.rsplit_once('/'));
    let (Some((full, _)), Some((stub, _))) = (full, stub) else { return false };
    stub.strip_suffix("-Stub").unwrap_or(stub) == full || stub == full
}

/// Whether packages of a place are installed only where a list names them, and the image has such lists.
pub(super) fn is_governed(inventory: &Inventory, copy: &PackageCopy) -> bool {
    let lists = |names: PreinstallSubject, part: &str| {
        inventory.preinstalls.known().into_iter().flatten().any(|statement| {
            let source = inventory.origin(&statement.evidence).map_or("", |origin| origin.name.as_str());
            statement.names == names && statement.action != PreinstallAction::Skip && source.contains(part)
        })
    };
    if copy.path.starts_with(XIAOMI) {
        return lists(PreinstallSubject::FileName, "_applist");
    }
    copy.path.contains("/region_comm/") && lists(PreinstallSubject::Path, "APKInstallListEMUI5Release.txt")
}
