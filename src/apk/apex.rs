//! What an APEX file says of itself (`system/apex/proto/apex_manifest.proto`, AOSP 14).
//!
//! | entry | holds |
//! |---|---|
//! | `apex_manifest.pb`, in Android 10 `apex_manifest.json` | name, version, libraries |
//! | `apex_pubkey` | the key that its image is verified with: bits 4 and -1/n 4, big-endian, then the modulus and one more number |
//! | `apex_payload.img` | the image, stored |
//! | `original_apex` | in a CAPEX instead of the image: an APEX, deflated |
//! | `AndroidManifest.xml`, signatures | as in any package file: see [`super::open`] |
//!
//! The image is not opened and no signature of it verified.

use serde::Serialize;

use super::directory::{Directory, Record};
use super::entry::Reader;
use super::{Certificate, signers};
use crate::bytes::protobuf::{Fields, Value};
use crate::bytes::{Budget, Limits, ParseError};

const PAYLOAD: &str = "apex_payload.img";
const ORIGINAL: &str = "original_apex";
/// Real manifests have some hundred bytes.
const MAX_MANIFEST: u64 = 1 << 20;
/// A key of 8,192 bits has 2,056 bytes.
const MAX_KEY: u64 = 64 << 10;
/// Libraries that a manifest may list.
const MAX_LIST: usize = 4096;
/// Bytes that may be inflated of a CAPEX; the largest APEXes have 150 MB.
const MAX_INFLATED: u64 = 2 << 30;
/// Memory for checkpoints while inflating.
const MEMORY: u64 = 8 << 20;

/// Facts of an APEX file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apex {
    /// Its manifest.
    pub manifest: ApexManifest,
    /// The key of its image; `None` where there is none.
    pub key: Option<Result<ApexKey, ParseError>>,
    /// The image; `None` in a CAPEX.
    pub payload: Option<Payload>,
    /// Certificates that its signatures claim, as in [`super::Apk::signers`].
    pub signers: Result<Vec<Certificate>, ParseError>,
    /// The APEX in a CAPEX, which Android takes out at the first start.
    pub original: Option<Result<Box<Self>, ParseError>>,
}

/// An APEX's own manifest. Names stand as in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ApexManifest {
    /// `name`: what it is mounted as, `/apex/<name>`.
    pub name: String,
    /// `version`.
    pub version: u64,
    /// `versionName`.
    pub version_name: Option<String>,
    /// `noCode`: mounted without the right to run anything.
    pub no_code: bool,
    /// `provideNativeLibs`.
    pub provides: Vec<String>,
    /// `requireNativeLibs`.
    pub requires: Vec<String>,
    /// `jniLibs`.
    pub jni: Vec<String>,
    /// `supportsRebootlessUpdate`.
    pub rebootless_update: bool,
    /// `bootstrap`: mounted before all others.
    pub bootstrap: bool,
    /// `preInstallHook` and `postInstallHook`: programs that Android 10 ran at an update.
    pub hooks: Vec<String>,
    /// `capexMetadata.originalApexDigest`: hex, of the APEX in a CAPEX.
    pub original_digest: Option<String>,
}

/// The key that an APEX's image is verified with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApexKey {
    /// Bits of the RSA modulus.
    pub bits: u32,
    /// SHA-256 of the entry, hex.
    pub sha256: String,
    /// SHA-1 of the entry, hex, as `avbtool` prints it.
    pub sha1: String,
}

/// The image of an APEX.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payload {
    /// Its length in bytes.
    pub bytes: u64,
    /// `ext4`, `f2fs` or `erofs`, by its superblock; `None` for anything else.
    pub filesystem: Option<&'static str>,
}

/// Whether the file is an APEX or CAPEX.
pub(super) fn is_one(directory: &Directory) -> bool {
    [PAYLOAD, ORIGINAL].iter().any(|name| directory.find(name.as_bytes()).is_some())
}

