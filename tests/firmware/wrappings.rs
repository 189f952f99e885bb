//! One system in many wrappings, made by independent tools: the inventory must be the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use preloaded::bytes::{Budget, Limits};
use preloaded::collect::firmware::FirmwareSource;
use preloaded::collect::{Request, Silent, Source, SourceError};
use preloaded::inventory::{Gap, GapReason, Hides, Inventory, Placement};
use serde_json::Value;
use tempfile::TempDir;

const APKS: &str = "tests/data/apks";
const SYSTEM_PROPERTIES: &str = "ro.build.version.sdk=29\nro.build.version.release=10\nro.build.fingerprint=a/b/c:10/D/1:user/release-keys\n\
    ro.product.system.brand=a\n";

fn run(program: &str, folder: &Path, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; install it"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn python(folder: &Path, script: &str) {
    run("python3", folder, &["-c", script]);
}

/// A temporary folder with `tree` (a device's tree), `system.img`, `vendor.img` and their sparse forms.
fn build() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    let tree = temp.path().join("tree");
    let apk = |to: &str, name: &str| {
        let to = tree.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(Path::new(APKS).join(name), to).unwrap();
    };
    apk("system/system/app/Clean/Clean.apk", "apk-info--anomalies--clean.apk");
    apk("system/system/priv-app/Unlock/Unlock.apk", "npm--unlock_apk-debug.apk");
    apk("system/system/product/app/Signed/Signed.apk", "apksig--v1-only-two-signers.apk");
    apk("system/system/etc/disguised.dat", "npm--unlock_apk-debug.apk");
    apk("vendor/app/Clean.apk", "apk-info--anomalies--clean.apk");
    apk("vendor/app/Damaged/Damaged.apk", "apk-info--anomalies--zip-local-header-missing.apk");
    fs::write(tree.join("vendor/app/Damaged/Damaged.apk"), "PK no more").unwrap();
    fs::write(tree.join("system/system/build.prop"), SYSTEM_PROPERTIES).unwrap();
    fs::write(tree.join("vendor/build.prop"), "ro.product.vendor.brand=a\n").unwrap();
    for (name, size) in [("system", "24M"), ("vendor", "16M")] {
        let image = format!("{name}.img");
        let from = format!("tree/{name}");
        run("mke2fs", temp.path(), &["-q", "-F", "-t", "ext4", "-b", "4096", "-d", &from, &image, size]);
        run("img2simg", temp.path(), &[&image, &format!("{name}.simg")]);
    }
    temp
}

fn collect(path: &Path) -> Inventory {
    FirmwareSource::new(path, Limits::default()).collect(&Request::default(), &Silent).unwrap()
}

/// The inventory without what tells of the wrapping: the target's name and layers.
fn essence(inventory: &Inventory) -> Value {
    let mut inventory = inventory.clone();
    inventory.target.name.clear();
    inventory.target.layers.clear();
    inventory.sources.iter_mut().filter(|source| source.length.is_none()).for_each(|source| source.name.clear());
    serde_json::to_value(inventory).unwrap()
}

fn folder_with(temp: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = temp.join(name);
    fs::create_dir(&folder).unwrap();
    for (from, to) in files {
        fs::copy(temp.join(from), folder.join(to)).unwrap();
    }
    folder
}

