//! A bundle of evidence: everything that a verdict rests on, in one signed file.
//!
//! | name | holds |
//! |---|---|
//! | `statement.dsse.json` | the signed statement: digests of all other files, verdicts, time, program ([`super::statement`]) |
//! | `signer.pem` | the public key; who it belongs to is for the reader's list of keys to say |
//! | `report.json` | the report, as `check --format json` |
//! | `profile.toml` | the profile as it was written |
//! | `bases.json`, `bases/0001.toml` ... | the profiles that it extends, built-in ones too, and which name means which |
//! | `context.json` | what was assumed about device and day |
//! | `waivers.toml` and the like | what was laid over the verdicts, as it was written |
//! | `targets/0001/inventory.json` | the inventory that was judged |
//! | `targets/0001/raw.json` | the list of raw material, and what was left out |
//! | `targets/0001/raw/00001` | an answer of the phone, a file or a manifest of the image, word for word |

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::archive::{self, ArchiveError, Files};
use super::key::PrivateKey;
use super::privacy::Privacy;
use super::statement::{Digest, Envelope, Predicate, ProfileDigest, Statement, Subject, TargetVerdict};
use crate::check::{Context, Presence};
use crate::collect::record::Recorded;
use crate::inventory::{DeviceKind, Inventory, OsFlavour, Tool};
use crate::profile::{Basis, Profile};
use crate::report::{Run, TargetResult};

/// The signed statement.
pub const STATEMENT: &str = "statement.dsse.json";
/// The public key.
pub const SIGNER: &str = "signer.pem";
/// The report.
pub const REPORT: &str = "report.json";
/// The profile.
pub const PROFILE: &str = "profile.toml";
/// The signature of the profile's own file.
pub const PROFILE_SIGNATURE: &str = "profile.toml.minisig";
/// Failures that were accepted.
pub const WAIVERS: &str = "waivers.toml";
/// Answers of people.
pub const ATTESTATIONS: &str = "attestations.toml";
/// The older report.
pub const BASELINE: &str = "baseline.json";
/// Which names of extended profiles mean which files.
pub const BASES: &str = "bases.json";
/// What was assumed.
pub const CONTEXT: &str = "context.json";

/// What the signature of a bundle proves, and what it does not. Stands in every statement.
pub const PROVES: &str = "The signature proves that whoever holds the private key signed these files and that none of \
them was changed since. It does not prove that the phone or image told the truth about itself, that the time is right \
(a timestamp of a third party over the whole file would), or that the profile states the law.";

/// What a bundle is made of.
pub struct Material<'a> {
    /// The report.
    pub run: &'a Run,
    /// Of each target of the report, in its order: the inventory and its raw material; `None` for one that was not read.
    pub targets: Vec<Option<(&'a Inventory, &'a Recorded)>>,
    /// The profile.
    pub profile: &'a Profile,
    /// What was assumed.
    pub context: &'a Context,
    /// What was laid over the verdicts: `waivers.toml`, by name.
    pub overlays: Files,
    /// Serial numbers by which phones were asked for.
    pub serials: Vec<String>,
    /// Whether phones are named by them: otherwise raw material that holds one is left out, and named as such.
    pub plain: bool,
    /// When: RFC 3339, UTC.
    pub created: String,
    /// SHA-256 of the program's file.
    pub tool_sha256: Option<String>,
}

/// Why a bundle can't be made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It is too large, or a name is wrong.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Something can't be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// What was assumed about device and day: the JSON form of [`Context`]. Dates are `YYYY-MM-DD`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Assumed {
    pub(super) as_of: String,
    pub(super) made: Option<String>,
    pub(super) sold: Option<String>,
    pub(super) governing: Option<String>,
    pub(super) kind: Option<DeviceKind>,
    pub(super) os_flavour: Option<OsFlavour>,
    pub(super) market: Option<String>,
    pub(super) presence: Presence,
}

impl Assumed {
    fn of(context: &Context) -> Self {
        Self {
            as_of: context.as_of.to_string(),
            made: context.made.map(|day| day.to_string()),
            sold: context.sold.map(|day| day.to_string()),
            governing: context.governing.map(|basis| basis.as_str().to_owned()),
            kind: context.kind,
            os_flavour: context.os_flavour,
            market: context.market.clone(),
            presence: context.presence,
        }
    }

    /// The context again; `None` where a date is none.
    pub(super) fn context(&self) -> Option<Context> {
        let day = |text: &Option<String>| match text {
            None => Some(None),
            Some(text) => text.parse().ok().map(Some),
        };
        let governing = match self.governing.as_deref() {
            None => None,
            Some(word) => Some([Basis::Made, Basis::Sold].into_iter().find(|basis| basis.as_str() == word)?),
        };
        Some(Context {
            made: day(&self.made)?,
            sold: day(&self.sold)?,
            governing,
            kind: self.kind,
            os_flavour: self.os_flavour,
            market: self.market.clone(),
            presence: self.presence,
            ..Context::on(self.as_of.parse().ok()?)
        })
    }
}

