//! A JSON file of a capture, and what can be taken from one without a schema: other programs' forms change.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::inventory::{CopyRole, Evidence, Fact, Gap, GapReason, Package, PackageCopy, Signer, SignerDepth};
use crate::inventory::{Origin, OriginKind};
use crate::platform::placement;

/// A JSON file.
pub(super) struct Document {
    pub(super) name: String,
    pub(super) value: Value,
    origin: Origin,
}

impl Document {
    /// Reads a file. The parser bounds the depth.
    pub(super) fn parse(name: &str, bytes: &[u8]) -> serde_json::Result<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let origin = Origin {
            kind: OriginKind::File,
            name: name.to_owned(),
            length: u64::try_from(bytes.len()).ok(),
            sha256: Some(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()),
        };
        Ok(Self { name: name.to_owned(), value: serde_json::from_slice(bytes)?, origin })
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin.clone()
    }

    /// The list under a key of the top object.
    pub(super) fn list(&self, key: &str) -> Option<&[Value]> {
        self.value.get(key)?.as_array().map(Vec::as_slice)
    }
}

/// A text under a key, if it is one and not empty.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// Texts of a list under a key; `None` if there is no list.
pub(super) fn texts(value: &Value, key: &str) -> Option<Vec<String>> {
    let list = value.get(key)?.as_array()?;
    Some(list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
}

/// A number under a key, also one that stands as text.
pub(super) fn number(value: &Value, key: &str) -> Option<u64> {
    let value = value.get(key)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// A package of which a capture tells a name and a path, and nothing else yet.
pub(super) fn package(name: &str, path: &str, role: CopyRole, at: &Evidence, unknown: &Gap) -> Package {
    fn fact<T>(gap: &Gap) -> Fact<T> {
        Fact::Unknown(gap.clone())
    }
    let (partition, place) = placement::classify(path);
    let copy = PackageCopy {
        role,
        path: path.to_owned(),
        partition: Fact::new(partition, at),
        placement: Fact::new(place, at),
        splits: fact(unknown),
        version_code: fact(unknown),
        version_name: fact(unknown),
        min_sdk: fact(unknown),
        target_sdk: fact(unknown),
        flags: fact(unknown),
        requested_permissions: fact(unknown),
        declared_permissions: fact(unknown),
        signers: fact(unknown),
        label: fact(unknown),
        launcher: fact(unknown),
        code: fact(unknown),
        manifest: fact(unknown),
        answers: fact(unknown),
    };
    Package {
        name: name.to_owned(),
        copies: vec![copy],
        uid: fact(unknown),
        shared_user: fact(unknown),
        installer: fact(unknown),
        install: fact(unknown),
        users: fact(unknown),
        grants: fact(unknown),
        predicted_grants: Fact::not_asked(),
        removability: Fact::not_asked(),
        presence: Fact::not_asked(),
        launcher_place: Fact::not_asked(),
    }
}

/// What a capture does not tell.
pub(super) fn untold(place: &str) -> Gap {
    Gap::new(place, GapReason::NotObserved, "the capture does not tell it")
}

/// A SHA-256 digest as lower-case hex, if the text is one, with or without colons.
pub(super) fn digest(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
    (plain.len() == 64 && plain.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(plain)
}

/// A signer by its certificate's SHA-256, if the text is one.
pub(super) fn signer(sha256: &str, depth: SignerDepth) -> Option<Signer> {
    digest(sha256).map(|sha256| Signer {
        sha256: Some(sha256),
        hash_code: String::new(),
        scheme: None,
        depth,
        published_key: None,
        past: Vec::new(),
        linked: None,
    })
}