#[test]
fn the_same_partitions_in_any_wrapping_give_the_same_inventory() {
    let temp = build();
    let at = temp.path();
    let raw = folder_with(at, "raw", &[("system.img", "system.img"), ("vendor.img", "vendor.img")]);
    folder_with(at, "sparse", &[("system.simg", "system.img"), ("vendor.simg", "vendor_a.img")]);

    run("zip", at, &["-q", "-r", "deflated.zip", "raw"]);
    run("zip", at, &["-q", "-0", "-r", "stored.zip", "sparse"]);
    run("tar", at, &["--format=ustar", "-cf", "AP.tar.md5", "-C", "sparse", "."]);
    run("tar", at, &["--format=gnu", "-czf", "images.tgz", "raw"]);
    run("tar", at, &["--format=pax", "-cf", "pax.tar", "--sort=name", "raw"]);
    fs::write(at.join("AP.sum"), "0123456789abcdef0123456789abcdef  AP.tar\n").unwrap();
    run("sh", at, &["-c", "cat AP.sum >> AP.tar.md5"]);
    run("zip", at, &["-q", "-1", "samsung.zip", "AP.tar.md5"]);
    run("zip", at, &["-q", "-9", "nested.zip", "stored.zip"]);
    run(
        "sh",
        at,
        &["-c", "mkdir gz; for p in system vendor; do gzip -c $p.simg > gz/$p.img.gz; done; tar -cf gz.tar gz"],
    );
    run("zip", at, &["-q", "gz.zip", "gz.tar"]);
    run("sh", at, &["-c", "gzip -c gz.zip > twice.zip.gz"]);
    python(
        at,
        "import zipfile\nwith zipfile.ZipFile('zip64.zip', 'w', zipfile.ZIP_DEFLATED) as z:\n for p in ('system', 'vendor'):\n  \
         with z.open(p + '.img', 'w', force_zip64=True) as out: out.write(open(p + '.img', 'rb').read())",
    );
    python(
        at,
        "import tarfile\nwith tarfile.open('long.tar', 'w', format=tarfile.GNU_FORMAT) as t:\n for p in ('system', 'vendor'):\n  \
         t.add(p + '.simg', 'x' * 150 + '/' + p + '.img')",
    );
    fs::create_dir(at.join("split")).unwrap();
    run("simg2simg", at, &["system.simg", "split/system.img_sparsechunk", "40000"]);
    run(
        "sh",
        at,
        &[
            "-c",
            "cd split; for f in *; do mv $f ${f%%sparsechunk*}sparsechunk.${f##*sparsechunk.}; done; cp ../vendor.simg vendor.img",
        ],
    );
    assert!(fs::read_dir(at.join("split")).unwrap().count() > 3);

    let expected = collect(&raw);
    assert_eq!(expected.target.layers, ["ext4"]);
    let reference = essence(&expected);
    let variants: [(&str, &[&str]); 12] = [
        ("sparse", &["sparse", "ext4"]),
        ("deflated.zip", &["zip", "ext4"]),
        ("stored.zip", &["zip", "sparse", "ext4"]),
        ("AP.tar.md5", &["tar", "sparse", "ext4"]),
        ("samsung.zip", &["zip", "tar", "sparse", "ext4"]),
        ("images.tgz", &["gzip", "tar", "ext4"]),
        ("pax.tar", &["tar", "ext4"]),
        ("nested.zip", &["zip", "sparse", "ext4"]),
        ("twice.zip.gz", &["gzip", "zip", "tar", "sparse", "ext4"]),
        ("zip64.zip", &["zip", "ext4"]),
        ("long.tar", &["tar", "sparse", "ext4"]),
        ("split", &["sparse", "ext4"]),
    ];
    for (name, layers) in variants {
        let found = collect(&at.join(name));
        assert_eq!(found.target.layers, layers, "{name}");
        assert!(essence(&found) == reference, "{name}: {:#?}", found.gaps);
    }
    super::note(&format!("{} wrappings, {} packages", variants.len() + 1, expected.packages.known().unwrap().len()));

    // The tree itself says the same, but for the volumes that it does not have.
    let tree = collect(&at.join("tree"));
    assert_eq!(tree.target.layers, ["folder"]);
    assert_eq!(essence(&tree)["packages"], reference["packages"]);
    assert_eq!(tree.gaps, expected.gaps);
    assert_eq!(essence(&tree)["device"], reference["device"]);
}

#[test]
fn the_same_tree_in_any_filesystem_gives_the_same_inventory() {
    let temp = build();
    let at = temp.path();
    let image = |format: &str, name: &str| format!("{format}/{name}.img");
    for format in ["ext4", "erofs", "f2fs", "squashfs"] {
        fs::create_dir(at.join(format)).unwrap();
    }
    for name in ["system", "vendor"] {
        let tree = format!("tree/{name}");
        fs::copy(at.join(format!("{name}.img")), at.join(image("ext4", name))).unwrap();
        run("mkfs.erofs", at, &["--quiet", "-zlz4hc", &image("erofs", name), &tree]);
        fs::File::create(at.join(image("f2fs", name))).unwrap().set_len(64 << 20).unwrap();
        run("mkfs.f2fs", at, &["-q", "-f", "-g", "android", &image("f2fs", name)]);
        run("sload.f2fs", at, &["-f", &tree, "-t", "/", &image("f2fs", name)]);
        run("mksquashfs", at, &[&tree, &image("squashfs", name), "-quiet", "-no-progress"]);
    }
    // A volume's format and length tell of the volume, not of what is in it.
    let judged = |inventory: &Inventory| {
        let mut judged = essence(inventory);
        for partition in judged["partitions"]["value"].as_array_mut().unwrap() {
            partition["filesystem"].take();
            partition["length"].take();
        }
        judged
    };
    let expected = collect(&at.join("ext4"));
    assert!(expected.packages.known().unwrap().len() > 1);
    for format in ["erofs", "f2fs", "squashfs"] {
        let found = collect(&at.join(format));
        assert_eq!(found.target.layers, [format]);
        assert!(judged(&found) == judged(&expected), "{format}: {:#?}", found.gaps);
    }
}

