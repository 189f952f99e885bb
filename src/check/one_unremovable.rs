//! `one-unremovable`: of the apps for one function at most one can't be removed.

use super::outcome::describe;
use super::selector::{ROLES, Selector, role_names};
use super::setting::{About, HIDDEN, Row, SELECT, Shape, must};
use super::words::{OF_PACKAGES, Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Package};
use crate::profile::{ProfileError, Settings};

static ABOUT: About = About {
    en: "Of the packages that qualify for a role, at most one can't be removed by the user. Each role is judged by itself.",
    ru: "Из пакетов, пригодных для одной роли, пользователь не может удалить не более одного. Каждая роль проверяется отдельно.",
    settings: &[must("roles", Shape::SomeOf(ROLES), "roles that are judged"), SELECT],
    verdicts: &[
        Row(Verdict::Pass, None, "at most one of those that qualify is unremovable"),
        Row(Verdict::Fail, Some(Reason::SeveralUnremovable), "several are; a failure for each role"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::UnknownFact),
            "it depends on a package whose roles or removability are unknown",
        ),
        HIDDEN,
        Row(Verdict::NotApplicable, Some(Reason::NothingMatched), "no package qualifies for any of the roles"),
    ],
    remarks: "An app that the settings can only disable counts as unremovable.",
    example: include_str!("examples/one-unremovable.toml"),
};

/// The kind.
pub(super) struct OneUnremovableKind;

struct OneUnremovable {
    select: Selector,
    roles: Vec<String>,
    expected: Words,
}

impl CheckKind for OneUnremovableKind {
    fn name(&self) -> &'static str {
        "one-unremovable"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let roles = role_names(settings, "roles")?;
        if roles.is_empty() {
            return Err(settings.missing("roles", "an array of roles"));
        }
        let list = roles.join(", ");
        let expected = words!(
            "at most one unremovable app for each of {list}",
            "не более одного неудаляемого приложения на каждую из ролей: {list}",
            list
        );
        Ok(Box::new(OneUnremovable { select, roles, expected }))
    }
}

