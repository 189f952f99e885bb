//! Real phones' answers, held against counts that were taken without this program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use preloaded::dump::package::{self, End};
use preloaded::inventory::{CopyRole, DeviceKind, Enabled, GapReason, Hides, Inventory};

use super::double::Phone;
use super::pixel::{Rows, USERS as PIXEL_USERS, holders, of_bug_report, packages, real, rows, true_rows};

/// A phone that gives its whole dump whatever part is asked for.
fn of_capture(folder: &str, users: &str) -> Option<Phone> {
    let read = |name: &str| real(&format!("captures/{folder}/{name}")).map(|path| fs::read(path).unwrap());
    let dump = read("dumpsys_package.txt")?;
    let mut phone = Phone::default()
        .answer("boot-id", "6f1d3c1e-0b8e-4a53-9d2a-3f0f2f9f7a10\n")
        .answer("users", users)
        .answer("properties", read("getprop.txt")?);
    for part in ["packages", "shared-users", "permissions", "requested"] {
        phone = phone.answer(part, dump.clone());
    }
    Some(phone)
}

fn by_user(inventory: &Inventory) -> BTreeMap<Option<u32>, usize> {
    let mut counts = BTreeMap::new();
    for grant in holders(inventory).into_values().flatten() {
        *counts.entry(grant.user).or_default() += 1;
    }
    counts
}

#[test]
fn the_pixel_has_its_134_packages_and_each_of_its_1353_permission_rows() {
    let (Some(mut phone), Some(dump), Some(expected)) =
        (of_capture("pixel-aosp10", PIXEL_USERS), of_bug_report("package"), true_rows())
    else {
        return;
    };
    for part in ["packages", "shared-users", "permissions", "requested"] {
        phone = phone.answer(part, dump.clone());
    }
    let inventory = phone.collect().unwrap();
    assert_eq!(packages(&inventory).len(), 134);
    let found = rows(&inventory);
    let missing: Vec<_> = expected.iter().filter(|(row, count)| found.get(*row) != Some(count)).collect();
    let extra: Vec<_> = found.iter().filter(|(row, count)| expected.get(*row) != Some(count)).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:#?}\nextra {extra:#?}");
    let count = |granted: &str| found.iter().filter(|(row, _)| row[4] == granted).map(|(_, count)| count).sum::<i64>();
    println!("{} rows: {} granted, {} refused", found.values().sum::<i64>(), count("true"), count("false"));
    assert_eq!((found.values().sum::<i64>(), count("true"), count("false")), (1353, 1227, 126));
    // awk over the sections Packages and Shared users, counting `granted=` by the `User N:` line above.
    assert_eq!(by_user(&inventory), BTreeMap::from([(None, 947), (Some(0), 203), (Some(11), 203)]));
    assert!(inventory.gaps.iter().all(|gap| gap.reason != GapReason::Damaged && gap.reason != GapReason::Unsupported));
}

#[test]
fn redacted_words_of_the_pixels_copy_are_named_and_change_no_other_row() {
    let (Some(phone), Some(expected)) = (of_capture("pixel-aosp10", PIXEL_USERS), true_rows()) else { return };
    let inventory = phone.collect().unwrap();
    let without_flags = |rows: Rows| {
        let mut out = Rows::new();
        for (mut row, count) in rows {
            row[5].clear();
            *out.entry(row).or_default() += count;
        }
        out
    };
    assert_eq!(without_flags(rows(&inventory)), without_flags(expected));
    // grep -c 'granted=REDACTED' and 'flags=REDACTED' in the two sections; members of a shared user repeat its gap.
    let words: BTreeSet<&str> = inventory
        .gaps
        .iter()
        .filter(|gap| gap.reason == GapReason::Damaged)
        .flat_map(|gap| gap.detail.split("line ").skip(1))
        .map(|words| words.trim_end_matches([',', ';', ' ']))
        .collect();
    let named = |word: &str| words.iter().filter(|words| words.contains(word)).count();
    println!("{} grants and {} flags redacted", named("granted=REDACTED"), named("flags=REDACTED"));
    assert_eq!((named("granted=REDACTED"), named("flags=REDACTED")), (25, 32));
}

#[test]
fn the_pixels_other_facts_agree_with_counts_by_grep() {
    let Some(phone) = of_capture("pixel-aosp10", PIXEL_USERS) else { return };
    let inventory = phone.collect().unwrap();
    let all = packages(&inventory);
    let active = || all.iter().map(|package| package.active().unwrap());
    // grep -c '^    sharedUser', '^  SharedUser \[', 'flags=.*HAS_CODE', '^  Permission \[' in their sections.
    let shared: BTreeSet<_> = all.iter().filter_map(|package| package.shared_user.known().unwrap().as_ref()).collect();
    assert_eq!(all.iter().filter(|package| package.shared_user.known().unwrap().is_some()).count(), 32);
    assert_eq!(shared.len(), 12);
    assert_eq!(active().filter(|copy| copy.code.known().unwrap().present).count(), 96);
    assert_eq!(inventory.permissions.known().unwrap().len(), 573);
    let states: Vec<_> = all.iter().flat_map(|package| package.users.known().unwrap()).collect();
    assert_eq!(states.len(), 268);
    assert_eq!(states.iter().filter(|state| state.enabled == Enabled::Disabled).count(), 1);
    assert!(states.iter().all(|state| state.installed));
    let signed_by = |number: &str| {
        active().filter(|copy| copy.signers.known().unwrap().iter().any(|signer| signer.hash_code == number)).count()
    };
    assert_eq!((signed_by("d7f1f224"), signed_by("b4addb29"), signed_by("9542d9b9")), (62, 48, 8));
    assert_eq!(active().filter(|copy| copy.role == CopyRole::Added).count(), 3, "in /data, without an installer");
    assert_eq!(inventory.omitted_packages.known(), Some(&0));
    assert_eq!(inventory.device.kind.known(), Some(&DeviceKind::Phone));
    assert_eq!(inventory.device.build_date.known().unwrap(), "2019-12-11");
    for fact in active() {
        assert!(fact.version_code.known().is_some() && fact.min_sdk.known().is_some(), "{}", fact.path);
        assert!(fact.requested_permissions.gap().is_some(), "a bug report does not tell them");
    }
    // Lists and launcher queries are not in the capture.
    let refused = inventory.gaps.iter().filter(|gap| gap.hides == Hides::Users).count();
    assert_eq!(refused, 4, "two users, two forms each");
}