#[test]
fn packages_as_vendors_make_them_give_the_same_inventory() {
    let temp = build();
    let at = temp.path();
    let tools = Path::new("../shared/tools");
    if !tools.join("fwgen.py").is_file() {
        super::note("NOT RUN: ../shared/tools/fwgen.py is not there");
        return;
    }
    let raw = folder_with(at, "raw", &[("system.img", "system.img"), ("vendor.img", "vendor.img")]);
    let script = "import sys, os\nsys.dont_write_bytecode = True\nsys.path.insert(0, TOOLS)\nfrom fwgen import *\nI = [(n, n + '.img') for n in ('system', 'vendor')]\n\
        make_super('super.raw', I, 64 << 20, split_first=True)\nmake_payload('payload.bin', I, codec='REPLACE_BZ')\nmake_ota_zip('ota.zip', 'payload.bin')\n\
        os.mkdir('blocks')\nfor n, p in I: make_sdat('blocks', n, p, br=False)\n";
    python(at, &script.replace("TOOLS", &format!("{:?}", tools.canonicalize().unwrap().display().to_string())));
    let scripts = [
        "img2simg super.raw super.img; lz4 -q -f -B6 --content-size -1 super.img super.img.lz4; rm super.img",
        "tar --format=ustar -cf AP.tar super.img.lz4; md5sum -t AP.tar >> AP.tar; mv AP.tar AP.tar.md5; zip -q -1 samsung.zip AP.tar.md5",
        "cd blocks; zip -q -0 ../blocks.zip *",
        "truncate -s 80M disk.img; printf 'label: gpt\\nstart=2048, size=131072, name=super\\n' | sfdisk -q disk.img",
        "dd status=none conv=notrunc bs=1M seek=1 if=super.raw of=disk.img; xz -0 -k disk.img",
    ];
    for script in scripts {
        run("sh", at, &["-ec", script]);
    }
    let expected = collect(&raw);
    let variants: [(&str, &[&str]); 5] = [
        ("samsung.zip", &["zip", "tar", "lz4", "sparse", "super", "ext4"]),
        ("ota.zip", &["zip", "payload", "ext4"]),
        ("blocks.zip", &["zip", "block update", "ext4"]),
        ("disk.img", &["gpt", "super", "ext4"]),
        ("disk.img.xz", &["xz", "gpt", "super", "ext4"]),
    ];
    for (name, layers) in variants {
        let found = collect(&at.join(name));
        assert_eq!(found.target.layers, layers, "{name}");
        assert!(essence(&found) == essence(&expected), "{name}: {:#?}", found.gaps);
        let budget = Budget::new(Limits::default());
        preloaded::firmware::open(&at.join(name), &budget, &()).unwrap();
        super::note(&format!("{name}: {} bytes read, {} decompressed", budget.read(), budget.decompressed()));
    }
}

#[test]
fn finding_the_files_of_an_image_reads_little_of_it() {
    let temp = build();
    let at = temp.path();
    run("zip", at, &["-q", "-0", "stored.zip", "system.img"]);
    run("zip", at, &["-q", "-1", "deflated.zip", "system.simg"]);
    let size = fs::metadata(at.join("system.img")).unwrap().len();
    for name in ["system.img", "system.simg", "stored.zip", "deflated.zip"] {
        let budget = Budget::new(Limits::default());
        let image = preloaded::firmware::open(&at.join(name), &budget, &()).unwrap();
        assert_eq!(image.partitions[0].files.len(), 5, "{name}");
        let (read, decompressed) = (budget.read(), budget.decompressed());
        super::note(&format!("{name}: {read} bytes read, {decompressed} decompressed, of {size}"));
        assert!(read < size / 20, "{name}: {read} of {size}");
        assert!(decompressed < size / 20, "{name}: {decompressed}");
    }
}

#[test]
fn packages_are_placed_and_damage_is_a_gap() {
    let temp = build();
    let inventory = collect(&temp.path().join("tree"));
    let copies = inventory.packages.known().unwrap().iter().flat_map(|package| &package.copies);
    let mut found: Vec<_> = copies
        .map(|copy| (copy.path.as_str(), copy.partition.known().unwrap().as_str(), *copy.placement.known().unwrap()))
        .collect();
    found.sort_by_key(|(path, ..)| *path);
    let expected = [
        ("/system/app/Clean/Clean.apk", "system", Placement::System),
        ("/system/etc/disguised.dat", "system", Placement::Unknown),
        ("/system/priv-app/Unlock/Unlock.apk", "system", Placement::Privileged),
        ("/system/product/app/Signed/Signed.apk", "product", Placement::System),
        ("/vendor/app/Clean.apk", "vendor", Placement::System),
    ];
    assert_eq!(found, expected);
    // Two of the files are builds of one package, and one of those is there twice.
    assert_eq!(inventory.packages.known().unwrap().len(), 2);
    let hiding: Vec<_> = inventory.gaps_hiding_packages().map(|gap| gap.place.as_str()).collect();
    assert_eq!(hiding, ["/vendor/app/Damaged/Damaged.apk"]);
}

