//! Runs to render: the samples of the project, and runs made of them that no real device would give.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use preloaded::assess::{Baseline, Overall, WaiverRef};
use preloaded::check::Verdict;
use preloaded::inventory::{Fact, Gap, GapReason, Hides};
use preloaded::report::{self, ReportFormat, Run, Style, TargetReport, TargetResult};

/// The samples with what their targets are called.
pub(crate) const SAMPLES: [&str; 2] = ["orion-p1-firmware", "orion-p1-phone"];

/// Text that tries to leave the place where it is put: markup, scripts, quotes, ends of comments and sections, escape
/// sequences, marks that turn writing around, formulas, references, placeholders.
pub(crate) const HOSTILE: &str = "</script><script>document.title='PWNED'</script><img src=x onerror=\"document.title='PWNED'\"> \
     \"'`]]>--> =cmd|' /C calc'!A0 \u{1b}[2J\u{202e}\u{2066}\u{0}\u{ffff} &lt;&#0; {0} [x](javascript:alert(1)) @all #1 | a\r\nb";

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the program in the project's root, in English and with no key or language of the tester's.
pub(crate) fn preloaded(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_preloaded"))
        .args(arguments)
        .current_dir(root())
        .env_remove("COLUMNS")
        .env_remove("PRELOADED_ID")
        .env_remove("PRELOADED_ID_KEY")
        .env("ANDROID_ADB_SERVER_PORT", "1")
        .env("NO_COLOR", "1")
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

/// The report of a sample, as `tests/samples.rs` holds it.
pub(crate) fn sample(name: &str) -> Run {
    let path = root().join("samples").join(format!("{name}.report.json"));
    report::parse(&std::fs::read(path).unwrap()).unwrap()
}

pub(crate) fn render(format: &dyn ReportFormat, run: &Run) -> String {
    render_as(format, run, &Style::default())
}

pub(crate) fn render_as(format: &dyn ReportFormat, run: &Run, style: &Style) -> String {
    let mut out = Vec::new();
    format.write(run, style, &mut out).unwrap();
    String::from_utf8(out).expect("a report is UTF-8")
}

pub(crate) fn format(name: &str) -> &'static dyn ReportFormat {
    *report::FORMATS.iter().find(|format| format.name() == name).unwrap()
}

/// A phone's report with a finding of every verdict, and waived and known failures among them. Each finding has a rule and
/// an observation of its own: `rule(n)`, `observed(n)`.
pub(crate) fn every_verdict() -> Run {
    let mut run = sample("orion-p1-phone");
    let TargetResult::Judged { assessment, .. } = &mut run.targets[0].result else { panic!("the sample was judged") };
    for (index, finding) in assessment.findings.iter_mut().enumerate() {
        finding.rule = rule(index);
        finding.observed = observed(index);
        finding.russian.as_mut().unwrap().observed = observed_in_russian(index);
        finding.verdict = Verdict::ALL[index % Verdict::ALL.len()];
        finding.waiver = None;
    }
    let failures = assessment.findings.iter_mut().filter(|finding| finding.verdict == Verdict::Fail);
    for (index, finding) in failures.enumerate() {
        match index {
            0 => {
                finding.waiver = Some(WaiverRef {
                    id: "W-1".to_owned(),
                    reason: "A reason".to_owned(),
                    owner: "An owner".to_owned(),
                    approved_by: "Somebody".to_owned(),
                    expires: "2026-12-31".to_owned(),
                    ticket: Some("T-1".to_owned()),
                    evidence_sha256: None,
                });
            }
            1 => finding.baseline = Some(Baseline::Known),
            _ => finding.baseline = Some(Baseline::New),
        }
    }
    assessment.findings.sort_by(|a, b| (a.verdict, &a.rule).cmp(&(b.verdict, &b.rule)));
    run
}

pub(crate) fn rule(index: usize) -> String {
    format!("RULE-{index:04}")
}

pub(crate) fn observed(index: usize) -> String {
    format!("observation-{index:04}-end")
}

pub(crate) fn observed_in_russian(index: usize) -> String {
    format!("наблюдение-{index:04}-конец")
}

/// How many findings a run has.
pub(crate) fn findings(run: &Run) -> usize {
    let count = |report: &TargetReport| match &report.result {
        TargetResult::Judged { assessment, .. } => assessment.findings.len(),
        TargetResult::Unread { .. } => 0,
    };
    run.targets.iter().map(count).sum()
}

/// Targets that were not read, and gaps that leave a verdict open.
pub(crate) fn open_ends(run: &Run) -> usize {
    let count = |report: &TargetReport| match &report.result {
        TargetResult::Judged { assessment, .. } => assessment.coverage_gaps.len(),
        TargetResult::Unread { .. } => 1,
    };
    run.targets.iter().map(count).sum()
}

/// A target that could not be read, with the words of its error.
pub(crate) fn unread(error: &str) -> TargetReport {
    let mut report = sample("orion-p1-phone").targets.remove(0);
    report.result = TargetResult::Unread { temporary: true, error: error.to_owned() };
    report.inventory = None;
    report.target.name = "phone-2".to_owned();
    report
}