/// Reads an APEX or CAPEX; `None` for a file that is none of them.
pub(super) fn read(directory: &Directory) -> Result<Option<Apex>, ParseError> {
    if !is_one(directory) {
        return Ok(None);
    }
    let apex = level(directory)?;
    let original = directory.find(ORIGINAL.as_bytes()).map(|record| {
        let read = || {
            let budget = Budget::new(Limits { decompressed: MAX_INFLATED, memory: MEMORY, ..Limits::default() });
            level(&Directory::open(&directory.open_stream(&record, &budget)?)?).map(Box::new)
        };
        read().map_err(|error: ParseError| error.within(ORIGINAL))
    });
    Ok(Some(Apex { original, ..apex }))
}

fn level(directory: &Directory) -> Result<Apex, ParseError> {
    let contents = |record: &Record<'_>, limit| directory.read_entry(record, Reader::Assets, limit);
    let (protobuf, json) = ("apex_manifest.pb", "apex_manifest.json");
    let manifest = match (directory.find(protobuf.as_bytes()), directory.find(json.as_bytes())) {
        (Some(record), _) => {
            contents(&record, MAX_MANIFEST).and_then(|raw| of_protobuf(&raw)).map_err(|error| error.within(protobuf))?
        }
        (None, Some(record)) => {
            contents(&record, MAX_MANIFEST).and_then(|raw| of_json(&raw)).map_err(|error| error.within(json))?
        }
        (None, None) => return Err(ParseError::invalid(directory.start, "entry", "absent", "one").within(protobuf)),
    };
    let key = directory.find(b"apex_pubkey").map(|record| {
        let key = contents(&record, MAX_KEY).and_then(|raw| public_key(&raw));
        key.map_err(|error| error.within("apex_pubkey"))
    });
    let payload = directory.find(PAYLOAD.as_bytes()).map(|record| {
        let start = directory.entry_start(&record, 1096).unwrap_or_default();
        Payload { bytes: record.uncompressed, filesystem: filesystem(&start) }
    });
    Ok(Apex { manifest, key, payload, signers: signers(directory), original: None })
}

/// By the magic numbers of the superblocks, at 1024 (ext4: 1080).
fn filesystem(start: &[u8]) -> Option<&'static str> {
    let known: [(&str, usize, &[u8]); 3] = [
        ("ext4", 1080, &[0x53, 0xef]),
        ("f2fs", 1024, &[0x10, 0x20, 0xf5, 0xf2]),
        ("erofs", 1024, &[0xe2, 0xe1, 0xf5, 0xe0]),
    ];
    known
        .iter()
        .find(|(_, at, magic)| start.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
        .map(|known| known.0)
}

fn public_key(raw: &[u8]) -> Result<ApexKey, ParseError> {
    use sha2::Digest;
    let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let bits = raw.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).unwrap_or_default();
    if raw.len() as u64 != 8 + u64::from(bits) / 4 || bits == 0 {
        return Err(ParseError::invalid(0, "key_num_bits", bits, "as many as the entry's length holds"));
    }
    Ok(ApexKey { bits, sha256: hex(&sha2::Sha256::digest(raw)), sha1: hex(&sha1::Sha1::digest(raw)) })
}

fn of_protobuf(raw: &[u8]) -> Result<ApexManifest, ParseError> {
    let mut manifest = ApexManifest::default();
    for field in Fields::of(raw) {
        let (number, value) = field?;
        let text = || String::from_utf8_lossy(value.bytes().unwrap_or_default()).into_owned();
        let set = value.number().unwrap_or_default() != 0;
        match number {
            1 => manifest.name = text(),
            2 => manifest.version = value.number().unwrap_or_default(),
            3 | 4 => add(&mut manifest.hooks, text())?,
            5 => manifest.version_name = Some(text()),
            6 => manifest.no_code = set,
            7 => add(&mut manifest.provides, text())?,
            8 => add(&mut manifest.requires, text())?,
            9 => add(&mut manifest.jni, text())?,
            12 => manifest.original_digest = digest(value)?,
            13 => manifest.rebootless_update = set,
            16 => manifest.bootstrap = set,
            _ => {}
        }
    }
    checked(manifest)
}

