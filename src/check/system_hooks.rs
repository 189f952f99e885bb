//! `system-hooks`: where the system calls a package.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, must};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{Inventory, Package, PackageCopy};
use crate::profile::{ProfileError, Settings};

/// Kinds of hook, as `preloaded apk` names them.
const HOOKS: &[&str] = &[
    "accessibility",
    "account-authenticator",
    "autofill",
    "boot",
    "call-redirection",
    "call-screening",
    "carrier-service",
    "connection-service",
    "credential-provider",
    "device-admin",
    "do-not-disturb",
    "dream",
    "in-call",
    "input-method",
    "job",
    "nfc-card-emulation",
    "notification-listener",
    "print",
    "share-targets",
    "sync-adapter",
    "text-service",
    "tile",
    "tv-input",
    "voice-interaction",
    "vpn",
    "wallpaper",
    "widget",
    "widget-list",
];

static ABOUT: About = About {
    en: "Packages that the rule is about have none of the named places where the system calls them: device \
         administrator, accessibility service, VPN ...",
    ru: "У пакетов нет названных точек, где их вызывает система: администратор устройства, служба специальных \
         возможностей, VPN и т. п.",
    settings: &[SELECT, must("forbidden", Shape::SomeOf(HOOKS), "kinds of hook, as `preloaded apk` names them")],
    verdicts: &[
        Row(Verdict::Pass, None, "none has one"),
        Row(Verdict::Fail, Some(Reason::SystemHook), "one has; all of them are listed"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "",
    example: include_str!("examples/system-hooks.toml"),
};

/// The kind.
pub(super) struct SystemHooksKind;

struct SystemHooks {
    select: Selector,
    forbidden: Vec<String>,
    expected: Words,
}

impl CheckKind for SystemHooksKind {
    fn name(&self) -> &'static str {
        "system-hooks"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let known: Vec<(&str, &str)> = HOOKS.iter().map(|hook| (*hook, *hook)).collect();
        let Some(words) = settings.choices("forbidden", &known)? else {
            return Err(settings.missing("forbidden", "kinds of hook: device-admin, accessibility, vpn ..."));
        };
        let forbidden: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let (what, kinds) = (select.words(), forbidden.join(", "));
        let expected = words!(
            "{what} have no hook of the kinds {kinds}",
            "{what}: система не вызывает через {kinds}",
            what,
            kinds
        );
        Ok(Box::new(SystemHooks { select, forbidden, expected }))
    }
}

impl Check for SystemHooks {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("none has such a hook", "система так ничего не вызывает"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl SystemHooks {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        for copy in copies {
            let Some((facts, evidence)) = sheet.know(&copy.manifest, phrase("the manifest", "манифест"), copy)
            else {
                continue;
            };
            for hook in facts.hooks.iter().filter(|hook| self.forbidden.contains(&hook.kind)) {
                let (path, kind, component) = (&copy.path, &hook.kind, &hook.component);
                sheet.proof(
                    evidence,
                    words!("{path}: {kind} {component}", "{path}: {kind} {component}", path, kind, component),
                );
                sheet.breach(
                    Reason::SystemHook,
                    words!("{kind} in {component}", "{kind} в {component}", kind, component),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{ManifestFacts, SystemHook};

    #[test]
    fn a_hook_of_a_forbidden_kind_fails_and_an_unknown_manifest_is_inconclusive() {
        let mut package = app("com.a");
        package.copies[0].manifest = known(ManifestFacts::default());
        let ask = |package: &crate::inventory::Package, verdict, reason| {
            expect(
                "system-hooks",
                r#"forbidden = ["device-admin"]"#,
                &with(image(), [package.clone()]),
                verdict,
                reason,
            );
        };
        ask(&package, Verdict::Pass, None);
        package.copies[0].manifest = known(ManifestFacts {
            hooks: vec![SystemHook { kind: "device-admin".to_owned(), component: "com.a.Admin".to_owned() }],
            ..Default::default()
        });
        ask(&package, Verdict::Fail, Some(Reason::SystemHook));
        package.copies[0].manifest = unknown();
        ask(&package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(
            "system-hooks",
            r#"forbidden = ["device-admin"]"#,
            &image(),
            Verdict::NotApplicable,
            Some(Reason::NothingMatched),
        );
        let hidden = with_hidden_partition(image());
        expect(
            "system-hooks",
            r#"forbidden = ["device-admin"]"#,
            &hidden,
            Verdict::Inconclusive,
            Some(Reason::IncompleteEvidence),
        );
    }
}
