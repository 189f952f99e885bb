//! The history on files that are as they should be, and on others.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::assess::{Overall, WaiverRef};
use crate::check::Verdict;
use crate::report;

fn run() -> Run {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/orion-p1-phone.report.json");
    report::parse(&fs::read(path).unwrap()).unwrap()
}

fn occasion(stored_at: &str) -> Occasion<'_> {
    Occasion {
        stored_at,
        profile: "ru/smartphone",
        profile_version: "2026.2",
        profile_sha256: "00",
        as_of: "2026-06-01",
    }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    (folder, path)
}

/// The sample's run, its target renamed and found compliant.
fn mended(name: &str) -> Run {
    let mut run = run();
    run.targets[0].target.name = name.to_owned();
    let TargetResult::Judged { assessment, .. } = &mut run.targets[0].result else { unreachable!() };
    assessment.overall = Overall::Compliant;
    for finding in assessment.findings.iter_mut().filter(|finding| finding.verdict == Verdict::Fail) {
        finding.verdict = Verdict::Pass;
    }
    assessment.counts.pass += assessment.counts.fail;
    assessment.counts.fail = 0;
    run
}

#[test]
fn what_was_stored_is_found_by_device_model_fingerprint_profile_verdict_and_day() {
    let (_folder, path) = folder();
    Store::open(&path).unwrap().record(&run(), &occasion("2026-05-31T10:00:00Z")).unwrap();
    Store::open(&path).unwrap().record(&mended("phone-2"), &occasion("2026-06-02T10:00:00Z")).unwrap();
    let store = Store::read(&path).unwrap();
    let names = |filter: &Filter| -> Vec<String> {
        store.results(filter, 10).unwrap().into_iter().map(|row| row.target).collect()
    };
    let all = Filter::default();
    assert_eq!(names(&all), ["phone-2", "phone-1"]);
    let some = |word: &str| Some(word.to_owned());
    for (filter, found) in [
        (Filter { device: some("phone-1"), ..all.clone() }, &["phone-1"][..]),
        (Filter { device: some("phone"), ..all.clone() }, &[]),
        (Filter { model: some("Orion P1"), ..all.clone() }, &["phone-2", "phone-1"]),
        (Filter { model: some("orion Orion P1"), ..all.clone() }, &["phone-2", "phone-1"]),
        (Filter { model: some("Orion P2"), ..all.clone() }, &[]),
        (Filter { fingerprint: some("x"), ..all.clone() }, &[]),
        (Filter { profile: some("ru/smartphone"), ..all.clone() }, &["phone-2", "phone-1"]),
        (Filter { profile: some("ru/tablet"), ..all.clone() }, &[]),
        (Filter { verdict: some("not_compliant"), ..all.clone() }, &["phone-1"]),
        (Filter { since: some("2026-06-01"), ..all.clone() }, &["phone-2"]),
        (Filter { until: some("2026-05-31"), ..all.clone() }, &["phone-1"]),
    ] {
        assert_eq!(names(&filter), found, "{filter:?}");
    }
    assert_eq!(store.results(&all, 1).unwrap().len(), 1);
    let row = store.results(&Filter { device: some("phone-1"), ..all }, 10).unwrap().remove(0);
    assert_eq!((row.failed, row.waived, row.passed, row.failures.as_slice()), (1, 0, 20, &["RU-MAX".to_owned()][..]));
    assert_eq!((row.verdict.as_str(), row.as_of.as_str()), ("not_compliant", "2026-06-01"));
}

