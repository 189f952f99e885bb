//! Captures that other programs made, as targets: real ones held against counts that were taken without this program,
//! others in the forms that their programs' documents and sources describe.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use preloaded::bytes::Limits;
use preloaded::collect::capture::CaptureSource;
use preloaded::collect::{Request, Silent, Source, SourceError};
use preloaded::inventory::{
    AdministratorKind, ChosenKind, CopyRole, Enabled, GapReason, Hides, Inventory, Role, SignerDepth, TargetKind,
};

use super::pixel::{holders, packages, real, rows, true_rows};

fn collect(path: &Path) -> Result<Inventory, SourceError> {
    assert!(CaptureSource::recognizes(path), "{} is not recognised", path.display());
    CaptureSource::new(path, Limits::default()).collect(&Request::default(), &Silent)
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn chosen(inventory: &Inventory) -> Vec<(u32, ChosenKind, &str)> {
    let all = inventory.state.chosen.known().unwrap().iter();
    all.map(|chosen| (chosen.user, chosen.kind, chosen.component.as_str())).collect()
}

// Real ones.

const REPORT: &str = "captures/chkbugreport/bugreport-sailfish-QP1A.191005.007.A3-2020-01-08-15-30-07.zip";

#[test]
fn the_bug_report_of_the_pixel_gives_every_fact_that_a_report_holds() {
    let (Some(path), Some(expected)) = (real(REPORT), true_rows()) else { return };
    let inventory = collect(&path).unwrap();
    assert_eq!(
        (inventory.target.kind, inventory.target.layers.as_slice()),
        (TargetKind::Capture, &["bug report".to_owned()][..])
    );
    assert_eq!(packages(&inventory).len(), 134);
    assert_eq!(rows(&inventory), expected, "1,353 permission rows");
    let users: Vec<_> = inventory.users.known().unwrap().iter().map(|user| (user.id, user.running)).collect();
    assert_eq!(users, [(0, Some(true)), (11, Some(false))]);
    // grep -c in the report's sections: `holders=`, `mPackageName`, lines of `Features:`.
    let roles = inventory.role_holders.known().unwrap();
    assert_eq!(roles.len(), 10);
    let home = roles.iter().find(|holder| holder.role == Role::Home && holder.user == Some(11)).unwrap();
    assert_eq!(home.package, "com.android.launcher3");
    let state = &inventory.state;
    assert_eq!(state.overlays.known().unwrap().len(), 36);
    assert_eq!(
        state.overlays.known().unwrap().iter().filter(|overlay| overlay.enabled == Some(true)).count(),
        ENABLED_OVERLAYS
    );
    assert_eq!(state.features.known().unwrap().len(), 83);
    assert_eq!(state.administrators.known().unwrap(), &[]);
    // 167 lines with a mode; three are of `root` and `audioserver`, which are no packages.
    assert_eq!(state.app_ops.known().unwrap().len(), 164);
    let launcher = "com.android.launcher3/com.android.launcher3.notification.NotificationListener";
    let ime = "com.android.inputmethod.latin/com.android.inputmethod.latin.LatinIME";
    let of_user = |user| {
        [
            (user, ChosenKind::NotificationListener, launcher),
            (user, ChosenKind::InputMethod, ime),
            (user, ChosenKind::DefaultInputMethod, ime),
        ]
    };
    assert_eq!(chosen(&inventory), [of_user(0), of_user(11)].concat());
    assert_eq!(state.verified_boot.known().unwrap().as_deref(), Some("orange"));
    assert_eq!(state.bootloader_locked.known(), Some(&Some(false)));
    assert_eq!(state.vbmeta_digest.known(), Some(&None));
    let calendar = inventory.package("com.android.calendar").unwrap().install.known().unwrap();
    assert_eq!(calendar.first.len(), 1);
    assert_eq!(calendar.initiator.gap().unwrap().reason, GapReason::NotObserved, "told since Android 11");
    // What a report does not hold is said to be not observed, and nothing else is open.
    assert!(inventory.gaps.iter().all(|gap| gap.reason == GapReason::NotObserved), "{:#?}", inventory.gaps);
    assert!(inventory.gaps_hiding_packages().next().is_none());
    let source = inventory.origin(inventory.packages.evidence().unwrap()).unwrap();
    assert!(source.name.ends_with("15-30-07.txt: DUMP OF SERVICE package, from line 178832"), "{}", source.name);
}

/// grep -c 'mIsEnabled.*true' in the section.
const ENABLED_OVERLAYS: usize = 1;

#[test]
fn the_text_of_the_bug_report_alone_gives_the_same() {
    let Some(path) = real(REPORT) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut archive = zip::ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
    let text = folder.path().join("dumpstate.txt");
    std::io::copy(&mut archive.by_index(0).unwrap(), &mut fs::File::create(&text).unwrap()).unwrap();
    let (of_zip, of_text) = (collect(&path).unwrap(), collect(&text).unwrap());
    assert_eq!(
        (&of_zip.packages.known(), &of_zip.state.chosen.known()),
        (&of_text.packages.known(), &of_text.state.chosen.known())
    );
    assert_eq!(rows(&of_zip), rows(&of_text));
}

#[test]
fn the_services_of_the_pixel_one_by_one_in_a_folder_are_one_capture() {
    let Some(path) = real("captures/pixel-aosp10") else { return };
    let inventory = collect(&path).unwrap();
    assert_eq!(packages(&inventory).len(), 134);
    assert_eq!(inventory.role_holders.known().unwrap().len(), 10);
    assert_eq!(inventory.state.overlays.known().unwrap().len(), 36);
    assert_eq!(inventory.state.features.known().unwrap().len(), 83);
    assert_eq!(chosen(&inventory).len(), 6);
    assert_eq!(inventory.device.sdk.known(), Some(&29));
}

#[test]
fn the_tv_box_is_read_from_its_two_texts_and_names_no_later_app() {
    let Some(path) = real("captures/tvbox-android7") else { return };
    let inventory = collect(&path).unwrap();
    assert_eq!((packages(&inventory).len(), inventory.omitted_packages.known()), (83, Some(&1)));
    let grants = holders(&inventory).into_values().flatten().count();
    assert!(grants > 800, "{grants}");
    assert!(!serde_json::to_string(&inventory).unwrap().contains("sshdroid"));
    assert_eq!(inventory.state.verified_boot.known(), Some(&None));
    assert!(inventory.gaps_hiding_packages().next().is_none(), "a whole dump names the features");
}

#[test]
fn a_dump_of_one_package_does_not_prove_that_others_are_absent() {
    for (file, count) in [("tekartik1", 1), ("tekartik2", 1)] {
        let Some(path) = real(&format!("captures/fragments-sdk36/dumpsys_package_single_{file}.txt")) else { return };
        let inventory = collect(&path).unwrap();
        let shown = packages(&inventory).len() + usize::try_from(*inventory.omitted_packages.known().unwrap()).unwrap();
        assert_eq!(shown, count);
        assert!(inventory.gaps_hiding_packages().next().is_some(), "{file}");
    }
}

#[test]
fn mvt_and_androidqf_artifacts_are_read_with_their_certificates() {
    let Some(path) = real("captures/mvt/androidqf") else { return };
    let inventory = collect(&path).unwrap();
    assert_eq!(inventory.target.layers, ["androidqf"]);
    // Two entries in the dump, seven packages in the list: the capture contradicts itself and says so.
    let contradictions = inventory.gaps.iter().filter(|gap| gap.reason == GapReason::Contradiction).count();
    assert!(contradictions >= 1 && inventory.gaps_hiding_packages().next().is_some());

    // Without the dump the list is what there is: three of the seven have no installer that is named.
    let only = folder(&[("packages.json", &fs::read_to_string(path.join("packages.json")).unwrap())]);
    let inventory = collect(only.path()).unwrap();
    let names: Vec<_> = packages(&inventory).iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["com.malware.blah", "com.malware.muahaha", "com.whatsapp"]);
    let signer = &packages(&inventory)[2].copies[0].signers.known().unwrap()[0];
    assert_eq!(signer.sha256.as_deref(), Some("3987d043d10aefaf5a8710b3671418fe57e0e19b653c9df82558feb5ffce5d44"));
    assert_eq!(signer.depth, SignerDepth::Claimed);
    assert_eq!(inventory.omitted_packages.known(), Some(&4));

    let zip = real("captures/mvt/androidqf.zip").unwrap();
    let inventory = collect(&zip).unwrap();
    assert!(inventory.packages.known().is_none(), "it holds properties alone");
    assert!(inventory.gaps_hiding_packages().next().is_some());

    let data = collect(&real("captures/mvt/android_data").unwrap()).unwrap();
    assert_eq!(packages(&data).len(), 2);
    let service = "com.malware.accessibility/com.malware.service.malwareservice";
    assert_eq!(chosen(&data), [(0, ChosenKind::AccessibilityService, service)]);
}

