//! What is signed: an in-toto statement (v1) in a DSSE envelope (v1.0.2).
//!
//! The envelope is JSON in one form only, so that no byte of it is free: [`Envelope::open`] writes it again and compares.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::key::{PrivateKey, PublicKey};
use crate::inventory::Tool;

/// `payloadType` of an in-toto statement.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// `_type` of in-toto's version 1.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// Type of our predicate.
pub const PREDICATE_TYPE: &str = "urn:preloaded:evidence:v1";

/// An in-toto statement: these files, and this about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Always in-toto's version 1.
    #[serde(rename = "_type")]
    pub kind: String,
    /// Every file of the bundle but the envelope, by name.
    pub subject: Vec<Subject>,
    /// Always [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    pub predicate: Predicate,
}

/// A file and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name in the bundle.
    pub name: String,
    /// Its digest.
    pub digest: Digest,
}

/// Digest of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// SHA-256, lower-case hex.
    pub sha256: String,
}

/// What the signer says of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Predicate {
    /// When the bundle was made, by the clock of the signer: RFC 3339, UTC.
    pub created: String,
    /// The program that made it.
    pub tool: Tool,
    /// SHA-256 of the program's file, lower-case hex; `null` where it could not be read.
    pub tool_sha256: Option<String>,
    /// The profile: id, version, digest of its text.
    pub profile: ProfileDigest,
    /// Name and verdict of each target, in the report's order.
    pub verdicts: Vec<TargetVerdict>,
    /// Exit code of the run.
    pub exit_code: u8,
    /// What the signature proves, and what it does not.
    pub proves: String,
}

/// A profile, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileDigest {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its text, lower-case hex.
    pub sha256: String,
}

/// What a target came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetVerdict {
    /// The target's name.
    pub target: String,
    /// `compliant`, `not_compliant`, `inconclusive`, or `unread`.
    pub verdict: String,
}

impl Statement {
    /// A statement of these files.
    #[must_use]
    pub fn new(subject: Vec<Subject>, predicate: Predicate) -> Self {
        let (kind, predicate_type) = (STATEMENT_TYPE.to_owned(), PREDICATE_TYPE.to_owned());
        Self { kind, subject, predicate_type, predicate }
    }
}

/// A DSSE envelope with one signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// Why an envelope does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not an envelope in its one form.
    #[error("not an envelope of this program: {0}")]
    Form(String),
    /// The signature is not that key's.
    #[error("the signature is not that of the key {0}")]
    Signature(String),
}

impl Envelope {
    /// Signs a statement.
    ///
    /// # Errors
    /// Never in practice: a statement that can't be written as JSON.
    pub fn sign(statement: &Statement, key: &PrivateKey) -> serde_json::Result<Vec<u8>> {
        let payload = serde_json::to_vec(statement)?;
        let signature = Signature {
            keyid: key.public().id(),
            sig: STANDARD.encode(key.sign(&authenticated(PAYLOAD_TYPE, &payload))),
        };
        let envelope = Self {
            payload: STANDARD.encode(&payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![signature],
        };
        envelope.to_bytes()
    }

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// The statement, if the signature is that key's.
    ///
    /// # Errors
    /// What does not hold.
    pub fn open(text: &[u8], key: &PublicKey) -> Result<Statement, EnvelopeError> {
        let form = |what: &str| EnvelopeError::Form(what.to_owned());
        let envelope: Self = serde_json::from_slice(text).map_err(|error| EnvelopeError::Form(error.to_string()))?;
        if envelope.to_bytes().ok().as_deref() != Some(text) {
            return Err(form("its JSON is written otherwise"));
        }
        let payload = STANDARD.decode(&envelope.payload).map_err(|_| form("the payload is not base64"))?;
        let [Signature { keyid, sig }] = envelope.signatures.as_slice() else {
            return Err(form("it has one signature"));
        };
        if *keyid != key.id() {
            return Err(EnvelopeError::Signature(format!("{}: it names the key {keyid}", key.id())));
        }
        let signature = STANDARD.decode(sig).map_err(|_| form("the signature is not base64"))?;
        if envelope.payload_type != PAYLOAD_TYPE
            || !key.verifies(&authenticated(&envelope.payload_type, &payload), &signature)
        {
            return Err(EnvelopeError::Signature(key.id()));
        }
        let statement: Statement =
            serde_json::from_slice(&payload).map_err(|error| EnvelopeError::Form(format!("the payload: {error}")))?;
        if statement.kind != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
            return Err(EnvelopeError::Form(format!("a statement of type {}", statement.predicate_type)));
        }
        Ok(statement)
    }
}

/// What is signed: DSSE's pre-authentication encoding.
fn authenticated(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        // https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, "Test Vectors".
        let message = authenticated("http://example.com/HelloWorld", b"hello world");
        assert_eq!(message, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
