//! Verification of package signatures against AOSP 13's own verifier: its tests' assertions, and its answers on every file.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and the counts are for whoever runs it"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
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
    root().join("tests/data/apks")
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

fn scheme_verified(scheme: Option<&Scheme>) -> &'static str {
    if scheme.is_some_and(|scheme| scheme.verified) { "true" } else { "false" }
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
    let (mut same, mut not_run, mut explained, mut wrong) = (0, 0, 0, Vec::new());
    for row in table(&shared.join("truth/apks.tsv")) {
        let path = shared.join(&row["file"]);
        if !path.is_file() || row["apksig13_verified"].is_empty() {
            not_run += 1;
            continue;
        }
        let verification = apk::verify(&open(&path), SdkRange::default());
        let mut found = BTreeMap::new();
        found.insert("apksig13_verified", if verification.verified { "true" } else { "false" });
        found.insert("v1", scheme_verified(verification.v1.as_ref()));
        found.insert("v2", scheme_verified(verification.v2.as_ref()));
        found.insert("v3", scheme_verified(verification.v3.as_ref()));
        found.insert("v31", scheme_verified(verification.v31.as_ref()));
        found.insert("stamp", scheme_verified(verification.stamp.as_ref()));
        let mut errors: Vec<&str> = verification.errors.iter().map(|issue| issue.as_str()).collect();
        errors.sort_unstable();
        errors.dedup();
        let errors = errors.join(",");
        let mut theirs: Vec<&str> =
            row["apksig13_errors"].split(',').map(|issue| issue.split_once(':').map_or(issue, |(_, id)| id)).collect();
        theirs.sort_unstable();
        theirs.dedup();
        let mut differences: Vec<String> = Vec::new();
        if row["apksig13_verified"] == "EXC" {
            if errors != "MALFORMED_APK" {
                differences.push(format!("{} but {verification:?}", row["apksig13_exception"]));
            }
        } else {
            for (field, answer) in &found {
                if row[*field] != *answer {
                    differences.push(format!("{field} {answer}"));
                }
            }
            if errors != theirs.join(",") {
                differences.push(format!("errors {errors} for {theirs:?}"));
            }
        }
        let name = row["file"].as_str();
        let reason = FILES_EXPLAINED.iter().any(|(file, _)| name.ends_with(file));
        match (differences.is_empty(), reason) {
            (true, false) => same += 1,
            (false, true) => explained += 1,
            (true, true) => wrong.push(format!("{name}: the same, though it is explained")),
            (false, false) => {
                wrong.push(format!("{name}: {}", differences.join("; ").chars().take(500).collect::<String>()));
            }
        }
    }
    eprintln!("{same} files answered the same, {explained} not for a reason that is named, {not_run} not run");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(explained, FILES_EXPLAINED.len());
}