// Forms that no real capture at hand has.

#[test]
fn lists_of_packages_alone_give_names_and_paths_and_names_alone_are_refused_with_advice() {
    let list = "package:/system/app/A/A.apk=com.fiction.a\npackage:/data/app/x/base.apk=com.fiction.later  installer=com.fiction.store\n";
    let of_list = folder(&[("pm.txt", list)]);
    let inventory = collect(&of_list.path().join("pm.txt")).unwrap();
    let names: Vec<_> = packages(&inventory).iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["com.fiction.a"]);
    assert_eq!(packages(&inventory)[0].copies[0].role, CopyRole::Factory);
    assert!(inventory.gaps_hiding_packages().next().is_some());
    let names = folder(&[("pm.txt", "package:com.fiction.a\npackage:com.fiction.b\n")]);
    let error = collect(&names.path().join("pm.txt")).unwrap_err().to_string();
    assert!(error.contains("take `pm list packages -f -u`"), "{error}");
}

#[test]
fn the_suite_s_device_info_tells_packages_by_place_and_counts_those_without_one() {
    let text = r#"{"package": [
        {"name": "com.fiction.a", "version_name": "1.0", "dir": "/product/app/A/A.apk", "system_priv": false, "min_sdk": 21,
         "target_sdk": 34, "has_system_uid": false, "uid": 10001, "shares_install_packages_permission": false,
         "sha256_cert": "AB:CD:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:01",
         "requested_permissions": [{"name": "android.permission.CAMERA", "flags": 0, "permission_group": null, "protection_level": 1,
           "protection_level_flags": 0, "type": 1, "is_granted": false}],
         "has_default_notification_access": false, "is_active_admin": false, "is_default_accessibility_service": false,
         "sha256_file": "x", "requested_roles": [{"name": "android.app.role.HOME"}]},
        {"name": "com.fiction.later", "dir": "/data/app/x/base.apk", "requested_permissions": []},
        {"name": "com.fiction.nowhere", "system_priv": false, "requested_permissions": []},
        {"name": "com.fiction.priv", "system_priv": true, "requested_permissions": []}]}"#;
    let folder = folder(&[("PackageDeviceInfo.deviceinfo.json", text)]);
    let inventory = collect(&folder.path().join("PackageDeviceInfo.deviceinfo.json")).unwrap();
    assert_eq!(inventory.target.layers, ["cts"]);
    let names: Vec<_> = packages(&inventory).iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["com.fiction.a", "com.fiction.priv"]);
    let copy = &packages(&inventory)[0].copies[0];
    assert_eq!((copy.target_sdk.known(), copy.version_name.known().unwrap().as_deref()), (Some(&34), Some("1.0")));
    assert_eq!(copy.requested_permissions.known().unwrap()[0].name, "android.permission.CAMERA");
    // The suite's collector asks an interface that answers with the oldest certificate of a key that was replaced.
    let told = copy.signers.gap().unwrap();
    assert!(told.detail.contains("one certificate, abcd00000"), "{}", told.detail);
    let grants: Vec<_> = packages(&inventory)[0]
        .grants
        .known()
        .unwrap()
        .iter()
        .map(|grant| (grant.permission.as_str(), grant.granted))
        .collect();
    assert_eq!(grants, [("android.permission.CAMERA", false)]);
    assert!(packages(&inventory)[1].grants.known().is_none(), "nothing was asked of what asks for nothing");
    assert_eq!(inventory.omitted_packages.known(), Some(&1));
    let told: Vec<_> = inventory.gaps_hiding_packages().map(|gap| gap.detail.as_str()).collect();
    assert!(told.iter().any(|words| words.contains("com.fiction.nowhere")), "{told:?}");
    assert!(told.iter().all(|words| !words.contains("com.fiction.later")), "what was installed later is not named");
}

