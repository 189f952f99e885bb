//! Which apps the Russian lists require on which day: each day on which they change and the day before, by both bases,
//! for each kind of device and each system. The table is written from the lists, not from the profiles.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use preloaded::assess::{AssessError, assess};
use preloaded::check::{Context, Reason};
use preloaded::inventory::{DeviceKind, Inventory, OsFlavour};
use preloaded::profile::{self, Basis};

use super::sample::{image, known};

/// Ids whose absence fails under the profile. Of several ids the first stands for the app.
fn required(profile: &str, kind: DeviceKind, flavour: OsFlavour, context: Context) -> BTreeSet<String> {
    let profile = profile::load(profile).unwrap_or_else(|error| panic!("{error}"));
    let mut device: Inventory = image();
    device.device.kind = known(kind);
    device.device.os_flavour = known(flavour);
    let assessment = match assess(&profile, &device, &context) {
        Ok(assessment) => assessment,
        Err(AssessError::NothingToJudge { .. }) => return BTreeSet::new(),
        Err(error) => panic!("{error}"),
    };
    let absent = assessment.findings.iter().filter(|finding| finding.reason == Some(Reason::Absent));
    absent.map(|finding| finding.observed.split([',', ' ']).next().unwrap().to_owned()).collect()
}

fn set(words: &str) -> BTreeSet<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

const HANDHELD_2021: &str = "com.kms.free com.ncloudtech.cloudoffice com.vkontakte.android com.yandex.browser \
    com.yandex.searchapp ru.mail.mailapp ru.mail.search.electroscope ru.nspk.mirpay ru.ok.android ru.rostel ru.yandex.disk \
    ru.yandex.yandexmaps";
const HANDHELD_2023: &str = "ru.dublgis.dgismobile ru.litres.android";
const HANDHELD_2024: &str = "com.vk.im ru.crptech.mark ru.rutube.app ru.zen.android";
const STORE: &str = "ru.vk.store";
const HARMONY_2026: &str = "com.vkontakte.android ru.mail.mailapp ru.zen.android";
const TV_2021: &str = "com.ctcmediagroup.videomore com.vgtrk.smotrim gpm.tnt_premier ru.ivi.client \
    ru.kinopoisk.yandex.tv ru.more.play ru.ntv.client.tv ru.rt.video.app.tv ru.start.androidtv ru.tv1.android.tv";
const TV_2023: &str = "com.vk.tv ru.rutube.app";
const TV_2024: &str = "com.amdteka ru.mts.mtstv";
const TV_2026: &str = "tv.limehd.stb";

/// Days on which a list changes.
const CHANGES: [(i16, i8, i8); 6] =
    [(2021, 4, 1), (2023, 1, 1), (2023, 8, 30), (2024, 1, 1), (2025, 9, 1), (2026, 1, 1)];

/// Days on which an order or an amendment came into force and no entry changed: the number of audiovisual services, an order that
/// one page dates so, the list of 2025, which is that of 2024.
const OTHER_DAYS: [(i16, i8, i8); 3] = [(2022, 3, 1), (2023, 3, 1), (2025, 1, 1)];

/// The lists, as section 3.2 and 4.4 of the reference have them, for a device made and sold on the days given.
fn expected(kind: DeviceKind, flavour: OsFlavour, made: Date, change_of_2025: Date) -> BTreeSet<String> {
    let mut list = BTreeSet::new();
    if made < date(2021, 4, 1) {
        return list;
    }
    let since = |day: Date| made >= day;
    if kind == DeviceKind::Tv {
        list.extend(set(TV_2021));
        for (day, more) in [(date(2023, 1, 1), TV_2023), (date(2024, 1, 1), TV_2024), (date(2026, 1, 1), TV_2026)] {
            if since(day) {
                list.extend(set(more));
            }
        }
        return list;
    }
    let messenger = change_of_2025 >= date(2025, 9, 1);
    if flavour == OsFlavour::HarmonyOs {
        if since(date(2023, 1, 1)) {
            list.extend(set(STORE));
        }
        if since(date(2026, 1, 1)) && kind == DeviceKind::Phone {
            list.extend(set(HARMONY_2026));
        }
        return list;
    }
    list.extend(set(HANDHELD_2021));
    if since(date(2023, 1, 1)) {
        list.extend(set(HANDHELD_2023));
    }
    if since(date(2024, 1, 1)) {
        list.extend(set(HANDHELD_2024));
    }
    if messenger {
        list.remove("com.vk.im");
        list.insert("ru.oneme.app".to_owned());
    }
    let store = match flavour {
        OsFlavour::HyperOs => messenger,
        _ => since(date(2023, 1, 1)),
    };
    if store {
        list.extend(set(STORE));
    }
    list
}

const DEVICES: [(&str, DeviceKind, OsFlavour); 7] = [
    ("ru/smartphone", DeviceKind::Phone, OsFlavour::Android),
    ("ru/smartphone", DeviceKind::Phone, OsFlavour::HyperOs),
    ("ru/smartphone", DeviceKind::Phone, OsFlavour::HarmonyOs),
    ("ru/tablet", DeviceKind::Tablet, OsFlavour::Android),
    ("ru/tablet", DeviceKind::Tablet, OsFlavour::HyperOs),
    ("ru/tablet", DeviceKind::Tablet, OsFlavour::HarmonyOs),
    ("ru/smart-tv", DeviceKind::Tv, OsFlavour::AndroidTv),
];

#[test]
fn each_day_of_change_selects_exactly_its_apps_and_the_day_before_the_former_ones_by_both_bases() {
    let mut asked = 0;
    for (profile, kind, flavour) in DEVICES {
        for (year, month, day) in CHANGES.into_iter().chain(OTHER_DAYS) {
            let change = date(year, month, day);
            for day in [change.yesterday().unwrap(), change] {
                let made = Context { made: Some(day), governing: Some(Basis::Made), ..Context::on(date(2026, 11, 23)) };
                let found = required(profile, kind, flavour, made);
                assert_eq!(found, expected(kind, flavour, day, day), "{profile} {flavour:?}, made on {day}");
                let as_of = required(profile, kind, flavour, Context::on(day));
                assert_eq!(as_of, expected(kind, flavour, day, day), "{profile} {flavour:?}, as of {day}");
                // Made between the changes, sold around each of them: the disputed change alone moves.
                let made = date(2025, 6, 1);
                let sold = Context {
                    made: Some(made),
                    sold: Some(day),
                    governing: Some(Basis::Sold),
                    ..Context::on(date(2026, 11, 23))
                };
                let found = required(profile, kind, flavour, sold);
                assert_eq!(found, expected(kind, flavour, made, day), "{profile} {flavour:?}, sold on {day}");
                asked += 3;
            }
        }
    }
    assert_eq!(asked, 7 * 9 * 2 * 3);
}

#[test]
fn lists_have_as_many_entries_as_the_orders() {
    let on = |profile, kind, flavour, day| required(profile, kind, flavour, Context::on(day)).len();
    let phone = |day| on("ru/smartphone", DeviceKind::Phone, OsFlavour::Android, day);
    assert_eq!((phone(date(2024, 1, 1)), phone(date(2025, 9, 1))), (19, 19));
    // 18 entries of the TV lists of 2024 and 2025, four of which have no known id: Yandex, Beeline TV, Tricolor, Movix.
    let tv = |day| on("ru/smart-tv", DeviceKind::Tv, OsFlavour::AndroidTv, day);
    assert_eq!((tv(date(2024, 1, 1)) + 4, tv(date(2026, 1, 1)) + 4), (18, 19));
}
