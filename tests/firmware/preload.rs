//! Vendors' places, lists, scripts and layouts: what becomes of each app, and of its neighbour one letter off. The packages are
//! made by aapt2 and signed by apksigner. Beside them, two real trees.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use preloaded::bytes::Limits;
use preloaded::collect::firmware::FirmwareSource;
use preloaded::collect::{Request, Silent, Source};
use preloaded::inventory::{Fact, Inventory, PresenceState, Role};
use preloaded::platform::{default_roles, launcher, presence};
use tempfile::TempDir;

struct Tree {
    folder: TempDir,
    inventory: Inventory,
}

fn collect(path: &Path) -> Inventory {
    FirmwareSource::new(path, Limits::default()).collect(&Request::default(), &Silent).unwrap()
}

/// The tree, built once.
fn tree() -> &'static Tree {
    static TREE: OnceLock<Tree> = OnceLock::new();
    TREE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new("python3").arg("tests/support/preload_tree.py").arg(folder.path()).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words}; install aapt2, apksigner, openssl and android-framework-res");
        let inventory = collect(folder.path());
        Tree { folder, inventory }
    })
}

/// Grade or state with the codes of its grounds, or the reason why it is not known.
fn told<T>(fact: &Fact<T>, words: impl Fn(&T) -> (String, Vec<String>)) -> String {
    match fact {
        Fact::Known { value, .. } => {
            let (answer, codes) = words(value);
            format!("{answer} {}", codes.join(",")).trim_end().to_owned()
        }
        Fact::Unknown(gap) => format!("? {}", gap.reason.as_str()),
    }
}

fn code<T: serde::Serialize>(code: &T) -> String {
    serde_json::to_value(code).unwrap().as_str().unwrap().to_owned()
}

fn removability(inventory: &Inventory, name: &str) -> String {
    told(&inventory.package(name).unwrap_or_else(|| panic!("{name}")).removability, |found| {
        (found.grade.as_str().to_owned(), found.grounds.iter().map(|ground| code(&ground.code)).collect())
    })
}

fn presence_of(inventory: &Inventory, name: &str) -> String {
    told(&presence::of(inventory, name), |found| {
        (found.state.as_str().to_owned(), found.grounds.iter().map(|ground| code(&ground.code)).collect())
    })
}

const UNKNOWN: &str = "? not-observed";

#[test]
fn every_place_and_list_gives_its_grade_and_its_neighbour_another() {
    let expected = [
        ("android", "not-removable platform,platform-signed,system-app"),
        ("com.android.printspooler", "not-removable kept,system-app"),
        ("com.example.plain", "disable-only system-app"),
        ("com.example.signed", "not-removable platform-signed,system-app"),
        ("com.example.persistent", "not-removable persistent,system-app"),
        ("com.example.home", "not-removable home,system-app"),
        ("com.example.dialer", "not-removable required-role,system-app"),
        ("com.example.setup", "not-removable kept,system-app"),
        ("com.example.setups", "disable-only system-app"),
        ("com.example.web", "stub-updates-itself stub,system-app"),
        // Lists: the platform's signer gives way, a comment and another file's name say nothing.
        ("com.example.listed", "returns-after-reset removable-list,system-app"),
        ("com.example.listee", "disable-only system-app"),
        ("com.example.tran", "returns-after-reset removable-list,system-app"),
        ("com.example.place.xiaomi", "returns-after-reset vendor-place"),
        ("com.example.place.xiaomis", UNKNOWN),
        ("com.example.place.oplus", "returns-after-reset vendor-place"),
        ("com.example.place.oplus.early", "returns-after-reset vendor-place"),
        ("com.example.place.oplusx", UNKNOWN),
        ("com.example.place.samsung", "returns-after-reset vendor-place"),
        ("com.example.place.samsungs", UNKNOWN),
        ("com.example.place.rock.stays", "not-removable fixed-place"),
        ("com.example.place.rock.back", "returns-after-reset vendor-place"),
        ("com.example.place.rock.gone", "user-removable vendor-place"),
        ("com.example.place.rock.none", UNKNOWN),
        ("com.example.place.huawei", "returns-after-reset vendor-place"),
        ("com.example.place.transsion", "returns-after-reset vendor-place"),
        ("com.example.place.allwinner", "returns-after-reset vendor-place"),
        ("com.example.place.unknown", UNKNOWN),
        ("com.example.script.folder", "returns-after-reset user-space"),
        ("com.example.script.file", "returns-after-reset user-space"),
        ("com.example.script.other", UNKNOWN),
    ];
    for (name, grade) in expected {
        assert_eq!(removability(&tree().inventory, name), grade, "{name}");
    }
}

