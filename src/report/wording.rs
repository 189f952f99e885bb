//! Codes, dates and devices in words: shared by the formats for people.

use std::borrow::Cow;

use super::phrases::{self as say, Lang, Noun, Phrase};
use crate::assess::{Assessment, Baseline, Counts, Finding, FindingEvidence, Governing, Overall, Text, Wording};
use crate::check::{Reason, Verdict};
use crate::inventory::{Device, Gap, GapReason, Hides, RemovabilityGrade};

pub(super) fn overall(overall: Overall) -> Phrase {
    match overall {
        Overall::Compliant => say::COMPLIANT,
        Overall::NotCompliant => say::NOT_COMPLIANT,
        Overall::Inconclusive => say::OVERALL_INCONCLUSIVE,
    }
}

pub(super) fn unread(temporary: bool) -> Phrase {
    if temporary { say::NOT_READ_TRY_AGAIN } else { say::NOT_READ }
}

pub(super) fn verdict(verdict: Verdict) -> Phrase {
    match verdict {
        Verdict::Fail => say::FAIL,
        Verdict::Inconclusive => say::INCONCLUSIVE,
        Verdict::Error => say::ERROR,
        Verdict::NotChecked => say::NOT_CHECKED,
        Verdict::Pass => say::PASS,
        Verdict::Informational => say::INFO,
        Verdict::NotApplicable => say::NOT_APPLICABLE,
    }
}

pub(super) fn reason(reason: Reason) -> Phrase {
    match reason {
        Reason::Absent => say::ABSENT,
        Reason::LookAlike => say::LOOK_ALIKE,
        Reason::Stub => say::STUB,
        Reason::Present => say::PRESENT,
        Reason::NotEnabled => say::NOT_ENABLED,
        Reason::AboveCeiling => say::ABOVE_CEILING,
        Reason::MethodNotObservable => say::METHOD_NOT_OBSERVABLE,
        Reason::ProvenanceUnclear => say::PROVENANCE_UNCLEAR,
        Reason::GoverningDate => say::GOVERNING_DATE,
        Reason::IncompleteEvidence => say::INCOMPLETE_EVIDENCE,
        Reason::UnknownFact => say::UNKNOWN_FACT,
        Reason::OutOfDate => say::OUT_OF_DATE,
        Reason::OtherDeviceKind => say::OTHER_DEVICE_KIND,
        Reason::OtherOsFlavour => say::OTHER_OS_FLAVOUR,
        Reason::TooFew => say::TOO_FEW,
        Reason::NotPreinstalled => say::NOT_PREINSTALLED,
        Reason::OutOfRange => say::OUT_OF_RANGE,
        Reason::NotVisible => say::NOT_VISIBLE,
        Reason::WrongSigner => say::WRONG_SIGNER,
        Reason::ForbiddenSigner => say::FORBIDDEN_SIGNER,
        Reason::PublishedKey => say::PUBLISHED_KEY,
        Reason::Privileged => say::PRIVILEGED,
        Reason::PlatformSigned => say::PLATFORM_SIGNED,
        Reason::SharedUser => say::SHARED_USER,
        Reason::BelowFloor => say::BELOW_FLOOR,
        Reason::NotAtPar => say::NOT_AT_PAR,
        Reason::Exported => say::EXPORTED,
        Reason::SystemHook => say::SYSTEM_HOOK,
        Reason::ManifestFlag => say::MANIFEST_FLAG,
        Reason::ContainsCode => say::CONTAINS_CODE,
        Reason::NativeCode => say::NATIVE_CODE,
        Reason::UnknownPlace => say::UNKNOWN_PLACE,
        Reason::InstallerAgent => say::INSTALLER_AGENT,
        Reason::BuildProperties => say::BUILD_PROPERTIES,
        Reason::TooOld => say::TOO_OLD,
        Reason::NotRemovable => say::NOT_REMOVABLE,
        Reason::Removable => say::REMOVABLE,
        Reason::LostOnReset => say::LOST_ON_RESET,
        Reason::SeveralUnremovable => say::SEVERAL_UNREMOVABLE,
        Reason::OtherRoleHolder => say::OTHER_ROLE_HOLDER,
        Reason::WorsePlacement => say::WORSE_PLACEMENT,
        Reason::ExpressionFalse => say::EXPRESSION_FALSE,
        Reason::ExpressionError => say::EXPRESSION_ERROR,
        Reason::ScoreAbove => say::SCORE_ABOVE,
        Reason::AttestedBreach => say::ATTESTED_BREACH,
        Reason::NothingMatched => say::NOTHING_MATCHED,
        Reason::OtherVersion => say::OTHER_VERSION,
        Reason::OtherMarket => say::OTHER_MARKET,
        Reason::OtherSdk => say::OTHER_SDK,
    }
}

