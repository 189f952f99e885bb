//! Scheme v4 against files that apksigner makes, whole and damaged.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use preloaded::apk::{Issue, SdkRange, Verification, verify_with};
use preloaded::bytes::SharedBytes;

const RANGE: SdkRange = SdkRange { min: Some(24), max: None };

/// What a program that ends well prints.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program} can't be started: {error}"));
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A package signed with a new key of this kind, beside `<kind>.apk.idsig`.
fn sign(folder: &Path, kind: &str) -> (Vec<u8>, Vec<u8>) {
    let store = format!("{kind}.p12");
    let name = format!("CN={kind}");
    let key =
        ["-genkeypair", "-keystore", &store, "-storepass", "123456", "-alias", "a", "-keyalg", kind, "-dname", &name];
    run(folder, "keytool", &key).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/apks/unlock_apk-debug.apk");
    let out = format!("{kind}.apk");
    let sign = ["sign", "--ks", &store, "--ks-pass", "pass:123456", "--v4-signing-enabled", "true"];
    let files = ["--min-sdk-version", "24", "--out", &out, source.to_str().unwrap()];
    run(folder, "apksigner", &[&sign[..], &files].concat()).unwrap();
    (fs::read(folder.join(&out)).unwrap(), fs::read(folder.join(format!("{out}.idsig"))).unwrap())
}

fn ours(apk: &[u8], signature: &[u8]) -> Verification {
    let bytes = |data: &[u8]| -> SharedBytes { Arc::new(data.to_vec()) };
    verify_with(&bytes(apk), Some(&bytes(signature)), RANGE)
}

/// Whether apksigner says that v4 holds. Where it does not, its verdict of the whole package goes by the other schemes; ours
/// does not, since the file was given to be verified.
fn theirs(folder: &Path, apk: &[u8], signature: &[u8]) -> bool {
    fs::write(folder.join("t.apk"), apk).unwrap();
    fs::write(folder.join("t.idsig"), signature).unwrap();
    let verify = ["verify", "-v", "--min-sdk-version", "24", "--v4-signature-file", "t.idsig", "t.apk"];
    let printed = run(folder, "apksigner", &verify).unwrap_or_default();
    printed.contains("Verified using v4 scheme (APK Signature Scheme v4): true")
}

fn holds(verification: &Verification) -> bool {
    verification.verified && verification.v4.as_ref().is_some_and(|v4| v4.verified)
}

#[test]
fn files_of_apksigner_hold_and_damage_is_refused_where_it_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut compared = 0;
    for (kind, step) in [("RSA", 5), ("EC", 7)] {
        let (apk, signature) = sign(folder, kind);
        let whole = ours(&apk, &signature);
        assert!(
            whole.verified && whole.v4.as_ref().is_some_and(|v4| v4.verified && v4.signers.len() == 1),
            "{whole:?}"
        );
        assert!(theirs(folder, &apk, &signature));
        // The fields before the tree, and the tree's beginning, middle and end.
        let tree = signature.len() - 4096;
        let places = (0..step).map(|part| tree * part / step).chain([tree - 1, tree, tree + 2048, signature.len() - 1]);
        for place in places {
            let mut damaged = signature.clone();
            damaged[place] ^= 1;
            let (ours, theirs) = (ours(&apk, &damaged), theirs(folder, &apk, &damaged));
            assert_eq!(holds(&ours), theirs, "{kind}: byte {place} of {}: {:?}", signature.len(), ours.errors);
            compared += 1;
        }
        for end in [0, 3, 40, tree - 4, tree + 100] {
            let cut = ours(&apk, &signature[..end]);
            assert_eq!(holds(&cut), theirs(folder, &apk, &signature[..end]), "{kind}: cut at {end}: {:?}", cut.errors);
            compared += 1;
        }
    }
    eprintln!("{compared} damaged v4 signatures, as apksigner decides");
}

#[test]
fn a_signature_of_another_package_or_key_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (rsa, rsa_signature) = sign(folder.path(), "RSA");
    let (_, ec_signature) = sign(folder.path(), "EC");
    let mut longer = rsa_signature.clone();
    let last = longer.len() - 1;
    longer[last] ^= 0x80;
    assert_eq!(ours(&rsa, &longer).errors, [Issue::V4SigApkTreeDidNotVerify]);
    // The length of the package is part of what is signed.
    assert_eq!(ours(&rsa, &ec_signature).errors, [Issue::V4SigDidNotVerify]);
    let cut = ours(&rsa, &rsa_signature[..100]);
    assert_eq!(cut.errors, [Issue::V4SigMalformedSigners]);
    assert!(cut.damage.is_some_and(|damage| damage.to_string().contains("v4 signature")));
}
