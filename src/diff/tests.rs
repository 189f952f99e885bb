//! One fact is changed, and exactly that is told.

use super::*;
use crate::check::sample::{app, copy, hiding_gap, image, known, phone, phone_app, signer, unknown, with};
use crate::inventory::{CopyRole, Fact, Grant, GrantKind, Inventory, Placement, RequestedPermission};

fn of(inventory: &Inventory) -> Side<'_> {
    Side { target: &inventory.target, device: &inventory.device, inventory: Some(inventory), assessment: None }
}

fn diff(a: &Inventory, b: &Inventory) -> Diff {
    compare(&of(a), &of(b))
}

/// Kind, subject and the changes in words.
fn told(diff: &Diff) -> Vec<(EntryKind, Option<&str>, Vec<String>)> {
    let words = |entry: &'_ Entry| entry.changes.iter().map(change_in_words).collect();
    diff.entries.iter().map(|entry| (entry.kind, entry.subject.as_deref(), words(entry))).collect()
}

fn package(change: impl FnOnce(&mut crate::inventory::Package)) -> Inventory {
    let mut package = app("a.b");
    change(&mut package);
    with(image(), [package])
}

#[test]
fn a_thing_and_itself_do_not_differ() {
    for inventory in [with(image(), [app("a.b"), app("c.d")]), with(phone(), [phone_app("a.b")])] {
        let diff = diff(&inventory, &inventory);
        assert_eq!((told(&diff), diff.is_incomplete()), (Vec::new(), false));
    }
}

#[test]
fn each_change_of_a_package_is_told_under_its_kind() {
    let request = |name: &str| RequestedPermission { name: name.to_owned(), max_sdk: None, sdk_23: false };
    let before = package(|package| package.copies[0].requested_permissions = known(vec![request("P.OLD")]));
    let after = |change: &dyn Fn(&mut crate::inventory::PackageCopy)| {
        package(|package| {
            package.copies[0].requested_permissions = known(vec![request("P.OLD")]);
            change(&mut package.copies[0]);
        })
    };
    let cases: Vec<(Inventory, EntryKind, &str)> = vec![
        (
            after(&|copy| copy.version_code = known(7000)),
            EntryKind::Updated,
            "version: 25.8.1 (6392), now 25.8.1 (7000)",
        ),
        (
            after(&|copy| copy.signers = known(vec![signer('b')])),
            EntryKind::Resigned,
            "signers: + bbbbbbbbbbbb…; - aaaaaaaaaaaa…",
        ),
        (
            after(&|copy| copy.placement = known(Placement::Privileged)),
            EntryKind::Moved,
            "kind of place: system, now privileged",
        ),
        (
            after(&|copy| copy.requested_permissions = known(vec![request("P.NEW")])),
            EntryKind::Permissions,
            "asks for permissions: + P.NEW; - P.OLD",
        ),
        (after(&|copy| copy.target_sdk = known(35)), EntryKind::Changed, "target SDK: 34, now 35"),
        (after(&|copy| copy.launcher = known(Vec::new())), EntryKind::Changed, "icons: - a.b.MainActivity"),
    ];
    for (after, kind, words) in cases {
        let diff = diff(&before, &after);
        assert_eq!(told(&diff), [(kind, Some("a.b"), vec![words.to_owned()])]);
        assert!(!diff.is_incomplete());
    }
}

#[test]
fn a_grant_that_came_is_told_and_a_refusal_is_none() {
    let grant = |name: &str, granted| Grant {
        user: Some(0),
        permission: name.to_owned(),
        kind: GrantKind::Runtime,
        granted,
        flags: Vec::new(),
    };
    let device = |granted| {
        let mut package = phone_app("a.b");
        package.grants = known(vec![grant("P.SMS", granted), grant("P.REFUSED", false)]);
        with(phone(), [package])
    };
    let diff = diff(&device(false), &device(true));
    let words = vec!["holds permissions: + P.SMS".to_owned()];
    assert_eq!(told(&diff), [(EntryKind::Permissions, Some("a.b"), words)]);
}

#[test]
fn what_one_side_does_not_know_is_no_change() {
    let blind = package(|package| {
        package.copies[0].signers = unknown();
        package.copies[0].version_code = unknown();
    });
    let (there, back) = (diff(&package(|_| ()), &blind), diff(&blind, &package(|_| ())));
    for (diff, known) in [(there, Known::Before), (back, Known::After)] {
        assert_eq!(told(&diff), []);
        let aspects: Vec<_> =
            diff.unsettled.iter().map(|unsettled| (unsettled.aspect.as_str(), unsettled.known)).collect();
        assert_eq!(aspects, [("signers", known), ("version", known)]);
        assert_eq!(diff.unsettled[0].subjects, ["a.b"]);
    }
}

#[test]
fn a_package_behind_a_gap_of_one_side_is_not_called_gone() {
    let full = with(image(), [app("a.b"), app("c.d")]);
    let mut less = with(image(), [app("a.b")]);
    assert_eq!(told(&diff(&full, &less)).iter().map(|(kind, ..)| *kind).collect::<Vec<_>>(), [EntryKind::Removed]);
    less.gaps.push(hiding_gap());
    let there = diff(&full, &less);
    assert_eq!(told(&there), []);
    let unsettled = &there.unsettled[0];
    assert_eq!((unsettled.aspect.as_str(), unsettled.subjects.as_slice()), ("presence", ["c.d".to_owned()].as_slice()));
    let back = diff(&less, &full);
    assert_eq!((told(&back), back.unsettled[0].known), (Vec::new(), Known::After));
}