impl Check for OneUnremovable {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let listed = inventory.packages.known().map_or(&[][..], Vec::as_slice);
        let aim = self.select.on(inventory);
        let meant: Vec<&Package> = listed.iter().filter(|package| !aim.pick(package).copies.is_empty()).collect();
        let mut outcomes: Vec<Outcome> =
            self.roles.iter().filter_map(|role| self.judge(role, &meant, inventory)).collect();
        let failed = outcomes.iter().any(|outcome| outcome.verdict == Verdict::Fail);
        if !failed
            && let Some(hidden) = Outcome::incomplete(inventory, &self.expected, |gaps| {
                words!("{gaps} may hide a further app", "прочитано не всё ({gaps}): возможно ещё одно приложение", gaps)
            })
        {
            // What a gap hides may be the second one of any role.
            outcomes.retain(|outcome| outcome.verdict != Verdict::Pass);
            outcomes.push(hidden);
        }
        if outcomes.is_empty() {
            let observed = phrase(
                "no package qualifies for any of these roles",
                "ни один пакет не подходит ни для одной из этих ролей",
            );
            outcomes.push(
                Outcome::new(Verdict::NotApplicable, Reason::NothingMatched, &self.expected, observed)
                    .proven(Proof::of_list(inventory)),
            );
        }
        outcomes
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl OneUnremovable {
    fn judge(&self, role: &str, meant: &[&Package], inventory: &Inventory) -> Option<Outcome> {
        let (mut fixed, mut open, mut count) = (Vec::new(), Vec::new(), 0_usize);
        let (mut proof, mut notes) = (Vec::new(), Vec::new());
        for package in meant {
            let Some(active) = package.active() else { continue };
            match &active.manifest {
                Fact::Known { value, .. } if !value.roles.iter().any(|own| own == role) => continue,
                Fact::Known { .. } => {}
                // A package without code qualifies for nothing.
                Fact::Unknown(_) if active.code.known().is_some_and(|code| !code.present) => continue,
                Fact::Unknown(gap) => {
                    open.push(package.name.as_str());
                    notes.push(describe(gap));
                    continue;
                }
            }
            count += 1;
            match &package.removability {
                Fact::Known { value, evidence } => {
                    if !value.grade.is_removable() {
                        fixed.push(package.name.as_str());
                        let (name, grade) = (&package.name, value.grade.as_str());
                        let says = words!("{name} ({role}): {grade}", "{name} ({role}): {grade}", name, role, grade);
                        proof.push(Proof::new(evidence, says));
                    }
                }
                Fact::Unknown(gap) => {
                    open.push(package.name.as_str());
                    notes.push(describe(gap));
                }
            }
        }
        notes.dedup();
        notes.truncate(8);
        let new =
            |verdict, reason, observed: Words| Outcome::new(verdict, reason, &self.expected, observed).about(role);
        let mut outcome = if fixed.len() > 1 {
            let fixed = fixed.join(", ");
            let words = words!("{role}: unremovable: {fixed}", "{role}: неудаляемые: {fixed}", role, fixed);
            new(Verdict::Fail, Some(Reason::SeveralUnremovable), words)
        } else if !open.is_empty() {
            let list = open.iter().take(8).copied().collect::<Vec<_>>().join(", ");
            let words = words!(
                "{role}: not known of {packages}: {list}",
                "{role}: неизвестно для {packages}: {list}",
                role,
                packages = OF_PACKAGES.count(open.len()),
                list
            );
            new(Verdict::Inconclusive, Some(Reason::UnknownFact), words)
        } else if count == 0 {
            return None;
        } else {
            let which = fixed.first().map_or_else(|| phrase("none", "ни одного").into(), |name| Words::plain(*name));
            let words = words!(
                "{role}: unremovable of {count}: {which}",
                "{role}: неудаляемых из {count}: {which}",
                role,
                count,
                which
            );
            new(Verdict::Pass, None, words)
        };
        outcome.proof = Proof::of_list(inventory);
        outcome.proof.extend(proof);
        outcome.notes = notes;
        Some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{ManifestFacts, Package, Removability, RemovabilityGrade};

    const KIND: &str = "one-unremovable";
    const DIALER: &str = r#"roles = ["dialer"]"#;

    fn dialer(name: &str, grade: RemovabilityGrade) -> Package {
        let mut package = app(name);
        package.copies[0].manifest = known(ManifestFacts { roles: vec!["dialer".to_owned()], ..Default::default() });
        package.removability = known(Removability { grade, grounds: Vec::new() });
        package
    }

    #[test]
    fn the_second_unremovable_app_of_a_role_fails() {
        let one = dialer("com.a", RemovabilityGrade::NotRemovable);
        let gone = dialer("com.b", RemovabilityGrade::ReturnsAfterReset);
        let two = dialer("com.b", RemovabilityGrade::DisableOnly);
        expect(KIND, DIALER, &with(image(), [one.clone(), gone]), Verdict::Pass, None);
        let failed = with(image(), [one.clone(), two]);
        let outcome = expect(KIND, DIALER, &failed, Verdict::Fail, Some(Reason::SeveralUnremovable));
        assert_eq!(outcome.observed, "dialer: unremovable: com.a, com.b");
        let mut open = dialer("com.b", RemovabilityGrade::NotRemovable);
        open.removability = unknown();
        let open = with(image(), [one.clone(), open]);
        expect(KIND, DIALER, &open, Verdict::Inconclusive, Some(Reason::UnknownFact));
        let mut unread = app("com.c");
        unread.copies[0].manifest = unknown();
        let unread = with(image(), [one.clone(), unread]);
        expect(KIND, DIALER, &unread, Verdict::Inconclusive, Some(Reason::UnknownFact));
        let hidden = with_hidden_partition(with(image(), [one]));
        expect(KIND, DIALER, &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }

    #[test]
    fn without_an_app_for_the_role_there_is_nothing_to_count() {
        expect(KIND, DIALER, &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
    }
}
