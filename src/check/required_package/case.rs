//! What speaks for and against one package of [`super::RequiredPackage`].

use super::super::outcome::{describe, hindrances};
use super::super::selector::is_verified;
use super::super::words::{Phrase, Words, phrase, words};
use super::super::{Outcome, Proof, Reason, Verdict};
use super::Method;
use crate::inventory::{
    CopyRole, DeviceKind, Enabled, Fact, Inventory, Package, PackageCopy, Placement, PresenceState, Signer,
};

/// What speaks about one package.
#[derive(Default)]
pub(super) struct Case {
    proof: Vec<Proof>,
    notes: Vec<Words>,
    /// What contradicts the rule, gravest first.
    breaches: Vec<(Reason, Words)>,
    /// What could not be settled.
    unknowns: Vec<(Reason, Words)>,
    /// Where the app is, for a pass.
    place: Words,
}

impl Case {
    fn breach(&mut self, reason: Reason, words: impl Into<Words>) {
        self.breaches.push((reason, words.into()));
    }

    pub(super) fn unknown(&mut self, reason: Reason, words: impl Into<Words>) {
        self.unknowns.push((reason, words.into()));
    }

    pub(super) fn decide(self, expected: &Words) -> Outcome {
        let (verdict, grounds) = if !self.breaches.is_empty() {
            (Verdict::Fail, self.breaches)
        } else if !self.unknowns.is_empty() {
            (Verdict::Inconclusive, self.unknowns)
        } else {
            (Verdict::Pass, Vec::new())
        };
        let reason = grounds.first().map(|(reason, _)| *reason);
        let observed = if grounds.is_empty() {
            self.place
        } else {
            let grounds = Words::joined(grounds.into_iter().map(|(_, words)| words), "; ");
            words!("{place}: {grounds}", "{place}: {grounds}", place = self.place, grounds)
        };
        let mut outcome = Outcome::new(verdict, reason, expected, observed);
        outcome.proof = self.proof;
        outcome.notes = self.notes;
        outcome
    }

