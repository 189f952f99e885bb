//! What every format of the registry must do. A new format is held to it as soon as it is in the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use preloaded::report::{self, Carries, Identity, Lang, Run, Style};

use super::made::{self, HOSTILE};

/// Holds a rendering against its golden file, which is stored compressed; with `UPDATE_GOLDEN` set it is written instead.
fn golden(name: &str, content: &str) {
    let path: PathBuf = made::root().join("tests/data/reports").join(format!("{name}.gz"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let mut file = flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::best());
        file.write_all(content.as_bytes()).unwrap();
        file.finish().unwrap();
    }
    let stored =
        fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}: UPDATE_GOLDEN=1 writes it", path.display()));
    let mut expected = String::new();
    flate2::read::GzDecoder::new(stored).read_to_string(&mut expected).unwrap();
    if expected != content {
        let differing = expected.lines().zip(content.lines()).enumerate().find(|(_, (a, b))| a != b);
        panic!("{name} differs from its golden file (UPDATE_GOLDEN=1 writes it), first in line {differing:#?}");
    }
}

#[test]
fn every_format_of_every_sample_is_as_before() {
    for sample in made::SAMPLES {
        let run = made::sample(sample);
        for format in report::FORMATS {
            golden(&format!("{sample}.{}", format.name()), &made::render(*format, &run));
        }
        for name in ["text", "markdown", "html"] {
            let style = Style { lang: Lang::Ru, ..Style::default() };
            golden(&format!("{sample}.{name}.ru"), &made::render_as(made::format(name), &run, &style));
        }
    }
}

#[test]
fn every_format_of_findings_has_each_exactly_once_and_those_of_packages_have_none() {
    let run = made::every_verdict();
    let count = made::findings(&run);
    assert!(count >= 4 * 7, "a finding of each verdict, some waived or known");
    for format in report::FORMATS {
        let text = made::render(*format, &run);
        for index in 0..count {
            // The text for terminals lists rules that do not apply by their names alone.
            let token = if format.name() == "text" { made::rule(index) } else { made::observed(index) };
            let expected = usize::from(format.carries() != Carries::Packages);
            assert_eq!(text.matches(&token).count(), expected, "{} has {token}", format.name());
        }
    }
}

#[test]
fn a_report_in_russian_has_each_finding_exactly_once_in_russian() {
    let run = made::every_verdict();
    let style = Style { lang: Lang::Ru, ..Style::default() };
    for name in ["markdown", "html"] {
        let text = made::render_as(made::format(name), &run, &style);
        for index in 0..made::findings(&run) {
            assert_eq!(text.matches(&made::observed_in_russian(index)).count(), 1, "{name}: {index}");
        }
    }
    // One that was written without them, or with fewer notes than there are, shows the others: nothing is lost.
    let mut older = run;
    let report::TargetResult::Judged { assessment, .. } = &mut older.targets[0].result else { panic!("it was judged") };
    for (index, finding) in assessment.findings.iter_mut().enumerate() {
        finding.notes.push(format!("note-{index:04}-end"));
        if index % 2 == 0 {
            finding.russian = None;
        }
    }
    let count = assessment.findings.len();
    for name in ["markdown", "html"] {
        let text = made::render_as(made::format(name), &older, &style);
        for index in 0..count {
            // Markdown lists findings that ask nothing without their notes.
            let told = text.contains(&format!("note-{index:04}-end"));
            assert!(told || name == "markdown", "{name}: {index}");
        }
    }
}