#[test]
fn hubble_s_files_tell_packages_grants_and_the_device_and_a_wrong_total_is_a_cut() {
    let packages_text = |total: u32| {
        format!(
            r#"{{"version": "2.2.0", "totalPackages": {total}, "packages": [
            {{"name": "com.fiction.a", "installLocation": "/system/priv-app/A/A.apk", "isPreinstalled": true,
              "isUpdatedSystemApp": false, "isApex": false, "isEnabled": false, "isHidden": false, "isSuspended": true,
              "versionCode": 7, "versionName": "7.0", "hasCode": true, "sharedUserId": "android.uid.system", "label": "A",
              "certIds": ["{0}", "{1}"], "signingInfo": {{"hasMultipleSigners": false, "apkContentsSigners": ["{1}"]}},
              "permissionsGranted": ["android.permission.CAMERA"], "permissionsNotGranted": ["android.permission.READ_SMS"],
              "splitNames": []}},
            {{"name": "com.fiction.b", "installLocation": "/data/app/b/base.apk", "isPreinstalled": true,
              "isUpdatedSystemApp": true, "isEnabled": true, "isHidden": true, "versionCode": -1, "splitNames": null,
              "permissionsDeclared": [{{"name": "com.fiction.P", "protLevel": "signature|privileged"}}],
              "certIds": ["{0}", "{1}"]}},
            {{"name": "com.fiction.later", "installLocation": "/data/app/c/base.apk", "isPreinstalled": false}}]}}"#,
            "0".repeat(64),
            "1".repeat(64)
        )
    };
    // base64 of `[ro.build.version.sdk]: [35]\n[ro.boot.flash.locked]: [1]\n`, by coreutils.
    let properties = r#"{"version": "2.2.0", "b64EncodedDeviceProps": [{"encodedDevProps": "W3JvLmJ1aWxkLnZlcnNpb24uc2RrXTogWzM1XQpbcm8uYm9vdC5mbGFzaC5sb2NrZWRdOiBbMV0K"}]}"#;
    let hardware = r#"{"version": "2.2.0", "hwInfo": [{"brand": "Fiction", "oem": "Maker", "modelName": "F1"}]}"#;
    let results = |total| {
        folder(&[
            ("packages.txt", &packages_text(total)),
            ("device_properties.txt", properties),
            ("hardware.txt", hardware),
        ])
    };
    let whole = results(3);
    let inventory = collect(whole.path()).unwrap();
    assert_eq!(inventory.gaps, []);
    assert_eq!(
        (inventory.device.sdk.known(), inventory.device.brand.known().unwrap().as_str()),
        (Some(&35), "Fiction")
    );
    assert_eq!(inventory.state.bootloader_locked.known(), Some(&Some(true)));
    let [a, b] = packages(&inventory) else { panic!("two packages") };
    assert_eq!((a.copies[0].role, b.copies[0].role), (CopyRole::Factory, CopyRole::Updated));
    let state = &a.users.known().unwrap()[0];
    assert_eq!((state.enabled, state.suspended), (Enabled::Disabled, true));
    assert_eq!(a.copies[0].signers.known().unwrap()[0].sha256.as_deref(), Some("1".repeat(64).as_str()));
    assert!(b.copies[0].signers.known().is_none(), "a lineage and two signers look alike in certIds");
    // By its source, "hidden" is what Android does not count as installed, and the version's lower half is a signed number.
    let state = &b.users.known().unwrap()[0];
    assert_eq!((state.installed, state.hidden, state.enabled), (false, false, Enabled::Enabled));
    assert_eq!(b.copies[0].version_code.known(), Some(&4_294_967_295));
    assert!(b.copies[0].splits.known().unwrap().is_empty());
    let declared = &b.copies[0].declared_permissions.known().unwrap()[0];
    assert_eq!(
        (declared.name.as_str(), declared.protection.as_deref()),
        ("com.fiction.P", Some("signature|privileged"))
    );
    let grants: BTreeMap<_, _> =
        a.grants.known().unwrap().iter().map(|grant| (grant.permission.as_str(), grant.granted)).collect();
    assert_eq!(grants, BTreeMap::from([("android.permission.CAMERA", true), ("android.permission.READ_SMS", false)]));
    assert_eq!(inventory.omitted_packages.known(), Some(&1));

    let cut = collect(results(4).path()).unwrap();
    let gap = cut.gaps_hiding_packages().next().unwrap();
    assert_eq!((gap.reason, gap.hides), (GapReason::Truncated, Hides::Packages));
}