    /// Notes a fact's value as proof, or that it is unknown. The value, where it is known.
    fn fact<'a, T>(&mut self, fact: &'a Fact<T>, name: Phrase, says: impl FnOnce(&T) -> Words) -> Option<&'a T> {
        match fact {
            Fact::Known { value, evidence } => {
                self.proof.push(Proof::new(evidence, says(value)));
                Some(value)
            }
            Fact::Unknown(gap) => {
                self.unknown(Reason::UnknownFact, words!("{name} is unknown", "неизвестно: {name}", name));
                self.notes.push(describe(gap));
                None
            }
        }
    }

    pub(super) fn place(&mut self, package: &Package, active: &PackageCopy, inventory: &Inventory) {
        let name = &package.name;
        self.place = words!("{name} at {path}", "{name}: {path}", name, path = active.path);
        let Some(evidence) = inventory.packages.evidence() else { return };
        for copy in &package.copies {
            let role = match copy.role {
                CopyRole::Factory => phrase("part of the firmware", "часть прошивки"),
                CopyRole::Updated => phrase("an update of the firmware's copy", "обновление копии из прошивки"),
                CopyRole::Added => phrase("without a copy in the firmware", "в прошивке копии нет"),
            };
            let path = &copy.path;
            let says = words!("{name} at {path}: {role}", "{name}: {path}, {role}", name, path, role);
            self.proof.push(Proof::new(evidence, says));
        }
    }

    pub(super) fn version(&mut self, active: &PackageCopy) {
        if let Fact::Known { value, evidence } = &active.version_code {
            self.proof.push(Proof::new(evidence, words!("versionCode is {value}", "versionCode = {value}", value)));
        }
        if let Fact::Known { value: Some(name), evidence } = &active.version_name {
            self.proof.push(Proof::new(evidence, words!("versionName is {name}", "versionName = {name}", name)));
        }
    }

    pub(super) fn code(&mut self, active: &PackageCopy) {
        let code = self.fact(&active.code, phrase("whether it has code", "есть ли в нём код"), |code| {
            match (code.present, code.dex_bytes) {
                (false, _) => words!("no code", "нет кода"),
                (true, Some(bytes)) => words!("DEX code of {bytes} bytes", "код DEX, байт: {bytes}", bytes),
                (true, None) => Words::plain("HAS_CODE"),
            }
        });
        if code.is_some_and(|code| !code.present) {
            self.breach(Reason::LookAlike, phrase("it has no code", "в нём нет кода"));
        }
    }

    pub(super) fn launcher(&mut self, active: &PackageCopy, inventory: &Inventory) {
        let launcher = self.fact(
            &active.launcher,
            phrase("whether a launcher shows it", "показывает ли его лаунчер"),
            |activities| {
                if activities.is_empty() {
                    words!("no launcher activity", "нет значка в лаунчере")
                } else {
                    words!("launcher activity {list}", "значок в лаунчере {list}", list = activities.join(", "))
                }
            },
        );
        let tv = inventory.device.kind.known() == Some(&DeviceKind::Tv);
        if launcher.is_some_and(Vec::is_empty) && tv && inventory.target.kind.has_run() {
            // A device is asked for what launchers of touch screens show; those of TVs show another category too.
            self.unknown(
                Reason::UnknownFact,
                phrase(
                    "whether the launcher of a TV shows it is not asked",
                    "показывает ли его лаунчер телевизора, не проверяется",
                ),
            );
        } else if launcher.is_some_and(Vec::is_empty) {
            self.breach(Reason::LookAlike, phrase("no launcher shows it", "лаунчер его не показывает"));
        }
    }

    pub(super) fn signer(&mut self, active: &PackageCopy, pins: &[String]) {
        let signers = self.fact(&active.signers, phrase("its signer", "ключ подписи"), |signers| {
            let digest = |signer: &Signer| match &signer.sha256 {
                Some(digest) => Words::plain(digest.as_str()),
                None => words!("of unknown digest", "с неизвестным SHA-256"),
            };
            let digests = if signers.is_empty() {
                words!("none", "нет")
            } else {
                Words::joined(signers.iter().map(digest), ", ")
            };
            words!("signer {digests}", "ключ подписи {digests}", digests)
        });
        let Some(signers) = signers else { return };
        let pinned = |digest: &str| pins.iter().any(|pin| pin.eq_ignore_ascii_case(digest));
        let mut matching = signers.iter().filter(|signer| signer.sha256.as_deref().is_some_and(pinned)).peekable();
        if matching.peek().is_some() {
            if !matching.any(is_verified) {
                let words = phrase(
                    "the pinned signer is claimed, but its signature was not verified",
                    "закреплённый ключ подписи заявлен, но подпись не проверена",
                );
                self.unknown(Reason::UnknownFact, words);
            }
        } else if signers.iter().any(|signer| signer.sha256.is_none()) {
            self.unknown(
                Reason::UnknownFact,
                phrase("the signer's SHA-256 digest is unknown", "SHA-256 ключа подписи неизвестен"),
            );
        } else {
            self.breach(
                Reason::LookAlike,
                phrase("none of the pinned signers signed it", "не подписано ни одним из закреплённых ключей"),
            );
        }
    }

    /// An update brings the whole app only until the next factory reset, so the firmware's own copy counts too.
    pub(super) fn full(&mut self, package: &Package) {
        let stub =
            |copy: &PackageCopy| copy.code.known().is_some_and(|code| !code.present || code.dex_bytes == Some(0));
        for copy in package.copies.iter().filter(|copy| stub(copy)) {
            if let Some(evidence) = copy.code.evidence() {
                let says = words!("{path} holds no DEX code", "в {path} нет кода DEX", path = copy.path);
                self.proof.push(Proof::new(evidence, says));
            }
            self.breach(Reason::Stub, words!("{path} is a placeholder", "{path} — заглушка", path = copy.path));
        }
        let sized = |copy: &PackageCopy| copy.code.known().is_some_and(|code| code.dex_bytes.is_some());
        if !package.copies.iter().all(sized) {
            self.notes.push(words!(
                "The size of its code is not known for every copy: HAS_CODE and the launcher activity of the copy that \
                 runs were taken for the full app.",
                "Размер кода известен не для всех копий: приложение сочтено полным по признаку HAS_CODE и значку той копии, которая работает."
            ));
        }
    }

    pub(super) fn owner_state(&mut self, package: &Package, inventory: &Inventory) {
        let users = match &package.users {
            Fact::Unknown(_) if !inventory.target.kind.has_run() => {
                // Nothing has been enabled or disabled before the first boot.
                return;
            }
            users => self.fact(
                users,
                phrase("its state for user 0", "состояние для пользователя 0"),
                |states| match states.iter().find(|s| s.user == 0) {
                    Some(state) => {
                        let flags = format!(
                            "installed={} hidden={} suspended={} enabled={:?}",
                            state.installed, state.hidden, state.suspended, state.enabled
                        );
                        words!("user 0: {flags}", "пользователь 0: {flags}", flags)
                    }
                    None => words!("no state for user 0", "нет состояния для пользователя 0"),
                },
            ),
        };
        let Some(users) = users else { return };
        let Some(state) = users.iter().find(|state| state.user == 0) else {
            self.unknown(
                Reason::UnknownFact,
                phrase("its state for user 0 is unknown", "состояние для пользователя 0 неизвестно"),
            );
            return;
        };
        if state.enabled == Enabled::Unrecognised {
            self.unknown(
                Reason::UnknownFact,
                phrase(
                    "it is in a state of no known meaning for user 0",
                    "состояние для пользователя 0 имеет неизвестное значение",
                ),
            );
        }
        if !state.hindrances().is_empty() {
            let faults = hindrances(state);
            self.breach(
                Reason::NotEnabled,
                words!("for user 0 it is {faults}", "для пользователя 0: {faults}", faults),
            );
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
                    self.proof.push(Proof::new(&ground.evidence, Words::plain(ground.says.as_str())));
                }
                match value.state {
                    PresenceState::Full | PresenceState::FirstBoot | PresenceState::AutoInstall => {}
                    PresenceState::Stub | PresenceState::Icon => {
                        self.unknown(
                            Reason::ProvenanceUnclear,
                            phrase("what is installed of it is a placeholder", "установлена только заглушка"),
                        );
                    }
                    PresenceState::Absent => {
                        let words = phrase(
                            "its file lies in the firmware, and nothing installs it at first boot",
                            "файл лежит в прошивке, но при первом запуске его ничто не устанавливает",
                        );
                        self.breach(Reason::Absent, words);
                    }
                }
            }
            Fact::Unknown(gap) => {
                self.unknown(
                    Reason::UnknownFact,
                    phrase(
                        "whether it is installed at first boot is unknown",
                        "устанавливается ли при первом запуске, неизвестно",
                    ),
                );
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
                    let by = words!("installed by {installer}", "установил {installer}", installer);
                    self.proof.push(Proof::new(evidence, by));
                    words!(
                        "no copy of it belongs to the firmware; {installer} installed it later",
                        "в прошивке его копии нет; позже его установил {installer}",
                        installer
                    )
                }
                _ => words!(
                    "no copy of it belongs to the firmware: who installed it is not known",
                    "в прошивке его копии нет: кто его установил, неизвестно"
                ),
            };
            self.unknown(Reason::ProvenanceUnclear, words);
            if !methods.is_empty() {
                let list = |between| Words::joined(methods.iter().map(|method| method.describe()), between);
                let methods = Words { en: list(" or ").en, ru: list(" или ").ru };
                self.notes.push(words!(
                    "It may have come by {methods}, which is lawful too.",
                    "Оно могло появиться и другим законным способом: {methods}.",
                    methods
                ));
            }
        } else if firmware.all(inert) {
            let words = phrase(
                "it lies where Android loads nothing by itself",
                "оно лежит там, откуда Android сам ничего не загружает",
            );
            self.unknown(Reason::ProvenanceUnclear, words);
        }
    }
}
