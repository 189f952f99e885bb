//! Verification of package signatures against AOSP 13's own verifier: its tests' assertions, and its answers on every file.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and the counts are for whoever runs it"
)]

#[cfg(test)]
#[path = "signatures/v4.rs"]
mod v4;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use preloaded::apk::{self, Issue, Scheme, SdkRange, Signer, Verification};
use preloaded::bytes::{FileBytes, SharedBytes};
use sha2::Digest as _;

type Row = BTreeMap<String, String>;

/// Assertions of AOSP's tests that don't hold: file, what is expected, why.
const EXPLAINED: [(&str, &str, &str); 1] = [(
    "v2-only-with-rsa-pkcs1-sha256-2048-sig-does-not-verify.apk",
    "V2_SIG_VERIFY_EXCEPTION",
    "Java 8 throws where the digest inside a signature is of another function; later ones, and Android, answer no",
)];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn fixtures() -> PathBuf {
    root().join("tests/data/signatures")
}

/// The folder of shared files, where it is there.
fn shared() -> Option<PathBuf> {
    let shared = root().join("../shared/data");
    if shared.is_dir() {
        return Some(shared);
    }
    eprintln!("NOT RUN: {} is not there", shared.display());
    None
}

fn table(path: &Path) -> Vec<Row> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let row = |line: &str| {
        let fields = line.split('\t').chain(std::iter::repeat("")).map(str::to_owned);
        names.iter().map(|name| (*name).to_owned()).zip(fields).collect()
    };
    lines.map(row).collect()
}

fn open(path: &Path) -> SharedBytes {
    Arc::new(FileBytes::open(path).unwrap())
}

/// The certificate that AOSP's tests mean by the name of a constant.
fn certificate(shared: &Path, name: &str) -> Vec<u8> {
    let file = match name {
        "FIRST_RSA_2048_SIGNER_RESOURCE_NAME" => "rsa-2048.x509.pem",
        "SECOND_RSA_2048_SIGNER_RESOURCE_NAME" => "rsa-2048_2.x509.pem",
        _ => unreachable!("{name}"),
    };
    let pem = fs::read(shared.join("apks/apksig").join(file)).unwrap();
    x509_parser::pem::parse_x509_pem(&pem).unwrap().1.contents
}

fn newest_signers(verification: &Verification) -> Vec<&Signer> {
    [&verification.v31, &verification.v3].into_iter().flatten().flat_map(|scheme| &scheme.signers).collect()
}

fn holds(shared: &Path, row: &Row, source: &SharedBytes) -> Result<(), String> {
    let range = SdkRange { min: row["min_sdk"].parse().ok(), max: row["max_sdk"].parse().ok() };
    let value = row["value"].as_str();
    let verification = apk::verify(source, range);
    let has = |issues: &[Issue]| issues.iter().any(|issue| issue.as_str() == value);
    let digest = |stamp: &Scheme| sha2::Sha256::digest(&stamp.signers.first().unwrap().certificate).to_vec();
    let expected = match (row["test_method"].as_str(), &verification.stamp) {
        ("verifySourceStamp_expectedDigestMatchesActual", Some(stamp)) => Some(digest(stamp)),
        ("verifySourceStamp_expectedDigestMismatch", Some(stamp)) => Some(vec![0; digest(stamp).len()]),
        _ => None,
    };
    let stamp = apk::verify_stamp(source, range, expected.as_deref());
    let in_verification = row["test_method"].starts_with("test");
    let holds = match row["expect"].as_str() {
        "verified" => verification.verified,
        "error" => !verification.verified && has(&verification.errors),
        "warning" => verification.verified && has(&verification.warnings),
        "isSourceStampVerified" => verification.stamp.as_ref().is_some_and(|stamp| stamp.verified),
        "isVerifiedUsingV31Scheme" => verification.v31.as_ref().is_some_and(|scheme| scheme.verified),
        "stamp-call-verified" => stamp.status == apk::StampStatus::Verified,
        "stamp-status" => stamp.status.as_str() == value,
        "stamp-error" if in_verification => {
            verification.stamp.as_ref().is_some_and(|stamp| !stamp.verified && has(&stamp.errors))
        }
        "stamp-error" => has(&stamp.errors),
        "signers" => value.split(',').skip(1).all(|name| {
            let wanted = certificate(shared, name);
            newest_signers(&verification).iter().any(|s| s.certificate == wanted || s.lineage.contains(&wanted))
        }),
        "v31-min-sdk" => {
            let (name, sdk) = value.split_once(',').unwrap();
            let wanted = certificate(shared, name);
            let scheme = verification.v31.clone().unwrap_or_default();
            scheme.signers.iter().any(|s| s.certificate == wanted && s.min_sdk.to_string() == sdk)
        }
        other => return Err(format!("nobody knows what '{other}' expects")),
    };
    if holds { Ok(()) } else { Err(format!("{verification:?}\n{:?} {:?}", stamp.status, stamp.errors)) }
}