#[test]
fn verdicts_are_counted_by_what_they_are_of_and_when() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    store.record(&run(), &occasion("2026-05-01T10:00:00Z")).unwrap();
    store.record(&mended("phone-1"), &occasion("2026-05-31T10:00:00Z")).unwrap();
    let mut unread = run();
    unread.targets[0].result = TargetResult::Unread { temporary: true, error: "offline".to_owned() };
    store.record(&unread, &occasion("2026-06-01T10:00:00Z")).unwrap();
    let all = Filter::default();
    let by_month = store.counts(&all, Key::Profile, Some(Period::Month)).unwrap();
    let told: Vec<_> = by_month
        .iter()
        .map(|row| (row.period.as_deref(), row.targets, row.compliant, row.not_compliant, row.unread, &*row.latest))
        .collect();
    assert_eq!(told, [(Some("2026-05"), 2, 1, 1, 0, "compliant"), (Some("2026-06"), 1, 0, 0, 1, "unread")]);
    assert_eq!(by_month[0].key.as_deref(), Some("ru/smartphone"));
    assert_eq!(store.counts(&all, Key::Profile, Some(Period::Day)).unwrap().len(), 3);
    // What was not read has no model, and is not passed over.
    let by_model = store.counts(&all, Key::Model, None).unwrap();
    let told: Vec<_> = by_model.iter().map(|row| (row.key.as_deref(), row.targets)).collect();
    assert_eq!(told, [(None, 1), (Some("orion Orion P1"), 2)]);
    assert_eq!(store.counts(&all, Key::Device, None).unwrap()[0].targets, 3);
    assert_eq!(store.counts(&all, Key::Fingerprint, None).unwrap().len(), 2);
    let row = store.results(&all, 1).unwrap().remove(0);
    assert_eq!((row.verdict.as_str(), row.error.as_deref()), ("unread", Some("offline")));
}

#[test]
fn rules_are_counted_by_targets_and_a_waived_failure_stays_one() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let mut waived = run();
    let TargetResult::Judged { assessment, .. } = &mut waived.targets[0].result else { unreachable!() };
    for finding in assessment.findings.iter_mut().filter(|finding| finding.verdict == Verdict::Fail) {
        let word = || "x".to_owned();
        finding.waiver = Some(WaiverRef {
            id: word(),
            reason: word(),
            owner: word(),
            approved_by: word(),
            expires: word(),
            ticket: None,
            evidence_sha256: None,
        });
    }
    for run in [run(), waived, mended("phone-3")] {
        store.record(&run, &occasion("2026-05-01T10:00:00Z")).unwrap();
    }
    let rows = store.rules(&Filter::default()).unwrap();
    let max = &rows[0];
    assert_eq!((&*max.rule, max.failed, max.waived, max.inconclusive, max.passed), ("RU-MAX", 2, 1, 0, 1));
    assert!(rows[1..].iter().all(|row| row.failed == 0 && row.inconclusive == 3), "{rows:?}");
    let failures: Vec<_> =
        store.results(&Filter::default(), 9).unwrap().into_iter().map(|row| row.failures.len()).collect();
    assert_eq!(failures, [0, 0, 1]);
}

#[test]
fn writers_wait_for_each_other_and_none_is_lost() {
    let (_folder, path) = folder();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    Store::open(&path).unwrap().record(&run(), &occasion("2026-05-01T10:00:00Z")).unwrap();
                }
            });
        }
    });
    let store = Store::read(&path).unwrap();
    assert_eq!(store.counts(&Filter::default(), Key::Profile, None).unwrap()[0].targets, 40);
    assert_eq!(store.results(&Filter::default(), 100).unwrap().len(), 40);
}

#[test]
fn a_run_that_fails_midway_leaves_nothing() {
    let (_folder, path) = folder();
    let mut store = Store::open(&path).unwrap();
    let mut run = run();
    let mut second = run.targets[0].clone();
    // Longer than a row may be.
    second.target.name = "x".repeat(2 << 20);
    run.targets.push(second);
    assert!(store.record(&run, &occasion("2026-05-01T10:00:00Z")).is_err());
    assert_eq!(store.results(&Filter::default(), 10).unwrap(), []);
    assert_eq!(store.counts(&Filter::default(), Key::Profile, None).unwrap(), []);
}

