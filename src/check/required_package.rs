//! `required-package`: an app that the firmware must bring along.

mod case;

use case::Case;

use super::setting::{About, Row, Shape, may, must};
use super::words::{OF_PACKAGES, Phrase, Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Presence, Proof, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Package, PresenceState};
use crate::platform::installer_agents::is_installer_agent;
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "One of several application ids must belong to the firmware, and the app itself must stand behind it: code, an activity that a launcher shows, the pinned signer where one is pinned, enabled for the owner (user 0).",
    ru: "Одно из названных приложений входит в прошивку, и это само приложение: код, значок в лаунчере, закреплённый подписант (если указан), включено для владельца (пользователь 0).",
    settings: &[
        must("any-of", Shape::Packages, "application ids, one of which is enough"),
        may("label", Shape::Wording, "the app's name, for people"),
        may(
            "full",
            Shape::Flag,
            "`true`: the app itself, no placeholder, in the firmware's own copy too; default `false`",
        ),
        may(
            "methods",
            Shape::SomeOf(&["icon", "offer"]),
            "other lawful methods: `icon` (an icon that downloads the app), `offer` (an offer at first start); not with `full`",
        ),
        may("signers", Shape::Digests, "SHA-256 digests of signing certificates, one of which must be verified"),
    ],
    verdicts: &[
        Row(
            Verdict::Pass,
            None,
            "an id is in the firmware, genuine and enabled; or an icon that downloads it is seen, where `methods` has `icon`",
        ),
        Row(
            Verdict::Fail,
            Some(Reason::Absent),
            "no id is in a complete list of packages; a caveat names the other lawful methods, and known programs on the device that add apps after first start",
        ),
        Row(Verdict::Fail, Some(Reason::LookAlike), "the id is there without code, launcher activity or pinned signer"),
        Row(Verdict::Fail, Some(Reason::Stub), "`full` is asked for, and a copy of the firmware has no DEX code"),
        Row(Verdict::Fail, Some(Reason::NotEnabled), "disabled, hidden, suspended or not installed for user 0"),
        Row(Verdict::Inconclusive, Some(Reason::IncompleteEvidence), "not found, and a gap may hide it"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::MethodNotObservable),
            "not found, and `--presence any-method` allows for methods that can't be seen",
        ),
        Row(
            Verdict::Inconclusive,
            Some(Reason::ProvenanceUnclear),
            "only in `/data`, or where Android loads nothing by itself",
        ),
        Row(
            Verdict::Inconclusive,
            Some(Reason::UnknownFact),
            "a fact that decides is unknown; a signer that is claimed but not verified is one",
        ),
        Row(
            Verdict::Informational,
            None,
            "another id of `any-of` that is not genuine beside one that meets the rule, or that may still be found",
        ),
    ],
    remarks: "A phone does not tell the size of code: there, the flag HAS_CODE and a launcher activity are accepted, with a note. An image has no users before its first boot: there, no state for user 0 is asked for.",
    example: include_str!("examples/required-package.toml"),
};

/// The kind.
pub(super) struct RequiredPackageKind;

struct RequiredPackage {
    any_of: Vec<String>,
    expected: Words,
    full: bool,
    methods: Vec<Method>,
    /// Lower-case hex; empty: no pins.
    signers: Vec<String>,
}

/// A lawful method of presence other than the app itself. None of them shows in a list of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Icon,
    Offer,
}