fn gap<'a>(inventory: &'a Inventory, place: &str) -> &'a Gap {
    let found = inventory.gaps.iter().find(|gap| gap.place == place);
    found.unwrap_or_else(|| panic!("no gap at {place}: {:#?}", inventory.gaps))
}

#[test]
fn what_is_not_there_or_not_read_hides_packages() {
    let temp = build();
    let at = temp.path();
    // A lone vendor partition, under a name that says nothing.
    folder_with(at, "lone", &[("vendor.img", "mmcblk0p7.bin")]);
    let lone = collect(&at.join("lone"));
    assert_eq!(lone.partitions.known().unwrap()[0].name, "vendor");
    let missing = gap(&lone, "partition system");
    assert_eq!((missing.reason, missing.hides), (GapReason::Missing, Hides::Packages));

    // A system without its vendor, and others in formats that are not read.
    let folder = folder_with(at, "partly", &[("system.img", "x.img")]);
    let mut super_image = vec![0; 8192];
    super_image[4096..4100].copy_from_slice(b"gDla");
    fs::write(folder.join("super.img"), super_image).unwrap();
    let mut big_endian = vec![0; 4096];
    big_endian[..4].copy_from_slice(b"sqsh");
    fs::write(folder.join("product_a.img"), big_endian).unwrap();
    fs::write(folder.join("odm.img"), [7; 5000]).unwrap();
    fs::write(folder.join("boot.img"), "ANDROID! kernel").unwrap();
    fs::write(folder.join("vendor.map"), "text").unwrap();
    let partly = collect(&folder);
    assert_eq!(partly.partitions.known().unwrap()[0].mount_point, "/");
    assert_eq!(
        gap(&partly, "partition super").detail,
        "super.img: super: geometry: byte 4100: struct_size is 0, expected 52"
    );
    assert_eq!(gap(&partly, "partition product").reason, GapReason::Unsupported);
    assert_eq!(gap(&partly, "partition odm").reason, GapReason::Unsupported);
    assert_eq!(gap(&partly, "partition vendor").reason, GapReason::Missing);
    assert_eq!(partly.gaps_hiding_packages().count(), 4);
}

#[test]
fn an_image_that_is_cut_off_is_a_gap_and_the_rest_is_read() {
    let temp = build();
    let at = temp.path();
    run("tar", at, &["-cf", "cut.tar", "system.img", "vendor.img"]);
    let tar = fs::OpenOptions::new().write(true).open(at.join("cut.tar")).unwrap();
    tar.set_len(30 << 20).unwrap();
    let inventory = collect(&at.join("cut.tar"));
    assert_eq!(inventory.partitions.known().unwrap().len(), 1);
    let vendor = gap(&inventory, "partition vendor");
    assert_eq!((vendor.reason, vendor.hides), (GapReason::Truncated, Hides::Packages));
}

#[test]
fn what_is_no_firmware_is_an_error_with_the_reason() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("payload.bin");
    let reason = |path: &Path| match FirmwareSource::new(path, Limits::default()).collect(&Request::default(), &Silent)
    {
        Err(SourceError::Unreadable(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert!(reason(&file).contains("No such file"), "{}", reason(&file));
    fs::write(&file, "CrAU....").unwrap();
    assert!(reason(&file).contains("payload: byte 0: 24 bytes are needed here"), "{}", reason(&file));
    fs::write(&file, "hello").unwrap();
    assert!(reason(&file).contains("no Android partition"), "{}", reason(&file));
    assert!(reason(temp.path()).contains("no Android partition"));
}

#[test]
fn containers_within_containers_end_at_the_limit() {
    let temp = build();
    let at = temp.path();
    fs::rename(at.join("vendor.img"), at.join("level0")).unwrap();
    for level in 0..9 {
        run("tar", at, &["-cf", &format!("level{}", level + 1), &format!("level{level}")]);
    }
    assert_eq!(collect(&at.join("level8")).partitions.known().unwrap().len(), 1);
    let error = FirmwareSource::new(at.join("level9"), Limits::default()).collect(&Request::default(), &Silent);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("depth of containers is 9, the limit is 8"), "{error}");
}
