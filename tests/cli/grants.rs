//! `why`, `show` and the filters of `list`: chains of reasons that a reviewer can follow to file and line.

use std::path::{Path, PathBuf};

use super::preloaded;

/// Picked by hand, one for each way in which the trees of the two devices come to an answer.
const CASES: [(&str, &str, &str); 12] = [
    ("lenovo-x606x", "com.android.backupconfirm", "android.permission.BACKUP"),
    ("lenovo-x606x", "com.android.mtp", "android.permission.MANAGE_USB"),
    ("lenovo-x606x", "com.google.android.captiveportallogin", "android.permission.MAINLINE_NETWORK_STACK"),
    ("lenovo-x606x", "com.google.android.captiveportallogin", "android.permission.NETWORK_BYPASS_PRIVATE_DNS"),
    ("lenovo-x606x", "com.android.location.fused", "android.permission.ACCESS_FINE_LOCATION"),
    ("lenovo-x606x", "com.android.companiondevicemanager", "android.permission.ACCESS_COARSE_LOCATION"),
    ("lenovo-x606x", "com.android.externalstorage", "android.permission.READ_EXTERNAL_STORAGE"),
    ("samsung-a02", "com.sec.android.RilServiceModeApp", "com.sec.android.app.servicemodeapp.permission.KEYSTRING"),
    ("samsung-a02", "com.android.carrierconfig", "android.permission.READ_PHONE_STATE"),
    ("samsung-a02", "com.google.android.apps.tachyon", "android.permission.CAMERA"),
    ("samsung-a02", "com.google.android.apps.tachyon", "android.permission.SYSTEM_ALERT_WINDOW"),
    ("samsung-a02", "com.android.keychain", "com.samsung.android.knox.permission.KNOX_AUDIT_LOG"),
];

#[allow(clippy::print_stderr, reason = "a test that did not run says so")]
fn tree(device: &str) -> Option<PathBuf> {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/firmware").join(device).join("tree");
    if !tree.is_dir() {
        eprintln!("NOT RUN: {} is not there", tree.display());
        return None;
    }
    Some(tree)
}