impl Method {
    const NAMES: [(&'static str, Self); 2] = [("icon", Self::Icon), ("offer", Self::Offer)];

    fn describe(self) -> Phrase {
        match self {
            Self::Icon => phrase("an icon that downloads the app", "значок для загрузки приложения"),
            Self::Offer => phrase("an offer at first start", "предложение установить его при первом включении"),
        }
    }
}

impl CheckKind for RequiredPackageKind {
    fn name(&self) -> &'static str {
        "required-package"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let Some(any_of) = settings.packages("any-of")? else {
            return Err(settings.missing("any-of", "an array of application ids"));
        };
        let full = settings.flag("full")?;
        let methods = settings.choices("methods", &Method::NAMES)?.unwrap_or_default();
        if full && !methods.is_empty() {
            return Err(settings.error("methods", "`methods` contradicts `full = true`, expected one of the two"));
        }
        let signers = settings.digests("signers")?.unwrap_or_default();
        let ids = Words { en: any_of.join(" or "), ru: any_of.join(" или ") };
        let name = match settings.wording("label")? {
            Some(label) => words!("{label} ({ids})", "{label} ({ids})", label = Words::from(&label), ids),
            None => ids,
        };
        let expected = if full {
            words!("{name} is pre-installed in full", "приложение {name} предустановлено в полном виде", name)
        } else {
            words!("{name} is pre-installed", "приложение {name} предустановлено", name)
        };
        Ok(Box::new(RequiredPackage { any_of, expected, full, methods, signers }))
    }
}

impl Check for RequiredPackage {
    fn evaluate(&self, inventory: &Inventory, context: &Context) -> Vec<Outcome> {
        let found: Vec<&Package> = self.any_of.iter().filter_map(|id| inventory.package(id)).collect();
        if found.is_empty() {
            return vec![self.by_icon(inventory).unwrap_or_else(|| self.absent(inventory, context))];
        }
        let mut outcomes: Vec<Outcome> = found.iter().map(|package| self.judge(package, inventory)).collect();
        if found.len() < self.any_of.len() && !outcomes.iter().any(|outcome| outcome.verdict == Verdict::Pass) {
            // Another id would do, and may be behind a gap.
            let missing: Vec<&str> =
                self.any_of.iter().map(String::as_str).filter(|id| inventory.package(id).is_none()).collect();
            outcomes.extend(Outcome::unproven_absence(inventory, &self.expected, missing.join(", ")));
        }
        settle(&mut outcomes);
        outcomes
    }

    fn packages(&self) -> Vec<String> {
        self.any_of.clone()
    }
}

/// One id is enough: where one meets the rule or may meet it, the others' failures are no breach.
fn settle(outcomes: &mut [Outcome]) {
    let best = if outcomes.iter().any(|outcome| outcome.verdict == Verdict::Pass) {
        Verdict::Pass
    } else if outcomes.iter().any(|outcome| outcome.verdict == Verdict::Inconclusive) {
        Verdict::Inconclusive
    } else {
        return;
    };
    let others = |outcome: &&mut Outcome| match best {
        Verdict::Pass => outcome.verdict != Verdict::Pass,
        _ => outcome.verdict == Verdict::Fail,
    };
    for outcome in outcomes.iter_mut().filter(others) {
        let reason = outcome.reason.take().map_or(String::new(), |reason| format!(" ({})", reason.as_str()));
        let was = words!("{verdict}{reason}", "{verdict}{reason}", verdict = outcome.verdict.words(), reason);
        outcome.notes.push(match best {
            Verdict::Pass => words!(
                "By itself this would be {was}; another id meets the rule.",
                "Само по себе это дало бы вывод «{was}»; правило выполнено благодаря другому идентификатору.",
                was
            ),
            _ => words!(
                "By itself this would be {was}; another id may still meet the rule.",
                "Само по себе это дало бы вывод «{was}»; правило ещё может быть выполнено благодаря другому идентификатору.",
                was
            ),
        });
        outcome.verdict = Verdict::Informational;
    }
}

/// Names what may bring the app after first start. It does not tell which apps it brings, so the verdict stands.
fn name_agents(outcome: &mut Outcome, inventory: &Inventory) {
    let Fact::Known { value: packages, evidence } = &inventory.packages else { return };
    for package in packages.iter().filter(|package| is_installer_agent(&package.name)) {
        let name = &package.name;
        outcome
            .proof
            .push(Proof::new(evidence, words!("{name} is pre-installed", "пакет {name} предустановлен", name)));
        outcome.notes.push(words!(
            "{name} adds apps after first start; whether this one is among them does not show before.",
            "{name} добавляет приложения после первого запуска; будет ли среди них это приложение, заранее определить нельзя.",
            name
        ));
    }
}

impl RequiredPackage {
    fn absent(&self, inventory: &Inventory, context: &Context) -> Outcome {
        let ids = self.any_of.join(", ");
        let outcome = match Outcome::unproven_absence(inventory, &self.expected, &ids) {
            Some(outcome) => outcome,
            None => {
                let listed = inventory.packages.known().map_or(0, Vec::len);
                let packages = OF_PACKAGES.count(listed);
                let observed = words!("{ids} not among the {packages}", "среди {packages} нет {ids}", ids, packages);
                let (verdict, reason) = match context.presence {
                    Presence::AnyMethod if !self.methods.is_empty() => {
                        (Verdict::Inconclusive, Reason::MethodNotObservable)
                    }
                    _ => (Verdict::Fail, Reason::Absent),
                };
                let mut outcome = Outcome::new(verdict, reason, &self.expected, observed);
                outcome.proof = Proof::of_list(inventory);
                if !self.methods.is_empty() {
                    let methods = Words::joined(self.methods.iter().map(|method| method.describe()), ", ");
                    outcome.notes.push(words!(
                        "Also lawful, and not visible in a list of packages: {methods}. Its absence alone is no proof of a \
                         breach where such a method is in place.",
                        "Закон допускает и другие способы, которых в списке пакетов не видно: {methods}. Если применён один из них, \
                         отсутствие приложения в списке само по себе не означает нарушения.",
                        methods
                    ));
                    name_agents(&mut outcome, inventory);
                }
                outcome
            }
        };
        match self.any_of.as_slice() {
            [only] => outcome.about(only),
            _ => outcome,
        }
    }

