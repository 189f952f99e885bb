//! Predictions of grants for the trees of two real devices, both of which enforce lists of privileged permissions, so that a
//! right prediction finds none missing; and what a line taken out of a list changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use preloaded::bytes::Limits;
use preloaded::collect::firmware::FirmwareSource;
use preloaded::collect::{Request, Silent, Source};
use preloaded::inventory::{Allowlist, Controls, Fact, Inventory, Outcome, PredictedGrant, Reason, ReasonCode};
use preloaded::platform::grants::{self, Predictions};
use preloaded::platform::permissions::{Lookup, Permissions};
use preloaded::platform::protection;

use super::note;

const DEVICES: [&str; 2] = ["lenovo-x606x", "samsung-a02"];

fn scan(tree: &Path) -> Inventory {
    FirmwareSource::new(tree, Limits::default()).collect(&Request::default(), &Silent).unwrap()
}

fn inventory(device: &str) -> Option<Inventory> {
    let tree = Path::new("../shared/data/firmware").join(device).join("tree");
    if !tree.is_dir() {
        note(&format!("NOT RUN: {} is not there", tree.display()));
        return None;
    }
    Some(scan(&tree))
}

/// A row of `truth/privapp-allowlists.tsv`: package by package, counted without this program.
struct Row {
    path: String,
    package: String,
    /// Permissions that are privileged in AOSP 10, and of these those that a list allows, refuses, and misses.
    counts: [usize; 4],
}

fn truth(device: &str) -> Vec<Row> {
    let text = fs::read_to_string("../shared/data/truth/privapp-allowlists.tsv").unwrap();
    let rows = text.lines().skip(1).filter(|line| line.starts_with(&format!("firmware/{device}\t")));
    rows.map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let path = cells[1].strip_prefix("system/").unwrap_or(cells[1]);
        let number = |at: usize| cells[at].parse().unwrap();
        let missing = cells.get(8).map_or(0, |names| names.split([',', ' ']).filter(|name| !name.is_empty()).count());
        let counts = [number(5), number(6), number(7), missing];
        Row { path: format!("/{path}"), package: cells[2].to_owned(), counts }
    })
    .collect()
}

fn has(grant: &PredictedGrant, code: ReasonCode) -> bool {
    grant.reasons.iter().any(|reason| reason.code == code)
}

/// Whether the manifest itself asks for it: the truth has no implied permissions.
fn is_explicit(grant: &PredictedGrant) -> bool {
    grant.implied_by.is_none()
}

#[test]
fn no_privileged_app_of_either_device_lacks_a_permission_in_its_list() {
    let mut right = 0;
    for device in DEVICES {
        let Some(inventory) = inventory(device) else { return };
        let own = Permissions::of_device(&inventory).unwrap();
        let aosp10 = Permissions::of(&inventory, 29);
        let is_privileged = |permissions: &Permissions<'_>, name: &str| match permissions.get(name) {
            Lookup::One(found) => {
                found.package == "android" && found.level.is_some_and(|level| level & protection::PRIVILEGED != 0)
            }
            _ => false,
        };
        for row in truth(device) {
            let package = inventory.package(&row.package).unwrap_or_else(|| panic!("{}", row.package));
            let is_split = package.copies.iter().flat_map(|copy| copy.splits.known().into_iter().flatten());
            if is_split.into_iter().any(|split| split.path.as_deref() == Some(row.path.as_str())) {
                // A split of resources, whose base was too large for the tree: it asks for nothing.
                assert_eq!(row.counts, [0; 4], "{}", row.path);
                right += 1;
                continue;
            }
            assert!(package.copies.iter().any(|copy| copy.path == row.path), "{}", row.path);
            let grants: Vec<_> =
                package.predicted_grants.known().unwrap().iter().filter(|grant| is_explicit(grant)).collect();
            let privileged = grants.iter().filter(|grant| is_privileged(&aosp10, &grant.permission));
            let privileged: Vec<_> = privileged.collect();
            let count = |code| privileged.iter().filter(|grant| has(grant, code)).count();
            let counts = [
                privileged.len(),
                count(ReasonCode::Allowlisted),
                count(ReasonCode::DeniedByList),
                count(ReasonCode::NotAllowlisted),
            ];
            // By its own levels, which differ from those of 10 where it has 11.
            let missing = grants.iter().filter(|grant| has(grant, ReasonCode::NotAllowlisted)).count();
            let levels =
                grants.iter().filter(|g| is_privileged(&own, &g.permission) != is_privileged(&aosp10, &g.permission));
            let differ = levels.map(|grant| grant.permission.as_str()).collect::<Vec<_>>();
            if !differ.is_empty() {
                println!("{device} {}: another level than in 10: {}", row.package, differ.join(", "));
            }
            let agree = counts[0] == row.counts[0] && counts[3] == 0 && row.counts[3] == 0 && missing == 0;
            let listed = differ.is_empty().then_some([counts[1], counts[2]]);
            assert!(agree, "{device} {}: {counts:?}, expected {:?}", row.package, row.counts);
            assert!(
                listed.is_none_or(|listed| listed == [row.counts[1], row.counts[2]]),
                "{device} {}: {counts:?}, expected {:?}",
                row.package,
                row.counts
            );
            right += 1;
        }
    }
    println!("{right} of 88 rows");
    assert_eq!(right, 88);
}

