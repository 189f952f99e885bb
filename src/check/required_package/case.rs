//! What speaks for and against one package of [`super::RequiredPackage`].

use super::super::outcome::describe;
use super::super::selector::is_verified;
use super::super::{Outcome, Proof, Reason, Verdict};
use super::Method;
use crate::inventory::{
    CopyRole, DeviceKind, Enabled, Fact, Inventory, Package, PackageCopy, Placement, PresenceState,
};

/// What speaks about one package.
#[derive(Default)]
pub(super) struct Case {
    proof: Vec<Proof>,
    notes: Vec<String>,
    /// What contradicts the rule, gravest first.
    breaches: Vec<(Reason, String)>,
    /// What could not be settled.
    pub(super) unknowns: Vec<(Reason, String)>,
    /// Where the app is, for a pass.
    place: String,
}

impl Case {
    pub(super) fn decide(self, expected: &str) -> Outcome {
        let (verdict, grounds) = if !self.breaches.is_empty() {
            (Verdict::Fail, self.breaches)
        } else if !self.unknowns.is_empty() {
            (Verdict::Inconclusive, self.unknowns)
        } else {
            (Verdict::Pass, Vec::new())
        };
        let reason = grounds.first().map(|(reason, _)| *reason);
        let words: Vec<String> = grounds.into_iter().map(|(_, words)| words).collect();
        let observed = if words.is_empty() { self.place } else { format!("{}: {}", self.place, words.join("; ")) };
        let mut outcome = Outcome::new(verdict, reason, expected, observed);
        outcome.proof = self.proof;
        outcome.notes = self.notes;
        outcome
    }

