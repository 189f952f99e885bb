//! `cargo xtask bench apk`: `preloaded apk` against `apk-info`, `aapt2` and `apksigner` on the same package files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::measure::{self, Cost};
use super::{folder, make, program};
use crate::tools;

/// Rounds of the fast programs, one after the other in each: a processor changes its speed between them. The middle counts.
const ROUNDS: usize = 15;
/// Bytes of the large file.
const LARGE: usize = 600 << 20;

/// Facts that both read, by the names of `apk-info`.
const SAME_FACTS: &[&str] = &[
    "package_name",
    "version_code",
    "version_name",
    "min_sdk_version",
    "target_sdk_version",
    "application_label",
    "application_allow_backup",
    "application_debuggable",
    "main_activities",
    "permissions",
    "permissions_sdk23",
    "declared_permissions",
    "activities",
    "activity_aliases",
    "services",
    "receivers",
    "providers",
    "features",
    "libraries",
    "native_libraries",
    "supported_abis",
    "shared_user_id",
    "shared_user_max_sdk_version",
    "install_location",
    "signatures",
];

/// The names that `preloaded apk` has for them.
const OUR_NAMES: &str = "package,version_code,version_name,min_sdk,target_sdk,label,allow_backup,flags,launcher,permissions,\
    requested_permissions,declared_permissions,components,features,libraries,abis,shared_user,shared_user_max_sdk,\
    install_location,signers";

/// Five facts, by the names of both.
const FIVE_FACTS: &[&str] = &["package_name", "permissions", "version_code", "application_label", "signatures"];
const OUR_FIVE: &str = "package,permissions,version_code,label,signers";

/// A script that asks `apk-info` these facts of each file of the list and, as `preloaded` does, writes a line of JSON for each; what
/// has no JSON form is written as it shows itself, which is cheapest.
fn ask(facts: &[&str], written: bool) -> String {
    let write = if written { "print(json.dumps(found, default=repr))" } else { "pass" };
    format!(
        "import json, apk_info\nfor path in open('list').read().splitlines():\n    try:\n        a = apk_info.APK(path)\n    except Exception:\n        continue\n    \
         found = {{'file': path}}\n    for fact in {facts:?}:\n        try:\n            found[fact] = getattr(a, 'get_' + fact)()\n        except Exception:\n            pass\n    {write}\n"
    )
}

pub(crate) fn run(given: Option<&str>) -> Result<()> {
    let program = program()?.display().to_string();
    let folder = folder(None, "apk")?;
    let packages = given.map_or_else(|| tools::root().join("../shared/data"), PathBuf::from);
    let packages = packages.canonicalize().with_context(|| packages.display().to_string())?;
    let mut files = Vec::new();
    collect(&packages, &mut files)?;
    files.sort();
    if files.len() < 500 {
        bail!("{}: {} package files, expected 500 or more; name another folder", packages.display(), files.len());
    }
    let list: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
    fs::write(folder.join("list"), list)?;
    make(
        &folder,
        "test -x venv/bin/python || python3 -m venv venv; venv/bin/python -c 'import apk_info' 2> /dev/null || venv/bin/pip install -q apk-info",
    )?;
    fs::write(folder.join("five.py"), ask(FIVE_FACTS, true))?;
    fs::write(folder.join("few.py"), ask(FIVE_FACTS, false))?;
    fs::write(folder.join("same.py"), ask(SAME_FACTS, true))?;
    fs::write(folder.join("silent.py"), ask(SAME_FACTS, false))?;

    let each =
        |command: &str| format!("while read f; do timeout 60 {command} \"$f\"; done < list > /dev/null 2>&1 || true");
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let own = |options: &[&'static str]| -> Vec<&str> {
        let words = [program.as_str(), "apk", "--format", "json"].into_iter().chain(options.iter().copied());
        words.chain(names.iter().map(String::as_str)).collect()
    };
    let python = "venv/bin/python";
    let script = |name| vec![python, name];
    let programs = [
        own(&[]),
        own(&["--fields", OUR_NAMES]),
        own(&["--fields", OUR_FIVE]),
        script("same.py"),
        script("silent.py"),
        script("five.py"),
        script("few.py"),
    ];
    let mut runs = programs.each_ref().map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (words, runs) in programs.iter().zip(&mut runs) {
            runs.push(measure::run_program(&folder, words, &[])?);
        }
    }
    let [whole, same, five, theirs, silent, their_five, silent_five] = &runs;
    // Both sides write what they found: the same work, which the target is held against.
    let alike = [
        Pair::new("all our facts, against 25", whole, theirs),
        Pair::new("the same 25 facts", same, theirs),
        Pair::new("the same five facts", five, their_five),
    ];
    let unlike = [
        Pair::new("all our facts, against 25", whole, silent),
        Pair::new("the same 25 facts", same, silent),
        Pair::new("the same five facts", five, silent_five),
    ];
    let [facts, same, five, theirs, silent, their_five, silent_five] =
        runs.map(|runs| Cost::median(runs).unwrap_or_default());
    let verified = measure::run_program(&folder, &own(&["--verify"]), &[])?;
    let aapt2 = measure::run(&folder, &each("aapt2 dump badging"), &[])?;
    let apksigner = measure::run(&folder, &each("apksigner verify"), &[])?;
    let rows = [
        ("preloaded apk", facts),
        ("preloaded apk --fields, the facts that apk-info has", same),
        ("preloaded apk --fields, five facts", five),
        ("apk-info, these facts, a line of JSON each", theirs),
        ("apk-info, five facts, a line of JSON each", their_five),
        ("apk-info, these facts, nothing written", silent),
        ("apk-info, five facts, nothing written", silent_five),
        ("aapt2 dump badging", aapt2),
        ("preloaded apk --verify", verified),
        ("apksigner verify", apksigner),
    ];
    let median = median(&folder, &program, &files)?;
    let large = large(&folder, &program)?;
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let count = files.len() as f64;
    let mut text =
        format!("\n{} package files\nprogram | CPU s | ms each | peak MiB\n--- | --: | --: | --:\n", files.len());
    for (name, cost) in rows {
        text += &format!("{name} | {:.3} | {:.3} | {}\n", cost.cpu, cost.cpu * 1000.0 / count, cost.peak_kib >> 10);
    }
    text += &format!("\nmedian of preloaded apk: {median:.3} ms CPU for a package file\n");
    text += &format!(
        "large file of {} MiB: facts {:.2} s and {} MiB, --verify {:.2} s CPU and {} MiB, sha256sum {:.2} s\n",
        LARGE >> 20,
        large.facts.cpu,
        large.facts.peak_kib >> 10,
        large.verified.cpu,
        large.verified.peak_kib >> 10,
        large.hashed.cpu
    );
    tools::say(&text);
    let mut compared = format!("apk-info takes, in the middle of {ROUNDS} rounds,\n");
    for (pairs, how) in [(&alike, "both write JSON"), (&unlike, "apk-info writes nothing")] {
        for Pair { what, middle, least, most } in pairs {
            compared += &format!("  {middle:.1} times as much ({least:.1} to {most:.1}): {what}; {how}\n");
        }
    }
    tools::say(&compared);
    let least = alike.iter().map(|pair| pair.middle).fold(f64::INFINITY, f64::min);
    let checks = [
        ("median CPU in ms of one file", median, 1.0),
        ("CPU against the fastest other that does the same", (1.0 / least).max(facts.cpu / aapt2.cpu), 0.2),
        ("CPU of --verify against apksigner", verified.cpu / apksigner.cpu, 0.1),
        ("memory in MiB for the large file", mib(large.facts), mib(facts) + 4.0),
        ("CPU of --verify against sha256sum, large file", large.verified.cpu / large.hashed.cpu, 1.5),
    ];
    let missed: Vec<_> = checks.iter().filter(|(_, value, most)| value > most).collect();
    if missed.is_empty() { Ok(()) } else { bail!("targets missed (what, measured, at most): {missed:?}") }
}