pub(super) fn gap_reason(reason: GapReason) -> Phrase {
    match reason {
        GapReason::NotObserved => say::NOT_OBSERVED,
        GapReason::Missing => say::MISSING,
        GapReason::Refused => say::REFUSED,
        GapReason::Truncated => say::TRUNCATED,
        GapReason::TimedOut => say::TIMED_OUT,
        GapReason::TooLarge => say::TOO_LARGE,
        GapReason::Damaged => say::DAMAGED,
        GapReason::Unsupported => say::UNSUPPORTED,
        GapReason::Failed => say::FAILED,
        GapReason::Disconnected => say::DISCONNECTED,
        GapReason::Contradiction => say::CONTRADICTION,
    }
}

pub(super) fn removability(grade: RemovabilityGrade) -> Phrase {
    match grade {
        RemovabilityGrade::UserRemovable => say::USER_REMOVABLE,
        RemovabilityGrade::ReturnsAfterReset => say::RETURNS_AFTER_RESET,
        RemovabilityGrade::DisableOnly => say::DISABLE_ONLY,
        RemovabilityGrade::StubUpdatesItself => say::STUB_UPDATES_ITSELF,
        RemovabilityGrade::NotRemovable => say::FIXED,
    }
}

pub(super) fn hides(hides: Hides) -> Phrase {
    match hides {
        Hides::Packages => say::HIDES_PACKAGES,
        Hides::Users => say::HIDES_USERS,
        Hides::Facts => say::HIDES_FACTS,
    }
}

/// A rule's status; `None` for one that this version does not know.
pub(super) fn status(status: &str) -> Option<Phrase> {
    Some(match status {
        "mandatory" => say::MANDATORY,
        "contractual" => say::CONTRACTUAL,
        "policy" => say::POLICY,
        "advisory" => say::ADVISORY,
        _ => return None,
    })
}

pub(super) fn baseline(baseline: Baseline) -> Phrase {
    match baseline {
        Baseline::New => say::NEW,
        Baseline::Known => say::KNOWN_BEFORE,
    }
}

/// A profile's text, in English where it has no other.
pub(super) fn text(text: &Text, lang: Lang) -> &str {
    match (lang, &text.ru) {
        (Lang::Ru, Some(ru)) => ru,
        _ => &text.en,
    }
}

/// `19 failed, 11 not applicable`.
pub(super) fn counts(counts: &Counts, lang: Lang) -> String {
    let noun = |count: u32, noun: Noun| (count > 0).then(|| noun.count(u64::from(count), lang));
    let aside: Vec<String> = [noun(counts.waived, say::COUNTED_WAIVED), noun(counts.known, say::COUNTED_KNOWN)]
        .into_iter()
        .flatten()
        .collect();
    let failed = noun(counts.fail, say::COUNTED_FAIL)
        .map(|failed| if aside.is_empty() { failed } else { format!("{failed} ({})", aside.join(", ")) });
    let rest = [
        (counts.inconclusive, say::COUNTED_INCONCLUSIVE),
        (counts.error, say::COUNTED_ERROR),
        (counts.not_checked, say::COUNTED_NOT_CHECKED),
        (counts.pass, say::COUNTED_PASS),
        (counts.informational, say::COUNTED_INFORMATIONAL),
        (counts.not_applicable, say::COUNTED_NOT_APPLICABLE),
    ];
    let words: Vec<String> =
        failed.into_iter().chain(rest.into_iter().filter_map(|(count, form)| noun(count, form))).collect();
    if words.is_empty() { say::NOTHING_JUDGED.say(lang).to_owned() } else { words.join(", ") }
}