    /// Notes a fact's value as proof, or that it is unknown. The value, where it is known.
    fn fact<'a, T>(&mut self, fact: &'a Fact<T>, name: &str, says: impl FnOnce(&T) -> String) -> Option<&'a T> {
        match fact {
            Fact::Known { value, evidence } => {
                self.proof.push(Proof::new(evidence, says(value)));
                Some(value)
            }
            Fact::Unknown(gap) => {
                self.unknowns.push((Reason::UnknownFact, format!("{name} is unknown")));
                self.notes.push(describe(gap));
                None
            }
        }
    }

    pub(super) fn place(&mut self, package: &Package, active: &PackageCopy, inventory: &Inventory) {
        self.place = format!("{} at {}", package.name, active.path);
        let Some(evidence) = inventory.packages.evidence() else { return };
        for copy in &package.copies {
            let role = match copy.role {
                CopyRole::Factory => "part of the firmware",
                CopyRole::Updated => "an update of the firmware's copy",
                CopyRole::Added => "without a copy in the firmware",
            };
            self.proof.push(Proof::new(evidence, format!("{} at {}: {role}", package.name, copy.path)));
        }
    }

    pub(super) fn version(&mut self, active: &PackageCopy) {
        if let Fact::Known { value, evidence } = &active.version_code {
            self.proof.push(Proof::new(evidence, format!("versionCode is {value}")));
        }
        if let Fact::Known { value: Some(name), evidence } = &active.version_name {
            self.proof.push(Proof::new(evidence, format!("versionName is {name}")));
        }
    }

    pub(super) fn code(&mut self, active: &PackageCopy) {
        let code = self.fact(&active.code, "whether it has code", |code| match (code.present, code.dex_bytes) {
            (false, _) => "no code".to_owned(),
            (true, Some(bytes)) => format!("DEX code of {bytes} bytes"),
            (true, None) => "HAS_CODE".to_owned(),
        });
        if code.is_some_and(|code| !code.present) {
            self.breaches.push((Reason::LookAlike, "it has no code".to_owned()));
        }
    }

    pub(super) fn launcher(&mut self, active: &PackageCopy, inventory: &Inventory) {
        let launcher = self.fact(&active.launcher, "whether a launcher shows it", |activities| {
            if activities.is_empty() {
                "no launcher activity".to_owned()
            } else {
                format!("launcher activity {}", activities.join(", "))
            }
        });
        let tv = inventory.device.kind.known() == Some(&DeviceKind::Tv);
        if launcher.is_some_and(Vec::is_empty) && tv && inventory.target.kind.has_run() {
            // A device is asked for what launchers of touch screens show; those of TVs show another category too.
            self.unknowns.push((Reason::UnknownFact, "whether the launcher of a TV shows it is not asked".to_owned()));
        } else if launcher.is_some_and(Vec::is_empty) {
            self.breaches.push((Reason::LookAlike, "no launcher shows it".to_owned()));
        }
    }

    pub(super) fn signer(&mut self, active: &PackageCopy, pins: &[String]) {
        let signers = self.fact(&active.signers, "its signer", |signers| {
            let digests: Vec<&str> =
                signers.iter().map(|signer| signer.sha256.as_deref().unwrap_or("of unknown digest")).collect();
            format!("signer {}", if digests.is_empty() { "none".to_owned() } else { digests.join(", ") })
        });
        let Some(signers) = signers else { return };
        let pinned = |digest: &str| pins.iter().any(|pin| pin.eq_ignore_ascii_case(digest));
        let mut matching = signers.iter().filter(|signer| signer.sha256.as_deref().is_some_and(pinned)).peekable();
        if matching.peek().is_some() {
            if !matching.any(is_verified) {
                let words = "the pinned signer is claimed, but its signature was not verified";
                self.unknowns.push((Reason::UnknownFact, words.to_owned()));
            }
        } else if signers.iter().any(|signer| signer.sha256.is_none()) {
            self.unknowns.push((Reason::UnknownFact, "the signer's SHA-256 digest is unknown".to_owned()));
        } else {
            self.breaches.push((Reason::LookAlike, "none of the pinned signers signed it".to_owned()));
        }
    }

    /// An update brings the whole app only until the next factory reset, so the firmware's own copy counts too.
    pub(super) fn full(&mut self, package: &Package) {
        let stub =
            |copy: &PackageCopy| copy.code.known().is_some_and(|code| !code.present || code.dex_bytes == Some(0));
        for copy in package.copies.iter().filter(|copy| stub(copy)) {
            if let Some(evidence) = copy.code.evidence() {
                self.proof.push(Proof::new(evidence, format!("{} holds no DEX code", copy.path)));
            }
            self.breaches.push((Reason::Stub, format!("{} is a placeholder", copy.path)));
        }
        let sized = |copy: &PackageCopy| copy.code.known().is_some_and(|code| code.dex_bytes.is_some());
        if !package.copies.iter().all(sized) {
            self.notes.push(
                "The size of its code is not known for every copy: HAS_CODE and the launcher activity of the copy that \
                 runs were taken for the full app."
                    .to_owned(),
            );
        }
    }

    pub(super) fn owner_state(&mut self, package: &Package, inventory: &Inventory) {
        let users = match &package.users {
            Fact::Unknown(_) if !inventory.target.kind.has_run() => {
                // Nothing has been enabled or disabled before the first boot.
                return;
            }
            users => self.fact(users, "its state for user 0", |states| match states.iter().find(|s| s.user == 0) {
                Some(state) => format!(
                    "user 0: installed={} hidden={} suspended={} enabled={:?}",
                    state.installed, state.hidden, state.suspended, state.enabled
                ),
                None => "no state for user 0".to_owned(),
            }),
        };
        let Some(users) = users else { return };
        let Some(state) = users.iter().find(|state| state.user == 0) else {
            self.unknowns.push((Reason::UnknownFact, "its state for user 0 is unknown".to_owned()));
            return;
        };
        if state.enabled == Enabled::Unrecognised {
            self.unknowns.push((Reason::UnknownFact, "it is in a state of no known meaning for user 0".to_owned()));
        }
        let faults = state.hindrances();
        if !faults.is_empty() {
            self.breaches.push((Reason::NotEnabled, format!("for user 0 it is {}", faults.join(", "))));
        }
    }

    /// What lies where a vendor's services install from is there only if they install it.
    pub(super) fn first_boot(&mut self, package: &Package, inventory: &Inventory) {
        let preload = |copy: &PackageCopy| copy.placement.known() == Some(&Placement::RemovablePreload);
        if inventory.target.kind.has_run() || !package.copies.iter().all(preload) {
            return;
        }
        match &package.presence {
            Fact::Known { value, .. } => {
                for ground in &value.grounds {
                    self.proof.push(Proof::new(&ground.evidence, ground.says.clone()));
                }
                match value.state {
                    PresenceState::Full | PresenceState::FirstBoot | PresenceState::AutoInstall => {}
                    PresenceState::Stub | PresenceState::Icon => {
                        self.unknowns
                            .push((Reason::ProvenanceUnclear, "what is installed of it is a placeholder".to_owned()));
                    }
                    PresenceState::Absent => {
                        let words = "its file lies in the firmware, and nothing installs it at first boot";
                        self.breaches.push((Reason::Absent, words.to_owned()));
                    }
                }
            }
            Fact::Unknown(gap) => {
                self.unknowns
                    .push((Reason::UnknownFact, "whether it is installed at first boot is unknown".to_owned()));
                self.notes.push(describe(gap));
            }
        }
    }

    /// An app that is no part of the firmware may have come by another lawful method, or by somebody's own wish.
    pub(super) fn provenance(&mut self, package: &Package, methods: &[Method]) {
        let inert = |copy: &PackageCopy| copy.placement.known() == Some(&Placement::Unknown);
        let mut firmware = package.copies.iter().filter(|copy| copy.role != CopyRole::Added).peekable();
        if firmware.peek().is_none() {
            let words = match &package.installer {
                Fact::Known { value: Some(installer), evidence } => {
                    self.proof.push(Proof::new(evidence, format!("installed by {installer}")));
                    format!("no copy of it belongs to the firmware; {installer} installed it later")
                }
                _ => "no copy of it belongs to the firmware: who installed it is not known".to_owned(),
            };
            self.unknowns.push((Reason::ProvenanceUnclear, words));
            if !methods.is_empty() {
                let methods: Vec<&str> = methods.iter().map(|method| method.describe()).collect();
                self.notes.push(format!("It may have come by {}, which is lawful too.", methods.join(" or ")));
            }
        } else if firmware.all(inert) {
            let words = "it lies where Android loads nothing by itself";
            self.unknowns.push((Reason::ProvenanceUnclear, words.to_owned()));
        }
    }
}