fn digest(metadata: Value<'_>) -> Result<Option<String>, ParseError> {
    let mut digest = None;
    for field in Fields::of(metadata.bytes().unwrap_or_default()) {
        if let (1, value) = field? {
            digest = value.bytes().map(|text| String::from_utf8_lossy(text).into_owned());
        }
    }
    Ok(digest)
}

fn add(list: &mut Vec<String>, text: String) -> Result<(), ParseError> {
    if list.len() >= MAX_LIST {
        return Err(ParseError::limit(0, "number of libraries", MAX_LIST as u64 + 1, MAX_LIST as u64));
    }
    list.push(text);
    Ok(())
}

fn of_json(raw: &[u8]) -> Result<ApexManifest, ParseError> {
    let json: serde_json::Value =
        serde_json::from_slice(raw).map_err(|error| ParseError::invalid(0, "manifest", error, "a JSON object"))?;
    let text = |key: &str| json.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let set = |key: &str| json.get(key).and_then(serde_json::Value::as_bool).unwrap_or_default();
    let list = |key: &str| {
        let values = json.get(key).and_then(|value| value.as_array()).into_iter().flatten();
        values.filter_map(|value| value.as_str()).map(str::to_owned).collect()
    };
    // The number may stand as text, as protobuf's JSON form has 64-bit numbers.
    let number = |value: &serde_json::Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    checked(ApexManifest {
        name: text("name").unwrap_or_default(),
        version: json.get("version").and_then(number).unwrap_or_default(),
        version_name: text("versionName"),
        no_code: set("noCode"),
        provides: list("provideNativeLibs"),
        requires: list("requireNativeLibs"),
        jni: list("jniLibs"),
        rebootless_update: set("supportsRebootlessUpdate"),
        bootstrap: set("bootstrap"),
        hooks: ["preInstallHook", "postInstallHook"].iter().filter_map(|key| text(key)).collect(),
        original_digest: None,
    })
}

/// As `apexd`: an APEX without a name or version is refused.
fn checked(manifest: ApexManifest) -> Result<ApexManifest, ParseError> {
    if manifest.name.is_empty() {
        return Err(ParseError::invalid(0, "name", "absent", "the name of the APEX"));
    }
    if manifest.version == 0 {
        return Err(ParseError::invalid(0, "version", 0, "at least 1"));
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_alike_from_protobuf_and_json() {
        let json = br#"{"name":"a.b","version":"150","versionName":"2","noCode":true,"requireNativeLibs":["libc.so"],"jniLibs":["lib.so"]}"#;
        let expected = ApexManifest {
            name: "a.b".into(),
            version: 150,
            version_name: Some("2".into()),
            no_code: true,
            requires: vec!["libc.so".into()],
            jni: vec!["lib.so".into()],
            ..ApexManifest::default()
        };
        assert_eq!(of_json(json).unwrap(), expected);
        let whole = b"\x0a\x03a.b\x10\x96\x01\x2a\x012\x30\x01\x42\x07libc.so\x4a\x06lib.so";
        assert_eq!(of_protobuf(whole).unwrap(), expected);
        assert!(of_protobuf(whole.get(..whole.len() - 1).unwrap_or_default()).is_err(), "cut short");
    }

    #[test]
    fn a_manifest_without_name_or_version_is_refused() {
        for (raw, field) in [(b"\x10\x01".as_slice(), "name is absent"), (b"\x0a\x01a", "version is 0")] {
            let error = of_protobuf(raw).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
        assert!(of_json(&b"[".repeat(100_000)).is_err());
    }

    #[test]
    fn a_key_whose_length_does_not_fit_its_bits_is_refused() {
        let key = [vec![0, 0, 16, 0], vec![7; 1028]].concat();
        assert_eq!(public_key(&key).unwrap().bits, 4096);
        assert!(public_key(key.get(..1031).unwrap_or_default()).is_err());
        assert!(public_key(&[]).is_err());
    }
}
