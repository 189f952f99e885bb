//! Certificates by the 32-bit numbers that a phone tells of each package: which files are read, and what that says of others.
//!
//! Files whose numbers are the same are most likely of one signer, so one of them is read. The others are linked to its
//! certificate, and no more: whoever makes certificates can make two of one number. A package that somebody asks for by
//! name, or whose number is not told, is read itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{Fact, Gap, GapReason, LinkedCertificate, PackageCopy, Signer};

/// The numbers of a copy's signers, as eight digits each; `None` where the phone tells none.
pub(super) fn numbers(copy: &PackageCopy) -> Option<BTreeSet<String>> {
    let signers = copy.signers.known().filter(|signers| !signers.is_empty())?;
    signers.iter().map(|signer| Some(signer.hash_code.as_str()).filter(|code| !code.is_empty()).map(digits)).collect()
}

/// A number as eight digits: Android prints it without zeros in front.
pub(super) fn digits(code: &str) -> String {
    format!("{code:0>8}")
}

/// Certificates that were read, by number and digest.
#[derive(Default)]
pub(super) struct Links {
    read: BTreeMap<String, BTreeMap<String, LinkedCertificate>>,
}

impl Links {
    /// Enters the certificates of a file.
    pub(super) fn enter(&mut self, signers: &[Signer], path: &str) {
        for signer in signers {
            let Some(sha256) = &signer.sha256 else { continue };
            let found = self.read.entry(digits(&signer.hash_code)).or_default();
            found.entry(sha256.clone()).or_insert_with(|| LinkedCertificate {
                sha256: sha256.clone(),
                path: path.to_owned(),
                published_key: signer.published_key.clone(),
            });
        }
    }

    /// Whether each number leads to one certificate.
    pub(super) fn lead(&self, numbers: &BTreeSet<String>) -> bool {
        numbers.iter().all(|number| self.certificate(number).is_some())
    }

    fn certificate(&self, number: &str) -> Option<&LinkedCertificate> {
        let found = self.read.get(number).filter(|found| found.len() == 1)?;
        found.values().next()
    }

    /// Links the signers of a copy whose file was not read.
    pub(super) fn link(&self, copy: &mut PackageCopy) {
        let Fact::Known { value, .. } = &mut copy.signers else { return };
        for signer in value {
            signer.linked = self.certificate(&digits(&signer.hash_code)).cloned();
        }
    }

    /// Numbers that several certificates of this phone have: no chance, and told.
    pub(super) fn shared(&self) -> impl Iterator<Item = Gap> {
        self.read.iter().filter(|(_, found)| found.len() > 1).map(|(number, found)| {
            let each = found.values().map(|one| format!("{} in {}", one.sha256, one.path));
            let words = format!("several certificates have this number: {}", each.collect::<Vec<_>>().join(", "));
            Gap::new(format!("signer {number}"), GapReason::Contradiction, words)
        })
    }
}