/// How much more another program takes, round by round.
struct Pair {
    what: &'static str,
    middle: f64,
    least: f64,
    most: f64,
}

impl Pair {
    fn new(what: &'static str, own: &[Cost], other: &[Cost]) -> Self {
        let mut ratios: Vec<f64> = own.iter().zip(other).map(|(own, other)| other.cpu / own.cpu).collect();
        ratios.sort_by(f64::total_cmp);
        let at = |index: usize| ratios.get(index).copied().unwrap_or(f64::NAN);
        Self { what, middle: at(ratios.len() / 2), least: at(0), most: at(ratios.len().saturating_sub(1)) }
    }
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn mib(cost: Cost) -> f64 {
    cost.peak_kib as f64 / 1024.0
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "apk") {
            files.push(path);
        }
    }
    Ok(())
}

/// Milliseconds of processor time for the file in the middle: each is named two hundred times in one run, its start among them.
/// Every tenth file is measured.
fn median(folder: &Path, program: &str, files: &[PathBuf]) -> Result<f64> {
    const TIMES: u32 = 200;
    let mut costs = Vec::new();
    for file in files.iter().step_by(10) {
        let file = file.display().to_string();
        let words: Vec<&str> =
            [program, "apk", "--format", "json"].into_iter().chain((0..TIMES).map(|_| file.as_str())).collect();
        // Exit 4: Android refuses the file, and so do we.
        let cost = measure::run_program(folder, &words, &[4])?;
        costs.push(cost.cpu * 1000.0 / f64::from(TIMES));
    }
    costs.sort_by(f64::total_cmp);
    costs.get(costs.len() / 2).copied().context("no file")
}

struct Large {
    facts: Cost,
    verified: Cost,
    hashed: Cost,
}

/// A signed file that is larger than any real one.
fn large(folder: &Path, program: &str) -> Result<Large> {
    let base = tools::root().join("samples/apks/unlock_apk-debug.apk");
    if !folder.join("large.apk").exists() {
        let script = format!(
            "rm -f key; keytool -genkeypair -keystore key -storepass 123456 -alias a -keyalg RSA -dname CN=Bench > /dev/null 2>&1; \
             cp {} part.apk; zip -q -d part.apk 'META-INF/*' || true; mkdir -p assets; head -c {LARGE} /dev/urandom > assets/bulk.bin; \
             zip -q -0 part.apk assets/bulk.bin; rm -r assets; \
             apksigner sign --ks key --ks-pass pass:123456 --v1-signing-enabled false --out large.apk part.apk; rm -f part.apk",
            base.display()
        );
        make(folder, &script)?;
    }
    make(folder, "cat large.apk > /dev/null")?;
    Ok(Large {
        facts: measure::run(folder, &format!("{program} apk large.apk"), &[])?,
        verified: measure::run(folder, &format!("{program} apk --verify large.apk"), &[])?,
        hashed: measure::run(folder, "sha256sum large.apk", &[])?,
    })
}
