//! One device's tree, in every filesystem and packed in every way: the inventory is the same but for what tells of the packing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use preloaded::bytes::Limits;
use preloaded::collect::firmware::{FirmwareSource, Place};
use preloaded::collect::{Request, Silent, Source};
use preloaded::inventory::{Inventory, Placement};
use serde_json::Value;

const PROPERTIES: &str = "ro.build.version.sdk=30\nro.build.version.release=11\nro.build.fingerprint=a/b/c:11/D/1:user/release-keys\n\
    ro.product.system.brand=a\n";
const NAMES: [&str; 4] = ["system", "vendor", "product", "system_ext"];

fn run(folder: &Path, script: &str) {
    let output = Command::new("bash").args(["-euc", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}; install what is missing", String::from_utf8_lossy(&output.stderr));
}

/// Folders `tree/<partition>` with real packages: privileged, split, an overlay, in a vendor's place, in none, damaged.
fn tree(at: &Path) {
    let apk = |to: &str, name: &str| {
        let to = at.join("tree").join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(Path::new("tests/data/apks").join(name), to).unwrap();
    };
    apk("system/system/app/Clean/Clean.apk", "apk-info--anomalies--clean.apk");
    apk("system/system/priv-app/Unlock/Unlock.apk", "npm--unlock_apk-debug.apk");
    apk("system/system/etc/disguised.dat", "npm--unlock_apk-debug.apk");
    apk("product/app/Signed/Signed.apk", "apksig--v1-only-two-signers.apk");
    apk("product/data-app/Clean/Clean.apk", "apk-info--anomalies--clean.apk");
    apk("system_ext/overlay/Unlock.apk", "npm--unlock_apk-debug.apk");
    apk("vendor/app/Clean.apk", "apk-info--anomalies--clean.apk");
    for (path, text) in [
        ("system/system/build.prop", PROPERTIES),
        ("vendor/build.prop", "ro.product.vendor.brand=a\n"),
        ("product/etc/build.prop", "ro.product.product.brand=a\n"),
        ("system_ext/etc/build.prop", "ro.product.system_ext.brand=a\n"),
        ("vendor/app/Damaged/Damaged.apk", "PK no more"),
    ] {
        let path = at.join("tree").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    run(
        at,
        "seq 1 60000 > tree/system/system/etc/numbers; ln -s /product tree/system/product; ln -s /system_ext tree/system/system_ext",
    );
}

fn collect(place: Place) -> Inventory {
    FirmwareSource::at(place, Limits::default()).collect(&Request::default(), &Silent).unwrap()
}

/// The inventory without the target's name and layers, and which filesystem a partition has and how long it is.
fn essence(inventory: &Inventory) -> Value {
    let mut inventory = inventory.clone();
    inventory.target.name.clear();
    inventory.target.layers.clear();
    inventory.sources.iter_mut().filter(|source| source.length.is_none()).for_each(|source| source.name.clear());
    let mut value = serde_json::to_value(inventory).unwrap();
    let partitions = value.pointer_mut("/partitions/known/value").or(None);
    assert!(partitions.is_some(), "where partitions stand in an inventory");
    for partition in value.pointer_mut("/partitions/known/value").unwrap().as_array_mut().unwrap() {
        partition["filesystem"].take();
        partition["length"].take();
    }
    value
}

/// A way to pack `<partition>.img`: its name, what opens it, how.
type Packing = (&'static str, &'static str, &'static str);

/// Without the independent maker of firmware.
const PLAIN: &[Packing] = &[
    ("folder", "raw", "mkdir raw; cp *.img raw"),
    ("sparse", "sparse", "mkdir sparse; for n in *.img; do img2simg $n sparse/$n; done"),
    ("factory zip", "factory.zip", "mkdir f; zip -q -6 f/image-x.zip *.img; seq 1 9 > f/flash-all.sh; zip -q -0 -r factory.zip f; rm -r f"),
    ("tgz", "x_ru_global_images.tgz", "mkdir -p x/images; cp *.img x/images; tar czf x_ru_global_images.tgz x; rm -r x"),
    (
        "AP and CSC in one folder",
        "samsung",
        "mkdir samsung l; for n in *.img; do lz4 -q -B6 --content-size -1 $n l/$n.lz4; done; cd l
         tar --format=ustar -cf ../samsung/AP_X.tar.md5 system.img.lz4 vendor.img.lz4 system_ext.img.lz4; tar --format=ustar -cf ../samsung/CSC_X.tar.md5 product.img.lz4
         cd ../samsung; for n in *.md5; do md5sum -t $n >> $n; done; cd ..; rm -r l",
    ),
    (
        "split sets",
        "chunks",
        "mkdir chunks; for n in *.img; do img2simg $n s; simg2simg s chunks/${n}_sparsechunk 60000; rm s; done; ls chunks | grep -q chunk.1",
    ),
];

/// With it: what is opened, the script before, the maker's calls, the script behind.
const MADE: &[(&str, &str, &str, &str)] = &[
    ("super", "super.img", "make_super('super.raw', I, 96 << 20, split_first=True)", "mv super.raw super.img"),
    ("super, sparse", "super.img", "make_super('super.raw', I, 96 << 20)", "img2simg super.raw super.img; rm super.raw"),
    (
        "super, sparse, in pieces of each naming",
        "pieces",
        "make_super('super.raw', I, 96 << 20)",
        "img2simg super.raw s; mkdir pieces; simg2simg s pieces/super.img 200000; rm s super.raw; ls pieces | grep -q 'img.1'",
    ),
    (
        "AP with a super, lz4, tar.md5, zip",
        "samsung.zip",
        "make_super('super.raw', I, 96 << 20)",
        "img2simg super.raw super.img; lz4 -q -B6 --content-size -1 super.img super.img.lz4; tar --format=ustar -cf AP.tar super.img.lz4
         md5sum -t AP.tar >> AP.tar; mv AP.tar AP.tar.md5; zip -q -1 samsung.zip AP.tar.md5; rm super.* AP*",
    ),
    ("payload, XZ", "payload.bin", "make_payload('payload.bin', I, codec='REPLACE_XZ')", "true"),
    ("payload, BZ", "payload.bin", "make_payload('payload.bin', I, codec='REPLACE_BZ')", "true"),
    ("payload, ZSTD, in a ZIP", "ota.zip", "make_payload('payload.bin', I, codec='REPLACE_ZSTD'); make_ota_zip('ota.zip', 'payload.bin')", "rm payload.bin"),
    (
        "block update, brotli, in a ZIP",
        "blocks.zip",
        "os.mkdir('blocks')\nfor n, p in I: make_sdat('blocks', n, p, br=True)",
        "cd blocks; zip -q -0 ../blocks.zip *; cd ..; rm -r blocks",
    ),
];

#[test]
fn the_same_tree_in_every_filesystem_and_packing_gives_the_same_inventory() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    tree(at);
    let expected = collect(Place::Path(at.join("tree")));
    let packages = expected.packages.known().unwrap();
    let places: Vec<_> =
        packages.iter().flat_map(|package| &package.copies).map(|copy| *copy.placement.known().unwrap()).collect();
    assert!(places.contains(&Placement::Unknown) && places.contains(&Placement::RemovablePreload), "{places:?}");
    let maker = Path::new("../shared/tools/fwgen.py");
    let maker = maker.exists().then(|| maker.canonicalize().unwrap().parent().unwrap().display().to_string());
    if maker.is_none() {
        super::note("NOT RUN: super, payload, block update: ../shared/tools/fwgen.py is not there");
    }
    let filesystems = [
        ("ext4", "mke2fs -q -F -t ext4 -b 4096 -d $T $O 8M"),
        ("erofs", "mkfs.erofs --quiet -T1 $O $T; truncate -s %4096 $O"),
        ("erofs lz4", "mkfs.erofs --quiet -T1 -zlz4 $O $T; truncate -s %4096 $O"),
        ("erofs lz4hc 64K", "mkfs.erofs --quiet -T1 -zlz4hc -C65536 $O $T; truncate -s %4096 $O"),
        ("f2fs", "truncate -s 48M $O; mkfs.f2fs -q -f -g android $O > /dev/null; sload.f2fs -f $T -t / $O > /dev/null"),
    ];
    let mut compared = 0;
    let mut reference: Option<Value> = None;
    for (filesystem, make) in filesystems {
        let work = at.join("work");
        fs::create_dir(&work).unwrap();
        for name in NAMES {
            run(&work, &format!("T=../tree/{name}; O={name}.img; {make}"));
        }
        let mut check = |packing: &str, place: Place| {
            let found = collect(place);
            let essence = essence(&found);
            let reference = reference.get_or_insert_with(|| essence.clone());
            assert!(essence == *reference, "{filesystem} in {packing}: {:#?}", found.gaps);
            compared += 1;
        };
        for (packing, target, script) in PLAIN {
            run(&work, script);
            check(packing, Place::Path(work.join(target)));
            if packing.starts_with("AP") {
                let files: Vec<PathBuf> =
                    ["AP_X", "CSC_X"].iter().map(|n| work.join(format!("samsung/{n}.tar.md5"))).collect();
                check("AP and CSC named together", Place::Files(files));
            }
            run(&work, &format!("rm -rf {target}"));
        }
        // What only wraps bytes needs not each filesystem.
        let all = filesystem == "ext4" || filesystem == "erofs lz4";
        for (packing, target, calls, script) in MADE.iter().filter(|_| all) {
            let Some(maker) = &maker else { break };
            let python = format!(
                "import sys, os\nsys.dont_write_bytecode = True\nsys.path.insert(0, {maker:?})\nfrom fwgen import *\nI = [(n, n + '.img') for n in {NAMES:?}]\n{calls}\n"
            );
            fs::write(work.join("make.py"), python).unwrap();
            run(&work, &format!("python3 make.py; {script}"));
            check(packing, Place::Path(work.join(target)));
            run(&work, &format!("rm -rf {target}"));
        }
        fs::remove_dir_all(&work).unwrap();
    }
    // The folder of the host has no volumes, and all else.
    let mut folder = essence(&expected);
    let reference = reference.unwrap();
    assert_eq!(folder["packages"], reference["packages"]);
    assert_eq!(
        (folder["device"].take(), folder["gaps"].take()),
        (reference["device"].clone(), reference["gaps"].clone())
    );
    super::note(&format!("{compared} packings of one tree compared"));
}

#[test]
fn a_compressed_package_beside_its_placeholder_is_read() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    fs::create_dir_all(at.join("system/app/Big")).unwrap();
    fs::create_dir_all(at.join("system/app/Big-Stub")).unwrap();
    fs::write(at.join("system/build.prop"), PROPERTIES).unwrap();
    fs::copy("tests/data/apks/npm--unlock_apk-debug.apk", at.join("system/app/Big-Stub/Big.apk")).unwrap();
    let apk = fs::canonicalize("tests/data/apks/npm--unlock_apk-debug.apk").unwrap();
    run(
        at,
        &format!(
            "gzip -c {} > system/app/Big/Big.apk.gz; head -c 100 system/app/Big/Big.apk.gz > system/app/Cut.apk.gz",
            apk.display()
        ),
    );
    let inventory = collect(Place::Path(at.to_owned()));
    let packages = inventory.packages.known().unwrap();
    assert_eq!(packages.len(), 1);
    let copies: Vec<_> = packages[0]
        .copies
        .iter()
        .map(|copy| (copy.path.as_str(), *copy.placement.known().unwrap(), copy.code.known().unwrap().stub.is_some()))
        .collect();
    let expected = [
        ("/system/app/Big-Stub/Big.apk", Placement::System, true),
        ("/system/app/Big/Big.apk.gz", Placement::System, false),
    ];
    assert_eq!(copies, expected);
    let hiding: Vec<_> = inventory.gaps_hiding_packages().map(|gap| gap.place.as_str()).collect();
    assert!(hiding.contains(&"/system/app/Cut.apk.gz"), "{hiding:?}");
}

#[test]
fn both_slots_of_a_factory_image_are_kept_apart() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    tree(at);
    run(
        at,
        "mkdir other slots; cp -r tree/vendor/app other; cd slots
         mke2fs -q -F -t ext4 -b 4096 -d ../tree/system system_a.img 16M; mke2fs -q -F -t ext4 -b 4096 -d ../other system_b.img 8M
         mke2fs -q -F -t ext4 -b 4096 -d ../tree/vendor vendor_b.img 8M",
    );
    let inventory = collect(Place::Path(at.join("slots")));
    let partitions: Vec<_> =
        inventory.partitions.known().unwrap().iter().map(|p| (p.name.as_str(), p.mount_point.as_str())).collect();
    assert_eq!(partitions, [("system", "/"), ("system_other", "/system_other"), ("vendor", "/vendor")]);
}