#[test]
fn a_device_s_tree_and_a_saved_inventory_are_no_captures() {
    let tree = folder(&[("system/build.prop", "a=b\n"), ("system/etc/props.txt", "[a]: [b]\n")]);
    assert!(!CaptureSource::recognizes(tree.path()));
    let saved =
        folder(&[("phone.json", r#"{"schema_version": "1.0", "package": [{"name": "x", "version_name": "y"}]}"#)]);
    assert!(!CaptureSource::recognizes(&saved.path().join("phone.json")));
    let text = folder(&[("notes.txt", "nothing of Android's\n")]);
    assert!(!CaptureSource::recognizes(text.path()));
}

#[test]
fn administrators_and_choices_of_a_fictional_phone_are_told_by_user() {
    let inventory = super::double::Phone::fictional("android14").collect().unwrap();
    let found: Vec<_> = inventory
        .state
        .administrators
        .known()
        .unwrap()
        .iter()
        .map(|admin| (admin.user, admin.kind, admin.component.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (Some(0), AdministratorKind::Administrator, "com.fiction.notes/com.fiction.notes.Admin"),
            (Some(10), AdministratorKind::ProfileOwner, "com.fiction.work/com.fiction.work.Owner"),
        ]
    );
    assert!(chosen(&inventory).contains(&(10, ChosenKind::AlwaysOnVpn, "com.fiction.vpn")));
    assert!(chosen(&inventory).contains(&(
        0,
        ChosenKind::AccessibilityService,
        "com.fiction.notes/com.fiction.notes.Reader"
    )));
    let ops = inventory.state.app_ops.known().unwrap();
    assert!(ops.iter().any(|op| op.operation == "SYSTEM_ALERT_WINDOW" && op.mode == "ignore"));
    assert!(ops.iter().all(|op| op.package.as_deref() != Some("com.fiction.chat")), "installed later: not named");
    let modules: Vec<_> = inventory.state.modules.known().unwrap().iter().map(|module| module.name.as_str()).collect();
    assert_eq!(modules, ["com.android.adbd", "com.android.tzdata"]);
    let role = &inventory.role_holders.known().unwrap()[0];
    assert_eq!((role.role.clone(), role.package.as_str()), (Role::Dialer, "com.fiction.dialer"));
    let old = super::double::Phone::fictional("android9").collect().unwrap();
    assert!(chosen(&old).contains(&(0, ChosenKind::Home, "com.fiction.camera/com.fiction.camera.Home")));
    assert_eq!(old.role_holders.gap().unwrap().reason, GapReason::Unsupported);
}