/// Brand and model; what is not known is left out.
pub(super) fn model(device: &Device, lang: Lang) -> String {
    let known: Vec<&str> =
        [&device.brand, &device.model].into_iter().filter_map(|fact| fact.known().map(String::as_str)).collect();
    if known.is_empty() { say::UNKNOWN_DEVICE.say(lang).to_owned() } else { known.join(" ") }
}

/// Brand, model, Android's version, fingerprint.
pub(super) fn device(device: &Device, lang: Lang) -> String {
    let release = device.release.known().map(|release| format!(", Android {release}")).unwrap_or_default();
    let fingerprint = device.fingerprint.known().map(|print| format!(", {print}")).unwrap_or_default();
    format!("{}{release}{fingerprint}", model(device, lang))
}

/// `ru/smartphone 2026.1 (Russia: ...)`, without its digest.
pub(super) fn profile(assessment: &Assessment, lang: Lang) -> String {
    let profile = &assessment.profile;
    format!("{} {} ({})", profile.id, profile.version, text(&profile.title, lang))
}

/// Dates and kind that were assumed.
pub(super) fn judged(assessment: &Assessment, lang: Lang) -> String {
    let context = &assessment.context;
    let mut words = format!("{} {}", say::AS_OF.say(lang), context.as_of);
    for (word, date) in [(say::MADE, &context.made), (say::SOLD, &context.sold)] {
        if let Some(date) = date {
            words.push_str(&format!(", {} {date}", word.say(lang)));
        }
    }
    if let Some(market) = &context.market {
        words.push_str(&format!(", {market}"));
    }
    if let Some(kind) = context.kind {
        words.push_str(&format!(", {}", kind.as_str()));
    }
    if let Some(flavour) = context.os_flavour {
        words.push_str(&format!(", {}", flavour.as_str()));
    }
    words
}

/// Why a verdict is inconclusive that no finding explains; `None` where one does, or it is another verdict.
pub(super) fn unexplained(assessment: &Assessment, lang: Lang) -> Option<String> {
    let counts = &assessment.counts;
    let open = counts.inconclusive + counts.error + counts.not_checked;
    (assessment.overall == Overall::Inconclusive && open == 0).then(|| match assessment.coverage_gaps.len() as u64 {
        0 => say::NO_RULE_SETTLED.say(lang).to_owned(),
        gaps => {
            let (what, below) = (say::READING_INCOMPLETE.say(lang), say::BELOW.say(lang));
            format!("{what}: {} {below}", say::GAPS.count(gaps, lang))
        }
    })
}

pub(super) fn governing(governing: &Governing, lang: Lang) -> String {
    let bound = |word: Phrase, day: &Option<String>| day.as_ref().map(|day| format!("{} {day}", word.say(lang)));
    let window: Vec<String> =
        [bound(say::FROM, &governing.from), bound(say::UNTIL, &governing.until)].into_iter().flatten().collect();
    let window = window.join(" ");
    match (&governing.date, lang) {
        (Some(date), Lang::En) => format!("{window}; {date} ({}) {}", governing.basis, say::GOVERNS.say(lang)),
        (Some(date), Lang::Ru) => format!("{window}; {} — {date} ({})", say::GOVERNS.say(lang), governing.basis),
        (None, _) => format!("{window}; {}: {}", say::WHICH_GOVERNS.say(lang), governing.basis),
    }
}

pub(super) fn law(finding: &Finding, lang: Lang) -> String {
    let legal = &finding.legal;
    let (instrument, article) = match russian(finding, lang) {
        Some(russian) => (&russian.instrument, &russian.article),
        None => (&legal.instrument, &legal.article),
    };
    let article = article.as_ref().map(|article| format!(", {article}")).unwrap_or_default();
    format!("{instrument}{article} ({} {})", say::CONFIDENCE.say(lang), legal.confidence)
}

/// How an inferred rule was inferred.
pub(super) fn confidence_note(finding: &Finding, lang: Lang) -> Option<&String> {
    match russian(finding, lang) {
        Some(russian) => russian.confidence_note.as_ref(),
        None => finding.legal.confidence_note.as_ref(),
    }
}

