//! `uraniborg-score`: how much packages may do beyond a generic image, by the formula of Uraniborg.

use std::collections::BTreeSet;

use super::holding::{Holdings, Of, PREDICTED};
use super::outcome::describe;
use super::setting::{About, NOTHING, Row, Shape, may};
use super::words::{OF_PACKAGES, Words, phrase, words};
use super::{Check, CheckKind, Context, Outcome, Proof, Reason, Verdict};
use crate::inventory::{Fact, Inventory, Package, PackageCopy};
use crate::platform::signing::PlatformSigner;
use crate::platform::uraniborg::{self, Part, Range, Score, Subject};
use crate::profile::{ProfileError, Settings};

/// Packages that a finding names for each part of the score.
const NAMED: usize = 8;
/// Millionths in a hundredth.
const HUNDREDTH: u64 = 10_000;

static ABOUT: About = About {
    en: "A score of 0 to 10, lower is better, by the formula and the weights that Uraniborg published in 2020: 6 for packages with the \
         platform's key, 3 for permissions held, 1 for unencrypted traffic, each by the share that a generic image of the same Android \
         has not.",
    ru: "Оценка от 0 до 10, чем ниже, тем лучше, по формуле и весам, опубликованным проектом Uraniborg в 2020 году: 6 — за пакеты с \
         ключом платформы, 3 — за имеющиеся разрешения, 1 — за незашифрованный трафик, по доле того, чего нет в типовом образе той же \
         версии Android.",
    settings: &[
        may("max", Shape::Score, "the highest score that passes; left out: the score is told and not judged"),
        may(
            "with-google",
            Shape::Flag,
            "count Google's apps too; left out: they are left out, as Uraniborg does by itself",
        ),
    ],
    verdicts: &[
        Row(Verdict::Pass, None, "the score is not above `max`"),
        Row(Verdict::Fail, Some(Reason::ScoreAbove), "it is"),
        Row(Verdict::Informational, None, "no `max` is set, and the score is known"),
        Row(
            Verdict::Inconclusive,
            Some(Reason::UnknownFact),
            "facts are unknown: the score lies between two numbers, or there is no generic image of the API level to compare with",
        ),
        Row(Verdict::Inconclusive, Some(Reason::IncompleteEvidence), "a gap may hide packages"),
        NOTHING,
    ],
    remarks: "Compatible with Uraniborg, not made by it; its authors withdrew the score in 2026. Generic images are known of API levels \
              29, 30, 33, 34 and 35. Differences: of an image permissions are predicted; whether a package sends unencrypted is told by \
              its network configuration where it has one. A phone tells manifests only with `--deep=all`.",
    example: include_str!("examples/uraniborg-score.toml"),
};

/// The kind.
pub(super) struct UraniborgScoreKind;

struct UraniborgScore {
    /// In hundredths.
    max: Option<u64>,
    with_google: bool,
    expected: Words,
}

impl CheckKind for UraniborgScoreKind {
    fn name(&self) -> &'static str {
        "uraniborg-score"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<Box<dyn Check>, ProfileError> {
        let max = settings.hundredths("max")?;
        if max.is_some_and(|max| max > 1000) {
            return Err(settings.error("max", "`max` is above 10, expected a score from 0 to 10"));
        }
        let with_google = settings.flag("with-google")?;
        let expected = match max {
            Some(max) => words!(
                "an Uraniborg-compatible score of at most {max}",
                "оценка по Uraniborg не выше {max}",
                max = hundredths(max)
            ),
            None => words!("an Uraniborg-compatible score", "оценка по Uraniborg"),
        };
        Ok(Box::new(UraniborgScore { max, with_google, expected }))
    }
}