    /// The pass of an app that is not there, where an icon that downloads it is lawful and is seen.
    fn by_icon(&self, inventory: &Inventory) -> Option<Outcome> {
        if !self.methods.contains(&Method::Icon) {
            return None;
        }
        let arrivals = inventory.arrivals.known()?;
        let arrival = arrivals.iter().find(|arrival| {
            let leads = matches!(arrival.presence.state, PresenceState::Icon | PresenceState::AutoInstall);
            leads && !arrival.presence.grounds.is_empty() && self.any_of.contains(&arrival.package)
        })?;
        let how = match arrival.presence.state {
            PresenceState::Icon => phrase("an icon leads to it", "есть ведущий к нему значок"),
            _ => phrase("it is fetched at set-up", "загружается при первоначальной настройке"),
        };
        let name = &arrival.package;
        let observed = words!("{name} not in the firmware; {how}", "в прошивке нет {name}; {how}", name, how);
        let mut outcome = Outcome::new(Verdict::Pass, None, &self.expected, observed).about(&arrival.package);
        outcome.proof = Proof::of_list(inventory);
        for ground in &arrival.presence.grounds {
            outcome.proof.push(Proof::new(&ground.evidence, Words::plain(ground.says.as_str())));
        }
        outcome.notes.push(words!(
            "An icon that downloads the app is a lawful method of presence.",
            "Значок для загрузки приложения — законный способ обеспечить его наличие."
        ));
        Some(outcome)
    }

