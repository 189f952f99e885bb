//! Whether a device runs what an audited image holds, and how strong the proof is.
//!
//! The strongest proof is the digest of the verified-boot metadata: the bootloader of a locked device with verified boot
//! starts nothing else (`ro.boot.vbmeta.digest`, `ro.boot.verifiedbootstate`). It holds for the image only if the image's
//! own partitions are as its metadata says. A fingerprint is a text that anybody can write; versions, sizes and signers
//! of packages are what both sides show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::inventory::{CopyRole, Fact, Inventory, Package, PackageCopy};

/// Packages of each kind that an answer names.
const MAX_NAMED: usize = 50;

/// What is known of the verified-boot metadata of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageProof {
    /// Digests of the metadata by the length of a device's: SHA-256 and SHA-512, lower-case hex; or why they are not known.
    pub digests: Result<Vec<String>, String>,
    /// Partitions whose content is not what the metadata says, with what was found.
    pub damaged: Vec<String>,
    /// Partitions whose content was checked and is.
    pub checked: Vec<String>,
    /// Partitions that were not checked, and why.
    pub unchecked: Vec<String>,
}

impl ImageProof {
    /// What is known of an image with these digests, before its partitions are checked; or why it has none.
    #[must_use]
    pub fn new(digests: Result<Vec<String>, String>) -> Self {
        Self { digests, damaged: Vec::new(), checked: Vec::new(), unchecked: Vec::new() }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Whether it is the same software.
    pub answer: Answer,
    /// How sure that is.
    pub strength: Strength,
    /// What speaks for it and against it, strongest first.
    pub signals: Vec<Signal>,
    /// Pre-installed packages, side by side.
    pub packages: Packages,
}

/// Whether it is the same software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is.
    Same,
    /// It is not.
    Different,
    /// What could be compared does not settle it.
    NotSettled,
}

/// How strong a proof is. Public codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Nothing was compared.
    None,
    /// The fingerprint alone: a text.
    Claimed,
    /// The fingerprint, and every package that both sides show agrees.
    Consistent,
    /// The digest of the verified-boot metadata, on a device that does not enforce it or does not say so.
    Digest,
    /// The digest, on a locked device with verified boot.
    Enforced,
}

impl Strength {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Claimed => "claimed",
            Self::Consistent => "consistent",
            Self::Digest => "digest",
            Self::Enforced => "enforced",
        }
    }
}

/// One thing that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// What: `vbmeta digest`, `fingerprint`, `partition boot` ...
    pub what: String,
    /// Whether it agrees; `null` where it is not known.
    pub agrees: Option<bool>,
    /// In words.
    pub says: String,
}

/// Pre-installed packages of both sides.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    /// Packages whose version, and size and signer where both sides tell them, are the same.
    pub same: u64,
    /// Packages that differ, each with what differs, by name.
    pub different: Vec<String>,
    /// Packages of the firmware that the device alone has, by name.
    pub only_device: Vec<String>,
    /// Packages that the image alone has and that a device lists as a rule, by name.
    pub only_image: Vec<String>,
    /// Packages of both of which too little is known, by name.
    pub unknown: Vec<String>,
}

/// Compares a device with an image.
#[must_use]
pub fn compare(device: &Inventory, image: &Inventory, proof: &ImageProof) -> Comparison {
    let mut signals = Vec::new();
    let digest = compare_digest(device, proof, &mut signals);
    let fingerprint = compare_fingerprint(device, image, &mut signals);
    let packages = compare_packages(device, image);
    let listed = device.packages.known().is_some() && image.packages.known().is_some();
    let complete =
        listed && device.gaps_hiding_packages().next().is_none() && image.gaps_hiding_packages().next().is_none();
    let alike = packages.different.is_empty() && packages.only_device.is_empty() && packages.only_image.is_empty();
    signals.push(Signal {
        what: "packages".to_owned(),
        agrees: if !listed {
            None
        } else if !packages.different.is_empty() || (complete && !alike) {
            Some(false)
        } else {
            alike.then_some(true).filter(|_| complete && packages.unknown.is_empty() && packages.same > 0)
        },
        says: format!(
            "{} agree, {} differ, {} only on the device, {} only in the image, {} not known{}",
            packages.same,
            packages.different.len(),
            packages.only_device.len(),
            packages.only_image.len(),
            packages.unknown.len(),
            if complete { "" } else { "; a list is not complete" }
        ),
    });
    let packages_agree = signals.last().and_then(|signal| signal.agrees);
    let (answer, strength) = settle(digest, fingerprint, packages_agree, proof);
    Comparison { answer, strength, signals, packages: packages.shortened() }
}

