//! `no-shared-user`: a package has a user id of its own.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, may};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Package, PackageCopy};
use crate::profile::{Pattern, ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about share no Linux user id with others: what one of them is granted, all \
         of them hold.",
    ru: "Пакеты не делят идентификатор пользователя Linux с другими: что разрешено одному, доступно всем.",
    settings: &[SELECT, may("allowed", Shape::Names, "names of shared users that are allowed: `android.uid.*`")],
    verdicts: &[
        Row(Verdict::Pass, None, "none shares a user id"),
        Row(Verdict::Fail, Some(Reason::SharedUser), "it shares one that is not allowed"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "",
    example: include_str!("examples/no-shared-user.toml"),
};

/// The kind.
pub(super) struct NoSharedUserKind;

struct NoSharedUser {
    select: Selector,
    allowed: Vec<Pattern>,
    expected: Words,
}

impl CheckKind for NoSharedUserKind {
    fn name(&self) -> &'static str {
        "no-shared-user"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let allowed = settings.patterns("allowed")?.unwrap_or_default();
        let what = select.words();
        let expected = words!("{what} share no user id", "{what}: нет общего идентификатора пользователя", what);
        Ok(Box::new(NoSharedUser { select, allowed, expected }))
    }
}

impl Check for NoSharedUser {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("none shares a user id", "общего идентификатора пользователя нет"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl NoSharedUser {
    fn judge(&self, package: &Package, _copies: &[&PackageCopy], sheet: &mut Sheet) {
        match &package.shared_user {
            Fact::Known { value, evidence } => {
                sheet.judged = true;
                let Some(user) = value else { return };
                sheet.proof(evidence, words!("sharedUserId is {user}", "sharedUserId = {user}", user));
                if !self.allowed.iter().any(|pattern| pattern.matches(user)) {
                    sheet.breach(
                        Reason::SharedUser,
                        words!("it shares the user id {user}", "общий идентификатор пользователя {user}", user),
                    );
                }
            }
            Fact::Unknown(gap) => {
                sheet.unknown(phrase("its shared user is unknown", "общий идентификатор пользователя неизвестен"), gap)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};

    #[test]
    fn a_shared_user_fails_unless_it_is_allowed_and_an_unknown_one_is_inconclusive() {
        let mut package = app("com.a");
        let ask = |package: &crate::inventory::Package, settings: &str, verdict, reason| {
            expect("no-shared-user", settings, &with(image(), [package.clone()]), verdict, reason);
        };
        ask(&package, "", Verdict::Pass, None);
        package.shared_user = known(Some("android.uid.system".to_owned()));
        ask(&package, "", Verdict::Fail, Some(Reason::SharedUser));
        ask(&package, r#"allowed = ["android.uid.*"]"#, Verdict::Pass, None);
        package.shared_user = unknown();
        ask(&package, "", Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect("no-shared-user", "", &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        let hidden = with_hidden_partition(with(image(), [app("com.a")]));
        expect("no-shared-user", "", &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