/// A phone of which every rule passes while a gap may hide packages: inconclusive, though no finding is.
pub(crate) fn incomplete(place: &str) -> Run {
    let mut run = sample("orion-p1-phone");
    let gap = Gap::new(place, GapReason::Refused, "nobody may read it").hiding(Hides::Packages);
    let report = &mut run.targets[0];
    report.inventory.as_mut().unwrap().gaps.push(gap.clone());
    let TargetResult::Judged { assessment, coverage, .. } = &mut report.result else { panic!("the sample was judged") };
    assessment.findings.iter_mut().for_each(|finding| finding.verdict = Verdict::Pass);
    assessment.overall = Overall::Inconclusive;
    assessment.counts = preloaded::assess::Counts { pass: 30, ..Default::default() };
    assessment.coverage_gaps.push(gap.clone());
    coverage.gaps.push(gap);
    run
}

/// A device that tries everything, in each of its texts; one label has 10,000 characters.
pub(crate) fn hostile() -> Run {
    let mut run = every_verdict();
    run.targets.push(unread(HOSTILE));
    let report = &mut run.targets[0];
    report.target.name = format!("a {HOSTILE}");
    let gap = Gap::new(HOSTILE, GapReason::Damaged, HOSTILE).hiding(Hides::Packages);
    let TargetResult::Judged { assessment, coverage, device } = &mut report.result else { panic!("it was judged") };
    for fact in [&mut device.brand, &mut device.model, &mut device.fingerprint, &mut device.release] {
        set(fact, HOSTILE.to_owned());
    }
    coverage.gaps.push(gap.clone());
    assessment.coverage_gaps.push(gap.clone());
    for finding in &mut assessment.findings {
        finding.subject = Some(HOSTILE.to_owned());
        finding.observed.push_str(HOSTILE);
        finding.expected = HOSTILE.to_owned();
        finding.notes.push(HOSTILE.to_owned());
        finding.title.en.push_str(HOSTILE);
        finding.evidence.iter_mut().for_each(|piece| {
            piece.says = HOSTILE.to_owned();
            piece.at = Some(HOSTILE.to_owned());
        });
        let russian = finding.russian.as_mut().unwrap();
        russian.observed.push_str(HOSTILE);
        russian.expected = HOSTILE.to_owned();
        russian.notes.push(HOSTILE.to_owned());
        russian.evidence.iter_mut().for_each(|says| *says = HOSTILE.to_owned());
    }
    let inventory = report.inventory.as_mut().unwrap();
    inventory.gaps.push(gap);
    inventory.device = (**device).clone();
    let Fact::Known { value, .. } = &mut inventory.packages else { panic!("the sample lists packages") };
    for (index, package) in value.iter_mut().enumerate() {
        package.name.push_str(HOSTILE);
        for copy in &mut package.copies {
            copy.path.push_str(HOSTILE);
            let label = if index == 0 { "Ы".repeat(10_000) } else { format!("עברית {HOSTILE}") };
            set(&mut copy.label, Some(label));
            set(&mut copy.partition, HOSTILE.to_owned());
            set(&mut copy.version_name, Some(HOSTILE.to_owned()));
            if let Fact::Known { value, .. } = &mut copy.requested_permissions {
                value.iter_mut().for_each(|permission| permission.name.push_str(HOSTILE));
            }
        }
    }
    run
}

fn set<T: Clone>(fact: &mut Fact<T>, value: T) {
    let known =
        Fact::new(value, &preloaded::inventory::Evidence { source: preloaded::inventory::SourceId(0), at: None });
    *fact = known;
}

/// Five hundred phones with a hundred and ten packages each, no two alike.
pub(crate) fn batch() -> Run {
    batch_of("orion-p1-phone")
}

/// Five hundred of a sample's devices, with five packages for each of its own, no two alike.
pub(crate) fn batch_of(name: &str) -> Run {
    let mut run = sample(name);
    let mut model = run.targets.remove(0);
    let Fact::Known { value, .. } = &mut model.inventory.as_mut().unwrap().packages else {
        panic!("it lists packages")
    };
    let copies = value.iter().flat_map(|package| {
        (0..5).map(move |number| {
            let mut package = package.clone();
            package.name.push_str(&format!(".n{number}"));
            package
        })
    });
    *value = copies.collect();
    for number in 0..500 {
        let mut report = model.clone();
        report.target.name = format!("phone-{}", number + 1);
        let Fact::Known { value, .. } = &mut report.inventory.as_mut().unwrap().packages else { unreachable!() };
        value.iter_mut().for_each(|package| package.name.push_str(&format!(".d{number}")));
        run.targets.push(report);
    }
    run
}

/// A tool of the validators that `cargo xtask test` installs below the build folder.
pub(crate) fn tool(path: &str) -> PathBuf {
    let file = root().join("target/report-tools").join(path);
    assert!(file.exists(), "{} is missing: cargo xtask test installs it", file.display());
    file
}

/// Runs a program to its end. It is missing: the test fails and names it.
pub(crate) fn run_tool(program: &Path, arguments: &[&str]) -> Output {
    let started = Command::new(program).args(arguments).output();
    started.unwrap_or_else(|error| panic!("{}: {error}: cargo xtask test installs what is needed", program.display()))
}