impl Check for UraniborgScore {
    fn evaluate(&self, inventory: &Inventory, _context: &Context) -> Vec<Outcome> {
        let hidden = |gaps: &Words| {
            words!(
                "no score: {gaps} may hide packages that count",
                "оценки нет: прочитано не всё ({gaps}), возможны другие учитываемые пакеты",
                gaps
            )
        };
        if let Some(hidden) = Outcome::incomplete(inventory, &self.expected, hidden) {
            return vec![hidden];
        }
        let packages = inventory.packages.known().map_or(&[][..], Vec::as_slice);
        if packages.is_empty() {
            let observed = phrase("no packages", "пакетов нет");
            let outcome = Outcome::new(Verdict::NotApplicable, Reason::NothingMatched, &self.expected, observed);
            return vec![outcome.proven(Proof::of_list(inventory))];
        }
        let device = &inventory.device;
        let (sdk, manufacturer) = match (&device.sdk, &device.manufacturer) {
            (Fact::Known { value: sdk, .. }, Fact::Known { value, .. }) => (*sdk, value.as_str()),
            (Fact::Unknown(gap), _) => {
                return vec![self.unknown(phrase("the API level is unknown", "уровень API неизвестен"), describe(gap))];
            }
            (_, Fact::Unknown(gap)) => {
                return vec![
                    self.unknown(phrase("the manufacturer is unknown", "изготовитель неизвестен"), describe(gap)),
                ];
            }
        };
        let holdings = Holdings::new(inventory, Of::Granted);
        let signer = PlatformSigner::of(inventory);
        let subjects: Vec<Subject<'_>> =
            packages.iter().map(|package| subject(package, &holdings, signer.as_ref())).collect();
        let Some(score) = uraniborg::score(sdk, manufacturer, self.with_google, &subjects) else {
            let levels: Vec<String> = uraniborg::levels().iter().map(u32::to_string).collect();
            let note = words!(
                "Generic images are known of the API levels {levels}.",
                "Известны эталонные образы уровней API {levels}.",
                levels = levels.join(", ")
            );
            let observed = words!(
                "no generic image of API level {sdk} to compare with",
                "нет эталонного образа уровня API {sdk} для сравнения",
                sdk
            );
            return vec![self.unknown(observed, note)];
        };
        let mut outcome = self.judge(&score);
        outcome.proof = Proof::of_list(inventory);
        outcome.proof.extend(proof(inventory, &score, &holdings));
        if holdings.predicts() {
            outcome.notes.push(PREDICTED.into());
        }
        if !score.total().is_exact() {
            outcome.notes.extend(unknowns(&subjects));
        }
        vec![outcome]
    }

    fn packages(&self) -> Vec<String> {
        Vec::new()
    }
}

impl UraniborgScore {
    fn judge(&self, score: &Score) -> Outcome {
        let total = score.total();
        let google = if self.with_google {
            phrase("with Google's apps", "с приложениями Google")
        } else {
            phrase("without Google's apps", "без приложений Google")
        };
        let observed = words!(
            "Uraniborg-compatible score {total} of 10, {google}: platform signature {platform} of 6, permissions {permissions} of 3, cleartext {cleartext} of 1",
            "оценка по Uraniborg {total} из 10, {google}: подпись платформы {platform} из 6, разрешения {permissions} из 3, незашифрованный трафик {cleartext} из 1",
            total = in_words(total),
            google,
            platform = in_words(score.platform.score()),
            permissions = in_words(score.permissions.score()),
            cleartext = in_words(score.cleartext.score())
        );
        let above = |millionths: u64| self.max.is_some_and(|max| rounded(millionths) > max);
        let (verdict, reason) = match self.max {
            Some(_) if above(total.low) => (Verdict::Fail, Some(Reason::ScoreAbove)),
            Some(_) if !above(total.high) => (Verdict::Pass, None),
            None if rounded(total.low) == rounded(total.high) => (Verdict::Informational, None),
            _ => (Verdict::Inconclusive, Some(Reason::UnknownFact)),
        };
        Outcome::new(verdict, reason, &self.expected, observed)
    }

    fn unknown(&self, observed: impl Into<Words>, note: Words) -> Outcome {
        let mut outcome = Outcome::new(Verdict::Inconclusive, Reason::UnknownFact, &self.expected, observed);
        outcome.notes.push(note);
        outcome
    }
}

