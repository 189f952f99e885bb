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

/// Writers, with `S` and `V` as the bytes of `system.img` and `vendor.img`.
const WRITERS: &str = r#"
import os, struct, zlib
from struct import pack
S, V = open('system.img', 'rb').read(), open('vendor.img', 'rb').read()
SPARSE = open('system.simg', 'rb').read()
def put(name, *parts):
    with open(name, 'wb') as out:
        for part in parts: out.write(part)

def huawei(name, data, hardware=b'HW7x27\xff\xff'):
    blocks = (len(data) + 4095) // 4096
    head = b'\x55\xaa\x5a\xa5' + pack('<II8sII16s16s16s16sHHH', 98 + 2 * blocks, 1, hardware, 0, len(data),
        b'2020.01.02', b'03.04.05', name, b'', 0, 4096, 0) + bytes(2 * blocks)
    record = head + data
    return record + bytes(-len(record) % 4)
put('UPDATE.APP', bytes(92), huawei(b'SHA256RSA', b'x' * 257), huawei(b'VERLIST', b'list'), huawei(b'SYSTEM', SPARSE), huawei(b'VENDOR', V))

def wide(text, size): return text.encode('utf-16le').ljust(size, b'\0')
def pac(files):
    at = 2124 + 2580 * len(files)
    heads, body = b'', b''
    for ident, name, data in files:
        flag = 1 if data else 0
        head = pack('<I', 2580) + wide(ident, 512) + wide(name, 512) + bytes(504)
        head += pack('<IIIIII', 0, 0, len(data), flag, 1, at if data else 0) + bytes(4 + 4 + 4 * 5 + 4 * 249)
        assert len(head) == 2580, len(head)
        heads += head
        body += data
        at += len(data)
    top = wide('BP_R2.0.1', 44) + pack('<II', 0, at) + wide('s9863a', 512) + wide('fw', 512) + pack('<IIIIIII', len(files), 2124, 0, 1, 0, 0, 0)
    top += wide('', 200) + pack('<III', 0, 0, 0) + bytes(800) + pack('<IHH', 0xFFFAFFFA, 0, 0)
    assert len(top) == 2124, len(top)
    return top + heads + body
put('firmware.pac', pac([('', 'fw.xml', b'<BMAConfig/>'), ('FDL', 'fdl1.bin', b'DHTB'), ('EraseUD', '', b''), ('System', 'system.img', S), ('Vendor', 'vendor.img', V)]))