#[test]
fn every_way_of_presence_is_told_from_its_neighbour() {
    let expected = [
        ("com.example.plain", "full package-file"),
        ("com.example.nocode", "stub placeholder"),
        ("com.example.web", "first-boot full-form,placeholder"),
        ("com.example.place.xiaomi", "first-boot vendor-place"),
        ("com.example.place.xiaomis", UNKNOWN),
        ("com.example.script.folder", "first-boot install-list"),
        ("com.example.script.file", "first-boot install-list"),
        ("com.example.script.other", UNKNOWN),
        // Xiaomi's lists of this variant, a name one letter short, the list of another variant.
        ("com.example.cust.wanted", "first-boot install-list,vendor-place"),
        ("com.example.cust.unwanted", "absent not-listed"),
        ("com.example.cust.elsewhere", "absent not-listed"),
        ("com.example.huawei.listed", "first-boot install-list,vendor-place"),
        ("com.example.huawei.unlisted", "absent not-listed"),
        ("com.example.types.profile", "absent other-user-types"),
        ("com.example.types.full", "full package-file"),
        ("com.example.skipped", "absent skip-list"),
        // A list of one operator: it may not be this device's.
        ("com.example.carrier", "full package-file,skip-list"),
        ("com.example.cust.fetched", "auto-install auto-install-list"),
        ("com.example.cust.configured", "auto-install auto-install-list"),
        ("com.example.cust.disabled", "absent"),
        ("com.example.samsung.fetched", "auto-install auto-install-list"),
        ("com.example.auto", "auto-install auto-install-list,auto-install-list"),
        ("com.example.linked", "icon layout-icon"),
        ("com.example.link", "absent"),
        // Its provider answers another action.
        ("com.example.never", "absent"),
    ];
    for (name, state) in expected {
        assert_eq!(presence_of(&tree().inventory, name), state, "{name}");
    }
}

#[test]
fn grounds_name_the_file_and_the_line() {
    let inventory = &tree().inventory;
    let place = |evidence: &preloaded::inventory::Evidence| {
        (inventory.origin(evidence).unwrap().name.clone(), evidence.at.clone().unwrap_or_default())
    };
    let listed = inventory.package("com.example.listed").unwrap().removability.known().unwrap();
    let file = "/system/etc/permissions/pms_sysapp_removable_system_list.txt";
    assert_eq!(place(&listed.grounds[0].evidence), (file.to_owned(), "line 2".to_owned()));
    assert_eq!(listed.grounds[0].says, "a list names it as removable (persist.vendor.pms_removable=1)");
    let Fact::Known { value, .. } = presence::of(inventory, "com.example.script.file") else { panic!() };
    assert_eq!(place(&value.grounds[0].evidence), ("/system/bin/preinstall.sh".to_owned(), "line 3".to_owned()));
    let says = "/vendor/etc/boxes/J.apk is installed at first boot (started by /system/etc/init/boxes.rc line 1)";
    assert_eq!(value.grounds[0].says, says);
    let Fact::Known { value, .. } = presence::of(inventory, "com.example.linked") else { panic!() };
    let apk = "/product/priv-app/PlayAutoInstallConfig/PlayAutoInstallConfig.apk";
    assert_eq!(
        place(&value.grounds[0].evidence),
        (apk.to_owned(), "res/xml/default_layout_part.xml line 1".to_owned())
    );
}

