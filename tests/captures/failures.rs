//! Every command fails in every way: no answer may look complete.

use preloaded::adb::{Answer, Failure};
use preloaded::collect::SourceError;
use preloaded::inventory::GapReason;

use super::double::{Phone, Sabotage};

const DENIED: &str = "java.lang.SecurityException: Shell does not have permission to access user 10";

fn says(status: i32, stdout: &str, stderr: &str) -> Sabotage {
    Sabotage::Says(Answer { stdout: stdout.into(), stderr: stderr.into(), status })
}

fn all() -> Vec<(Sabotage, Option<GapReason>)> {
    vec![
        (Sabotage::Fails(Failure::Truncated { received: 9 }), Some(GapReason::Truncated)),
        (Sabotage::Fails(Failure::TimedOut { seconds: 65, received: 0 }), Some(GapReason::TimedOut)),
        (Sabotage::Fails(Failure::TooLarge { cap: 9 }), Some(GapReason::TooLarge)),
        (Sabotage::Fails(Failure::Disconnected("device offline".into())), Some(GapReason::Disconnected)),
        (Sabotage::Fails(Failure::NoServer { address: ([127, 0, 0, 1], 5037).into() }), Some(GapReason::Disconnected)),
        (says(255, "", DENIED), Some(GapReason::Refused)),
        (says(0, "", DENIED), Some(GapReason::Refused)),
        (says(0, &format!("{DENIED}\n\tat com.android.server\n"), ""), Some(GapReason::Refused)),
        (says(0, "Permission Denial: can't dump PackageManager from pid=1, uid=2000\n", ""), Some(GapReason::Refused)),
        (says(127, "", "/system/bin/sh: cmd: inaccessible or not found"), Some(GapReason::Failed)),
        (says(1, "", "Error: Unknown option: --user"), Some(GapReason::Failed)),
        (says(0, "", "Can't find service: package"), Some(GapReason::Failed)),
        (says(0, "", ""), Some(GapReason::Missing)),
        (Sabotage::Cut, None),
        (Sabotage::Stopped, None),
    ]
}

#[test]
fn every_command_that_fails_in_any_way_leaves_a_gap_of_its_own_or_no_inventory() {
    for name in ["android5", "android14"] {
        let honest = Phone::fictional(name);
        let inventory = honest.collect().unwrap();
        assert_eq!(inventory.gaps, [], "{name}: the honest phone has none");
        let lines = honest.log.into_inner();
        let mut runs = 0;
        let mut refused = 0;
        for (number, line) in lines.iter().enumerate() {
            for (sabotage, reason) in all() {
                let mut phone = Phone::fictional(name);
                phone.sabotage = Some((number, sabotage.clone()));
                runs += 1;
                match phone.collect() {
                    Err(SourceError::Temporary(_)) => refused += 1,
                    Err(other) => panic!("{name}, {line}, {sabotage:?}: {other}"),
                    Ok(inventory) => {
                        let start = line.split(" android.").next().unwrap();
                        let own = |gap: &&preloaded::inventory::Gap| {
                            gap.place.starts_with(start) && reason.is_none_or(|reason| gap.reason == reason)
                        };
                        // What a cut list hides may show in what it is held against.
                        let found = match reason {
                            Some(_) => inventory.gaps.iter().find(own),
                            None => inventory.gaps.first(),
                        };
                        assert!(found.is_some(), "{name}, {line}, {sabotage:?}: {:#?}", inventory.gaps);
                    }
                }
            }
        }
        println!(
            "{name}: {} commands, {runs} failures, {refused} without an inventory, the others with gaps",
            lines.len()
        );
    }
}

#[test]
fn a_phone_that_is_lost_in_the_middle_and_stays_lost_gives_no_inventory() {
    let honest = Phone::fictional("android14");
    honest.collect().unwrap();
    for number in 0..honest.log.borrow().len() {
        let mut phone = Phone::fictional("android14");
        phone.sabotage = Some((number, Sabotage::Fails(Failure::Disconnected("device offline".into()))));
        phone.for_ever = true;
        let error = phone.collect().unwrap_err().to_string();
        assert!(error.contains("device offline"), "{number}: {error}");
        assert!(number > 0 || phone.log.borrow().len() == 1, "the first failure ends it");
    }
}

#[test]
fn a_phone_that_answers_nothing_gives_no_inventory() {
    let mut phone = Phone::fictional("android14");
    phone.sabotage = Some((0, Sabotage::Fails(Failure::TimedOut { seconds: 10, received: 0 })));
    phone.for_ever = true;
    assert!(matches!(phone.collect(), Err(SourceError::Temporary(_))));
}

#[test]
fn another_phone_at_the_end_gives_no_inventory() {
    let honest = Phone::fictional("android14");
    honest.collect().unwrap();
    let log = honest.log.into_inner();
    let last = |line: &str| log.iter().rposition(|sent| sent == line).unwrap();
    let properties = String::from_utf8(honest.answers["properties"].clone()).unwrap();
    for (number, text) in [
        (last("getprop"), properties.replace("FICTION0001", "FICTION0002")),
        (last("getprop"), properties.replace("f1_ru/f1:14", "f1_eea/f1:14")),
        (last("cat /proc/sys/kernel/random/boot_id"), "00000000-0000-0000-0000-000000000000\n".to_owned()),
    ] {
        let mut phone = Phone::fictional("android14");
        phone.sabotage = Some((number, says(0, &text, "")));
        match phone.collect() {
            Err(SourceError::Temporary(words)) => assert!(words.starts_with("another phone answered"), "{words}"),
            other => panic!("{other:?}"),
        }
    }
}