/// Whether the digest agrees and whether the device enforces it.
type Digest = (Option<bool>, bool);

fn settle(digest: Digest, fingerprint: Option<bool>, packages: Option<bool>, proof: &ImageProof) -> (Answer, Strength) {
    let (digest, enforced) = digest;
    let strength = if enforced { Strength::Enforced } else { Strength::Digest };
    match (digest, fingerprint, packages) {
        // A digest says what the image's metadata is about, which a changed partition is not.
        (Some(true), ..) if !proof.damaged.is_empty() => (Answer::Different, strength),
        (Some(true), _, Some(false)) => (Answer::NotSettled, strength),
        (Some(true), ..) => (Answer::Same, strength),
        (Some(false), ..) => (Answer::Different, strength),
        (None, Some(false), _) => (Answer::Different, Strength::Claimed),
        (None, fingerprint, Some(false)) => {
            let strength = if fingerprint == Some(true) { Strength::Claimed } else { Strength::None };
            (Answer::Different, strength)
        }
        (None, Some(true), Some(true)) if proof.damaged.is_empty() => (Answer::Same, Strength::Consistent),
        (None, Some(true), _) => (Answer::NotSettled, Strength::Claimed),
        (None, None, _) => (Answer::NotSettled, Strength::None),
    }
}

fn compare_digest(device: &Inventory, proof: &ImageProof, signals: &mut Vec<Signal>) -> Digest {
    let what = "vbmeta digest".to_owned();
    let told = device.state.vbmeta_digest.known().and_then(Option::as_ref).map(|digest| digest.to_ascii_lowercase());
    let agrees = match (&told, &proof.digests) {
        (Some(told), Ok(digests)) => match digests.iter().find(|digest| digest.len() == told.len()) {
            Some(own) => Some(own == told),
            None => None,
        },
        _ => None,
    };
    let says = match (&told, &proof.digests, agrees) {
        (Some(told), Ok(_), Some(true)) => format!("both are {told}"),
        (Some(told), Ok(digests), Some(false)) => {
            let own = digests.iter().find(|digest| digest.len() == told.len()).map_or("none", String::as_str);
            format!("the device has {told}, the image {own}")
        }
        (Some(told), Ok(_), None) => format!("the device has {told}, which is no SHA-256 or SHA-512"),
        (None, Ok(_), _) => "the device does not tell one".to_owned(),
        (_, Err(why), _) => format!("the image has none: {why}"),
    };
    signals.push(Signal { what, agrees, says });
    let locked = device.state.bootloader_locked.known().copied().flatten();
    let verified = device.state.verified_boot.known().and_then(Option::as_deref);
    // `yellow` is a locked device with a key of its own, which a person installed.
    let enforced = locked == Some(true) && verified == Some("green");
    let words = match (locked, verified) {
        (locked, state) => format!(
            "bootloader {}, verified boot {}",
            match locked {
                Some(true) => "locked",
                Some(false) => "unlocked",
                None => "not known to be locked",
            },
            state.unwrap_or("not told")
        ),
    };
    let agrees = match (locked, verified) {
        (Some(false), _) | (_, Some("orange" | "red")) => Some(false),
        _ if enforced => Some(true),
        _ => None,
    };
    signals.push(Signal { what: "enforcement".to_owned(), agrees, says: words });
    for partition in &proof.damaged {
        let what = partition.split(':').next().unwrap_or_default().to_owned();
        signals.push(Signal { what, agrees: Some(false), says: partition.clone() });
    }
    if !proof.checked.is_empty() || !proof.unchecked.is_empty() {
        let says = format!(
            "as the image's metadata says: {}; not checked: {}",
            listed(&proof.checked),
            listed(&proof.unchecked)
        );
        let agrees = if proof.damaged.is_empty() && proof.unchecked.is_empty() { Some(true) } else { None };
        signals.push(Signal { what: "partitions of the image".to_owned(), agrees, says });
    }
    (agrees_of(signals), enforced)
}

