//! Whose signer is the platform's.

use std::collections::BTreeSet;

use crate::inventory::{Evidence, Inventory, Package, PackageCopy, Signer};

/// Packages that run as the system itself have the platform's signer: Android takes no others into this shared user.
pub const SYSTEM_USER: &str = "android.uid.system";

/// The platform's signer, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformSigner {
    sha256: BTreeSet<String>,
    numbers: BTreeSet<String>,
    /// The package that it was taken from.
    pub package: String,
    /// Where that package's signers stand.
    pub evidence: Evidence,
}

impl PlatformSigner {
    /// The signer of the platform's own package, else of one that shares the system's user.
    #[must_use]
    pub fn of(inventory: &Inventory) -> Option<Self> {
        let packages = inventory.packages.known()?;
        let platform = packages.iter().filter(|package| package.name == "android");
        let shared = packages
            .iter()
            .filter(|package| package.shared_user.known().is_some_and(|name| name.as_deref() == Some(SYSTEM_USER)));
        platform.chain(shared).find_map(Self::of_package)
    }

    fn of_package(package: &Package) -> Option<Self> {
        let copy = package.active()?;
        let signers = copy.signers.known().filter(|signers| !signers.is_empty())?;
        Some(Self {
            sha256: signers.iter().filter_map(|signer| signer.sha256.clone()).collect(),
            numbers: signers.iter().map(|signer| signer.hash_code.clone()).collect(),
            package: package.name.clone(),
            evidence: copy.signers.evidence()?.clone(),
        })
    }

    /// Whether a copy has it; `None` where its signers are not known. By the digest where both are known, else by the
    /// 32-bit number that a phone tells.
    #[must_use]
    pub fn signed(&self, copy: &PackageCopy) -> Option<bool> {
        let matches = |signer: &Signer| match &signer.sha256 {
            Some(digest) if !self.sha256.is_empty() => self.sha256.contains(digest),
            _ => !signer.hash_code.is_empty() && self.numbers.contains(&signer.hash_code),
        };
        copy.signers.known().map(|signers| signers.iter().any(matches))
    }
}