/// What the formula looks at in a package: the copy that runs.
fn subject<'a>(package: &'a Package, holdings: &Holdings<'_>, signer: Option<&PlatformSigner>) -> Subject<'a> {
    let mut subject = Subject { name: &package.name, ..Subject::default() };
    let Some(copy) = package.active() else { return subject };
    subject.has_code = has_code(copy);
    subject.platform_signed = signer.and_then(|signer| signer.signed(copy));
    let digests = |signers: &'a Vec<_>| -> Option<BTreeSet<&'a str>> {
        signers.iter().map(|signer: &'a crate::inventory::Signer| signer.sha256.as_deref()).collect()
    };
    subject.signers = copy.signers.known().and_then(digests);
    match holdings.of(package) {
        Ok(holding) => {
            let names = |held: &[super::holding::Held<'a>]| {
                held.iter().filter(|held| held.is_owners()).map(|held| held.permission).collect()
            };
            (subject.holds, subject.may_hold) = (names(&holding.held), names(&holding.open));
        }
        Err(_) => {
            let asked = copy.requested_permissions.known();
            // Of a package that does not say what it asks for it may be anything that counts.
            subject.may_hold = match asked {
                Some(list) => list.iter().map(|permission| permission.name.as_str()).collect(),
                None => uraniborg::counted().collect(),
            };
        }
    }
    if let Fact::Known { value: facts, .. } = &copy.manifest {
        subject.cleartext = facts.cleartext;
        let asked = facts.exported.iter().filter_map(|component| component.permission.as_deref());
        subject.components = Some(asked.collect());
    }
    subject
}

/// Whether it says that it has code; where that is not told, whether it has.
fn has_code(copy: &PackageCopy) -> Option<bool> {
    match copy.flags.known() {
        Some(flags) if !flags.is_empty() => Some(flags.iter().any(|flag| flag == "HAS_CODE")),
        _ => copy.code.known().map(|code| code.present),
    }
}

/// The packages that count most in each part, with where it stands.
fn proof(inventory: &Inventory, score: &Score, holdings: &Holdings<'_>) -> Vec<Proof> {
    let mut proof = Vec::new();
    let copies = |part: &Part| -> Vec<(String, u64)> { part.packages.iter().take(NAMED).cloned().collect() };
    for (name, _) in copies(&score.platform) {
        let copy = inventory.package(&name).and_then(Package::active);
        if let Some(evidence) = copy.and_then(|copy| copy.signers.evidence()) {
            proof.push(Proof::new(
                evidence,
                words!("{name}: signed with the platform's key", "{name}: подписано ключом платформы", name),
            ));
        }
    }
    for (name, weight) in copies(&score.permissions) {
        let Some(package) = inventory.package(&name) else { continue };
        let Ok(holding) = holdings.of(package) else { continue };
        let mut counted: Vec<(u64, &str)> =
            holding.held.iter().map(|held| (uraniborg::weight(held.permission), held.permission)).collect();
        counted.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        counted.dedup();
        let words: Vec<String> = counted
            .iter()
            .filter(|(weight, _)| *weight > 0)
            .map(|(weight, name)| format!("{name} ({})", tenths(*weight)))
            .collect();
        let says = words!(
            "{name}: {weight} for {list}",
            "{name}: {weight} за {list}",
            name,
            weight = tenths(weight),
            list = words.join(", ")
        );
        proof.push(Proof::new(holding.evidence, says));
    }
    for (name, _) in copies(&score.cleartext) {
        let copy = inventory.package(&name).and_then(Package::active);
        if let Some(evidence) = copy.and_then(|copy| copy.manifest.evidence()) {
            proof.push(Proof::new(
                evidence,
                words!("{name}: may send unencrypted", "{name}: может передавать без шифрования", name),
            ));
        }
    }
    proof
}

/// Why the score is a range: how many packages lack what.
fn unknowns(subjects: &[Subject<'_>]) -> Vec<Words> {
    let count = |unknown: fn(&Subject<'_>) -> bool| subjects.iter().filter(|subject| unknown(subject)).count();
    let facts = [
        (phrase("code", "код"), count(|subject| subject.has_code.is_none())),
        (phrase("signer", "ключ подписи"), count(|subject| subject.platform_signed.is_none())),
        (
            phrase("permissions", "разрешения"),
            count(|subject| subject.may_hold.iter().any(|name| uraniborg::weight(name) > 0)),
        ),
        (phrase("components", "компоненты"), count(|subject| subject.components.is_none())),
        (phrase("traffic", "трафик"), count(|subject| subject.cleartext.is_none())),
    ];
    let lacking = facts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| {
        let packages = OF_PACKAGES.count(*count);
        words!("{what} of {packages}", "{what} у {packages}", what, packages)
    });
    vec![words!("Not known: {list}.", "Неизвестно: {list}.", list = Words::joined(lacking, ", "))]
}

/// Hundredths, rounded.
fn rounded(millionths: u64) -> u64 {
    (millionths + HUNDREDTH / 2) / HUNDREDTH
}

fn in_words(range: Range) -> Words {
    let (low, high) = (hundredths(rounded(range.low)), hundredths(rounded(range.high)));
    if low == high { Words::plain(low) } else { words!("{low} to {high}", "от {low} до {high}", low, high) }
}

fn hundredths(number: u64) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

fn tenths(number: u64) -> String {
    if number.is_multiple_of(10) { (number / 10).to_string() } else { format!("{}.{}", number / 10, number % 10) }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{
        app, evidence, grants, image, known, phone, phone_app, predicted, signer, unknown, with, with_hidden_partition,
    };
    use super::super::tests::{expect, refusal};
    use super::super::{Reason, Verdict};
    use crate::inventory::{Inventory, ManifestFacts, Outcome, Package};

    const KIND: &str = "uraniborg-score";
    const CAMERA: &str = "android.permission.CAMERA";
    const INTERNET: &str = "android.permission.INTERNET";

    fn told(name: &str, permissions: &[&str], cleartext: bool) -> Package {
        let mut package = phone_app(name);
        package.grants = grants(permissions);
        package.copies[0].manifest = known(ManifestFacts { cleartext: Some(cleartext), ..Default::default() });
        package
    }

    fn platform(name: &str) -> Package {
        let mut package = told(name, &[], false);
        package.copies[0].signers = known(vec![signer('f')]);
        package
    }

    /// A phone with a package of the maker that has the platform's key beside one of the generic image, and an app that may
    /// use the camera and send unencrypted beside one of the generic image.
    fn device() -> Inventory {
        let mut device = with(
            phone(),
            [
                platform("android"),
                platform("com.android.settings"),
                platform("com.maker.tool"),
                told("com.maker.camera", &[CAMERA, INTERNET], true),
                told("com.android.contacts", &[CAMERA], false),
            ],
        );
        device.device.manufacturer = known("Orion".to_owned());
        device
    }

    #[test]
    fn the_score_is_told_with_its_parts_and_held_against_a_bound() {
        let told = expect(KIND, "", &device(), Verdict::Informational, None);
        // Half of 6, half of 3, all of 1.
        let words = "Uraniborg-compatible score 5.50 of 10, without Google's apps: platform signature 3.00 of 6, permissions 1.50 \
                     of 3, cleartext 1.00 of 1";
        assert_eq!(told.observed, words);
        let says: Vec<&str> = told.proof.iter().map(|proof| &*proof.says).collect();
        let expected = [
            "lists 5 packages",
            "com.maker.tool: signed with the platform's key",
            "com.maker.camera: 10 for android.permission.CAMERA (10)",
            "com.maker.camera: may send unencrypted",
        ];
        assert_eq!(says, expected);
        assert_eq!(told.proof[1].evidence, evidence().at("a place"));
        expect(KIND, "max = 5.5", &device(), Verdict::Pass, None);
        expect(KIND, "max = 5.49", &device(), Verdict::Fail, Some(Reason::ScoreAbove));
        expect(KIND, "max = 6", &device(), Verdict::Pass, None);
    }

    #[test]
    fn what_is_unknown_makes_a_range_which_passes_only_as_a_whole() {
        let mut open = device();
        if let crate::inventory::Fact::Known { value, .. } = &mut open.packages {
            value.iter_mut().for_each(|package| package.copies[0].manifest = unknown());
        }
        let unsettled = Some(Reason::UnknownFact);
        let found = expect(KIND, "", &open, Verdict::Inconclusive, unsettled);
        assert!(found.observed.contains("cleartext 0.00 to 1.00 of 1"), "{found:#?}");
        assert!(found.notes.iter().any(|note| note == "Not known: components of 5 packages, traffic of 5 packages."));
        expect(KIND, "max = 10", &open, Verdict::Pass, None);
        expect(KIND, "max = 5.5", &open, Verdict::Inconclusive, unsettled);
        expect(KIND, "max = 2", &open, Verdict::Fail, Some(Reason::ScoreAbove));
    }

    #[test]
    fn an_image_is_scored_by_the_prediction() {
        let mut camera = app("com.maker.camera");
        camera.predicted_grants = known(vec![predicted(CAMERA, Outcome::Granted, false)]);
        camera.copies[0].manifest = known(ManifestFacts { cleartext: Some(false), ..Default::default() });
        let mut android = app("android");
        android.copies[0].signers = known(vec![signer('f')]);
        android.copies[0].manifest = known(ManifestFacts { cleartext: Some(false), ..Default::default() });
        android.predicted_grants = known(Vec::new());
        let mut device = with(image(), [android, camera]);
        device.device.manufacturer = known("Orion".to_owned());
        let found = expect(KIND, "", &device, Verdict::Informational, None);
        assert!(found.observed.contains("score 3.00 of 10"), "{found:#?}");
        assert!(found.notes.iter().any(|note| note.starts_with("Predicted from the image")), "{found:#?}");
    }

    #[test]
    fn without_a_generic_image_or_with_hidden_packages_there_is_no_score() {
        let open = Some(Reason::UnknownFact);
        let change = |change: fn(&mut Inventory)| {
            let mut device = device();
            change(&mut device);
            expect(KIND, "max = 10", &device, Verdict::Inconclusive, open)
        };
        assert!(change(|device| device.device.sdk = known(31)).notes[0].ends_with("29, 30, 33, 34, 35."));
        change(|device| device.device.sdk = unknown());
        change(|device| device.device.manufacturer = unknown());
        let hidden = with_hidden_partition(device());
        expect(KIND, "max = 10", &hidden, Verdict::Inconclusive, Some(Reason::IncompleteEvidence));
        expect(KIND, "max = 10", &phone(), Verdict::NotApplicable, Some(Reason::NothingMatched));
        assert_eq!(refusal(KIND, "max = 11"), "`max` is above 10, expected a score from 0 to 10");
        assert_eq!(refusal(KIND, "max = 5.555"), "`max` is 5.555, expected a number from 0 with at most two decimals");
        assert_eq!(refusal(KIND, "max = -1.5"), "`max` is -1.5, expected a number from 0 with at most two decimals");
        assert_eq!(refusal(KIND, "max = \"5\""), "`max` is text, expected a number from 0 with at most two decimals");
    }
}
