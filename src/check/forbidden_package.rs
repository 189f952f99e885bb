//! `forbidden-package`: an app that the firmware must not bring along.

use super::outcome::{describe, placed};
use super::setting::{About, Row, Shape, may, must};
use super::words::{OF_PACKAGES, Words, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Package};
use crate::profile::{Pattern, ProfileError, Settings};

static ABOUT: About = About {
    en: "None of the named packages may belong to the firmware, nor be installed for any user without belonging to it.",
    ru: "Ни один из названных пакетов не входит в прошивку и не установлен помимо неё ни у одного пользователя.",
    settings: &[
        must("packages", Shape::Names, "application ids; `*` stands for any characters: `com.ironsource.appcloud.*`"),
        may("label", Shape::Wording, "what they are, for people"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "none of them is in a complete list of packages"),
        Row(
            Verdict::Fail,
            Some(Reason::Present),
            "one is in the firmware, whether or not it is enabled, or is installed for a user",
        ),
        Row(Verdict::Inconclusive, Some(Reason::IncompleteEvidence), "none was found, and a gap may hide one"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::UnknownFact),
            "one lies in `/data` only, and for whom it is installed is unknown",
        ),
    ],
    remarks: "Packages that a store or a person installed are not collected; a note says how many there are.",
    example: include_str!("examples/forbidden-package.toml"),
};

/// The kind.
pub(super) struct ForbiddenPackageKind;

struct ForbiddenPackage {
    packages: Vec<Pattern>,
    what: Words,
    expected: Words,
}

impl CheckKind for ForbiddenPackageKind {
    fn name(&self) -> &'static str {
        "forbidden-package"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let Some(packages) = settings.patterns("packages")? else {
            return Err(settings.missing("packages", "an array of application ids"));
        };
        let ids = packages.iter().map(Pattern::as_str).collect::<Vec<_>>().join(", ");
        let what = match settings.wording("label")? {
            Some(label) => words!("{label} ({ids})", "{label} ({ids})", label = Words::from(&label), ids),
            None => Words::plain(ids),
        };
        let expected = words!("{what} is not pre-installed", "{what}: не предустановлено", what);
        Ok(Box::new(ForbiddenPackage { packages, what, expected }))
    }
}

impl Check for ForbiddenPackage {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let listed = inventory.packages.known().map_or(&[][..], Vec::as_slice);
        let named = |package: &&Package| self.packages.iter().any(|pattern| pattern.matches(&package.name));
        let mut outcomes: Vec<Outcome> =
            listed.iter().filter(named).filter_map(|package| self.judge(package, inventory)).collect();
        if outcomes.iter().all(|outcome| outcome.verdict != Verdict::Fail) {
            outcomes.extend(Outcome::unproven_absence(inventory, &self.expected, &self.what));
        }
        if outcomes.is_empty() {
            let (what, packages) = (&self.what, OF_PACKAGES.count(listed.len()));
            let observed = words!("{what} not among the {packages}", "среди {packages} нет: {what}", what, packages);
            let mut outcome = Outcome::new(Verdict::Pass, None, &self.expected, observed);
            outcome.proof = Proof::of_list(inventory);
            outcome.notes.extend(match &inventory.omitted_packages {
                Fact::Known { value: 0, .. } => None,
                Fact::Known { value, .. } => Some(words!(
                    "{value} packages of a store or a person were not looked at.",
                    "Пакеты, установленные из магазина или пользователем, не рассматривались: {value}.",
                    value
                )),
                Fact::Unknown(_) => Some(words!(
                    "Packages of a store or a person were not looked at.",
                    "Пакеты, установленные из магазина или пользователем, не рассматривались."
                )),
            });
            outcomes.push(outcome);
        }
        outcomes
    }

    fn packages(&self) -> Vec<String> {
        self.packages.iter().filter_map(Pattern::exact).map(str::to_owned).collect()
    }
}

