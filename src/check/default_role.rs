//! `default-role`: who holds a role before the user chooses.

use super::outcome::describe;
use super::setting::{About, Row, Shape, may, must};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Role};
use crate::platform::default_roles;
use crate::profile::{Pattern, ProfileError, Settings};

static ABOUT: About = About {
    en: "A role (browser, search, home screen ...) is held by one of the named packages, or by none of them, before the user chooses.",
    ru: "Роль (браузер, поиск, главный экран и т. п.) до выбора пользователя принадлежит одному из названных пакетов либо ни одному из них.",
    settings: &[
        must(
            "role",
            Shape::Text,
            "`home`, `browser`, `dialer`, `sms`, `assistant`, `search`, `call-screening`, `call-redirection`, `emergency`, `wallet`, `notes`, \
             or the whole name of another role of Android",
        ),
        may("any-of", Shape::Names, "packages one of which holds it"),
        may("none-of", Shape::Names, "packages none of which holds it; one of `any-of` and `none-of` is required"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "the holder is as it must be"),
        Row(Verdict::Fail, Some(Reason::OtherRoleHolder), "it is not, or with `any-of` nobody holds the role"),
        Row(Verdict::Inconclusive, Some(Reason::UnknownFact), "the holder is unknown"),
    ],
    remarks: "Of an image the holder is what Android will make of its configuration at first start. Not applicable never: every device \
              has the role, if without a holder.",
    example: include_str!("examples/default-role.toml"),
};

/// The kind.
pub(super) struct DefaultRoleKind;

struct DefaultRole {
    role: Role,
    any_of: Vec<Pattern>,
    none_of: Vec<Pattern>,
    expected: Words,
}

impl CheckKind for DefaultRoleKind {
    fn name(&self) -> &'static str {
        "default-role"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let word = settings.need_text("role")?;
        let role = Role::from_name(word.text);
        if let Role::Other(name) = &role
            && !name.contains('.')
        {
            let known: Vec<String> = Role::all().map(|role| role.as_str().to_owned()).collect();
            return Err(word.unknown("role", known.iter().map(String::as_str)));
        }
        let any_of = settings.patterns("any-of")?.unwrap_or_default();
        let none_of = settings.patterns("none-of")?.unwrap_or_default();
        if any_of.is_empty() && none_of.is_empty() {
            return Err(settings.missing("any-of", "packages: `any-of`, `none-of` or both"));
        }
        let names = |list: &[Pattern]| {
            let names: Vec<&str> = list.iter().map(Pattern::as_str).collect();
            Words { en: names.join(" or "), ru: names.join(" или ") }
        };
        let mut words = Vec::new();
        if !any_of.is_empty() {
            words.push(words!("held by {names}", "принадлежит {names}", names = names(&any_of)));
        }
        if !none_of.is_empty() {
            words.push(words!("not held by {names}", "не принадлежит {names}", names = names(&none_of)));
        }
        let mut who = Words::joined(&words, " and ");
        who.ru = Words::joined(&words, " и ").ru;
        let expected = words!("the role {role} is {who}", "роль {role} {who}", role = role.as_str(), who);
        Ok(Box::new(DefaultRole { role, any_of, none_of, expected }))
    }
}

impl Check for DefaultRole {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let outcome = match default_roles::holders(inventory, &self.role) {
            Fact::Unknown(gap) => {
                let role = self.role.as_str();
                let observed =
                    words!("who holds the role {role} is unknown", "кому принадлежит роль {role}, неизвестно", role);
                let mut outcome = Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, &self.expected, observed);
                outcome.notes.push(describe(&gap));
                outcome
            }
            Fact::Known { value: holders, evidence } => {
                let among = |list: &[Pattern], name: &str| list.iter().any(|pattern| pattern.matches(name));
                let held = self.any_of.is_empty() || holders.iter().any(|name| among(&self.any_of, name));
                let barred = holders.iter().any(|name| among(&self.none_of, name));
                let who = if holders.is_empty() {
                    phrase("nobody", "никому").into()
                } else {
                    Words::plain(holders.join(", "))
                };
                let (verdict, reason) = if held && !barred {
                    (Verdict::Pass, None)
                } else {
                    (Verdict::Fail, Some(Reason::OtherRoleHolder))
                };
                let role = self.role.as_str();
                let says = words!("the role {role} is held by {who}", "роль {role} принадлежит {who}", role, who);
                Outcome::new(verdict, reason, &self.expected, says.clone()).proven([Proof::new(&evidence, says)])
            }
        };
        vec![outcome.about(self.role.as_str())]
    }

    fn packages(&self) -> Vec<String> {
        self.any_of.iter().chain(&self.none_of).filter_map(Pattern::exact).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{known, phone, unknown};
    use super::super::tests::{expect, refusal};
    use super::super::{Reason, Verdict};
    use crate::inventory::{Role, RoleHolder};

    const KIND: &str = "default-role";

    #[test]
    fn the_holder_is_held_against_both_lists() {
        for (settings, holder, verdict, reason) in [
            (r#"role = "browser", any-of = ["com.a.*"]"#, Some("com.a.b"), Verdict::Pass, None),
            (r#"role = "browser", any-of = ["com.a.*"]"#, Some("com.b"), Verdict::Fail, Some(Reason::OtherRoleHolder)),
            (r#"role = "browser", any-of = ["com.a.*"]"#, None, Verdict::Fail, Some(Reason::OtherRoleHolder)),
            (r#"role = "browser", none-of = ["com.b"]"#, None, Verdict::Pass, None),
            (r#"role = "browser", none-of = ["com.b"]"#, Some("com.b"), Verdict::Fail, Some(Reason::OtherRoleHolder)),
        ] {
            let mut device = phone();
            let mut list = vec![RoleHolder { role: Role::Sms, package: "com.sms".to_owned(), user: Some(0) }];
            list.extend(holder.map(|name| RoleHolder { role: Role::Browser, package: name.to_owned(), user: Some(0) }));
            device.role_holders = known(list);
            expect(KIND, settings, &device, verdict, reason);
        }
    }

    #[test]
    fn an_unknown_holder_is_inconclusive() {
        let mut device = phone();
        device.role_holders = unknown();
        let rule = r#"role = "browser", none-of = ["com.b"]"#;
        expect(KIND, rule, &device, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn a_role_that_is_none_is_refused() {
        assert_eq!(refusal(KIND, r#"role = "brouser", any-of = ["com.b"]"#), "unknown role `brouser`");
    }
}