#[test]
fn the_same_gap_on_both_sides_leaves_a_removal_a_removal_and_the_whole_incomplete() {
    let (mut full, mut less) = (with(image(), [app("a.b"), app("c.d")]), with(image(), [app("a.b")]));
    full.gaps.push(hiding_gap());
    less.gaps.push(hiding_gap());
    let diff = diff(&full, &less);
    assert_eq!(told(&diff)[0].0, EntryKind::Removed);
    assert_eq!(diff.hidden_on_both, [hiding_gap()]);
    assert!(diff.is_incomplete());
}

#[test]
fn two_numbers_of_32_bits_link_signers_and_prove_nothing() {
    let numbered = |name: char| {
        package(|package| {
            let mut signer = signer(name);
            signer.sha256 = None;
            signer.hash_code = if name == 'a' { signer.hash_code } else { "00c0ffee".to_owned() };
            package.copies[0].signers = known(vec![signer]);
        })
    };
    let full = package(|_| ());
    let alike = diff(&full, &numbered('a'));
    assert_eq!(told(&alike), []);
    assert_eq!(alike.unsettled[0].known, Known::Incomparably);
    assert_eq!(told(&diff(&full, &numbered('b')))[0].0, EntryKind::Resigned);
}

#[test]
fn an_update_that_a_store_brought_is_a_copy_that_came() {
    let updated = package(|package| {
        package.copies.push(copy("a.b", CopyRole::Updated));
    });
    let diff = diff(&package(|_| ()), &updated);
    let words = vec!["copies: + /data/app/a.b/base.apk (update, 25.8.1 (6392))".to_owned()];
    assert_eq!(told(&diff), [(EntryKind::Moved, Some("a.b"), words)]);
}

#[test]
fn of_devices_with_one_fingerprint_the_one_that_differs_from_most_is_odd() {
    let device = |name: &str, fingerprint: Option<&str>, packages: &[&str]| {
        let mut inventory = with(image(), packages.iter().map(|package| app(package)));
        inventory.target.name = name.to_owned();
        inventory.device.fingerprint = fingerprint.map_or_else(unknown, |print| known(print.to_owned()));
        inventory
    };
    let one = device("one", Some("F"), &["a.b", "extra"]);
    let two = device("two", Some("F"), &["a.b"]);
    let three = device("three", Some("F"), &["a.b"]);
    let other = device("other", Some("G"), &["z"]);
    let nameless = device("nameless", None, &["a.b"]);
    let mut cut = device("cut", Some("F"), &["a.b"]);
    cut.gaps.push(hiding_gap());
    let found = odd(&[&one, &two, &three, &other, &nameless, &cut]);
    let group = &found.groups[0];
    assert_eq!((group.fingerprint.as_str(), group.usual.as_str(), group.alike), ("F", "two", 2));
    assert_eq!(group.odd.iter().map(|device| device.name.as_str()).collect::<Vec<_>>(), ["one"]);
    assert_eq!(told(&group.odd[0].diff)[0], (EntryKind::Added, Some("extra"), told(&group.odd[0].diff)[0].2.clone()));
    assert_eq!(found.groups[1].devices, ["other"]);
    assert_eq!(found.without_fingerprint, ["nameless"]);
    // A gap of one side alone may hide what makes it odd.
    assert_eq!(group.undecided.iter().map(|device| device.name.as_str()).collect::<Vec<_>>(), ["cut"]);
}

#[test]
fn what_an_owner_changed_is_not_odd() {
    let mut plain = with(phone(), [phone_app("a.b")]);
    plain.device.fingerprint = known("F".to_owned());
    let mut used = plain.clone();
    used.target.name = "used".to_owned();
    if let Fact::Known { value, .. } = &mut used.packages {
        value[0].copies.insert(0, copy("a.b", CopyRole::Updated));
        value[0].users = known(Vec::new());
    }
    let found = odd(&[&plain, &used]);
    assert_eq!((found.groups[0].alike, found.groups[0].odd.len()), (2, 0));
}

#[test]
fn verdicts_are_compared_rule_by_rule() {
    let profile = crate::profile::load("ru/smartphone").unwrap();
    let context = crate::check::Context::on(jiff::civil::date(2026, 6, 1));
    let judge = |inventory: &Inventory| crate::assess::assess(&profile, inventory, &context).unwrap();
    let (without, having) = (image(), with(image(), [app("ru.oneme.app")]));
    let (before, after) = (judge(&without), judge(&having));
    let side = |inventory, assessment| Side { assessment: Some(assessment), ..of(inventory) };
    let diff = compare(&side(&without, &before), &side(&having, &after));
    let verdicts: Vec<_> = told(&diff).into_iter().filter(|(kind, ..)| *kind == EntryKind::Verdict).collect();
    let words = vec!["verdict: fail [absent] of ru.oneme.app, now pass of ru.oneme.app".to_owned()];
    assert_eq!(verdicts, [(EntryKind::Verdict, Some("RU-MAX"), words)]);
}
