//! `preloaded apk --verify`: what holds over the contents of the file.

use serde::Serialize;

use crate::apk::{self, Certificate, Issue, Scheme};

/// A verification as printed.
#[derive(Debug, Serialize)]
pub(super) struct Verification {
    /// `verified`: every API level of the range accepts the file. `refused`: one does not.
    verdict: &'static str,
    /// Of each scheme whether it holds; `null` where there is none, or no level of the range looks at it.
    v1: Option<bool>,
    v2: Option<bool>,
    v3: Option<bool>,
    v31: Option<bool>,
    /// By the file beside it; `null` where there is none.
    v4: Option<bool>,
    /// The source stamp, which never decides the verdict.
    source_stamp: Option<bool>,
    /// SHA-256 of the stamp's certificate.
    source_stamp_signer: Option<String>,
    /// SHA-256 of the certificates that the signer rotated through, oldest first and its own last.
    lineage: Vec<String>,
    /// Why it is refused, under the names of AOSP's verifier.
    errors: Vec<&'static str>,
    /// What AOSP's verifier warns of.
    warnings: Vec<&'static str>,
    /// The place that can't be read, where that is the reason.
    damage: Option<String>,
}

impl From<&apk::Verification> for Verification {
    fn from(found: &apk::Verification) -> Self {
        let holds = |scheme: &Option<Scheme>| scheme.as_ref().map(|scheme| scheme.verified);
        let names = |issues: &[Issue]| {
            let mut names: Vec<_> = issues.iter().map(|issue| issue.as_str()).collect();
            names.dedup();
            names
        };
        let rotated = deciding(found).into_iter().flat_map(|(_, scheme)| &scheme.signers);
        let lineage = rotated.map(|signer| &signer.lineage).find(|lineage| !lineage.is_empty());
        let sha256 = |der: &Vec<u8>| Certificate { scheme: "", der: der.clone() }.sha256();
        let stamp = found.stamp.as_ref().and_then(|stamp| stamp.signers.first());
        Self {
            verdict: if found.verified { "verified" } else { "refused" },
            v1: holds(&found.v1),
            v2: holds(&found.v2),
            v3: holds(&found.v3),
            v31: holds(&found.v31),
            v4: holds(&found.v4),
            source_stamp: holds(&found.stamp),
            source_stamp_signer: stamp.map(|signer| sha256(&signer.certificate)),
            lineage: lineage.into_iter().flatten().map(sha256).collect(),
            errors: names(&found.errors),
            warnings: names(&found.warnings),
            damage: found.damage.as_ref().map(ToString::to_string),
        }
    }
}

impl Verification {
    /// A line for the verdict, one for each reason: name and value.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let schemes = [("v1", self.v1), ("v2", self.v2), ("v3", self.v3), ("v3.1", self.v31), ("v4", self.v4)];
        let holding: Vec<_> = schemes.iter().filter(|(_, holds)| *holds == Some(true)).map(|(name, _)| *name).collect();
        let mut lines = Vec::new();
        if self.verdict == "verified" {
            lines.push(("signature", format!("verified over the contents, by {}", holding.join(", "))));
        } else {
            lines.push(("signature", "refused".to_owned()));
        }
        lines.extend(self.errors.iter().map(|error| ("", (*error).to_owned())));
        lines.extend(self.damage.iter().map(|damage| ("", damage.clone())));
        if let Some(holds) = self.source_stamp {
            lines.push(("source stamp", if holds { "holds" } else { "does not hold" }.to_owned()));
        }
        lines.extend(self.warnings.iter().map(|warning| ("warning", (*warning).to_owned())));
        lines
    }
}

/// The newest scheme that holds, with its name: the one whose signers count.
fn deciding(found: &apk::Verification) -> Option<(&'static str, &Scheme)> {
    let schemes = [("v3.1", &found.v31), ("v3", &found.v3), ("v2", &found.v2), ("v1", &found.v1)];
    let holding = schemes.into_iter().filter_map(|(name, scheme)| Some((name, scheme.as_ref()?)));
    holding.into_iter().find(|(_, scheme)| scheme.verified)
}

/// Certificates of the signers that hold; empty where the file is refused.
pub(super) fn signers(found: &apk::Verification) -> Vec<Certificate> {
    let deciding = deciding(found).filter(|_| found.verified);
    let signers =
        deciding.into_iter().flat_map(|(scheme, found)| found.signers.iter().map(move |signer| (scheme, signer)));
    signers.map(|(scheme, signer)| Certificate { scheme, der: signer.certificate.clone() }).collect()
}