impl ForbiddenPackage {
    /// `None` for what is left of a package that no user has.
    fn judge(&self, package: &Package, inventory: &Inventory) -> Option<Outcome> {
        let place = placed(package);
        let mut proof: Vec<Proof> =
            inventory.packages.evidence().map(|evidence| Proof::new(evidence, place.clone())).into_iter().collect();
        let (verdict, reason, observed, note) = if package.is_factory() {
            (
                Verdict::Fail,
                Reason::Present,
                words!("{place}, part of the firmware", "{place}, часть прошивки", place),
                None,
            )
        } else {
            match &package.users {
                Fact::Known { value, evidence } => {
                    let user = value.iter().find(|state| state.installed)?.user;
                    let who = words!("installed for user {user}", "установлено для пользователя {user}", user);
                    proof.push(Proof::new(evidence, who.clone()));
                    (Verdict::Fail, Reason::Present, words!("{place}, {who}", "{place}, {who}", place, who), None)
                }
                Fact::Unknown(gap) => {
                    let observed =
                        words!("{place}, for whom is unknown", "{place}; для какого пользователя, неизвестно", place);
                    (Verdict::Inconclusive, Reason::UnknownFact, observed, Some(describe(gap)))
                }
            }
        };
        let mut outcome = Outcome::new(verdict, reason, &self.expected, observed).about(&package.name);
        outcome.proof = proof;
        outcome.notes.extend(note);
        Some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{
        app, copy, image, known, phone, phone_app, state, unknown, with, with_hidden_partition,
    };
    use super::super::tests::{ask, refusal};
    use super::super::{Outcome, Presence, Reason, Verdict};
    use crate::inventory::{CopyRole, Inventory};

    const ADWARE: &str = r#"packages = ["com.dti.*", "com.aura.oobe"], label = "an app installer""#;

    fn answers(inventory: &Inventory) -> Vec<Outcome> {
        ask("forbidden-package", ADWARE, inventory, Presence::Installed)
    }

    fn verdicts(inventory: &Inventory) -> Vec<(Verdict, Option<Reason>)> {
        answers(inventory).into_iter().map(|outcome| (outcome.verdict, outcome.reason)).collect()
    }

    #[test]
    fn a_complete_list_without_it_passes() {
        let mut inventory = with(image(), [app("com.dt"), app("com.aura.oobe.more")]);
        assert_eq!(verdicts(&inventory), [(Verdict::Pass, None)]);
        inventory.omitted_packages = known(3);
        assert_eq!(answers(&inventory)[0].notes, ["3 packages of a store or a person were not looked at."]);
    }

    #[test]
    fn each_one_that_is_there_fails_by_itself_even_beside_a_gap() {
        let inventory = with_hidden_partition(with(image(), [app("com.dti.tim"), app("com.aura.oobe")]));
        let outcomes = answers(&inventory);
        let subjects: Vec<_> = outcomes.iter().map(|outcome| outcome.subject.as_deref().unwrap()).collect();
        assert_eq!(subjects, ["com.aura.oobe", "com.dti.tim"]);
        assert_eq!(verdicts(&inventory), [(Verdict::Fail, Some(Reason::Present)); 2]);
    }

    #[test]
    fn an_absence_behind_a_gap_is_inconclusive_not_a_pass() {
        let mut nothing = image();
        nothing.packages = unknown();
        for inventory in [with_hidden_partition(image()), nothing] {
            assert_eq!(verdicts(&inventory), [(Verdict::Inconclusive, Some(Reason::IncompleteEvidence))]);
        }
    }

    #[test]
    fn outside_the_firmware_it_must_be_installed_for_somebody() {
        let mut package = phone_app("com.aura.oobe");
        package.copies = vec![copy("com.aura.oobe", CopyRole::Added)];
        let mut gone = state(0);
        gone.installed = false;
        for (users, expected) in [
            (known(vec![gone.clone(), state(10)]), (Verdict::Fail, Some(Reason::Present))),
            (known(vec![gone]), (Verdict::Pass, None)),
            (unknown(), (Verdict::Inconclusive, Some(Reason::UnknownFact))),
        ] {
            package.users = users;
            assert_eq!(verdicts(&with(phone(), [package.clone()])), [expected]);
        }
    }

    #[test]
    fn a_pattern_that_names_everything_is_refused() {
        assert_eq!(
            refusal("forbidden-package", r#"packages = ["*"]"#),
            "`*` is no name, expected `com.example.app` or `com.example.*`"
        );
    }
}