#[test]
fn a_list_counts_only_where_its_property_is_set() {
    let tree = tree();
    let copy = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-r").arg(tree.folder.path()).arg(copy.path().join("tree")).status().unwrap();
    assert!(copied.success());
    let root = copy.path().join("tree");
    std::fs::write(root.join("vendor/build.prop"), "ro.product.vendor.brand=a\npersist.vendor.pms_removable=0\n")
        .unwrap();
    std::fs::write(root.join("product/etc/build.prop"), "ro.product.product.brand=a\nro.miui.cust_variant=eea\n")
        .unwrap();
    let inventory = collect(&root);
    assert_eq!(removability(&inventory, "com.example.listed"), "not-removable platform-signed,system-app");
    assert_eq!(removability(&inventory, "com.example.tran"), "returns-after-reset removable-list,system-app");
    // Of another variant, the other list.
    assert_eq!(presence_of(&inventory, "com.example.cust.wanted"), "absent not-listed");
    assert_eq!(presence_of(&inventory, "com.example.cust.elsewhere"), "first-boot install-list,vendor-place");
}

#[test]
fn an_icon_stands_where_the_worst_layout_puts_it() {
    let inventory = &tree().inventory;
    let place = |name: &str| launcher::place(inventory, name).known().map(|place| place.describe());
    for (name, expected) in [
        ("com.example.plain", "page 1"),
        ("com.example.auto", "folder on page 0"),
        ("com.example.signed", "all-apps"),
        ("com.example.tran", "all-apps"),
        ("com.example.browser", "all-apps"),
        ("com.example.home", "none"),
    ] {
        assert_eq!(place(name).as_deref(), Some(expected), "{name}");
    }
    let worse = launcher::place(inventory, "com.example.browser").known().copied().unwrap();
    assert!(launcher::place(inventory, "com.example.plain").known().unwrap().is_no_worse_than(worse));
}

#[test]
fn the_strongest_static_overlay_names_the_browser_and_the_only_candidates_hold_the_rest() {
    let inventory = &tree().inventory;
    for (role, holders) in [
        (Role::Browser, vec!["com.example.browser"]),
        (Role::Dialer, vec!["com.example.dialer"]),
        (Role::Home, vec!["com.example.home"]),
        (Role::Sms, vec![]),
        (Role::Assistant, vec![]),
    ] {
        let found = default_roles::holders(inventory, &role);
        assert_eq!(found.known().unwrap(), &holders, "{}", role.as_str());
    }
    let holders: Vec<_> = inventory.role_holders.known().unwrap().iter().map(|h| (h.role.as_str(), h.user)).collect();
    assert_eq!(holders, [("home", None), ("browser", None), ("dialer", None)]);
}

#[test]
fn a_loaded_inventory_gives_the_same_answers_and_an_old_one_is_completed() {
    let inventory = &tree().inventory;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("saved.json");
    std::fs::write(&file, serde_json::to_vec(inventory).unwrap()).unwrap();
    let load = || preloaded::collect::saved::SavedSource::new(&file).collect(&Request::default(), &Silent).unwrap();
    assert!(load() == *inventory);
    // As a version saved it that knew nothing of conclusions: they follow from the facts.
    let mut old = serde_json::to_value(inventory).unwrap();
    for package in old["packages"]["value"].as_array_mut().unwrap() {
        for field in ["removability", "presence", "launcher_place"] {
            package.as_object_mut().unwrap().remove(field).unwrap();
        }
    }
    for field in ["arrivals", "role_holders"] {
        old.as_object_mut().unwrap().remove(field).unwrap();
    }
    std::fs::write(&file, serde_json::to_vec(&old).unwrap()).unwrap();
    assert!(load() == *inventory);
}

