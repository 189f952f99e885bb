//! Packages of vendors: the same system in each, with headers that Python packs from each format's description, field by field.

use std::fs;
use std::path::Path;
use std::process::Command;

use preloaded::bytes::{Budget, Limits, read_vec_at};
use preloaded::collect::firmware::FirmwareSource;
use preloaded::collect::{Request, Silent, Source};
use preloaded::firmware;
use preloaded::inventory::Inventory;
use tempfile::TempDir;

const APKS: &str = "tests/data/apks";

/// Writers, with `S` and `V` as the bytes of `system.img` and `vendor.img`, which is also `system.simg`.
const WRITERS: &str = include_str!("../support/vendor_packages.py");

fn run(folder: &Path, script: &str) {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}; install what is missing", String::from_utf8_lossy(&output.stderr));
}

/// `system.img` and `vendor.img` (ext4) with packages, `system.simg`, and what the writers make of them.
fn build() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    let files = [
        ("system/system/app/Clean/Clean.apk", "apk-info--anomalies--clean.apk"),
        ("system/system/priv-app/Unlock/Unlock.apk", "npm--unlock_apk-debug.apk"),
        ("system/system/product/app/Signed/Signed.apk", "apksig--v1-only-two-signers.apk"),
        ("vendor/app/Clean.apk", "apk-info--anomalies--clean.apk"),
    ];
    for (to, name) in files {
        fs::create_dir_all(at.join(to).parent().unwrap()).unwrap();
        fs::copy(Path::new(APKS).join(name), at.join(to)).unwrap();
    }
    fs::write(at.join("system/system/build.prop"), "ro.build.version.sdk=29\nro.product.system.brand=a\n").unwrap();
    fs::write(at.join("vendor/build.prop"), "ro.product.vendor.brand=a\n").unwrap();
    run(
        at,
        "mke2fs -q -F -t ext4 -b 4096 -d system system.img 24M; mke2fs -q -F -t ext4 -b 4096 -d vendor vendor.img 16M",
    );
    run(at, "img2simg system.img system.simg");
    fs::write(at.join("make.py"), WRITERS).unwrap();
    run(at, "python3 make.py");
    temp
}

fn collect(path: &Path) -> Inventory {
    FirmwareSource::new(path, Limits::default()).collect(&Request::default(), &Silent).unwrap()
}

#[test]
fn packages_of_every_vendor_give_the_same_inventory() {
    let temp = build();
    let at = temp.path();
    fs::create_dir(at.join("plain")).unwrap();
    run(
        at,
        "cp system.img vendor.img plain; brotli -q 3 system.img -o br.img.br; mkdir brotli; mv br.img.br brotli/system.img.br",
    );
    run(
        at,
        "cp vendor.img brotli; zip -q -1 huawei.zip UPDATE.APP; zip -q -0 -r scatter.zip scatter; zip -q -0 -r qualcomm.zip qualcomm",
    );
    let expected = collect(&at.join("plain"));
    let facts = |inventory: &Inventory| {
        let packages = serde_json::to_value(&inventory.packages).unwrap();
        let device = serde_json::to_value(&inventory.device).unwrap();
        (packages, device, inventory.gaps.clone())
    };
    assert_eq!(expected.packages.known().unwrap().len(), 2);
    let variants: [(&str, &[&str]); 17] = [
        ("UPDATE.APP", &["update.app", "sparse", "ext4"]),
        ("huawei.zip", &["zip", "update.app", "sparse", "ext4"]),
        ("firmware.pac", &["pac", "ext4"]),
        ("update.img", &["rkfw", "rkaf", "ext4"]),
        ("aml1.img", &["amlogic", "sparse", "ext4"]),
        ("aml2.img", &["amlogic", "sparse", "ext4"]),
        ("wty100.img", &["imagewty", "sparse", "ext4"]),
        ("wty300.img", &["imagewty", "sparse", "ext4"]),
        ("star.img", &["star", "sparse", "ext4"]),
        ("mediatek", &["mediatek signed image", "ext4"]),
        ("motorola", &["vendor header", "ext4"]),
        ("qualcomm", &["ext4"]),
        ("qualcomm.zip", &["zip", "ext4"]),
        ("pieces", &["ext4"]),
        ("scatter", &["ext4"]),
        ("scatter.zip", &["zip", "ext4"]),
        ("brotli", &["brotli", "ext4"]),
    ];
    let size = 40 << 20;
    for (name, layers) in variants {
        let found = collect(&at.join(name));
        assert_eq!(found.target.layers, layers, "{name}");
        assert!(facts(&found) == facts(&expected), "{name}: {:#?}", found.gaps);
        let budget = Budget::new(Limits::default());
        firmware::open(&at.join(name), &budget, &()).unwrap();
        super::note(&format!("{name}: {} bytes read, {} decompressed", budget.read(), budget.decompressed()));
        // A header of ASUS's or Motorola's is looked for in the first MiB.
        // What a deflated package is skipped over has to be inflated.
        let allowed = if name == "motorola" || name.ends_with(".zip") { size / 5 } else { size / 20 };
        assert!(budget.read() < allowed, "{name}: {} of {size}", budget.read());
        if !name.contains("brotli") {
            assert!(budget.decompressed() < allowed, "{name}: {}", budget.decompressed());
        }
    }
}

