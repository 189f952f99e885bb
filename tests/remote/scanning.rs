//! The program with an address for its target.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;

use super::server::{Content, Manner, Server};

const FIRMWARE: &str = "samples/orion-p1-firmware.zip";
const GIB: u64 = 1 << 30;

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn preloaded(arguments: &[&str], certificates: Option<&Path>) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_preloaded"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env("NO_COLOR", "1");
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    if let Some(certificates) = certificates {
        command.env("SSL_CERT_FILE", certificates);
    }
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Packages of an inventory, without what tells of the target.
fn packages(said: &Said) -> Value {
    let inventory: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.err));
    inventory["packages"].clone()
}

fn run(program: &str, folder: &Path, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; install it"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
    out
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn message(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// A payload with stored operations: a system of 1 GiB with ext4, a vendor with EROFS. Its free space is a hole.
fn payload(folder: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (place, name) in [
        ("system/app/Clean/Clean.apk", "apk-info--anomalies--clean.apk"),
        ("vendor/app/V2/V2.apk", "apk-info--zip--v2-only-with-rsa-pkcs1-sha256-2048.apk"),
    ] {
        let to = folder.join(place);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root.join("tests/data/apks").join(name), to).unwrap();
    }
    fs::write(folder.join("system/build.prop"), "ro.build.version.sdk=28\nro.build.version.release=9\n").unwrap();
    run("mkfs.erofs", folder, &["-zlz4", "-T0", "vendor.img", "vendor"]);
    let vendor = fs::read(folder.join("vendor.img")).unwrap();
    let mut manifest = [number(3, 4096), number(12, 0)].concat();
    let mut offset = 0;
    for (name, len) in [("system", GIB), ("vendor", vendor.len() as u64)] {
        let extent = [number(1, 0), number(2, len / 4096)].concat();
        let operation = [number(1, 0), number(2, offset), number(3, len), message(6, &extent)].concat();
        let partition = [message(1, name.as_bytes()), message(7, &number(1, len)), message(8, &operation)].concat();
        manifest.extend(message(13, &partition));
        offset += len;
    }
    // The metadata signature fills up to the first data.
    let data = 8192_u64;
    let signature = u32::try_from(data - 24 - manifest.len() as u64).unwrap();
    let head =
        [b"CrAU".as_slice(), &2_u64.to_be_bytes(), &(manifest.len() as u64).to_be_bytes(), &signature.to_be_bytes()];
    let path = folder.join("payload.bin");
    let file = File::create(&path).unwrap();
    file.write_all_at(&[head.concat(), manifest].concat(), 0).unwrap();
    run(
        "mke2fs",
        folder,
        &["-q", "-F", "-t", "ext4", "-b", "4096", "-E", "offset=8192", "-d", "system", "payload.bin", "1G"],
    );
    file.write_all_at(&vendor, data + GIB).unwrap();
    assert!(path.metadata().unwrap().len() >= data + GIB + vendor.len() as u64);
    path
}

#[test]
fn scanning_a_gibibyte_on_a_server_fetches_at_most_a_twentieth_of_it() {
    let temp = tempfile::tempdir().unwrap();
    let path = payload(temp.path());
    let server = Server::start(Content::Path(path.clone()), Manner::Ranges);
    let far = preloaded(&["scan", &server.url("roms/payload.bin?token=secret")], None);
    let near = preloaded(&["scan", path.to_str().unwrap()], None);
    assert_eq!(packages(&far), packages(&near), "{}", far.err);
    // One package, a copy in each filesystem.
    assert_eq!(packages(&far)["value"][0]["copies"].as_array().unwrap().len(), 2, "{}", near.err);
    assert_eq!(far.code, near.code);
    let len = path.metadata().unwrap().len();
    eprintln!("{} of {len} bytes in {} requests", server.sent(), server.requests());
    assert!(server.sent() * 20 <= len, "{} of {len} bytes", server.sent());
    let line = far.err.lines().find(|line| line.contains("payload.bin: ") && line.contains(" fetched ("));
    let line = line.unwrap_or_else(|| panic!("{}", far.err));
    assert!(line.contains("of 1024.") && line.ends_with(&format!("{} requests", server.requests())), "{line}");
    assert!(!far.err.contains("secret") && !far.out.contains("secret"));
}

#[test]
fn a_server_without_ranges_gives_the_same_inventory() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let server = Server::start(Content::Path(root.join(FIRMWARE)), Manner::Whole { length: true });
    let far = preloaded(&["scan", &server.url("orion-p1-firmware.zip")], None);
    let near = preloaded(&["scan", FIRMWARE], None);
    assert_eq!((far.out, far.code), (near.out, near.code), "{}", far.err);
    assert!(far.err.contains("127.0.0.1 gives no parts of orion-p1-firmware.zip: fetching all"), "{}", far.err);
}

#[test]
fn what_changes_while_it_is_read_gives_no_inventory() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = Content::Path(root.join("tests/data/apks/apk-info--anomalies--clean.apk"));
    let server = Server::start(file, Manner::Status(404));
    let said = preloaded(&["scan", &server.url("x.zip")], None);
    assert_eq!((said.code, said.out.as_str()), (4, ""));
    assert!(said.err.contains("the server has no such file (404)"), "{}", said.err);
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(Content::Path(payload(temp.path())), Manner::Changes { at: 2, refuses: true });
    let said = preloaded(&["scan", &server.url("payload.bin")], None);
    assert_eq!((said.code, said.out.as_str()), (75, ""), "{}", said.err);
    assert!(said.err.contains("the file changed while it was read"), "{}", said.err);
}

#[test]
fn the_network_is_left_alone_where_that_is_asked_for_or_not_possible() {
    let server = Server::start(Content::Bytes(Arc::new(vec![1])), Manner::Ranges);
    let said = preloaded(&["scan", &server.url("x"), "--offline"], None);
    assert_eq!((said.code, server.requests()), (2, 0));
    assert!(said.err.contains("is on a network, and --offline is set"), "{}", said.err);
    let said = preloaded(&["scan", FIRMWARE, "--base", &server.url("x"), "--offline"], None);
    assert_eq!((said.code, server.requests()), (2, 0), "{}", said.err);
    for (url, words) in [
        ("s3://bucket/x", "s3:// is not yet supported"),
        ("gs://bucket/x", "gs:// is not yet supported"),
        ("http://192.0.2.1/x", "http:// is refused"),
    ] {
        let said = preloaded(&["scan", url], None);
        assert_eq!(said.code, 4);
        assert!(said.err.contains(words), "{}", said.err);
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_and_one_of_the_platform_is_taken() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let server = Server::with(Content::Path(root.join(FIRMWARE)), Manner::Ranges, Some(Arc::new(config)));
    let temp = tempfile::tempdir().unwrap();
    let trusted = temp.path().join("trusted.pem");
    fs::write(&trusted, made.cert.pem()).unwrap();
    let near = preloaded(&["scan", FIRMWARE], None);
    let far = preloaded(&["scan", &server.url("orion-p1-firmware.zip")], Some(&trusted));
    assert_eq!((far.out, far.code), (near.out, near.code), "{}", far.err);
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(&trusted, other.cert.pem()).unwrap();
    let before = server.requests();
    let far = preloaded(&["scan", &server.url("orion-p1-firmware.zip")], Some(&trusted));
    assert_eq!((far.out.as_str(), server.requests()), ("", before), "{}", far.err);
    assert!(far.err.contains("localhost: ") && far.err.contains("ertificate"), "{}", far.err);
}