#[test]
fn the_tv_box_with_android_7_agrees_with_counts_by_grep() {
    let Some(phone) = of_capture("tvbox-android7", "Users:\n\tUserInfo{0:Owner:13} running\n") else { return };
    let inventory = phone.collect_also(&["berserker.android.apps.sshdroid"]).unwrap();
    let all = packages(&inventory);
    assert_eq!(all.len(), 84);
    // awk as for the Pixel: 785 install and 80 runtime rows.
    assert_eq!(by_user(&inventory), BTreeMap::from([(None, 785), (Some(0), 80)]));
    let states: Vec<_> = all.iter().flat_map(|package| package.users.known().unwrap()).collect();
    let count = |enabled| states.iter().filter(|state| state.enabled == enabled).count();
    assert_eq!((count(Enabled::Default), count(Enabled::Enabled), count(Enabled::DisabledByUser)), (82, 1, 1));
    assert_eq!(all.iter().filter(|package| package.shared_user.known().unwrap().is_some()).count(), 35);
    let signers = all.iter().flat_map(|package| package.active().unwrap().signers.known().unwrap());
    let mut numbers = BTreeMap::<_, usize>::new();
    signers.for_each(|signer| *numbers.entry(signer.hash_code.as_str()).or_default() += 1);
    assert_eq!((numbers["b1a1812f"], numbers["e3ca78d8"], numbers["023e5af1"]), (39, 13, 1));
    assert_eq!(numbers.len(), 18);
    let added: Vec<_> = all.iter().filter(|package| package.active().unwrap().role == CopyRole::Added).collect();
    assert_eq!(added.len(), 8, "grep -c codePath=/data");
    assert_eq!(inventory.permissions.known().unwrap().len(), 516);
    // The box calls itself a `box`, which is no word of Android's.
    assert_eq!(inventory.device.kind.gap().unwrap().reason, GapReason::Unsupported);

    let private = phone.collect().unwrap();
    assert_eq!((packages(&private).len(), private.omitted_packages.known()), (83, Some(&1)));
    assert!(!serde_json::to_string(&private).unwrap().contains("sshdroid"));
}

#[test]
fn dumps_of_one_package_of_sdk_36_have_their_factory_copies_and_requests() {
    let Some(one) = real("captures/fragments-sdk36/dumpsys_package_single_tekartik1.txt") else { return };
    let text = fs::read_to_string(one).unwrap();
    let phone = Phone::fictional("android16").answer("packages", text);
    let inventory = phone.without("list-0").collect().unwrap();
    let [package] = packages(&inventory) else { panic!("one package") };
    let roles: Vec<_> = package.copies.iter().map(|copy| (copy.role, copy.version_code.known().copied())).collect();
    assert_eq!(roles, [(CopyRole::Updated, Some(20)), (CopyRole::Factory, Some(15))]);
    let requested = |at: usize| package.copies[at].requested_permissions.known().unwrap().len();
    assert_eq!((requested(0), requested(1)), (4, 4));
    assert_eq!(package.grants.known().unwrap().len(), 4, "three at installation, one while running");
    assert_eq!(package.copies[0].splits.known().unwrap().len(), 2);
    assert_eq!(package.uid.known(), Some(&10057));

    let two = real("captures/fragments-sdk36/dumpsys_package_single_tekartik2.txt").unwrap();
    let dump = package::parse(&fs::read_to_string(two).unwrap());
    let blocks = dump.packages.unwrap();
    assert_eq!((blocks.len(), dump.hidden.len(), dump.end), (1, 0, End::Whole));
    assert_eq!(blocks[0].body.list("requested permissions").unwrap().value.len(), REQUESTED_OF_THE_SECOND);
    assert_eq!(blocks[0].body.list("install permissions").unwrap().value.len(), 8);
}

/// Lines 119 to 128 of the file, counted by eye.
const REQUESTED_OF_THE_SECOND: usize = 10;

#[test]
fn trimmed_samsung_dumps_are_read_as_far_as_they_go() {
    let Some(path) = real("captures/mvt/android_data/dumpsys_packages.txt") else { return };
    let dump = package::parse(&fs::read_to_string(path).unwrap());
    let blocks = dump.packages.unwrap();
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[0].users[0].words["ceDataInode"], "-4294835840");
    assert_eq!(blocks[0].body.list("declared permissions").unwrap().value.len(), 4);
    assert_eq!(blocks[1].body.list("requested permissions").unwrap().value.len(), 11);
    assert_eq!(blocks[1].body.list("install permissions").unwrap().value.len(), 20);
    assert_eq!(blocks[1].users[0].body.list("runtime permissions").unwrap().value.len(), 13);
    assert_eq!(dump.end, End::Whole);

    // A whole `dumpsys`, cut and pasted: lines below the packages that belong to no entry hide packages.
    let path = real("captures/mvt/androidqf/dumpsys.txt").unwrap();
    let dump = package::parse(&fs::read_to_string(path).unwrap());
    assert_eq!(dump.packages.unwrap().len(), 2);
    assert_eq!(dump.lost_packages, 1);
}
