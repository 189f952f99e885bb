//! What `preloaded apk` says of an APEX.

use std::io::{self, Write};

use serde::Serialize;

use crate::apk;
use crate::report::printable;

/// An APEX as printed.
#[derive(Debug, Serialize)]
pub(super) struct Apex<'a> {
    #[serde(flatten)]
    manifest: &'a apk::ApexManifest,
    /// The key of its image; `null` where there is none, or it can't be read.
    key: Option<&'a apk::ApexKey>,
    payload: Option<&'a apk::Payload>,
    /// SHA-256 of the certificates of its signers.
    signers: Vec<String>,
    /// The APEX in a CAPEX.
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<Box<Apex<'a>>>,
    /// Parts that could not be read, in words.
    problems: Vec<String>,
}

impl<'a> From<&'a apk::Apex> for Apex<'a> {
    fn from(apex: &'a apk::Apex) -> Self {
        let original = apex.original.as_ref();
        let failed = [
            apex.key.as_ref().and_then(|key| key.as_ref().err()),
            apex.signers.as_ref().err(),
            original.and_then(|original| original.as_ref().err()),
        ];
        Self {
            manifest: &apex.manifest,
            key: apex.key.as_ref().and_then(|key| key.as_ref().ok()),
            payload: apex.payload.as_ref(),
            signers: apex.signers.iter().flatten().map(apk::Certificate::sha256).collect(),
            original: original.and_then(|original| original.as_ref().ok()).map(|apex| Box::new(apex.as_ref().into())),
            problems: failed.into_iter().flatten().map(ToString::to_string).collect(),
        }
    }
}

/// A line per fact.
pub(super) fn write_text(apex: &Apex<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut line = |name: &str, value: &str| writeln!(out, "  {name:<12} {}", printable(value));
    let version = apex.manifest.version_name.as_deref().unwrap_or_default();
    line("APEX", &format!("{} {version} ({})", apex.manifest.name, apex.manifest.version))?;
    if let Some(key) = apex.key {
        line("image key", &format!("RSA {} bits, SHA-256 {}", key.bits, key.sha256))?;
    }
    if let Some(payload) = apex.payload {
        line("image", &format!("{}, {} bytes", payload.filesystem.unwrap_or("unknown filesystem"), payload.bytes))?;
    }
    for problem in &apex.problems {
        line("unread", problem)?;
    }
    match &apex.original {
        Some(original) => write_text(original, out),
        None => Ok(()),
    }
}