/// `bases.json`: a name of an extended profile, and the file that it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BaseFile {
    /// Name of the file in the bundle that extends.
    pub(super) from: String,
    /// The name as written there, without a version.
    pub(super) name: String,
    /// Name of the file in the bundle.
    pub(super) file: String,
}

/// `raw.json`: what raw material there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIndex {
    pub(super) pieces: Vec<RawPiece>,
    /// Names of origins of which nothing is kept, with the reason.
    pub(super) left_out: Vec<LeftOut>,
}

/// One file of raw material.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPiece {
    /// Name of the file in the bundle.
    pub(super) file: String,
    /// Name of the origin in the inventory.
    pub(super) origin: String,
    /// The part of it that is kept; `null` for the whole.
    pub(super) part: Option<String>,
    /// SHA-256, lower-case hex.
    pub(super) sha256: String,
}

/// Raw material that is not in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeftOut {
    pub(super) origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<String>,
    pub(super) why: String,
}

/// Folder of a target's files, by its place in the report.
pub(super) fn folder(index: usize) -> String {
    format!("targets/{:04}", index + 1)
}

/// Lower-case hex of SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a bundle, signed. The same material and key give the same bytes.
///
/// # Errors
/// It is too large.
pub fn make(material: &Material<'_>, key: &PrivateKey) -> Result<Vec<u8>, BundleError> {
    let mut files = material.overlays.clone();
    files.insert(SIGNER.to_owned(), key.public().to_pem().into_bytes());
    files.insert(REPORT.to_owned(), json(material.run)?);
    files.insert(PROFILE.to_owned(), material.profile.text().as_bytes().to_vec());
    add_bases(material.profile, &mut files)?;
    files.insert(CONTEXT.to_owned(), json(&Assumed::of(material.context))?);
    for (index, target) in material.targets.iter().enumerate() {
        let Some((inventory, recorded)) = target else { continue };
        let folder = folder(index);
        files.insert(format!("{folder}/inventory.json"), json(inventory)?);
        let mut raw = RawIndex::default();
        for left in &recorded.left_out {
            raw.left_out.push(LeftOut { origin: left.name.clone(), part: None, why: left.why.clone() });
        }
        let privacy = Privacy::of(&material.serials, recorded, material.plain);
        for piece in &recorded.pieces {
            if let Some(why) = privacy.why_not(piece) {
                let (origin, part) = (piece.name.clone(), piece.part.clone());
                raw.left_out.push(LeftOut { origin, part, why: why.to_owned() });
                continue;
            }
            let file = format!("{folder}/raw/{:05}", raw.pieces.len() + 1);
            let sha256 = sha256(&piece.bytes);
            files.insert(file.clone(), piece.bytes.clone());
            raw.pieces.push(RawPiece { file, origin: piece.name.clone(), part: piece.part.clone(), sha256 });
        }
        files.insert(format!("{folder}/raw.json"), json(&raw)?);
    }
    let subject =
        files.iter().map(|(name, bytes)| Subject { name: name.clone(), digest: Digest { sha256: sha256(bytes) } });
    let profile = material.profile;
    let predicate = Predicate {
        created: material.created.clone(),
        tool: Tool::this(),
        tool_sha256: material.tool_sha256.clone(),
        profile: ProfileDigest {
            id: profile.id.clone(),
            version: profile.version.clone(),
            sha256: profile.sha256.clone(),
        },
        verdicts: verdicts(material.run),
        exit_code: material.run.exit_code,
        proves: PROVES.to_owned(),
    };
    let statement = Statement::new(subject.collect(), predicate);
    files.insert(STATEMENT.to_owned(), Envelope::sign(&statement, key)?);
    Ok(archive::write(&files)?)
}

/// The profiles that a profile extends: without them it can't be read again, and built-in ones change with the program.
fn add_bases(profile: &Profile, files: &mut Files) -> Result<(), BundleError> {
    let extended = profile.extended();
    if extended.is_empty() {
        return Ok(());
    }
    let mut names: BTreeMap<&str, String> = BTreeMap::from([(profile.file(), PROFILE.to_owned())]);
    for base in &extended {
        let number = names.len();
        names.entry(base.file).or_insert_with(|| format!("bases/{number:04}.toml"));
    }
    let named = |file: &str| names.get(file).cloned().unwrap_or_default();
    let index: Vec<BaseFile> = extended
        .iter()
        .map(|base| BaseFile { from: named(base.from), name: base.name.to_owned(), file: named(base.file) })
        .collect();
    files.extend(extended.iter().map(|base| (named(base.file), base.text.as_bytes().to_vec())));
    files.insert(BASES.to_owned(), json(&index)?);
    Ok(())
}

/// Name and verdict of each target.
pub(super) fn verdicts(run: &Run) -> Vec<TargetVerdict> {
    let verdict = |result: &TargetResult| match result {
        TargetResult::Judged { assessment, .. } => assessment.overall.as_str().to_owned(),
        TargetResult::Unread { .. } => "unread".to_owned(),
    };
    let of = |report: &crate::report::TargetReport| TargetVerdict {
        target: report.target.name.clone(),
        verdict: verdict(&report.result),
    };
    run.targets.iter().map(of).collect()
}

fn json(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}