/// The finding's own words in Russian, where that is asked for and they are there.
fn russian(finding: &Finding, lang: Lang) -> Option<&Wording> {
    finding.russian.as_deref().filter(|_| lang == Lang::Ru)
}

/// What the rule wants.
pub(super) fn expected(finding: &Finding, lang: Lang) -> &str {
    russian(finding, lang).map_or(&finding.expected, |russian| &russian.expected)
}

/// What was found.
pub(super) fn observed(finding: &Finding, lang: Lang) -> &str {
    russian(finding, lang).map_or(&finding.observed, |russian| &russian.observed)
}

/// Caveats. Where a file has not as many in Russian, those in English are all there are.
pub(super) fn notes(finding: &Finding, lang: Lang) -> &[String] {
    let russian = russian(finding, lang).map(|russian| &russian.notes);
    russian.filter(|notes| notes.len() == finding.notes.len()).unwrap_or(&finding.notes)
}

/// What stands in each piece of evidence.
pub(super) fn says(finding: &Finding, lang: Lang) -> Vec<&str> {
    let russian = russian(finding, lang).map(|russian| &russian.evidence);
    match russian.filter(|says| says.len() == finding.evidence.len()) {
        Some(says) => says.iter().map(String::as_str).collect(),
        None => finding.evidence.iter().map(|piece| piece.says.as_str()).collect(),
    }
}

/// Each piece of evidence: its place, and what stands there.
pub(super) fn evidence(finding: &Finding, lang: Lang) -> Vec<(String, &str)> {
    finding.evidence.iter().map(|piece| place_in(piece, lang)).zip(says(finding, lang)).collect()
}

/// The waiver, the attestation and the place beside a baseline, each with its name.
pub(super) fn overlays(finding: &Finding, lang: Lang) -> Vec<(Phrase, String)> {
    let mut rows = Vec::new();
    if let Some(waiver) = &finding.waiver {
        let ticket = waiver.ticket.as_ref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
        let words = format!(
            "{} {} {}: {} ({} {}, {} {}{ticket})",
            waiver.id,
            say::WAIVED_UNTIL.say(lang),
            waiver.expires,
            waiver.reason,
            say::OWNER.say(lang),
            waiver.owner,
            say::APPROVED_BY.say(lang),
            waiver.approved_by
        );
        rows.push((say::WAIVER, words));
    }
    if let Some(person) = &finding.attestation {
        let note = person.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let words = format!("{} {}, {} {}{note}", person.operator, person.on, say::UNTIL.say(lang), person.expires);
        rows.push((say::ATTESTED, words));
    }
    if let Some(place) = finding.baseline {
        rows.push((say::BASELINE, baseline(place).say(lang).to_owned()));
    }
    rows
}

/// How much was read, in a word.
pub(super) fn completeness(gaps: &[Gap], lang: Lang) -> String {
    let hiding = gaps.iter().filter(|gap| gap.hides == Hides::Packages).count() as u64;
    match (hiding, gaps.len() as u64) {
        (0, 0) => say::COMPLETE.say(lang).to_owned(),
        (0, gaps) => format!("{}, {}", say::LIST_COMPLETE.say(lang), say::OTHER_GAPS.count(gaps, lang)),
        (hiding, _) => format!(
            "{}: {} {}",
            say::INCOMPLETE.say(lang),
            say::GAPS.count(hiding, lang),
            say::MAY_HIDE.form(hiding, lang)
        ),
    }
}

/// Where a piece of evidence stands.
pub(super) fn place(evidence: &FindingEvidence) -> String {
    place_in(evidence, Lang::En)
}

/// Where a piece of evidence stands, in a language.
pub(super) fn place_in(evidence: &FindingEvidence, lang: Lang) -> String {
    match &evidence.at {
        Some(at) => format!("{}, {}", evidence.source, within(at, lang)),
        None => evidence.source.clone(),
    }
}

/// The place within a source: lines are called so in every language, all else is as the source has it.
pub(super) fn within(at: &str, lang: Lang) -> Cow<'_, str> {
    let line = at.strip_prefix("line ").filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    match (line, lang) {
        (Some(number), Lang::Ru) => Cow::Owned(format!("{} {number}", say::LINE.say(lang))),
        _ => Cow::Borrowed(at),
    }
}