#[test]
fn what_aosps_own_tests_assert_holds() {
    let Some(shared) = shared() else { return };
    let (mut held, mut explained, mut wrong) = (0, 0, Vec::new());
    for row in table(&shared.join("truth/apksig-expectations.tsv")) {
        let file = row["apk"].as_str();
        let reason = EXPLAINED.iter().find(|(name, value, _)| file.ends_with(name) && row["value"] == *value);
        match (holds(&shared, &row, &open(&shared.join(file))), reason) {
            (Ok(()), None) => held += 1,
            (Err(_), Some(_)) => explained += 1,
            (Ok(()), Some(_)) => wrong.push(format!("{row:?} holds, though it is explained")),
            (Err(found), None) => wrong.push(format!("{row:?}\n    {}", found.chars().take(600).collect::<String>())),
        }
    }
    eprintln!("{held} assertions hold, {explained} do not for a reason that is named");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((held + explained, explained), (244, EXPLAINED.len()));
}

/// Identifiers of a list, without the scheme before them.
fn identifiers<'a>(issues: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut ids: Vec<&str> = issues.map(|issue| issue.split_once(':').map_or(issue, |(_, id)| id)).collect();
    ids.retain(|id| !id.is_empty());
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Where our answer on a file differs from the one of AOSP's verifier in its row.
fn differences(row: &Row, source: &SharedBytes) -> Vec<String> {
    let verification = apk::verify(source, SdkRange::default());
    let ours = identifiers(verification.errors.iter().map(|issue| issue.as_str()));
    if row["apksig13_verified"] == "EXC" {
        return if ours == ["MALFORMED_APK"] {
            Vec::new()
        } else {
            vec![format!("{} but {ours:?}", row["apksig13_exception"])]
        };
    }
    let verified = |scheme: &Option<Scheme>| scheme.as_ref().is_some_and(|scheme| scheme.verified);
    let fields = [
        ("apksig13_verified", verification.verified),
        ("v1", verified(&verification.v1)),
        ("v2", verified(&verification.v2)),
        ("v3", verified(&verification.v3)),
        ("v31", verified(&verification.v31)),
        ("stamp", verified(&verification.stamp)),
    ];
    let different = fields.into_iter().filter(|(field, ours)| row[*field] != ours.to_string());
    let mut all: Vec<String> = different.map(|(field, ours)| format!("{field} {ours}")).collect();
    let theirs = identifiers(row["apksig13_errors"].split(','));
    if ours != theirs {
        all.push(format!("{ours:?} for {theirs:?}"));
    }
    all
}

/// Differences from the verifier's answers on files: file, why.
const FILES_EXPLAINED: [(&str, &str); 6] = [
    ("manifest-xml-node-header-size.apk", "Android refuses such a manifest, AOSP's verifier does not look so closely"),
    ("zip-duplicate-entry.apk", "refused with the directory, as Android does, not by a scheme"),
    ("zip-invalid-utf8-name.apk", "Android refuses the directory, Java does not look at names"),
    ("v1-only-with-nul-in-entry-name.apk", "likewise"),
    ("v2-only-with-rsa-pss-sha256-16384.apk", "the run of AOSP's verifier had no RSA-PSS of that size and threw"),
    ("v2-only-with-rsa-pss-sha512-16384.apk", "likewise"),
];

#[test]
fn each_shared_file_is_answered_as_aosps_verifier_answers() {
    let Some(shared) = shared() else { return };
    let (mut same, mut explained, mut absent, mut wrong) = (0, 0, 0, Vec::new());
    for row in table(&shared.join("truth/apks.tsv")) {
        let name = row["file"].as_str();
        let path = shared.join(name);
        if !path.is_file() {
            eprintln!("NOT RUN: {name} is not there");
            absent += 1;
            continue;
        }
        let reason = FILES_EXPLAINED.iter().any(|(file, _)| name.ends_with(file));
        let found = differences(&row, &open(&path));
        match (found.is_empty(), reason) {
            (true, false) => same += 1,
            (false, true) => explained += 1,
            (true, true) => wrong.push(format!("{name}: the same, though it is explained")),
            (false, false) => wrong.push(format!("{name}: {}", found.join("; "))),
        }
    }
    eprintln!("{same} files answered the same, {explained} not for a reason that is named");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((same + explained + absent, explained), (576, FILES_EXPLAINED.len()));
}

#[test]
fn each_committed_file_is_answered_as_aosps_verifier_answers() {
    let mut count = 0;
    for row in table(&fixtures().join("expected.tsv")) {
        let found = differences(&row, &open(&fixtures().join(&row["file"])));
        assert!(found.is_empty(), "{}: {found:?}", row["file"]);
        count += 1;
    }
    assert_eq!(count, 20);
}

fn verify_bytes(bytes: Vec<u8>, min: u32) -> Verification {
    let source: SharedBytes = Arc::new(bytes);
    apk::verify(&source, SdkRange { min: Some(min), max: None })
}