#[track_caller]
fn refused(path: &Path, words: &str) {
    let before = fs::read(path).ok();
    for error in [Store::open(path).unwrap_err(), Store::read(path).unwrap_err()] {
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(fs::read(path).ok(), before, "{} was written", path.display());
}

fn database(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn what_is_no_history_of_ours_is_refused_and_stays_as_it_is() {
    let (folder, path) = folder();
    fs::write(&path, "a text that somebody keeps, and longer than the head of a database: ".repeat(20)).unwrap();
    refused(&path, "not a database");
    fs::write(&path, "short").unwrap();
    refused(&path, "not a database");
    let other = folder.path().join("other.db");
    database(&other, "CREATE TABLE song (title TEXT)");
    refused(&other, "not a history of this program");
    let marked = folder.path().join("marked.db");
    database(&marked, "PRAGMA application_id = 7; PRAGMA user_version = 1");
    refused(&marked, "not a history of this program");
    let newer = folder.path().join("newer.db");
    drop(Store::open(&newer).unwrap());
    database(&newer, "PRAGMA user_version = 2");
    refused(&newer, "a history of version 2, this program knows 1");
    refused(folder.path(), "something else than a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let device = Path::new("/dev/null");
        assert!(matches!(Store::open(device), Err(StoreError::NoFile)));
        assert!(fs::metadata(device).unwrap().file_type().is_char_device());
    }
    assert!(matches!(Store::read(&folder.path().join("nowhere.db")), Err(StoreError::Io(_))));
    assert!(!folder.path().join("nowhere.db").exists());
}

#[test]
fn tables_that_are_not_ours_are_refused_and_views_of_the_owner_are_not() {
    let (folder, path) = folder();
    Store::open(&path).unwrap().record(&run(), &occasion("2026-05-01T10:00:00Z")).unwrap();
    for (name, sql) in [
        ("trigger", "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM finding; END"),
        ("gone", "DROP TABLE finding"),
        (
            "endless",
            "DROP TABLE finding; CREATE VIEW finding AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n AS result, 'x' AS rule, NULL AS subject, 'fail' AS verdict, NULL AS reason, NULL AS waiver FROM c",
        ),
        ("column", "ALTER TABLE run ADD COLUMN x TEXT"),
    ] {
        let copy = folder.path().join(format!("{name}.db"));
        fs::copy(&path, &copy).unwrap();
        database(&copy, sql);
        refused(&copy, "not as it made them");
    }
    database(&path, "CREATE VIEW mine AS SELECT target FROM result; ANALYZE");
    assert_eq!(Store::read(&path).unwrap().results(&Filter::default(), 10).unwrap().len(), 1);
    Store::open(&path).unwrap().record(&run(), &occasion("2026-05-01T10:00:00Z")).unwrap();
}

#[test]
fn a_damaged_file_is_an_error_or_an_answer_and_never_a_crash() {
    let (folder, path) = folder();
    for _ in 0..3 {
        Store::open(&path).unwrap().record(&run(), &occasion("2026-05-01T10:00:00Z")).unwrap();
    }
    let whole = fs::read(&path).unwrap();
    let ask = |bytes: &[u8]| {
        let copy = folder.path().join("damaged.db");
        fs::write(&copy, bytes).unwrap();
        let Ok(store) = Store::read(&copy) else { return false };
        let filter = Filter::default();
        let counted = store.counts(&filter, Key::Model, Some(Period::Day)).is_ok();
        counted & store.results(&filter, 10).is_ok() & store.rules(&filter).is_ok()
    };
    assert!(ask(&whole));
    let mut refusals = 0;
    for step in 0..400 {
        let mut bytes = whole.clone();
        let at = step * 7919 % bytes.len();
        bytes[at] ^= 0xff;
        refusals += u32::from(!ask(&bytes));
        let cut = step * 104_729 % whole.len();
        refusals += u32::from(!ask(&whole[..cut]));
    }
    assert!(refusals > 100, "{refusals}");
}

#[test]
fn names_that_sqlite_gives_a_meaning_are_files_like_others() {
    let folder = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:x?mode=memory"] {
        let path = folder.path().join(name);
        Store::open(&path).unwrap().record(&run(), &occasion("2026-05-01T10:00:00Z")).unwrap();
        assert_eq!(Store::read(&path).unwrap().results(&Filter::default(), 10).unwrap().len(), 1, "{name}");
        assert!(path.is_file());
    }
}