#[test]
fn images_keep_every_byte_in_every_package() {
    let temp = build();
    let at = temp.path();
    let whole = fs::read(at.join("vendor.img")).unwrap();
    for name in
        ["UPDATE.APP", "firmware.pac", "update.img", "aml1.img", "aml2.img", "wty100.img", "wty300.img", "star.img"]
    {
        let budget = Budget::new(Limits::default());
        let file: preloaded::bytes::SharedBytes =
            std::sync::Arc::new(preloaded::bytes::FileBytes::open(&at.join(name)).unwrap());
        let mut part = preloaded::container::Part { name: name.to_owned(), bytes: file };
        loop {
            let head = preloaded::container::read_head(&part.bytes).unwrap();
            let probe = preloaded::container::Probe { name: &part.name, head: &head, len: part.bytes.len() };
            let format = preloaded::container::recognize(&probe).unwrap();
            let parts = format.open(&preloaded::container::PartSet { part: &part, siblings: &[] }, &budget).unwrap();
            if let Some(vendor) = parts.iter().find(|part| part.name.eq_ignore_ascii_case("vendor.img")) {
                let bytes = read_vec_at(vendor.bytes.as_ref(), 0, vendor.bytes.len(), "part", 1 << 30).unwrap();
                assert!(bytes == whole, "{name}: {} of {}", bytes.len(), whole.len());
                break;
            }
            part = parts.into_iter().next().unwrap();
        }
    }
}

#[test]
fn a_ramdisk_tells_of_partitions_and_its_damage_hides_no_packages() {
    let temp = build();
    let at = temp.path();
    let script = r"
mkdir -p plain root/first_stage_ramdisk; cp system.img vendor.img plain
printf '# comment\nsystem /system ext4 ro wait\nproduct /product ext4 ro wait\nmy_stock /my_stock erofs ro wait\n' > root/first_stage_ramdisk/fstab.qcom
printf 'ro.bootimage.build.type=user\n' > root/prop.default
(cd root; find . | cpio -o -H newc --quiet) > ramdisk.cpio
gzip -c ramdisk.cpio > ramdisk.gz; lz4 -q -l ramdisk.cpio ramdisk.lz4; head -c 100000 /dev/zero | tr '\0' k > kernel
mkbootimg --header_version 0 --kernel kernel --ramdisk ramdisk.gz -o boot0.img
mkbootimg --header_version 2 --pagesize 4096 --kernel kernel --ramdisk ramdisk.lz4 --dtb kernel -o boot2.img
cat > later.py <<'END'
from struct import pack
kernel, gz, lz4 = (open(n, 'rb').read() for n in ('kernel', 'ramdisk.gz', 'ramdisk.lz4'))
def pages(*sections, page=4096): return b''.join(s + bytes(-len(s) % page) for s in sections)
def put(name, data): open(name, 'wb').write(data)
put('boot4.img', pages(b'ANDROID!' + pack('<IIII16xI1536sI', len(kernel), len(lz4), 0, 1584, 4, b'quiet', 0), kernel, lz4))
def vendor(version, size, table, count):
    head = b'VNDRBOOT' + pack('<IIIII2048sI16sIIQ', version, 4096, 0, 0, size, b'quiet', 0, b'name', 2112 if version == 3 else 2128, len(kernel), 0)
    return head + (pack('<IIII', table, count, 108, 0) if version == 4 else b'')
put('vendor3.img', pages(vendor(3, len(gz), 0, 0), gz, kernel))
table = pack('<III32s64x', len(lz4), 0, 1, b'') + pack('<III32s64x', len(gz), len(lz4), 3, b'dlkm')
put('vendor4.img', pages(vendor(4, len(lz4 + gz), len(table), 2), lz4 + gz, kernel, table))
END
python3 later.py
";
    run(at, script);
    for (image, name) in [
        ("boot0.img", "boot.img"),
        ("boot2.img", "boot_a.img"),
        ("boot4.img", "init_boot.img"),
        ("vendor3.img", "vendor_boot.img"),
        ("vendor4.img", "vendor_boot_a.img"),
        ("ramdisk.gz", "ramdisk.img"),
    ] {
        fs::copy(at.join(image), at.join("plain").join(name)).unwrap();
        let found = firmware::open(&at.join("plain"), &Budget::new(Limits::default()), &()).unwrap();
        let names: Vec<_> = found.early.iter().map(|(path, _)| path.rsplit(['!', '/']).next().unwrap()).collect();
        assert!(names.contains(&"fstab.qcom") && names.contains(&"prop.default"), "{image}: {names:?}");
        let places: Vec<_> = found.problems.iter().map(|problem| problem.place.as_str()).collect();
        // The fixture's system has /product as a folder.
        assert_eq!(places, ["partition my_stock"], "{image}: {:?}", found.problems);
        let cut = fs::read(at.join("plain").join(name)).unwrap();
        if name.contains("boot") {
            fs::write(at.join("plain").join(name), &cut[..cut.len().min(4000)]).unwrap();
            let found = firmware::open(&at.join("plain"), &Budget::new(Limits::default()), &()).unwrap();
            assert!(!found.problems.is_empty(), "{image}");
            assert!(found.problems.iter().all(|problem| !problem.hides_packages), "{image}: {:?}", found.problems);
        }
        fs::remove_file(at.join("plain").join(name)).unwrap();
    }
}

#[test]
fn an_encrypted_package_says_what_to_use_instead() {
    let temp = tempfile::tempdir().unwrap();
    let mut trailer = vec![7_u8; 100_000];
    let place = trailer.len() - 512 + 16;
    trailer[place..place + 4].copy_from_slice(&[0xef, 0x7c, 0, 0]);
    for (name, bytes) in [
        ("a.ozip", b"OPPOENCRYPT!0000".to_vec()),
        ("a.ofp", vec![9; 5000]),
        ("a.bin", trailer),
        ("rom.zip", b"Htc@egi$0000".to_vec()),
    ] {
        let path = temp.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = FirmwareSource::new(&path, Limits::default()).collect(&Request::default(), &Silent).unwrap_err();
        let error = format!("{error:?}");
        assert!(error.contains("encrypted") && error.contains("instead of which"), "{name}: {error}");
    }
}