/// Granted or not, by package and permission.
fn outcomes(predictions: &Predictions) -> BTreeMap<(&str, &str), Outcome> {
    let mut found = BTreeMap::new();
    for (package, grants) in predictions {
        for grant in grants.known().into_iter().flatten() {
            found.insert((package.as_str(), grant.permission.as_str()), grant.outcome);
        }
    }
    found
}

fn controls(inventory: &mut Inventory) -> &mut Controls {
    match &mut inventory.controls {
        Fact::Known { value, .. } => value,
        Fact::Unknown(gap) => panic!("{gap:?}"),
    }
}

/// Every line of the lists: which list, which entry.
fn lines(lists: &[Allowlist]) -> Vec<(usize, usize)> {
    let each = lists.iter().enumerate();
    each.flat_map(|(list, entries)| (0..entries.permissions.len()).map(move |entry| (list, entry))).collect()
}

#[test]
fn each_line_taken_out_of_a_list_takes_that_permission_from_that_package_and_nothing_else() {
    for device in DEVICES {
        let Some(mut inventory) = inventory(device) else { return };
        let before = grants::predict(&inventory);
        let lists = controls(&mut inventory).privileged.clone();
        let (mut taken, mut others) = (0, BTreeMap::<&str, usize>::new());
        for (list, entry) in lines(&lists) {
            let (package, permission) = (&lists[list].package, &lists[list].permissions[entry]);
            controls(&mut inventory).privileged[list].permissions.remove(entry);
            let after = grants::predict(&inventory);
            let (old, new) = (outcomes(&before), outcomes(&after));
            let changed: Vec<_> = old.iter().filter(|(key, outcome)| new.get(*key) != Some(*outcome)).collect();
            let key = (package.as_str(), permission.name.as_str());
            // What must happen, told by the lists alone.
            let again = lists.iter().enumerate().any(|(other, others)| {
                others.package == *package
                    && others.partition == lists[list].partition
                    && others.permissions.iter().enumerate().any(|(at, other_entry)| {
                        (other, at) != (list, entry) && other_entry.name == permission.name && !other_entry.denied
                    })
            });
            let asks = old.get(&key) == Some(&Outcome::Granted);
            let grant = before.get(package.as_str()).and_then(|fact| fact.known());
            let grant = grant.and_then(|grants| grants.iter().find(|grant| grant.permission == permission.name));
            let rests_on_it = grant.is_some_and(|grant| {
                grant.reasons.iter().any(|reason| {
                    let at = reason.evidence.as_ref();
                    reason.code == ReasonCode::Allowlisted
                        && at.is_some_and(|at| at.source == lists[list].evidence.source)
                        && at.and_then(|at| at.at.clone()) == Some(format!("line {}", permission.line))
                })
            });
            if asks && rests_on_it && !again {
                let partners = partners(&inventory, package, &permission.name);
                let expected: BTreeSet<_> =
                    [key].into_iter().chain(partners.iter().map(|name| (name.as_str(), key.1))).collect();
                let mut found: BTreeSet<_> = changed.iter().map(|(key, _)| **key).collect();
                // What was split off the permission goes with it.
                found.retain(|other| {
                    let follows = other.0 == key.0 && comes_with(&before, *other, key.1);
                    if follows {
                        *others.entry("permissions that came with one that was taken").or_default() += 1;
                    }
                    !follows
                });
                if partners.is_empty() {
                    assert_eq!(found, expected, "{device}");
                    assert_eq!(new[&key], Outcome::Refused, "{device} {key:?}");
                    taken += 1;
                } else {
                    // Members of a shared user hold what one of them holds.
                    assert!(found.is_empty() || found == expected, "{device} {key:?}: {found:?}");
                    *others.entry("of a shared user with the permission in another list").or_default() += 1;
                }
            } else {
                assert!(changed.is_empty(), "{device} {key:?}: {changed:?}");
                let why = match (grant, again) {
                    (None, _) => "for a package that was not read, or that does not ask",
                    (Some(_), true) => "that stand twice",
                    (Some(_), false) => "on which nothing rests",
                };
                *others.entry(why).or_default() += 1;
            }
            controls(&mut inventory).privileged[list] = lists[list].clone();
        }
        println!("{device}: {taken} lines each took one permission; other lines: {others:?}");
        assert!(taken >= 30, "{device}: {taken}");
    }
}