#[test]
fn a_page_of_many_devices_has_each_finding_of_each_once_and_every_link_on_it_leads_somewhere() {
    let mut run = made::every_verdict();
    let count = made::findings(&run);
    let model = run.targets.remove(0);
    let rows: usize = model.inventory.as_ref().unwrap().packages.known().unwrap().len();
    let devices = 4_000 / rows + 2;
    for device in 0..devices {
        let mut report = model.clone();
        report.target.name = format!("phone-{}", device + 1);
        let report::TargetResult::Judged { assessment, .. } = &mut report.result else { panic!("it was judged") };
        for finding in &mut assessment.findings {
            finding.observed.push_str(&format!("-of-{device}."));
            finding.russian.as_mut().unwrap().observed.push_str(&format!("-of-{device}."));
            // One device is judged on another day than the others.
            if device == 1 {
                finding.expected.push_str(&format!(" for {} alone", finding.rule));
                finding.russian.as_mut().unwrap().notes.iter_mut().for_each(|note| note.push_str(", на другой день"));
            }
        }
        run.targets.push(report);
    }
    let text = made::render(made::format("html"), &run);
    assert!(text.contains("<p class=\"line pass\">"), "findings that ask nothing are lines");
    let mut said: BTreeMap<String, usize> = BTreeMap::new();
    for token in text.split(['>', '<', ' ', ';', '"']).filter(|token| token.contains("-of-") || token.starts_with('d'))
    {
        *said.entry(token.to_owned()).or_default() += 1;
    }
    for (device, index) in (0..devices).flat_map(|device| (0..count).map(move |index| (device, index))) {
        for observed in [made::observed(index), made::observed_in_russian(index)] {
            assert_eq!(said.get(&format!("{observed}-of-{device}.")), Some(&1), "{observed} of device {device}");
        }
        assert_eq!(said.get(&format!("d{}-{}", device + 1, index + 1)), Some(&1));
    }
    let report::TargetResult::Judged { assessment, .. } = &model.result else { panic!("it was judged") };
    for finding in &assessment.findings {
        // What several devices say alike stands once or more, and what one says alone stands with it.
        for said in finding.notes.iter().chain(&finding.russian.as_ref().unwrap().notes).chain([&finding.expected]) {
            assert!(text.contains(&said.replace('\'', "&#39;")), "{}: {said}", finding.rule);
        }
        assert!(text.contains(&format!(" for {} alone", finding.rule)), "{}", finding.rule);
        assert!(finding.notes.is_empty() || text.contains(", на другой день"));
    }
    let places: BTreeSet<&str> = text.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for link in text.split(" href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(places.contains(link), "nothing is at #{link}");
    }
}

/// Words that an English sentence can hardly do without.
const ENGLISH: [&str; 20] = [
    "the", "is", "are", "not", "of", "and", "in", "for", "no", "at", "by", "was", "it", "has", "have", "with", "from",
    "on", "none", "among",
];

#[test]
fn what_findings_say_is_written_in_russian_too() {
    let mut sentences = 0;
    for sample in made::SAMPLES {
        let run = made::sample(sample);
        let report::TargetResult::Judged { assessment, .. } = &run.targets[0].result else { panic!("it was judged") };
        for finding in &assessment.findings {
            let russian = finding.russian.as_ref().unwrap_or_else(|| panic!("{} has no Russian", finding.rule));
            assert_eq!(russian.notes.len(), finding.notes.len(), "{}", finding.rule);
            assert_eq!(russian.evidence.len(), finding.evidence.len(), "{}", finding.rule);
            let own = [&russian.expected, &russian.observed].into_iter().chain(&russian.notes).chain(&russian.evidence);
            // What could not be read is said in the words of the system that refused.
            for text in own.filter(|text| !text.starts_with("не прочитано: ")) {
                let english = text.split(|c: char| !c.is_alphanumeric()).find(|word| ENGLISH.contains(word));
                assert_eq!(english, None, "{}: {text}", finding.rule);
                sentences += usize::from(text.chars().any(|c| ('а'..='я').contains(&c)));
            }
        }
    }
    assert!(sentences > 200, "{sentences} sentences");
}

#[test]
fn no_format_passes_over_a_target_that_was_not_read() {
    let mut run = made::sample("orion-p1-phone");
    run.targets.push(made::unread("the-error-of-the-second"));
    for format in report::FORMATS {
        let text = made::render(*format, &run);
        assert!(text.contains("the-error-of-the-second"), "{}", format.name());
    }
    run.targets.remove(0);
    for format in report::FORMATS {
        assert!(made::render(*format, &run).contains("the-error-of-the-second"), "{} of it alone", format.name());
    }
}