#[test]
fn the_list_is_filtered_by_grade_and_by_presence() {
    let list = |arguments: &[&str]| -> Vec<String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_preloaded"));
        let output =
            command.arg("list").arg(tree().folder.path()).args(["--format", "tsv"]).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("package\t"), "{}", String::from_utf8_lossy(&output.stderr));
        text.lines().skip(1).map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    let unknown = list(&["--removability", "unknown"]);
    assert!(unknown.contains(&"com.example.place.xiaomis".to_owned()) && unknown.len() == 6, "{unknown:?}");
    // What is not known may well be one of those that are looked for.
    let gone = list(&["--removability", "user-removable"]);
    assert_eq!(gone.iter().filter(|name| !unknown.contains(name)).collect::<Vec<_>>(), ["com.example.place.rock.gone"]);
    let fetched = list(&["--presence", "auto-install"]);
    for name in ["com.example.auto", "com.example.cust.fetched", "com.example.samsung.fetched"] {
        assert!(fetched.contains(&name.to_owned()), "{fetched:?}");
    }
    assert!(!list(&[]).contains(&"com.example.auto".to_owned()));
    let wrong =
        Command::new(env!("CARGO_BIN_EXE_preloaded")).args(["list", "x", "--presence", "ful"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn show_tells_of_grades_with_their_files_and_of_an_app_that_is_no_package_yet() {
    let show = |name: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_preloaded"));
        let output = command.args(["show", name]).arg(tree().folder.path()).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    // Which file and line say so is in the tree's recipe.
    let text = show("com.example.auto", &[]);
    assert!(text.starts_with("com.example.auto\n    presence      auto-install\n"), "{text}");
    assert!(text.contains("PlayAutoInstallConfig.apk") && !text.contains("removability"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&show("com.example.auto", &["--format", "json"])).unwrap();
    assert_eq!((&json["package"], &json["removability"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    assert_eq!((&json["presence"]["value"], &json["name"]), (&"auto-install".into(), &"com.example.auto".into()));
    let text = show("com.example.place.rock.gone", &[]);
    assert!(text.contains("    removability  user-removable\n"), "{text}");
    // Unknown is told as unknown, with the reason.
    let text = show("com.example.place.xiaomis", &[]);
    assert!(text.lines().any(|line| line.starts_with("    removability  ? [")), "{text}");
    let missing = Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .args(["show", "com.example.aut"])
        .arg(tree().folder.path())
        .output()
        .unwrap();
    assert!([Some(2), Some(3)].contains(&missing.status.code()), "the neighbour one letter off");
}

#[test]
fn holders_of_a_role_get_its_permissions_and_their_neighbours_do_not() {
    let inventory = &tree().inventory;
    let roles = inventory.roles.known().unwrap();
    assert_eq!(roles.len(), 4);
    let grant = |package: &str, permission: &str| {
        let grants = inventory.package(package).unwrap().predicted_grants.known().unwrap();
        let name = format!("android.permission.{permission}");
        let grant = grants.iter().find(|grant| grant.permission == name).unwrap();
        let codes: Vec<String> = grant.reasons.iter().map(|reason| code(&reason.code)).collect();
        format!("{} {}", grant.outcome.as_str(), codes.join(","))
    };
    let (storage, rcs) = ("READ_EXTERNAL_STORAGE", "ACCESS_RCS_USER_CAPABILITY_EXCHANGE");
    for (package, permission, expected) in [
        ("com.example.gallery", storage, "granted role-holder"),
        ("com.example.gallery.two", storage, "refused asks-user"),
        ("com.example.contacts", storage, "refused asks-user"),
        // The certificate beside the name makes it the holder.
        ("com.example.contacts", rcs, "granted role-holder"),
        ("com.example.contacts.two", rcs, "refused role-not-held"),
        ("com.example.gallery", rcs, "refused role-not-held"),
        // From Android 14 on, and this is 13.
        ("com.example.gallery", "CAMERA", "refused asks-user"),
        ("com.example.gallery", "RECORD_AUDIO", "refused asks-user"),
        // Whether it has the components is not looked at.
        ("com.example.speech", "RECORD_AUDIO", "unknown role-holder-unknown"),
        ("com.example.speech", storage, "refused asks-user"),
    ] {
        assert_eq!(grant(package, permission), expected, "{package} {permission}");
    }
    let said = Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .args(["why", "com.example.gallery", "android.permission.READ_EXTERNAL_STORAGE"])
        .arg(tree().folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(text.contains("comes with the role android.app.role.SYSTEM_GALLERY, which it holds"), "{text}");
    assert!(text.contains("PermissionController.apk: res/xml/roles.xml line 5"), "{text}");
    // A text that names no package is no value for roles.
    assert!(default_roles::value(inventory, "config_systemImage").is_none());
}

/// How often each answer is given.
type Counts = BTreeMap<String, usize>;

/// Counts of a real tree, by hand from its files: which answers it gives and how many.
fn counts(device: &str) -> Option<(Inventory, Counts, Counts)> {
    let tree = Path::new("../shared/data/firmware").join(device).join("tree");
    if !tree.is_dir() {
        super::note(&format!("NOT RUN: {} is not there", tree.display()));
        return None;
    }
    let inventory = collect(&tree);
    let (mut grades, mut states) = (BTreeMap::new(), BTreeMap::new());
    for package in inventory.packages.known().unwrap() {
        let first = |text: String| text.split_whitespace().next().unwrap_or_default().to_owned();
        *grades.entry(first(removability(&inventory, &package.name))).or_insert(0) += 1;
        *states.entry(first(presence_of(&inventory, &package.name))).or_insert(0) += 1;
    }
    super::note(&format!("{device}: {grades:?} {states:?}"));
    Some((inventory, grades, states))
}

fn count(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn the_tablet_has_signed_and_disabled_apps_and_modules_that_nothing_loads() {
    let Some((inventory, grades, states)) = counts("lenovo-x606x") else { return };
    assert_eq!(grades, count(&[("?", 4), ("disable-only", 55), ("not-removable", 52)]));
    assert_eq!(states, count(&[("?", 4), ("full", 105), ("stub", 2)]));
    // Its list of removable apps is not in the tree, and its modules lie too deep to be loaded.
    assert!(removability(&inventory, "com.mediatek.gallerygif").starts_with('?'));
    let assistant = default_roles::value(&inventory, "config_defaultAssistant").unwrap();
    assert_eq!(
        (assistant.package.as_str(), assistant.value.as_str()),
        ("com.google.android.overlay.gmsgsaconfig", "com.google.android.googlequicksearchbox")
    );
}

#[test]
fn the_phone_has_a_preload_a_catalogue_and_a_configuration_without_contents() {
    let Some((inventory, grades, states)) = counts("samsung-a02") else { return };
    assert_eq!(grades, count(&[("?", 3), ("disable-only", 70), ("not-removable", 56), ("returns-after-reset", 1)]));
    assert_eq!(states, count(&[("?", 3), ("first-boot", 1), ("full", 123), ("stub", 3)]));
    assert_eq!(removability(&inventory, "com.facebook.katana"), "returns-after-reset vendor-place");
    // The catalogue names a system app too, which Samsung's own settings pass over.
    assert_eq!(removability(&inventory, "com.google.android.apps.tachyon"), "disable-only system-app");
    let arrivals = inventory.arrivals.known().unwrap();
    assert_eq!(arrivals.len(), 9);
    assert!(arrivals.iter().all(|arrival| arrival.presence.state == PresenceState::AutoInstall));
    let spotify = &arrivals.iter().find(|arrival| arrival.package == "com.spotify.music").unwrap().presence.grounds[0];
    let origin = &inventory.origin(&spotify.evidence).unwrap().name;
    assert_eq!(
        (origin.as_str(), spotify.evidence.at.as_deref()),
        ("/system/etc/removable_preload.txt", Some("line 703"))
    );
    assert_eq!(inventory.layouts.known().unwrap().len(), 0);
}

#[test]
fn a_label_of_the_platform_is_resolved_wherever_the_platform_stands() {
    let framework = "/usr/share/android-framework-res/framework-res.apk";
    let work = TempDir::new().unwrap();
    let manifest = r#"<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="com.example.label">
        <uses-sdk android:minSdkVersion="24"/><application android:label="@android:string/ok"/></manifest>"#;
    std::fs::write(work.path().join("AndroidManifest.xml"), manifest).unwrap();
    let link = ["link", "--manifest", "AndroidManifest.xml", "-o", "label.apk", "-I", framework];
    let output = Command::new("aapt2").args(link).current_dir(work.path()).output().unwrap();
    assert!(output.status.success(), "{}; install android-framework-res", String::from_utf8_lossy(&output.stderr));
    // The second is in none of the places that are looked at before the files are listed.
    for (place, expected) in [("framework", Some("OK")), ("odd/framework", Some("OK")), ("odd", None)] {
        let tree = TempDir::new().unwrap();
        let system = tree.path().join("system");
        for folder in [place, "app/Label"] {
            std::fs::create_dir_all(system.join(folder)).unwrap();
        }
        std::fs::write(system.join("build.prop"), "ro.build.version.sdk=33\n").unwrap();
        std::fs::copy(framework, system.join(place).join("framework-res.apk")).unwrap();
        std::fs::copy(work.path().join("label.apk"), system.join("app/Label/Label.apk")).unwrap();
        let inventory = collect(tree.path());
        let label = inventory.package("com.example.label").unwrap().copies[0].label.known().cloned().flatten();
        assert_eq!(label.as_deref(), expected, "{place}");
    }
}