    fn judge(&self, package: &Package, inventory: &Inventory) -> Outcome {
        let mut case = Case::default();
        if let Some(active) = package.active() {
            case.place(package, active, inventory);
            case.version(active);
            case.code(active);
            case.launcher(active, inventory);
            if !self.signers.is_empty() {
                case.signer(active, &self.signers);
            }
            if self.full {
                case.full(package);
            }
            case.owner_state(package, inventory);
            case.first_boot(package, inventory);
            case.provenance(package, &self.methods);
        } else {
            case.unknown(Reason::UnknownFact, phrase("no copy of it was read", "ни одна его копия не прочитана"));
        }
        case.decide(&self.expected).about(&package.name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{
        app, copy, hollow, image, known, phone, phone_app, signer, unknown, with, with_hidden_partition,
    };
    use super::super::tests::{ask, refusal};
    use super::super::{Outcome, Presence, Reason, Verdict};
    use crate::inventory::{CopyRole, Enabled, Inventory, Package, Placement, SignerDepth};

    const MAX: &str = r#"any-of = ["ru.oneme.app"], label = "MAX", methods = ["icon", "offer"]"#;
    const STORE: &str = r#"any-of = ["ru.vk.store"], full = true"#;
    const YANDEX: &str = r#"any-of = ["com.yandex.searchapp", "ru.yandex.searchplugin"]"#;

    fn installed(settings: &str, inventory: &Inventory) -> Vec<Outcome> {
        ask("required-package", settings, inventory, Presence::Installed)
    }

    #[track_caller]
    fn expect(outcomes: &[Outcome], verdict: Verdict, reason: Option<Reason>) {
        let got: Vec<_> = outcomes.iter().map(|outcome| (outcome.verdict, outcome.reason)).collect();
        assert_eq!(got, [(verdict, reason)], "{outcomes:#?}");
    }

    fn changed(change: impl FnOnce(&mut Package)) -> Package {
        let mut package = phone_app("ru.oneme.app");
        change(&mut package);
        package
    }

    #[test]
    fn a_genuine_factory_app_passes_with_its_evidence() {
        for inventory in [with(image(), [app("ru.oneme.app")]), with(phone(), [phone_app("ru.oneme.app")])] {
            let outcomes = installed(MAX, &inventory);
            expect(&outcomes, Verdict::Pass, None);
            assert_eq!(outcomes[0].subject.as_deref(), Some("ru.oneme.app"));
            let says: Vec<&str> = outcomes[0].proof.iter().map(|proof| &*proof.says).collect();
            for needed in ["part of the firmware", "versionCode is 6392", "launcher activity ru.oneme.app.MainActivity"]
            {
                assert!(says.iter().any(|says| says.contains(needed)), "{needed}: {says:?}");
            }
        }
    }

    #[test]
    fn an_absence_fails_with_the_caveat_and_rests_on_the_list() {
        let outcomes = installed(MAX, &with(image(), [app("com.other")]));
        expect(&outcomes, Verdict::Fail, Some(Reason::Absent));
        assert_eq!(outcomes[0].proof[0].says, "lists 1 package");
        assert!(outcomes[0].notes[0].contains("an icon that downloads the app, an offer at first start"));
        assert_eq!(installed(STORE, &image())[0].notes, Vec::<String>::new(), "no other method is lawful there");
    }

    #[test]
    fn an_agent_that_may_bring_the_app_is_named_and_changes_no_verdict() {
        let inventory = with(image(), [app("com.aura.oobe.samsung"), app("com.other")]);
        let outcomes = installed(MAX, &inventory);
        expect(&outcomes, Verdict::Fail, Some(Reason::Absent));
        assert!(outcomes[0].notes[1].starts_with("com.aura.oobe.samsung adds apps after first start"));
        assert_eq!(outcomes[0].proof[1].says, "com.aura.oobe.samsung is pre-installed");
        assert_eq!(installed(STORE, &inventory)[0].notes, Vec::<String>::new(), "no other method is lawful there");
    }

    #[test]
    fn an_absence_behind_a_gap_is_inconclusive_and_names_the_gap() {
        let mut nothing = image();
        nothing.packages = unknown();
        for inventory in [with_hidden_partition(image()), nothing] {
            for presence in [Presence::Installed, Presence::AnyMethod] {
                let outcomes = ask("required-package", MAX, &inventory, presence);
                expect(&outcomes, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
                assert!(outcomes[0].notes[0].starts_with("not read: "), "{:?}", outcomes[0].notes);
            }
        }
    }

    #[test]
    fn any_method_excuses_an_absence_only_where_another_method_is_lawful() {
        let any = |settings| ask("required-package", settings, &image(), Presence::AnyMethod);
        expect(&any(MAX), Verdict::Inconclusive, Some(Reason::MethodNotObservable));
        expect(&any(STORE), Verdict::Fail, Some(Reason::Absent));
    }

    #[test]
    fn an_empty_package_with_the_right_id_is_a_look_alike() {
        let hollow = with(image(), [hollow(app("ru.oneme.app"))]);
        expect(&installed(MAX, &hollow), Verdict::Fail, Some(Reason::LookAlike));
        let hidden = changed(|package| package.copies[0].launcher = known(Vec::new()));
        expect(&installed(MAX, &with(phone(), [hidden])), Verdict::Fail, Some(Reason::LookAlike));
    }

    #[test]
    fn a_pinned_signer_must_have_been_verified() {
        let pin =
            |digit: char| format!(r#"any-of = ["ru.oneme.app"], signers = ["{}"]"#, String::from(digit).repeat(64));
        let genuine = with(image(), [app("ru.oneme.app")]);
        expect(&installed(&pin('A'), &genuine), Verdict::Pass, None);
        expect(&installed(&pin('b'), &genuine), Verdict::Fail, Some(Reason::LookAlike));

        let mut claimed = signer('a');
        claimed.depth = SignerDepth::Claimed;
        let mut numbered = signer('a');
        numbered.sha256 = None;
        for signers in [known(vec![claimed]), known(vec![numbered]), unknown()] {
            let package = changed(|package| package.copies[0].signers = signers);
            let outcomes = installed(&pin('a'), &with(phone(), [package]));
            expect(&outcomes, Verdict::Inconclusive, Some(Reason::UnknownFact));
        }
        let unsigned = changed(|package| package.copies[0].signers = known(Vec::new()));
        expect(&installed(&pin('a'), &with(phone(), [unsigned])), Verdict::Fail, Some(Reason::LookAlike));
    }

    #[test]
    fn a_deciding_fact_that_is_unknown_is_inconclusive_not_a_pass() {
        let changes: [fn(&mut Package); 4] = [
            |package| package.copies[0].code = unknown(),
            |package| package.copies[0].launcher = unknown(),
            |package| package.users = unknown(),
            |package| package.users = known(Vec::new()),
        ];
        for change in changes {
            let outcomes = installed(MAX, &with(phone(), [changed(change)]));
            expect(&outcomes, Verdict::Inconclusive, Some(Reason::UnknownFact));
        }
    }

    #[test]
    fn an_app_that_is_off_for_the_owner_fails() {
        use super::super::sample::state;
        let changes: [fn(&mut crate::inventory::UserState); 5] = [
            |state| state.installed = false,
            |state| state.hidden = true,
            |state| state.suspended = true,
            |state| state.enabled = Enabled::DisabledByUser,
            |state| state.enabled = Enabled::DisabledUntilUsed,
        ];
        for change in changes {
            let mut owner = state(0);
            change(&mut owner);
            let package = changed(|package| package.users = known(vec![owner, state(10)]));
            expect(&installed(MAX, &with(phone(), [package])), Verdict::Fail, Some(Reason::NotEnabled));
        }
        let mut other = state(10);
        other.installed = false;
        let package = changed(|package| package.users = known(vec![state(0), other]));
        expect(&installed(MAX, &with(phone(), [package])), Verdict::Pass, None);
    }

    #[test]
    fn an_app_of_unclear_origin_is_inconclusive() {
        let added = changed(|package| package.copies = vec![copy("ru.oneme.app", CopyRole::Added)]);
        expect(&installed(MAX, &with(phone(), [added])), Verdict::Inconclusive, Some(Reason::ProvenanceUnclear));
        let added = changed(|package| {
            package.copies = vec![copy("ru.oneme.app", CopyRole::Added)];
            package.installer = known(Some("ru.vk.store".to_owned()));
        });
        let outcomes = installed(MAX, &with(phone(), [added]));
        expect(&outcomes, Verdict::Inconclusive, Some(Reason::ProvenanceUnclear));
        assert!(outcomes[0].observed.contains("ru.vk.store installed it later"), "{}", outcomes[0].observed.en);
        assert!(outcomes[0].notes.iter().any(|note| note.contains("an offer at first start, which is lawful too")));
        let inert = changed(|package| package.copies[0].placement = known(Placement::Unknown));
        expect(&installed(MAX, &with(phone(), [inert])), Verdict::Inconclusive, Some(Reason::ProvenanceUnclear));
    }

    #[test]
    fn a_placeholder_below_an_update_is_a_stub_where_the_full_app_is_required() {
        let name = "ru.vk.store";
        let mut package = phone_app(name);
        package.copies = hollow(package.clone()).copies;
        package.copies.push(copy(name, CopyRole::Updated));
        let inventory = with(phone(), [package]);
        expect(&installed(STORE, &inventory), Verdict::Fail, Some(Reason::Stub));
        expect(&installed(r#"any-of = ["ru.vk.store"]"#, &inventory), Verdict::Pass, None);

        let outcomes = installed(STORE, &with(phone(), [phone_app(name)]));
        expect(&outcomes, Verdict::Pass, None);
        assert!(outcomes[0].notes[0].starts_with("The size of its code is not known"));
    }

    #[test]
    fn one_id_of_several_is_enough_and_the_others_are_told() {
        let good = app("ru.yandex.searchplugin");
        let bad = hollow(app("com.yandex.searchapp"));
        let verdicts = |inventory: &Inventory| -> Vec<_> {
            installed(YANDEX, inventory).into_iter().map(|outcome| (outcome.verdict, outcome.reason)).collect()
        };
        assert_eq!(
            verdicts(&with(image(), [good, bad.clone()])),
            [(Verdict::Informational, None), (Verdict::Pass, None)]
        );
        assert_eq!(verdicts(&with(image(), [bad.clone()])), [(Verdict::Fail, Some(Reason::LookAlike))]);
        // The other id may be in the partition that was not read.
        assert_eq!(
            verdicts(&with_hidden_partition(with(image(), [bad]))),
            [(Verdict::Informational, None), (Verdict::Inconclusive, Some(Reason::IncompleteEvidence))]
        );
    }

    #[test]
    fn settings_that_contradict_or_name_nothing_are_refused() {
        for (settings, message) in [
            ("full = true", "settings lacks `any-of`, expected an array of application ids"),
            (r#"any-of = ["max"]"#, "`max` is no application id, expected one like `com.example.app`"),
            (
                r#"any-of = ["a.b"], full = true, methods = ["icon"]"#,
                "`methods` contradicts `full = true`, expected one of the two",
            ),
            (r#"any-of = ["a.b"], signers = ["abc"]"#, "a signer is a SHA-256 digest, expected 64 hexadecimal digits"),
        ] {
            assert_eq!(refusal("required-package", settings), message);
        }
    }
}