/// Whether a permission is granted only because it comes with another.
fn comes_with(predictions: &Predictions, (package, permission): (&str, &str), source: &str) -> bool {
    let grants = predictions[package].known().unwrap();
    let grant = grants.iter().find(|grant| grant.permission == permission).unwrap();
    let comes = |reason: &Reason| reason.code == ReasonCode::ComesWith && reason.about.as_deref() == Some(source);
    grant.reasons.iter().any(comes)
}

/// Other packages of the shared user that ask for the permission.
fn partners(inventory: &Inventory, package: &str, permission: &str) -> Vec<String> {
    let shared =
        |name: &str| inventory.package(name).and_then(|package| package.shared_user.known().cloned()).flatten();
    let Some(own) = shared(package) else { return Vec::new() };
    let all = inventory.packages.known().unwrap().iter();
    all.filter(|other| other.name != package && other.shared_user.known() == Some(&Some(own.clone())))
        .filter(|other| {
            let grants = other.predicted_grants.known().map(Vec::as_slice).unwrap_or_default();
            grants.iter().any(|grant| grant.permission == permission)
        })
        .map(|other| other.name.clone())
        .collect()
}

#[test]
fn a_line_taken_out_of_a_real_file_does_the_same() {
    let Some(inventory) = inventory(DEVICES[0]) else { return };
    let tree = Path::new("../shared/data/firmware").join(DEVICES[0]).join("tree");
    let copy = tempfile::tempdir().unwrap();
    copy_tree(&tree, copy.path());
    let before = scan(copy.path());
    assert_eq!(outcomes(&grants::predict(&inventory)).len(), outcomes(&grants::predict(&before)).len());
    // The first line of each list's file that a grant rests on, of at most five files.
    let mut done = BTreeSet::new();
    for package in before.packages.known().unwrap() {
        for grant in package.predicted_grants.known().into_iter().flatten() {
            let reason = grant.reasons.iter().find(|reason| reason.code == ReasonCode::Allowlisted);
            let lists = &before.controls.known().unwrap().privileged;
            let lines = lists.iter().filter(|list| list.package == package.name).flat_map(|list| &list.permissions);
            let once = lines.filter(|entry| entry.name == grant.permission).count() == 1;
            let alone = package.shared_user.known() == Some(&None) && grant.outcome == Outcome::Granted && once;
            let Some(at) = reason.and_then(|reason| reason.evidence.as_ref()).filter(|_| alone) else { continue };
            let file = before.origin(at).unwrap().name.clone();
            if done.len() >= 5 || !done.insert(file.clone()) {
                continue;
            }
            let line: usize = at.at.as_ref().unwrap().strip_prefix("line ").unwrap().parse().unwrap();
            let host = copy.path().join(if file.starts_with("/vendor/") {
                file.trim_start_matches('/').to_owned()
            } else {
                format!("system{file}")
            });
            let text = fs::read_to_string(&host).unwrap();
            assert!(text.lines().nth(line - 1).unwrap().contains(&grant.permission), "{file}:{line}");
            let without: Vec<&str> =
                text.lines().enumerate().map(|(at, text)| if at + 1 == line { "" } else { text }).collect();
            fs::write(&host, without.join("\n")).unwrap();
            let after = scan(copy.path());
            fs::write(&host, &text).unwrap();
            let (old, new) = (grants::predict(&before), grants::predict(&after));
            let (old, new) = (outcomes(&old), outcomes(&new));
            let changed: Vec<_> = old.iter().filter(|(key, outcome)| new.get(*key) != Some(*outcome)).collect();
            let key = (package.name.as_str(), grant.permission.as_str());
            println!("{file}:{line} {key:?}");
            assert_eq!(changed, [(&key, &Outcome::Granted)], "{file}:{line}");
            assert_eq!(new[&key], Outcome::Refused);
        }
    }
    println!("{} lines of real files", done.len());
    assert!(done.len() >= 3, "{done:?}");
}