def rkaf(files):
    entries, body = b'', bytes(2048)
    for name, path, data in files:
        padded = (len(data) + 2047) // 2048 * 2048
        entries += pack('<32s60sIIIII', name, path, padded // 512, len(body) if data else 0xffffffff, 0, padded, len(data))
        body += data + bytes(padded - len(data))
    top = b'RKAF' + pack('<I34s30s56sIII', len(body), b'rk3328', b'007', b'rockchip', 0, 0x08010000, len(files)) + entries
    body = top.ljust(2048, b'\0') + body[2048:]
    return body + pack('<I', 0)
inner = rkaf([(b'package-file', b'package-file', b'list'), (b'parameter', b'parameter.txt', b'PARM....'), (b'system', b'Image/system.img', S),
    (b'vendor', b'Image/vendor.img', V), (b'backup', b'RESERVED', b'')])
loader = b'BOOTf' + bytes(1000)
top = b'RKFW' + pack('<HII7sIIIII', 0x66, 0x01000000, 0x02000000, bytes(7), 0x33333243, 0x66, len(loader), 0x66 + len(loader), len(inner))
put('update.img', top.ljust(0x66, b'\0'), loader, inner, b'0123456789abcdef0123456789abcdef')

def aml(version, items):
    width = 32 if version == 1 else 256
    at = 64 + len(items) * (64 + 2 * width)
    table, body = b'', b''
    for number, (main, sub, kind, data) in enumerate(items):
        table += pack('<IIQQQ', number, kind, 0, at + len(body), len(data)) + main.ljust(width, b'\0') + sub.ljust(width, b'\0') + pack('<IHH24s', 0, 0, 0, b'')
        body += data
    rest = pack('<IIQII36s', version, 0x27B51956, at + len(body), 4, len(items), b'') + table + body
    return pack('<I', zlib.crc32(rest) ^ 0xffffffff) + rest
for version in (1, 2):
    put('aml%d.img' % version, aml(version, [(b'USB', b'DDR', 0, b'ddr'), (b'PARTITION', b'system', 0xfe, SPARSE), (b'VERIFY', b'system', 0, b'sha1sum 00'),
        (b'PARTITION', b'vendor', 0, V), (b'conf', b'platform', 0, b'Platform:0x0811')]))

def imagewty(version, files):
    at = 1024 + 1024 * len(files)
    heads, body = b'', b''
    for name, data in files:
        stored = (len(data) + 15) // 16 * 16
        head = pack('<II8s16s', 256, 1024, b'RFSFAT16', name.upper()[:8] + b'_FEX0000')
        if version == 0x300: head += pack('<I256sIIIII', 0, name, stored, 0, len(data), 0, at + len(body))
        else: head += pack('<IIIII256s', 0, stored, len(data), at + len(body), 0, name)
        heads += head.ljust(1024, b'\0')
        body += data.ljust(stored, b'\0')
    ids = pack('<IIII', 0x1234, 0x8743, 0x100, 0x100)
    fields = (pack('<I', 0) if version == 0x300 else b'') + ids + pack('<IIIIIIII', 1, 1024, len(files), 1024, 0, 0, 0, 0)
    top = b'IMAGEWTY' + pack('<IIIIII', version, 0x60 if version == 0x300 else 0x50, 0x04D00000, 0x00100234, at + len(body), 1024) + fields
    return top.ljust(1024, b'\0') + heads + body
for version in (0x100, 0x300):
    put('wty%x.img' % version, imagewty(version, [(b'sys_config.fex', b'[product]'), (b'system.fex', SPARSE), (b'Vsystem.fex', b'sum.'), (b'vendor.fex', V)]))

def star(files):
    out = b'SINGLE_N_LONELY'.ljust(256, b'\0')
    for name, data in files + [(b'LONELY_N_SINGLE', b'')]:
        out += name.ljust(248, b'\0') + pack('<Q', len(data)) + data + bytes(-len(data) % 4096)
    return out
put('star.img', star([(b'gpt.bin', b'gpt'), (b'system.img', SPARSE), (b'vendor.img', V)]))

def folder(name, **files):
    os.mkdir(name)
    for file, data in files.items(): put(name + '/' + file.replace('__', '.').replace('_sign', '-sign'), *data)
folder('mediatek', system_sign__img=[b'SSSS' + bytes(56) + pack('<I', len(S)), S, bytes(256)], vendor_sign__img=[b'BFBF'.ljust(0x4040, b'\1'), V])
folder('motorola', system__img=[b'MOTO'.ljust(131072, b'\0'), S], vendor__img=[b'ASUS'.ljust(4096, b'\7'), V])
half = len(S) // 2 // 4096 * 4096
folder('qualcomm', system_1__img=[S[:half]], system_2__img=[S[half + 8192:]], opaque__bin=[V])
# The two blocks between the pieces are the ones that the test made sure are zero, or the piece is longer.
zero = S[half:half + 8192] == bytes(8192)
if not zero: put('qualcomm/system_1.img', S[:half + 8192])
row = '<program SECTOR_SIZE_IN_BYTES="4096" file_sector_offset="0" filename="%s" label="%s" num_partition_sectors="%d" physical_partition_number="0" sparse="false" start_sector="%d"/>\n'
first = half // 4096 + (0 if zero else 2)
xml = '<?xml version="1.0" ?>\n<data>\n<!--generated-->\n' + row % ('system_1.img', 'system_a', first, 10000) + row % ('system_2.img', 'system_a', (len(S) - half) // 4096 - 2, 10000 + half // 4096 + 2)
xml += row % ('opaque.bin', 'vendor_a', len(V) // 4096, 90000) + row % ('', 'userdata', 1, 99999) + '</data>'
put('qualcomm/rawprogram_unsparse0.xml', xml.encode())
third = len(S) // 3 // 512 * 512 + 512
folder('pieces', **{'vendor__img': [V]})
for number in range(3): put('pieces/system.img.%03d' % (number + 1), S[number * third:(number + 1) * third])
folder('scatter', raw1__bin=[S], raw2__bin=[V])
put('scatter/MT6765_Android_scatter.txt', b'- general: MTK_PLATFORM_CFG\n- partition_index: SYS1\n  partition_name: system\n  file_name: raw1.bin\n  is_download: true\n'
    b'- partition_index: SYS2\n  partition_name: vendor\n  file_name: raw2.bin\n')
"#;

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
        firmware::open(&at.join(name), &budget).unwrap();
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
        let found = firmware::open(&at.join("plain"), &Budget::new(Limits::default())).unwrap();
        let names: Vec<_> = found.early.iter().map(|(path, _)| path.rsplit(['!', '/']).next().unwrap()).collect();
        assert!(names.contains(&"fstab.qcom") && names.contains(&"prop.default"), "{image}: {names:?}");
        let places: Vec<_> = found.problems.iter().map(|problem| problem.place.as_str()).collect();
        // The fixture's system has /product as a folder.
        assert_eq!(places, ["partition my_stock"], "{image}: {:?}", found.problems);
        let cut = fs::read(at.join("plain").join(name)).unwrap();
        if name.contains("boot") {
            fs::write(at.join("plain").join(name), &cut[..cut.len().min(4000)]).unwrap();
            let found = firmware::open(&at.join("plain"), &Budget::new(Limits::default())).unwrap();
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

/// A stream of 256 MiB of zeros in each compression, a ZIP of it, and a sparse image that repeats a word over 16 TiB.
fn bombs(at: &Path) -> Vec<&'static str> {
    let script = r"
truncate -s 256M system.img
gzip -1 -c system.img > a.gz; xz -0 -c system.img > a.xz; lz4 -q -c system.img > a.lz4; lz4 -q -l -c system.img > legacy.lz4
lz4 -q -c -BD system.img > linked.lz4; brotli -q 1 -c system.img > system.img.br; zstd -q -c system.img > a.zst; bzip2 -1 -c system.img > a.bz2; zip -q a.zip system.img
python3 -c 'from struct import pack; n = 2**32 - 1
open(`s`, `wb`).write(pack(`<IHHHHIIII`, 0xED26FF3A, 1, 0, 28, 12, 4096, n, 1, 0) + pack(`<HHII`, 0xCAC2, 0, n, 16) + b`abcd`)'
mv s fill.simg; rm system.img";
    run(at, &script.replace('`', "\""));
    vec!["a.gz", "a.xz", "a.lz4", "legacy.lz4", "linked.lz4", "system.img.br", "a.zst", "a.bz2", "a.zip", "fill.simg"]
}

#[test]
fn bombs_end_at_the_budget_and_are_told() {
    let temp = tempfile::tempdir().unwrap();
    for name in bombs(temp.path()) {
        let limits = Limits { decompressed: 8 << 20, memory: 8 << 20, ..Limits::default() };
        let budget = Budget::new(limits);
        let image = firmware::open(&temp.path().join(name), &budget).unwrap();
        assert!(image.partitions.is_empty(), "{name}");
        assert!(image.problems.iter().any(|problem| problem.hides_packages), "{name}: {:?}", image.problems);
        // What a decoder puts out at once may lie above the limit.
        assert!(budget.decompressed() <= 17 << 20, "{name}: {}", budget.decompressed());
        super::note(&format!("{name}: {} bytes decompressed: {:?}", budget.decompressed(), image.problems[0].cause));
    }
}