#[test]
fn chains_of_reasons_of_real_packages_lead_to_files_and_lines() {
    let mut shown = String::new();
    for (device, package, permission) in CASES {
        let Some(tree) = tree(device) else { return };
        let said = preloaded(&["why", package, permission, tree.to_str().unwrap()]);
        assert_eq!(said.code, if said.out.contains("first boot unknown") { 3 } else { 0 }, "{}", said.err);
        shown.push_str(&format!("### {device}\n{}\n", said.out));
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/why-real-trees.txt");
    let expected = std::fs::read_to_string(golden).unwrap();
    assert!(shown == expected, "the chains differ from tests/snapshots/why-real-trees.txt; now:\n{shown}");
}

#[test]
fn a_line_that_a_chain_names_has_the_permission() {
    let Some(tree) = tree("lenovo-x606x") else { return };
    let said = preloaded(&["why", CASES[0].1, CASES[0].2, tree.to_str().unwrap(), "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let reasons = answer["reasons"].as_array().unwrap();
    let listed = reasons.iter().find(|reason| reason["code"] == "allowlisted").unwrap();
    let (file, line) = listed["at"].as_str().unwrap().rsplit_once(':').unwrap();
    let text = std::fs::read_to_string(tree.join(format!("system{file}"))).unwrap();
    let line = text.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
    assert!(line.contains(CASES[0].2), "{line}");
    assert_eq!((answer["outcome"].as_str(), answer["requested"].as_bool()), (Some("granted"), Some(true)));
}

#[test]
fn what_is_not_asked_for_or_not_there_is_said_and_a_gap_keeps_it_open() {
    let said = preloaded(&["why", "com.orion.settings", "android.permission.NO_SUCH", super::PHONE]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("not asked for"), "{}", said.out);
    let said = preloaded(&["why", "com.example.nobody", "android.permission.INTERNET", super::PHONE]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("com.example.nobody is not on"), "{}", said.err);
    let Some(tree) = tree("lenovo-x606x") else { return };
    let said = preloaded(&["show", "com.example.nobody", tree.to_str().unwrap()]);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("gaps may hide it"), "{}", said.err);
}

#[test]
fn show_tells_all_about_a_package_of_an_image_and_of_a_phone() {
    let said = preloaded(&["list", super::FIRMWARE, "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let name = list["packages"][0]["package"].as_str().unwrap().to_owned();
    let said = preloaded(&["show", &name, super::FIRMWARE]);
    assert_eq!(said.code, 0, "{}", said.err);
    for title in
        ["presence", "removability", "icon", "shared user", "place", "version", "signers", "components", "permissions"]
    {
        assert!(said.out.lines().any(|line| line.trim_start().starts_with(title)), "{title}: {}", said.out);
    }
    let said = preloaded(&["show", "com.orion.settings", super::PHONE, "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let shown: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(shown["package"]["name"], "com.orion.settings");
    assert!(!shown["permissions"].as_array().unwrap().is_empty());
    assert_eq!(shown["presence"]["value"], "full");
    assert_eq!(shown["removability"]["value"], shown["package"]["removability"]["value"]["grade"]);
    for conclusion in ["presence", "removability"] {
        let reasons = shown[conclusion]["reasons"].as_array().unwrap();
        assert!(!reasons.is_empty() && reasons.iter().all(|reason| reason["at"].is_string()), "{reasons:?}");
    }
    assert_eq!(shown["launcher_place"]["unknown"]["reason"], "not-observed", "phones do not tell it");
}

/// By hand: it lies in `priv-app`, has the certificate of the platform's key in `plat_mac_permissions.xml`, and no launcher
/// activity.
#[test]
fn show_of_a_real_tree_grades_and_places_with_files() {
    let Some(tree) = tree("lenovo-x606x") else { return };
    let name = "com.android.backupconfirm";
    let said = preloaded(&["show", name, tree.to_str().unwrap(), "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let shown: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&shown["presence"]["value"], &shown["removability"]["value"]),
        (&"full".into(), &"not-removable".into())
    );
    assert_eq!(shown["launcher_place"]["value"]["kind"], "none");
    let reasons = shown["removability"]["reasons"].as_array().unwrap();
    let signed = reasons.iter().find(|reason| reason["code"] == "platform-signed").unwrap();
    let place = "/system/priv-app/BackupRestoreConfirmation/BackupRestoreConfirmation.apk: signatures";
    assert_eq!(signed["at"], place);
    let text = preloaded(&["show", name, tree.to_str().unwrap()]).out;
    assert!(text.contains("    presence      full\n") && text.contains("    removability  not-removable\n"), "{text}");
    assert!(text.contains(&format!("[{place}]")), "{text}");
}

#[test]
fn list_keeps_holders_of_a_permission_and_requests_of_a_level() {
    let packages = |arguments: &[&str]| {
        let said = preloaded(&[&["list", super::FIRMWARE, "--format", "json"], arguments].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        let list: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        list["packages"].as_array().unwrap().clone()
    };
    let all = packages(&[]);
    let permission = "android.permission.DISABLE_KEYGUARD";
    let holders = packages(&["--granted", permission]);
    let has = |row: &serde_json::Value| row["granted"].as_array().unwrap().iter().any(|name| name == permission);
    assert_eq!(holders.len(), all.iter().filter(|row| has(row)).count());
    assert!(!holders.is_empty() && holders.len() < all.len());
    assert!(packages(&["--granted", "android.permission.DISABLE_KEYGUAR"]).is_empty());
    let normal = packages(&["--level", "normal"]);
    assert!(!normal.is_empty() && normal.len() < all.len());
    // A phone says itself what it grants.
    let said = preloaded(&["list", super::PHONE, "--format", "json", "--granted", "android.permission.INTERNET"]);
    assert!(said.out.contains("com.orion.settings"), "{}", said.out);
    let said = preloaded(&["list", super::PHONE, "--level", "dangerou"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("no word of a protection level"), "{}", said.err);
}