fn copy_tree(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_tree(&entry.path(), &target);
        } else {
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// Builds a package file with a real compiler and a real signer.
fn build(folder: &Path, tree: &Path, path: &str, manifest: &str, resources: Option<&str>, key: &str) {
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(folder).output();
        let output = output.unwrap_or_else(|error| panic!("{program} is needed: {error}"));
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    };
    fs::write(folder.join("AndroidManifest.xml"), manifest).unwrap();
    let mut link = vec!["link", "--manifest", "AndroidManifest.xml", "-o", "unsigned.apk", "-I", FRAMEWORK];
    if let Some(text) = resources {
        fs::create_dir_all(folder.join("res/values")).unwrap();
        fs::write(folder.join("res/values/arrays.xml"), text).unwrap();
        run("aapt2", &["compile", "--dir", "res", "-o", "res.zip"]);
        link.push("res.zip");
    }
    run("aapt2", &link);
    let target = tree.join(path);
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/apks/apksig");
    let (private, certificate) = (keys.join(format!("{key}.pk8")), keys.join(format!("{key}.x509.pem")));
    let named = |path: &Path| path.to_str().unwrap().to_owned();
    let arguments = [
        "sign",
        "--key",
        &named(&private),
        "--cert",
        &named(&certificate),
        "--min-sdk-version",
        "24",
        "--out",
        &named(&target),
        "unsigned.apk",
    ];
    run("apksigner", &arguments);
}

/// Debian's package `android-framework-res`.
const FRAMEWORK: &str = "/usr/share/android-framework-res/framework-res.apk";

fn manifest(package: &str, body: &str) -> String {
    format!(
        r#"<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="{package}">
        <uses-sdk android:minSdkVersion="24" android:targetSdkVersion="33"/>{body}<application/></manifest>"#
    )
}

#[test]
fn real_package_files_and_control_files_come_to_the_answers_of_their_kind() {
    if !Path::new("../shared/data/apks/apksig").is_dir() {
        note("NOT RUN: test keys are not there");
        return;
    }
    let (work, tree) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = work.path();
    let (platform, other) = ("rsa-2048", "ec-p256");
    let permission =
        |name: &str, level: &str| format!(r#"<permission android:name="x.{name}" android:protectionLevel="{level}"/>"#);
    let declared = [
        ("NORMAL", "normal"),
        ("DANGEROUS", "dangerous"),
        ("SIGNATURE", "signature"),
        ("PRIVILEGED", "signature|privileged"),
        ("UNLISTED", "signature|privileged"),
        ("PREINSTALLED", "signature|preinstalled"),
    ];
    let declared: String = declared.iter().map(|(name, level)| permission(name, level)).collect();
    build(folder, tree.path(), "system/framework/framework-res.apk", &manifest("android", &declared), None, platform);
    let asks = |names: &[&str]| {
        names.iter().map(|name| format!(r#"<uses-permission android:name="x.{name}"/>"#)).collect::<String>()
    };
    let all = asks(&["NORMAL", "DANGEROUS", "SIGNATURE", "PRIVILEGED", "UNLISTED", "PREINSTALLED", "NOBODYS"]);
    build(folder, tree.path(), "system/priv-app/A/A.apk", &manifest("x.a", &all), None, other);
    build(folder, tree.path(), "system/app/B/B.apk", &manifest("x.b", &all), None, platform);
    let lists = r#"<permissions><privapp-permissions package="x.a">
        <permission name="x.PRIVILEGED"/></privapp-permissions></permissions>"#;
    let write = |path: &str, text: &str| {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("system/etc/permissions/privapp.xml", lists);
    let defaults = r#"<exceptions><exception package="x.a"><permission name="x.DANGEROUS" fixed="true"/></exception></exceptions>"#;
    write("system/etc/default-permissions/d.xml", defaults);
    write("system/build.prop", "ro.build.version.sdk=34\nro.control_privapp_permissions=enforce\n");
    let inventory = scan(tree.path());
    let of = |package: &str| {
        let grants = inventory.package(package).unwrap().predicted_grants.known().unwrap();
        let short = |grant: &PredictedGrant| grant.permission.trim_start_matches("x.").to_owned();
        let own = grants.iter().filter(|grant| grant.permission.starts_with("x."));
        own.map(|grant| (short(grant), grant.outcome)).collect::<BTreeMap<_, _>>()
    };
    use Outcome::{Granted, Refused};
    let expected = |list: [(&str, Outcome); 7]| list.map(|(name, outcome)| (name.to_owned(), outcome)).into();
    assert_eq!(
        of("x.a"),
        expected([
            ("NORMAL", Granted),
            ("DANGEROUS", Granted),
            ("SIGNATURE", Refused),
            ("PRIVILEGED", Granted),
            ("UNLISTED", Refused),
            ("PREINSTALLED", Granted),
            ("NOBODYS", Refused),
        ])
    );
    assert_eq!(
        of("x.b"),
        expected([
            ("NORMAL", Granted),
            ("DANGEROUS", Refused),
            ("SIGNATURE", Granted),
            ("PRIVILEGED", Granted),
            ("UNLISTED", Granted),
            ("PREINSTALLED", Granted),
            ("NOBODYS", Refused),
        ])
    );
}
