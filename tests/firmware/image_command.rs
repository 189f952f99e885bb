//! `preloaded image` as a user meets it: what it prints, and its exit codes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const APK: &str = "tests/data/apks/npm--unlock_apk-debug.apk";

struct Said {
    code: i32,
    out: Vec<u8>,
    err: String,
}

impl Said {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.err))
    }
}

fn image(folder: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .arg("image")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    Said { code: output.status.code().unwrap(), out: output.stdout, err: String::from_utf8(output.stderr).unwrap() }
}

fn run(folder: &Path, script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}; install what is missing", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// `rom.zip` with a sparse `system_a.img` and `product_a.img`, a `modem.bin`, and the trees that went in.
fn build() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    for folder in ["system/system/app/Unlock", "system/system/etc/deep", "system/odm", "product/etc"] {
        fs::create_dir_all(at.join(folder)).unwrap();
    }
    fs::copy(APK, at.join("system/system/app/Unlock/Unlock.apk")).unwrap();
    fs::write(at.join("system/system/build.prop"), "ro.build.version.sdk=30\n").unwrap();
    fs::write(at.join("system/system/etc/a\u{1b}[2J\tb\nc"), "strange").unwrap();
    fs::write(at.join("system/system/etc/deep/empty"), "").unwrap();
    fs::write(at.join("product/etc/build.prop"), "ro.product.product.brand=a\n").unwrap();
    symlink("/product/etc", at.join("system/system/etc/product")).unwrap();
    symlink("deep/../product/build.prop", at.join("system/system/etc/far")).unwrap();
    symlink("two", at.join("system/system/etc/one")).unwrap();
    symlink("one", at.join("system/system/etc/two")).unwrap();
    symlink("../../../../../etc/hostname", at.join("system/system/etc/host")).unwrap();
    run(
        at,
        "mkfifo system/system/etc/pipe; mke2fs -q -F -t ext4 -b 4096 -d system system.raw 16M; mkfs.erofs --quiet -zlz4 product_a.img product
        img2simg system.raw system_a.img; seq 1 999 > modem.bin; zip -q rom.zip system_a.img product_a.img modem.bin",
    );
    temp
}