#[test]
fn no_format_passes_over_a_gap_that_leaves_the_verdict_open() {
    let run = made::incomplete("the-place-of-the-gap");
    for format in report::FORMATS {
        let text = made::render(*format, &run);
        assert!(text.contains("the-place-of-the-gap"), "{}", format.name());
    }
    let sarif: serde_json::Value = serde_json::from_str(&made::render(made::format("sarif"), &run)).unwrap();
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert!(made::render(made::format("junit"), &run).contains(r#"errors="1""#));
    assert!(made::render(made::format("spdx"), &run).contains(r#""completeness": "incomplete""#));
    assert!(made::render(made::format("cyclonedx"), &run).contains(r#""aggregate": "incomplete""#));
    assert!(made::render(made::format("xccdf"), &run).contains(">0</score>"));
}

#[test]
fn a_waived_failure_stays_a_failure_that_somebody_answers_for() {
    let run = made::every_verdict();
    for format in report::FORMATS.iter().filter(|format| format.carries() != Carries::Packages) {
        let text = made::render(*format, &run);
        assert!(text.contains("W-1") && text.contains("2026-12-31"), "{}", format.name());
    }
    assert!(made::render(made::format("text"), &run).contains("FAIL (WAIVED)  RULE-0000"));
}

#[test]
fn hostile_text_stays_text_in_every_format() {
    let run = made::hostile();
    for format in report::FORMATS {
        let text = made::render(*format, &run);
        let json = text.starts_with('{');
        let control =
            |c: &char| c.is_control() && !matches!(c, '\n') && !(format.name().starts_with("csv") && *c == '\r');
        assert_eq!(text.chars().find(control), None, "{} has a control mark", format.name());
        if json {
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        } else {
            assert!(!text.contains('\u{202e}'), "{} turns writing around", format.name());
        }
        if !json && format.name() != "text" && !format.name().starts_with("csv") {
            assert!(!text.contains("<script>document") && !text.contains("<img"), "{} has markup", format.name());
        }
        if format.name().starts_with("csv") {
            let formula =
                text.split([',', '\n']).find(|cell| cell.trim_matches('"').trim_start().starts_with(['=', '@']));
            assert_eq!(formula, None, "{} has a formula", format.name());
        }
    }
    assert!(made::render(made::format("json"), &run).contains(&serde_json::to_string(HOSTILE).unwrap()));
}

#[test]
fn parts_of_a_report_have_every_target_once_and_junit_is_cut_where_gitlab_would_refuse_it() {
    let mut run = made::sample("orion-p1-phone");
    run.targets[0].inventory = None;
    for format in report::FORMATS {
        assert_eq!(format.parts(&run), std::slice::from_ref(&(0..1)), "{}", format.name());
        assert_eq!(
            format.parts(&Run { targets: Vec::new(), ..run.clone() }),
            std::slice::from_ref(&(0..0)),
            "{}",
            format.name()
        );
    }
    run.targets = vec![run.targets[0].clone(); 1300];
    let junit = made::format("junit");
    let parts = junit.parts(&run);
    assert!(parts.len() > 1 && parts[0].start == 0 && parts.last().unwrap().end == 1300, "{parts:?}");
    assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start && !pair[1].is_empty()), "{parts:?}");
    for part in &parts {
        let text = made::render(junit, &Run { targets: run.targets[part.clone()].to_vec(), ..run.clone() });
        assert!(text.len() < 30_000_000, "{} bytes", text.len());
        // Elements, attributes and texts: what a parser holds of it.
        let objects = text.matches('<').count() + text.matches("=\"").count();
        assert!(objects < 250_000, "{objects} objects");
    }
    // One suite above the bound stands alone: nothing is left out.
    let giant = "x".repeat(30_000_000);
    run.targets.truncate(3);
    run.targets[1] = made::unread(&giant);
    assert_eq!(junit.parts(&run), [0..1, 1..2, 2..3]);
}

#[test]
fn rendering_needs_no_target_and_no_inventory() {
    let empty = Run { targets: Vec::new(), ..made::sample("orion-p1-phone") };
    let mut slim = made::sample("orion-p1-phone");
    slim.targets[0].inventory = None;
    for format in report::FORMATS {
        assert!(!made::render(*format, &empty).is_empty(), "{}", format.name());
        assert!(!made::render(*format, &slim).is_empty(), "{}", format.name());
    }
    assert!(!slim.has_inventories() && made::sample("orion-p1-phone").has_inventories());
}

#[test]
fn formats_are_named_apart_and_explained() {
    let names: BTreeSet<&str> = report::FORMATS.iter().map(|format| format.name()).collect();
    assert_eq!(names.len(), report::FORMATS.len());
    for format in report::FORMATS {
        assert!(!format.name().contains(['=', ' ', '/']) && !format.about().is_empty());
    }
}

#[test]
fn two_phones_never_bear_one_name() {
    for identity in [Identity::Hidden, Identity::Plain, Identity::Keyed(b"0123456789abcdef".to_vec())] {
        let mut run = made::sample("orion-p1-phone");
        let again = run.targets[0].clone();
        run.targets.push(again);
        identity.apply(&mut run);
        assert_ne!(run.targets[0].target.name, run.targets[1].target.name, "{identity:?}");
        let inventory = run.targets[1].inventory.as_ref().unwrap();
        assert_eq!(inventory.target.name, run.targets[1].target.name);
    }
}

#[test]
fn russian_reports_have_no_english_phrase_of_ours() {
    let style = Style { lang: Lang::Ru, ..Style::default() };
    let text = made::render_as(made::format("text"), &made::sample("orion-p1-phone"), &style);
    let labels: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("    ")?.split("  ").next()).collect();
    for word in ["expected", "observed", "where", "in force", "law", "note", "do", "device", "profile", "judged"] {
        assert!(!labels.contains(&word), "{word} in:\n{text}");
    }
    for word in ["COMPLIANT", "FAIL", "PASS", "Coverage", "NOT APPLICABLE"] {
        assert!(!text.contains(word), "{word} in:\n{text}");
    }
    assert!(text.starts_with("НЕ СООТВЕТСТВУЕТ  "), "{text}");
}