/// Small files with another scheme or algorithm each, a first API level, and whether they verify undamaged.
const DAMAGED: [(&str, u32, bool); 7] = [
    ("v1-only-with-dsa-sha256-1.2.840.10040.4.1-2048.apk", 22, true),
    ("v1-only-with-signed-attrs-wrong-signature.apk", 19, false),
    ("v2-only-with-ecdsa-sha256-p256-digest-mismatch.apk", 24, false),
    ("v2-only-with-rsa-pss-sha256-2048.apk", 24, true),
    ("v3-only-with-dsa-sha256-2048.apk", 28, true),
    ("v31-rsa-2048_2-tgt-34-1-tgt-28.apk", 18, true),
    ("valid-stamp.apk", 18, true),
];

#[test]
fn no_truncation_panics_and_none_verifies() {
    for (name, min, _) in DAMAGED {
        let whole = fs::read(fixtures().join(name)).unwrap();
        for length in (0..whole.len()).rev().step_by(3) {
            let found = verify_bytes(whole[..length].to_vec(), min);
            assert!(!found.verified && !found.errors.is_empty(), "{name} cut to {length} bytes verified");
        }
    }
}

#[test]
fn no_changed_byte_panics_and_none_outside_the_signing_block_verifies() {
    for (name, min, verifies) in DAMAGED {
        let whole = fs::read(fixtures().join(name)).unwrap();
        assert_eq!(verify_bytes(whole.clone(), min).verified, verifies, "{name}");
        let magic = whole.windows(16).rposition(|window| window == b"APK Sig Block 42");
        let block = magic.map_or(0..0, |magic| {
            let size = u64::from_le_bytes(whole[magic - 8..magic].try_into().unwrap());
            (magic + 16 - 8 - usize::try_from(size).unwrap())..(magic + 16)
        });
        // Each byte of the small ones; padding makes up most of the others.
        let step = if whole.len() < 6000 { 1 } else { 7 };
        for at in (0..whole.len()).step_by(step) {
            let mut changed = whole.clone();
            changed[at] = if changed[at] == 0xff { 0x7f } else { 0xff };
            let found = verify_bytes(changed, min);
            assert!(
                !found.verified || block.is_empty() || block.contains(&at),
                "{name} verifies with another byte {at}"
            );
        }
    }
}

#[test]
fn a_jar_signature_covers_the_contents_of_every_entry() {
    let name = "v1-only-with-ecdsa-sha512-1.2.840.10045.4.3.4-p384.apk";
    let whole = fs::read(fixtures().join(name)).unwrap();
    assert!(verify_bytes(whole.clone(), 21).verified);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&whole)).unwrap();
    let mut tried = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).unwrap();
        let start = usize::try_from(entry.data_start().unwrap()).unwrap();
        let middle = start + usize::try_from(entry.compressed_size() / 2).unwrap();
        let mut changed = whole.clone();
        changed[middle] ^= 0x10;
        assert!(!verify_bytes(changed, 21).verified, "{} changed, and the package verifies", entry.name().unwrap());
        tried += 1;
    }
    assert!(tried >= 5);
}

fn sign(input: &Path, output: &Path, shared: &Path, key: &str, options: &[&str]) {
    let keys = shared.join("apks/apksig");
    let status = Command::new("apksigner")
        .args([
            "sign",
            "--min-sdk-version",
            "18",
            "--v1-signing-enabled",
            "true",
            "--v2-signing-enabled",
            "true",
            "--v3-signing-enabled",
            "true",
        ])
        .args(options)
        .arg("--key")
        .arg(keys.join(format!("{key}.pk8")))
        .arg("--cert")
        .arg(keys.join(format!("{key}.x509.pem")))
        .arg("--out")
        .args([output, input])
        .status()
        .expect("apksigner is needed (package apksigner)");
    assert!(status.success());
}

#[test]
fn a_large_package_that_apksigner_signs_verifies_and_a_change_in_any_chunk_does_not() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let input = shared.join("apks/npm/ApiDemos-debug.apk");
    for (key, options) in [("rsa-2048", &["--verity-enabled"][..]), ("ec-p256", &[])] {
        let output = folder.path().join(format!("{key}.apk"));
        sign(&input, &output, &shared, key, options);
        let whole = fs::read(&output).unwrap();
        let found = verify_bytes(whole.clone(), 18);
        let schemes = [&found.v1, &found.v2, &found.v3].map(|scheme| scheme.as_ref().is_some_and(|one| one.verified));
        assert!(found.verified && schemes == [true; 3], "{key}: {:?}", found.errors);
        assert!(whole.len() > 4 << 20);
        for at in (0..whole.len() - (1 << 20)).step_by(1 << 20) {
            let mut changed = whole.clone();
            changed[at + 12_345] ^= 1;
            let found = verify_bytes(changed, 18);
            assert_eq!(found.errors, [Issue::V3SigApkDigestDidNotVerify].repeat(1 + options.len()), "{key}: byte {at}");
        }
    }
}