#[test]
fn tsv_has_partition_path_size_and_hash_of_each_file_as_the_host_has_them() {
    let temp = build();
    let at = temp.path();
    let said = image(at, &["ls", "rom.zip", "--hash", "--format", "tsv"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let mut expected = Vec::new();
    for partition in ["system", "product"] {
        let listing = run(
            at,
            &format!(
                "cd {partition}; find . -type f -exec sh -c 'printf \"%s\\n\" \"$(sha256sum < \"$1\" | cut -c1-64) $(stat -c %s \"$1\")\"; printf \"%s\\0\" \"$1\"' _ {{}} \\;"
            ),
        );
        for record in listing.split_terminator('\0') {
            let (facts, path) = record.split_once('\n').unwrap();
            let (sum, size) = facts.split_once(' ').unwrap();
            // What would move the cursor or break the line is spelt out.
            let path = path.trim_start_matches("./").replace("\u{1b}[2J\tb\nc", "\\u{1b}[2J\\u{9}b\\u{a}c");
            expected.push(format!("{partition}\t{path}\t{size}\t{sum}"));
        }
    }
    expected.sort();
    let mut found: Vec<_> = said.text().lines().collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    let without = image(at, &["ls", "rom.zip", "--format", "tsv"]);
    assert!(without.text().lines().all(|line| line.split('\t').count() == 3));
    assert_eq!(without.text().lines().count(), expected.len());
}

#[test]
fn folders_links_and_pipes_stand_in_json_and_text() {
    let temp = build();
    let said = image(temp.path(), &["ls", "rom.zip", "--format", "json"]);
    let json = said.json();
    let entry = |path: &str| {
        let found = json["entries"].as_array().unwrap().iter().find(|entry| entry["device_path"] == path);
        found.unwrap_or_else(|| panic!("{path}")).clone()
    };
    let link = entry("/system/etc/product");
    assert_eq!(
        (&link["kind"], &link["target"], &link["partition"]),
        (&"link".into(), &"/product/etc".into(), &"system".into())
    );
    assert_eq!(entry("/system/etc/deep")["kind"], "folder");
    assert_eq!(entry("/system/etc/pipe")["kind"], "special");
    let file = entry("/product/etc/build.prop");
    assert_eq!(
        (&file["kind"], &file["path"], &file["size"], &file["sha256"]),
        (&"file".into(), &"etc/build.prop".into(), &27.into(), &Value::Null)
    );
    let text = image(temp.path(), &["ls", "rom.zip", "/system/etc"]);
    let line = |end: &str| {
        text.text()
            .lines()
            .find(|line| line.ends_with(end))
            .unwrap_or_else(|| panic!("{end}: {}", text.text()))
            .to_owned()
    };
    assert!(line("/system/etc/product -> /product/etc").starts_with('l'));
    assert!(line("/system/etc/deep/").starts_with('d'));
    assert!(line("/system/etc/a\\u{1b}[2J\\u{9}b\\u{a}c").starts_with('-'));
}

#[test]
fn a_path_lists_what_is_below_it_through_links_and_across_partitions() {
    let temp = build();
    let at = temp.path();
    let list = |path: &str| {
        let said = image(at, &["ls", "rom.zip", path, "--format", "tsv"]);
        let rows = said.text().lines().map(|line| line.split('\t').take(2).collect::<Vec<_>>().join(":"));
        (said.code, rows.collect::<Vec<_>>())
    };
    let product = (0, vec!["product:etc/build.prop".to_owned()]);
    for path in [
        "/product",
        "product:",
        "/product/etc",
        "/system/etc/product",
        "/system/etc/far",
        "product:etc/build.prop",
        "system/../product",
    ] {
        assert_eq!(list(path), product, "{path}");
    }
    assert_eq!(list("/").1.len(), list("/product").1.len() + list("/system").1.len());
    assert_eq!(list("/system/app"), (0, vec!["system:system/app/Unlock/Unlock.apk".to_owned()]));
    assert_eq!(list("/odm"), (0, Vec::new()));
    assert_eq!(list("/systems"), (4, Vec::new()));
}

#[test]
fn cat_writes_a_file_byte_for_byte_and_says_what_is_none() {
    let temp = build();
    let at = temp.path();
    for path in [
        "/system/app/Unlock/Unlock.apk",
        "system:system/app/Unlock/Unlock.apk",
        "/system/etc/../app/./Unlock//Unlock.apk",
    ] {
        let said = image(at, &["cat", "rom.zip", path]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{path}");
        assert!(said.out == fs::read(APK).unwrap(), "{path}");
    }
    assert_eq!(image(at, &["cat", "rom.zip", "/system/etc/far"]).text(), "ro.product.product.brand=a\n");
    assert_eq!(image(at, &["cat", "rom.zip", "/system/etc/deep/empty"]).out, b"");
    for (path, expected) in [
        ("/system/etc", "/system/etc is a folder: image ls lists it"),
        ("/", "/ is a folder: image ls lists it"),
        ("/system/etc/pipe", "/system/etc/pipe is a device, pipe or socket, without content"),
        ("/system/etc/one", "more than 40 symbolic links on the way"),
        // A link out of the image leads to the image's own root.
        ("/system/etc/host", "/etc: there is no such file or folder in what was read of the image"),
        ("/system/build.prop/x", "/system/build.prop is not a folder"),
        ("/vendor/x", "/vendor: there is no such file or folder"),
    ] {
        let said = image(at, &["cat", "rom.zip", path]);
        assert_eq!((said.code, said.out.as_slice()), (4, &b""[..]), "{path}");
        assert!(said.err.contains(expected), "{path}: {}", said.err);
    }
}

#[test]
fn info_tells_layers_partitions_features_leftovers_and_costs() {
    let temp = build();
    let at = temp.path();
    let said = image(at, &["info", "rom.zip", "--format", "json"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let json = said.json();
    let layers: Vec<_> = json["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| {
            (
                layer["format"].as_str().unwrap(),
                layer["place"].as_str().unwrap(),
                layer["depth"].as_u64().unwrap(),
                layer["parts"].as_u64(),
            )
        })
        .collect();
    let expected = [
        ("zip", "rom.zip", 0, Some(3)),
        ("sparse", "rom.zip!system_a.img", 1, Some(1)),
        ("ext4", "rom.zip!system_a.img", 2, None),
        ("erofs", "rom.zip!product_a.img", 1, None),
    ];
    assert_eq!(layers, expected);
    let system = &json["partitions"][0];
    assert_eq!(
        (&system["name"], &system["mount_point"], &system["slot"], &system["format"], &system["length"]),
        (&"system".into(), &"/".into(), &"a".into(), &"ext4".into(), &(16 << 20).into())
    );
    // The names of the features are those of dumpe2fs.
    let dumped = run(at, "dumpe2fs -h system.raw 2>/dev/null | sed -n 's/^Filesystem features: *//p'");
    let mut expected: Vec<_> = dumped.split_whitespace().collect();
    expected.sort_unstable();
    let features: Vec<_> = system["features"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let mut names = features[1..].to_vec();
    names.sort_unstable();
    assert_eq!((features[0], names), ("blocks of 4096 bytes", expected));
    assert_eq!(json["leftover"][0]["place"], "rom.zip!modem.bin");
    let missing: Vec<_> = json["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["place"].as_str().unwrap(), problem["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(missing, [("partition system_ext", "missing"), ("partition vendor", "missing")]);
    let costs = &json["costs"];
    let size = fs::metadata(at.join("rom.zip")).unwrap().len();
    assert!(
        costs["read"].as_u64().unwrap() > 0 && costs["read"].as_u64().unwrap() < 3 * size && costs["fetched"].is_null(),
        "{costs}"
    );
    let text = image(at, &["info", "rom.zip"]);
    for line in [
        "  zip  rom.zip, ",
        "    sparse  rom.zip!system_a.img, ",
        "  system (slot a) at /: ext4 of 16777216 bytes",
        "Nothing was made of 1 part",
        "  partition vendor [missing; packages may be hidden]: ",
        " bytes read, ",
    ] {
        assert!(text.text().contains(line), "{line}: {}", text.text());
    }
}

#[test]
fn what_can_not_be_read_is_told_and_has_its_exit_codes() {
    let temp = build();
    let at = temp.path();
    // A partition that is cut off: the other is read.
    run(
        at,
        "mkdir cut; cp product_a.img cut; head -c 100000 system.raw > cut/system.img; seq 1 99 > text; printf 'CrAU....' > broken.bin",
    );
    for (arguments, code, expected) in [
        (&["info", "cut"][..], 3, "ext4: superblock: s_blocks_count: "),
        (&["ls", "cut"], 3, "not read: partition system [truncated]: "),
        (&["cat", "cut", "/system/build.prop"], 4, "not read: partition system [truncated]: "),
        (&["info", "text"], 4, "no filesystem, and no package or table of partitions, was recognised"),
        (&["ls", "text"], 4, "no filesystem was recognised"),
        (&["info", "broken.bin"], 4, "24 bytes are needed here"),
        (&["ls", "nowhere"], 4, "No such file"),
        (&["ls", "adb:1"], 2, "this is a phone"),
        (&["ls", "https://example.org/rom.zip", "--offline"], 2, "--offline is set"),
        (&["ls", "cut", "--images", "/system"], 2, "cannot be used with"),
        (&["frobnicate"], 2, "unrecognized subcommand"),
    ] {
        let said = image(at, arguments);
        let all = format!("{}{}", String::from_utf8_lossy(&said.out), said.err);
        assert_eq!(said.code, code, "{arguments:?}: {all}");
        assert!(all.contains(expected), "{arguments:?}: {all}");
    }
    // A file whose data are cut off: the row says so, and has no hash.
    run(at, "mkdir damaged; mkfs.erofs --quiet --chunksize=4096 x.img system; head -c $(($(stat -c %s x.img) - 8192)) x.img > damaged/system.img; \
        python3 -c \"
import struct
data = bytearray(open('damaged/system.img', 'rb').read()); data[1024 + 36:1024 + 40] = struct.pack('<I', len(data) // 4096); open('damaged/system.img', 'wb').write(data)\"");
    let said = image(at, &["ls", "damaged", "--hash", "--format", "tsv"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(
        said.text().lines().any(|line| line.ends_with("\t?")) && said.err.contains("not read: /system/"),
        "{}{}",
        said.text(),
        said.err
    );
}

#[test]
fn images_themselves_are_listed_with_their_hashes() {
    let temp = build();
    let at = temp.path();
    let said = image(at, &["ls", "rom.zip", "--images", "--hash", "--format", "tsv"]);
    let sum = |name: &str| run(at, &format!("sha256sum < {name} | cut -c1-64")).trim().to_owned();
    let size = |name: &str| fs::metadata(at.join(name)).unwrap().len();
    let expected = [
        format!("system_a\trom.zip!system_a.img\t{}\t{}", size("system.raw"), sum("system.raw")),
        format!("product_a\trom.zip!product_a.img\t{}\t{}", size("product_a.img"), sum("product_a.img")),
        format!("modem.bin\trom.zip!modem.bin\t{}\t{}", size("modem.bin"), sum("modem.bin")),
    ];
    assert_eq!(said.text().lines().collect::<Vec<_>>(), expected);
}