fn agrees_of(signals: &[Signal]) -> Option<bool> {
    signals.iter().find(|signal| signal.what == "vbmeta digest").and_then(|signal| signal.agrees)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn compare_fingerprint(device: &Inventory, image: &Inventory, signals: &mut Vec<Signal>) -> Option<bool> {
    let (own, other) = (device.device.fingerprint.known(), image.device.fingerprint.known());
    let agrees = own.zip(other).map(|(own, other)| own == other);
    let says = match (own, other) {
        (Some(own), Some(other)) if own == other => format!("both are {own}"),
        (Some(own), Some(other)) => format!("the device has {own}, the image {other}"),
        (Some(_), None) => "the image has none".to_owned(),
        (None, _) => "the device tells none".to_owned(),
    };
    signals.push(Signal { what: "fingerprint".to_owned(), agrees, says });
    agrees
}

fn compare_packages(device: &Inventory, image: &Inventory) -> Packages {
    let mut found = Packages::default();
    let (Some(own), Some(other)) = (device.packages.known(), image.packages.known()) else { return found };
    for package in own.iter().filter(|package| package.is_factory()) {
        let Some(same_name) = image.package(&package.name) else {
            found.only_device.push(package.name.clone());
            continue;
        };
        match differences(package, same_name) {
            None => found.unknown.push(package.name.clone()),
            Some(words) if words.is_empty() => found.same += 1,
            Some(words) => found.different.push(format!("{}: {}", package.name, words.join("; "))),
        }
    }
    for package in other {
        // What is left out, or installed in /data at first boot, a device does not list as part of its firmware.
        let loaded = package.copies.iter().any(|copy| {
            use crate::inventory::Placement::{Framework, Overlay, Privileged, System};
            copy.placement.known().is_some_and(|placed| matches!(placed, Framework | Overlay | Privileged | System))
        });
        if loaded && device.package(&package.name).is_none() {
            found.only_image.push(package.name.clone());
        }
    }
    found
}

/// What differs between the firmware's copies; `None` where too little is known to say.
fn differences(device: &Package, image: &Package) -> Option<Vec<String>> {
    let own = device.copies.iter().find(|copy| copy.role == CopyRole::Factory)?;
    // Of several copies in an image Android runs one: any that agrees will do.
    let all: Vec<Option<Vec<String>>> = image.copies.iter().map(|copy| between(own, copy)).collect();
    match all.iter().find(|words| words.as_ref().is_some_and(Vec::is_empty)) {
        Some(agreeing) => agreeing.clone(),
        None if all.iter().any(Option::is_none) => None,
        None => all.into_iter().next().flatten(),
    }
}

fn between(own: &PackageCopy, other: &PackageCopy) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let (version, expected) = (own.version_code.known()?, other.version_code.known()?);
    if version != expected {
        words.push(format!("version {version} on the device, {expected} in the image"));
    }
    let size = |copy: &PackageCopy| copy.code.known().and_then(|code| code.file_bytes);
    if let (Some(size), Some(expected)) = (size(own), size(other))
        && size != expected
    {
        words.push(format!("{size} bytes on the device, {expected} in the image"));
    }
    if let (Fact::Known { value: signers, .. }, Fact::Known { value: expected, .. }) = (&own.signers, &other.signers) {
        let any = signers.iter().any(|signer| {
            expected.iter().any(|other| match (&signer.sha256, &other.sha256) {
                (Some(own), Some(other)) => own == other,
                _ => signer.hash_code == other.hash_code,
            })
        });
        if !any && !(signers.is_empty() && expected.is_empty()) {
            words.push("another signer".to_owned());
        }
    }
    Some(words)
}

impl Packages {
    /// The same with lists cut to what a person reads.
    fn shortened(mut self) -> Self {
        for list in [&mut self.different, &mut self.only_device, &mut self.only_image, &mut self.unknown] {
            if let Some(more) = list.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
                list.truncate(MAX_NAMED);
                list.push(format!("and {more} more"));
            }
        }
        self
    }
}
