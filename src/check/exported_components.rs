//! `exported-components`: components that are open to every app.

use super::selector::Selector;
use super::setting::{About, HIDDEN, NOTHING, Row, SELECT, Shape, UNKNOWN, may};
use super::sweep::{Question, Sheet, sweep};
use super::words::{Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Reason, Verdict};
use crate::inventory::{ExportedComponent, Inventory, Package, PackageCopy};
use crate::profile::{Pattern, ProfileError, Settings};

static ABOUT: About = About {
    en: "Packages that the rule is about have no component that every app may use: exported without a \
         permission.",
    ru: "У пакетов нет компонентов, открытых любому приложению без разрешения.",
    settings: &[
        SELECT,
        may(
            "kinds",
            Shape::SomeOf(&["activity", "activity-alias", "service", "receiver", "provider"]),
            "kinds of component that are asked about; left out: `service`, `receiver`, `provider`",
        ),
        may("allowed", Shape::Names, "class names that may be open"),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "none is open"),
        Row(Verdict::Fail, Some(Reason::Exported), "one is; all of them are listed"),
        UNKNOWN,
        HIDDEN,
        NOTHING,
    ],
    remarks: "A provider counts as open where reading or writing needs no permission. Whether the component checks \
         its caller itself does not show.",
    example: include_str!("examples/exported-components.toml"),
};

/// The kind.
pub(super) struct ExportedComponentsKind;

struct ExportedComponents {
    select: Selector,
    kinds: Vec<&'static str>,
    allowed: Vec<Pattern>,
    expected: Words,
}

impl CheckKind for ExportedComponentsKind {
    fn name(&self) -> &'static str {
        "exported-components"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let select = Selector::of(settings)?;
        let known = ["activity", "activity-alias", "service", "receiver", "provider"].map(|kind| (kind, kind));
        let kinds = settings.choices("kinds", &known)?.unwrap_or_else(|| vec!["service", "receiver", "provider"]);
        let allowed = settings.patterns("allowed")?.unwrap_or_default();
        let (what, parts) = (select.words(), kinds.join(", "));
        let expected = words!(
            "{what} have no {parts} open to every app",
            "{what}: нет {parts}, открытых всем приложениям",
            what,
            parts
        );
        Ok(Box::new(ExportedComponents { select, kinds, allowed, expected }))
    }
}

impl Check for ExportedComponents {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let question = Question {
            expected: &self.expected,
            none: words!("none is open to every app", "всем приложениям не открыто ничего"),
        };
        sweep(inventory, &self.select, &question, |package, copies, sheet| self.judge(package, copies, sheet))
    }

    fn packages(&self) -> Vec<String> {
        self.select.names()
    }
}

impl ExportedComponents {
    fn judge(&self, _package: &Package, copies: &[&PackageCopy], sheet: &mut Sheet) {
        for copy in copies {
            let Some((facts, evidence)) = sheet.know(&copy.manifest, phrase("the manifest", "манифест"), copy)
            else {
                continue;
            };
            let is_open = |component: &&ExportedComponent| {
                let write = component.kind == "provider" && component.write_permission.is_none();
                self.kinds.contains(&component.kind.as_str())
                    && (component.permission.is_none() || write)
                    && !self.allowed.iter().any(|pattern| pattern.matches(&component.name))
            };
            let open: Vec<String> =
                facts.exported.iter().filter(is_open).map(|part| format!("{} {}", part.kind, part.name)).collect();
            if !open.is_empty() {
                let (path, open) = (&copy.path, open.join(", "));
                sheet.proof(
                    evidence,
                    words!(
                        "{path}: exported without permission: {open}",
                        "{path}: без разрешения доступны другим приложениям: {open}",
                        path,
                        open
                    ),
                );
                sheet
                    .breach(Reason::Exported, words!("open in {path}: {open}", "открыто в {path}: {open}", path, open));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, unknown, with, with_hidden_partition};
    use super::super::tests::expect;
    use super::super::{Reason, Verdict};
    use crate::inventory::{ExportedComponent, ManifestFacts, Package};

    const KIND: &str = "exported-components";

    fn exporting(kind: &str, permission: Option<&str>, write: Option<&str>) -> Package {
        let mut package = app("com.a");
        package.copies[0].manifest = known(ManifestFacts {
            exported: vec![ExportedComponent {
                kind: kind.to_owned(),
                name: "com.a.Part".to_owned(),
                permission: permission.map(str::to_owned),
                write_permission: write.map(str::to_owned),
                authorities: Vec::new(),
            }],
            ..Default::default()
        });
        package
    }

    #[test]
    fn a_component_without_permission_fails_unless_it_is_of_another_kind_or_allowed() {
        let ask = |settings: &str, package, verdict, reason| {
            expect(KIND, settings, &with(image(), [package]), verdict, reason);
        };
        let open = (Verdict::Fail, Some(Reason::Exported));
        ask("", exporting("service", None, None), open.0, open.1);
        ask("", exporting("service", Some("p.P"), None), Verdict::Pass, None);
        ask("", exporting("activity", None, None), Verdict::Pass, None);
        ask(r#"kinds = ["activity"]"#, exporting("activity", None, None), open.0, open.1);
        ask("", exporting("provider", Some("p.P"), None), open.0, open.1);
        ask("", exporting("provider", Some("p.P"), Some("p.P")), Verdict::Pass, None);
        ask(r#"allowed = ["com.a.*"]"#, exporting("service", None, None), Verdict::Pass, None);
        let mut package = app("com.a");
        package.copies[0].manifest = unknown();
        ask("", package, Verdict::Inconclusive, Some(Reason::UnknownFact));
    }

    #[test]
    fn nothing_there_is_not_applicable_and_something_hidden_inconclusive() {
        expect(KIND, "", &image(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        expect(KIND, "", &with_hidden_partition(image()), Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
    }
}
