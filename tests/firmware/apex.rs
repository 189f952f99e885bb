//! APEX files within partitions: real ones of AOSP against debugfs, built ones with packages in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use preloaded::bytes::{Budget, Limits};
use preloaded::collect::firmware::FirmwareSource;
use preloaded::collect::{Request, Silent, Source};
use preloaded::firmware;
use preloaded::inventory::{Inventory, Placement};
use tempfile::TempDir;

const APK: &str = "tests/data/apks/npm--unlock_apk-debug.apk";

fn run(folder: &Path, script: &str) {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}; install what is missing", String::from_utf8_lossy(&output.stderr));
}

fn collect(path: &Path) -> Inventory {
    FirmwareSource::new(path, Limits::default()).collect(&Request::default(), &Silent).unwrap()
}

/// A folder with a system tree that has `apex/plain.apex`, `apex/packed.capex` and a damaged one.
fn build() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    let apex = at.join("tree/system/apex");
    fs::create_dir_all(&apex).unwrap();
    fs::write(at.join("tree/system/build.prop"), "ro.build.version.sdk=29\n").unwrap();
    fs::create_dir_all(at.join("inner/app/Unlock@1")).unwrap();
    fs::copy(APK, at.join("inner/app/Unlock@1/Unlock.apk")).unwrap();
    run(at, "mke2fs -q -F -t ext4 -b 4096 -d inner apex_payload.img 8M");
    for (name, file) in [("com.android.plain", "plain.apex"), ("com.android.packed", "original_apex")] {
        let length = u8::try_from(name.len()).unwrap();
        fs::write(at.join("apex_manifest.pb"), [&[10, length], name.as_bytes(), &[16, 1]].concat()).unwrap();
        run(at, &format!("zip -q -0 x.zip apex_payload.img apex_manifest.pb && mv x.zip {file}"));
    }
    run(at, "zip -q -9 packed.capex original_apex apex_manifest.pb");
    fs::rename(at.join("plain.apex"), apex.join("plain.apex")).unwrap();
    fs::rename(at.join("packed.capex"), apex.join("packed.capex")).unwrap();
    fs::write(apex.join("damaged.apex"), "PK\x03\x04 and no more").unwrap();
    fs::create_dir_all(at.join("tree/system/app")).unwrap();
    fs::copy(apex.join("plain.apex"), at.join("tree/system/app/stray.apex")).unwrap();
    temp
}

#[test]
fn packages_of_apexes_are_listed_where_android_mounts_them() {
    let temp = build();
    let at = temp.path();
    run(at, "mke2fs -q -F -t ext4 -b 4096 -d tree/system system.img 64M");
    for path in [at.join("system.img"), at.join("tree")] {
        let inventory = collect(&path);
        let copies: Vec<_> = inventory.packages.known().unwrap().iter().flat_map(|package| &package.copies).collect();
        let found: Vec<_> = copies
            .iter()
            .map(|copy| {
                (copy.path.as_str(), copy.partition.known().unwrap().as_str(), *copy.placement.known().unwrap())
            })
            .collect();
        let expected = [
            ("/apex/com.android.packed/app/Unlock@1/Unlock.apk", "apex", Placement::Apex),
            ("/apex/com.android.plain/app/Unlock@1/Unlock.apk", "apex", Placement::Apex),
        ];
        assert_eq!(found, expected);
        let gaps: BTreeSet<_> = inventory.gaps_hiding_packages().map(|gap| gap.place.as_str()).collect();
        let expected = ["/system/apex/damaged.apex", "/system/app/stray.apex", "partition vendor", "partition product"];
        assert_eq!(gaps, BTreeSet::from(expected), "{:#?}", inventory.gaps);
        let partitions: Vec<_> = inventory.partitions.known().unwrap().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(partitions, ["system"]);
    }
}

#[test]
fn real_apexes_mount_with_the_files_that_debugfs_lists() {
    let data = Path::new("../shared/data");
    if !data.join("apex/shim").is_dir() {
        super::note("NOT RUN: ../shared/data/apex is not there");
        return;
    }
    let text = fs::read(data.join("truth/container-files.tsv")).unwrap();
    let text = String::from_utf8_lossy(&text);
    let mut rows = 0;
    let mut apexes = 0;
    for entry in fs::read_dir(data.join("apex/shim")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let prefix = format!("apex/shim/{name}!apex_payload.img\t");
        let expected: BTreeSet<(String, u64)> = text
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .filter_map(|rest| {
                let fields: Vec<_> = rest.split('\t').collect();
                Some(((*fields.first()?).to_owned(), fields.get(1)?.parse().ok()?))
            })
            .collect();
        if expected.is_empty() {
            continue;
        }
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("system/apex");
        fs::create_dir_all(&folder).unwrap();
        fs::write(temp.path().join("system/build.prop"), "ro.build.version.sdk=29\n").unwrap();
        fs::copy(entry.path(), folder.join(&name)).unwrap();
        let image = firmware::open(temp.path(), &Budget::new(Limits::default()), &()).unwrap();
        assert_eq!(image.apexes.len(), 1, "{name}: {:?}", image.problems);
        let known = ["/apex/com.android.apex.cts.shim", "/apex/com.android.apex.cts.shim_not_pre_installed"];
        assert!(known.contains(&image.apexes[0].mount_point.as_str()), "{}", image.apexes[0].mount_point);
        let found: BTreeSet<_> = image.apexes[0].files.iter().map(|file| (file.path.clone(), file.len)).collect();
        assert_eq!(found, expected, "{name}");
        rows += expected.len();
        apexes += 1;
    }
    assert!(apexes > 5);
    super::note(&format!("{apexes} real APEXes, {rows} rows compared with debugfs"));
}
