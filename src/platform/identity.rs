//! Who a device is, by its system properties.
//!
//! Vendors' properties: Xiaomi `ro.miui.region`, `ro.mi.os.version.*` (HyperOS); Samsung `ro.csc.*`; Oppo, realme and
//! OnePlus `ro.vendor.oplus.regionmark`; Huawei `ro.hw.country`, `hw_sc.build.platform.version` (HarmonyOS: the property
//! that Huawei's own `BuildEx` users read); vivo `ro.product.country.region`; Amazon `ro.build.version.fireos`.
//! `ro.build.version.emui` says nothing of HarmonyOS: both systems of Huawei set it.

use std::collections::BTreeMap;

use crate::inventory::{Device, DeviceKind, Evidence, Fact, Gap, GapReason, MarketProperty, OsFlavour, State};

/// A system property, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its value; never empty.
    pub value: String,
    /// The command or file that says so.
    pub evidence: Evidence,
}

/// System properties by name, after overrides.
pub type Properties = BTreeMap<String, Property>;

/// Properties that name the market a device is made for, in the order in which they are believed: what the user or the
/// dealer set comes before what the build was made for.
const REGIONS: [&str; 10] = [
    "ro.miui.region",
    "ro.csc.sales_code",
    "ro.csc.country_code",
    "ro.vendor.oplus.regionmark",
    "ro.oplus.regionmark",
    "ro.oplus.pipeline.region",
    "ro.hw.country",
    "ro.product.country.region",
    "ro.miui.build.region",
    "ro.boot.hwc",
];

/// Properties that only one seller's system sets.
const FLAVOURS: [(&str, OsFlavour); 6] = [
    ("ro.mi.os.version.name", OsFlavour::HyperOs),
    ("ro.mi.os.version.code", OsFlavour::HyperOs),
    ("ro.mi.os.version.incremental", OsFlavour::HyperOs),
    ("hw_sc.build.platform.version", OsFlavour::HarmonyOs),
    ("hw_sc.build.os.version", OsFlavour::HarmonyOs),
    ("ro.build.version.fireos", OsFlavour::FireOs),
];

const CHARACTERISTICS: &str = "ro.build.characteristics";

/// The identity that properties give. A property that is not set is a gap `missing` at its own name, except those that
/// vendors may leave out (region, locale), which are known to be `null`.
#[must_use]
pub fn device(properties: &Properties, whole: &Evidence) -> Device {
    let text = |name: &str| read(properties, name, |value| Some(value.to_owned()), "");
    Device {
        brand: text("ro.product.brand"),
        manufacturer: text("ro.product.manufacturer"),
        model: text("ro.product.model"),
        device: text("ro.product.device"),
        product: text("ro.product.name"),
        fingerprint: text("ro.build.fingerprint"),
        build: text("ro.build.display.id"),
        build_type: text("ro.build.type"),
        build_tags: text("ro.build.tags"),
        release: text("ro.build.version.release"),
        sdk: read(properties, "ro.build.version.sdk", |value| value.parse().ok(), "a number"),
        security_patch: read(
            properties,
            "ro.build.version.security_patch",
            |value| value.parse::<jiff::civil::Date>().ok().map(|_| value.to_owned()),
            "a date, YYYY-MM-DD",
        ),
        build_date: read(properties, "ro.build.date.utc", day, "seconds since 1970"),
        region: region(properties, whole),
        locale: locale(properties, whole),
        os_flavour: os_flavour(properties, whole),
        kind: kind(properties),
        for_sale: for_sale(properties),
        generic_system: generic_system(properties, whole),
        vendor_fingerprint: optional(properties.get("ro.vendor.build.fingerprint"), whole),
    }
}

/// Beginnings of the names of generic systems: Google's GSI, and those that Qualcomm, MediaTek and Transsion put below the
/// parts of each device.
const GENERIC: [&str; 6] = ["gsi_", "generic", "qssi", "mssi", "tssi", "sys_mssi"];
/// Properties of the system partition that name it.
const SYSTEM_NAMES: [&str; 2] = ["ro.product.system.name", "ro.product.system.device"];

/// Whether a build is one for sale, by its type and its keys.
fn for_sale(properties: &Properties) -> Fact<bool> {
    let (build_type, tags) = ("ro.build.type", "ro.build.tags");
    let (Some(kind), Some(keys)) = (properties.get(build_type), properties.get(tags)) else {
        let name = if properties.contains_key(build_type) { tags } else { build_type };
        return Fact::Unknown(missing(name));
    };
    let released = words(keys).any(|word| word == "release-keys");
    let evidence = if kind.value == "user" { &keys.evidence } else { &kind.evidence };
    Fact::new(kind.value == "user" && released, evidence)
}

fn generic_system(properties: &Properties, whole: &Evidence) -> Fact<Option<String>> {
    let mut named = SYSTEM_NAMES.iter().filter_map(|name| properties.get(*name));
    let generic = named.find(|property| {
        let value = property.value.to_ascii_lowercase();
        GENERIC.iter().any(|start| value.starts_with(start))
    });
    optional(generic, whole)
}

/// Beginnings of properties that tell market, carrier or customisation. None of them names a single device.
const MARKET: [&str; 14] = [
    "ro.csc.",
    "ro.boot.carrierid",
    "ro.boot.hwc",
    "ro.boot.sales_code",
    "ro.carrier",
    "ro.miui.",
    "ro.hw.country",
    "ro.hw.vendor",
    "ro.oplus.",
    "ro.vendor.oplus.region",
    "ro.product.country.region",
    "ro.product.locale",
    "mdc.singlesku",
    "persist.sys.omc",
];

/// State of the boot chain and of the market, as far as properties tell it; the rest is unknown.
#[must_use]
pub fn boot_state(properties: &Properties, whole: &Evidence) -> State {
    let text = |name: &str| optional(properties.get(name), whole);
    let lower = |fact: Fact<Option<String>>| fact.map(|value| value.map(|value| value.to_ascii_lowercase()));
    let locked = match (properties.get("ro.boot.vbmeta.device_state"), properties.get("ro.boot.flash.locked")) {
        (Some(property), other) => {
            let word = match property.value.as_str() {
                "locked" => Some(true),
                "unlocked" => Some(false),
                _ => None,
            };
            let flag = other.and_then(|other| flag(&other.value));
            match (word, flag) {
                (Some(word), Some(flag)) if word != flag => Fact::Unknown(Gap::new(
                    "ro.boot.vbmeta.device_state",
                    GapReason::Contradiction,
                    format!("the bootloader is {}, ro.boot.flash.locked says otherwise", property.value),
                )),
                (Some(word), _) => Fact::new(Some(word), &property.evidence),
                (None, _) => damaged("ro.boot.vbmeta.device_state", &property.value, "locked or unlocked"),
            }
        }
        (None, Some(property)) => match flag(&property.value) {
            Some(flag) => Fact::new(Some(flag), &property.evidence),
            None => damaged("ro.boot.flash.locked", &property.value, "0 or 1"),
        },
        (None, None) => Fact::new(None, whole),
    };
    let market = properties.iter().filter(|(name, _)| MARKET.iter().any(|start| name.starts_with(start)));
    let market = market.map(|(name, property)| MarketProperty { name: name.clone(), value: property.value.clone() });
    State {
        verified_boot: lower(text("ro.boot.verifiedbootstate")),
        vbmeta_digest: lower(text("ro.boot.vbmeta.digest")),
        bootloader_locked: locked,
        vendor_security_patch: text("ro.vendor.build.security_patch"),
        privileged_allowlists: text("ro.control_privapp_permissions"),
        market: Fact::new(market.collect(), whole),
        ..State::unknown(&Gap::new("properties", GapReason::NotObserved, "properties do not tell it"))
    }
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn damaged<T>(name: &str, value: &str, expected: &str) -> Fact<T> {
    Fact::Unknown(Gap::new(name, GapReason::Damaged, format!("the value is {value:?}, expected {expected}")))
}

fn missing(name: &str) -> Gap {
    Gap::new(name, GapReason::Missing, "the property is not set")
}

fn read<T>(
    properties: &Properties,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
    expected: &'static str,
) -> Fact<T> {
    let Some(property) = properties.get(name) else { return Fact::Unknown(missing(name)) };
    match parse(property.value.trim()) {
        Some(value) => Fact::new(value, &property.evidence),
        None => Fact::Unknown(Gap::new(
            name,
            GapReason::Damaged,
            format!("the value is {:?}, expected {expected}", property.value),
        )),
    }
}

/// The UTC day of a number of seconds; none before the first Android (2008), which marks a build without a clock.
fn day(seconds: &str) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds.parse().ok()?).ok()?;
    let date = jiff::tz::Offset::UTC.to_datetime(time).date();
    (date.year() >= 2008).then(|| date.to_string())
}

fn optional(property: Option<&Property>, whole: &Evidence) -> Fact<Option<String>> {
    match property {
        Some(property) => Fact::new(Some(property.value.clone()), &property.evidence),
        None => Fact::new(None, whole),
    }
}

fn region(properties: &Properties, whole: &Evidence) -> Fact<Option<String>> {
    optional(REGIONS.iter().find_map(|name| properties.get(*name)), whole)
}

fn locale(properties: &Properties, whole: &Evidence) -> Fact<Option<String>> {
    let set = properties.get("ro.product.locale");
    let language = properties.get("ro.product.locale.language");
    let region = properties.get("ro.product.locale.region");
    match (set, language, region) {
        // Until Android 5 the two halves had a property each.
        (None, Some(language), Some(region)) => {
            Fact::new(Some(format!("{}-{}", language.value, region.value)), &language.evidence)
        }
        (set, language, _) => optional(set.or(language), whole),
    }
}

fn words(property: &Property) -> impl Iterator<Item = &str> {
    property.value.split(',').map(str::trim).filter(|word| !word.is_empty())
}

fn os_flavour(properties: &Properties, whole: &Evidence) -> Fact<OsFlavour> {
    let seller = FLAVOURS.iter().find_map(|(name, flavour)| Some((properties.get(*name)?, *flavour)));
    if let Some((property, flavour)) = seller {
        return Fact::new(flavour, &property.evidence);
    }
    let Some(property) = properties.get(CHARACTERISTICS) else { return Fact::Unknown(missing(CHARACTERISTICS)) };
    let flavour = words(property).find_map(|word| match word {
        "tv" => Some(OsFlavour::AndroidTv),
        "watch" => Some(OsFlavour::WearOs),
        "automotive" | "car" => Some(OsFlavour::Automotive),
        _ => None,
    });
    match flavour {
        Some(flavour) => Fact::new(flavour, &property.evidence),
        // That no seller's property is set is told by all of them together.
        None => Fact::new(OsFlavour::Android, whole),
    }
}

fn kind(properties: &Properties) -> Fact<DeviceKind> {
    let Some(property) = properties.get(CHARACTERISTICS) else { return Fact::Unknown(missing(CHARACTERISTICS)) };
    let mut found: Option<DeviceKind> = None;
    let gap = |reason, detail: String| Fact::Unknown(Gap::new(CHARACTERISTICS, reason, detail));
    for word in words(property) {
        let kind = match word {
            "tablet" => DeviceKind::Tablet,
            "tv" => DeviceKind::Tv,
            "watch" => DeviceKind::Watch,
            "automotive" | "car" => DeviceKind::Car,
            // What builds of phones carry: no word of their own, or how their storage is made.
            "default" | "nosdcard" | "phone" | "emulated" => continue,
            other => return gap(GapReason::Unsupported, format!("{other:?} is not a known kind of device")),
        };
        if found.is_some_and(|other| other != kind) {
            return gap(GapReason::Contradiction, format!("{:?} names two kinds of device", property.value));
        }
        found = Some(kind);
    }
    Fact::new(found.unwrap_or(DeviceKind::Phone), &property.evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::SourceId;

    fn whole() -> Evidence {
        Evidence { source: SourceId(0), at: None }
    }

    fn of(list: &[(&str, &str)]) -> Device {
        let properties = (1..)
            .zip(list)
            .map(|(line, (name, value))| {
                let evidence = whole().at(format!("line {line}"));
                ((*name).to_owned(), Property { value: (*value).to_owned(), evidence })
            })
            .collect();
        device(&properties, &whole())
    }

    fn reason<T>(fact: &Fact<T>) -> GapReason {
        fact.gap().expect("a gap").reason
    }

    #[test]
    fn every_fact_points_to_its_own_property() {
        let device = of(&[("ro.product.brand", "Fiction"), ("ro.build.version.sdk", "34")]);
        assert_eq!(device.brand.known().unwrap(), "Fiction");
        assert_eq!(device.sdk.known(), Some(&34));
        assert_eq!(device.sdk.evidence().unwrap().at.as_deref(), Some("line 2"));
    }

    #[test]
    fn a_property_that_is_not_set_is_missing_at_its_own_name() {
        let device = of(&[]);
        assert_eq!(device.model.gap().unwrap(), &missing("ro.product.model"));
        assert_eq!(reason(&device.os_flavour), GapReason::Missing);
        assert_eq!(device.region.known(), Some(&None));
        assert_eq!(device.locale.known(), Some(&None));
    }

    #[test]
    fn values_of_the_wrong_form_are_damaged() {
        let device = of(&[
            ("ro.build.version.sdk", "REL"),
            ("ro.build.version.security_patch", "2024-13-01"),
            ("ro.build.date.utc", "0"),
        ]);
        assert_eq!(reason(&device.sdk), GapReason::Damaged);
        assert_eq!(reason(&device.security_patch), GapReason::Damaged);
        assert_eq!(reason(&device.build_date), GapReason::Damaged);
    }

    #[test]
    fn the_build_day_is_in_utc() {
        // `date -u -d @1711929599 +%F`, one second before midnight.
        assert_eq!(of(&[("ro.build.date.utc", "1711929599")]).build_date.known().unwrap(), "2024-03-31");
        assert_eq!(reason(&of(&[("ro.build.date.utc", "99999999999999")]).build_date), GapReason::Damaged);
    }

    #[test]
    fn a_sellers_system_is_told_by_its_own_property_before_the_kind_of_device() {
        let tv = ("ro.build.characteristics", "nosdcard,tv");
        assert_eq!(of(&[tv]).os_flavour.known(), Some(&OsFlavour::AndroidTv));
        assert_eq!(of(&[tv, ("ro.build.version.fireos", "7.6")]).os_flavour.known(), Some(&OsFlavour::FireOs));
        let phone = ("ro.build.characteristics", "default");
        for (name, flavour) in [
            ("ro.mi.os.version.name", OsFlavour::HyperOs),
            ("hw_sc.build.platform.version", OsFlavour::HarmonyOs),
            ("ro.build.version.emui", OsFlavour::Android),
        ] {
            assert_eq!(of(&[phone, (name, "2.0")]).os_flavour.known(), Some(&flavour), "{name}");
        }
        assert_eq!(of(&[("ro.build.characteristics", "watch")]).os_flavour.known(), Some(&OsFlavour::WearOs));
    }

    #[test]
    fn the_boot_chains_state_is_told_and_contradictions_are_gaps() {
        let state = |list: &[(&str, &str)]| {
            let properties = list
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Property { value: (*value).to_owned(), evidence: whole() }));
            boot_state(&properties.collect(), &whole())
        };
        let pixel = state(&[
            ("ro.boot.flash.locked", "0"),
            ("ro.boot.verifiedbootstate", "orange"),
            ("ro.csc.sales_code", "SER"),
        ]);
        assert_eq!(pixel.bootloader_locked.known(), Some(&Some(false)));
        assert_eq!(pixel.verified_boot.known().unwrap().as_deref(), Some("orange"));
        assert_eq!(pixel.vbmeta_digest.known(), Some(&None));
        assert_eq!(pixel.market.known().unwrap()[0].value, "SER");
        assert_eq!(reason(&pixel.features), GapReason::NotObserved);
        let both = state(&[("ro.boot.flash.locked", "0"), ("ro.boot.vbmeta.device_state", "locked")]);
        assert_eq!(reason(&both.bootloader_locked), GapReason::Contradiction);
        assert_eq!(reason(&state(&[("ro.boot.flash.locked", "x")]).bootloader_locked), GapReason::Damaged);
        assert_eq!(state(&[]).bootloader_locked.known(), Some(&None));
    }

    #[test]
    fn a_build_for_sale_has_the_type_and_the_keys() {
        for (kind, keys, expected) in [
            ("user", "release-keys", true),
            ("user", "test-keys", false),
            ("userdebug", "release-keys", false),
            ("users", "release-keys", false),
            ("user", "release-key", false),
        ] {
            let device = of(&[("ro.build.type", kind), ("ro.build.tags", keys)]);
            assert_eq!(device.for_sale.known(), Some(&expected), "{kind} {keys}");
        }
        assert_eq!(reason(&of(&[("ro.build.type", "user")]).for_sale), GapReason::Missing);
    }

    #[test]
    fn a_generic_system_is_told_from_the_devices_own() {
        let device = of(&[
            ("ro.product.system.name", "tssi_64_ww"),
            ("ro.product.system.device", "TECNO"),
            ("ro.vendor.build.fingerprint", "TECNO/KJ5/TECNO-KJ5:13/T/1:user/release-keys"),
        ]);
        assert_eq!(device.generic_system.known().unwrap().as_deref(), Some("tssi_64_ww"));
        assert!(device.vendor_fingerprint.known().unwrap().as_deref().unwrap().starts_with("TECNO/KJ5/"));
        let own = of(&[("ro.product.system.name", "a02xx"), ("ro.product.system.device", "a02")]);
        assert_eq!(own.generic_system.known(), Some(&None));
    }

    #[test]
    fn kinds_of_device_are_told_apart_and_unknown_words_are_gaps() {
        for (words, kind) in [
            ("default", DeviceKind::Phone),
            ("nosdcard", DeviceKind::Phone),
            ("tablet,nosdcard", DeviceKind::Tablet),
            ("nosdcard,tv", DeviceKind::Tv),
            ("watch", DeviceKind::Watch),
            ("automotive", DeviceKind::Car),
        ] {
            assert_eq!(of(&[("ro.build.characteristics", words)]).kind.known(), Some(&kind), "{words}");
        }
        assert_eq!(reason(&of(&[("ro.build.characteristics", "box")]).kind), GapReason::Unsupported);
        assert_eq!(reason(&of(&[("ro.build.characteristics", "tv,tablet")]).kind), GapReason::Contradiction);
    }

    #[test]
    fn the_region_of_the_dealer_comes_before_that_of_the_build() {
        let device = of(&[("ro.miui.build.region", "global"), ("ro.miui.region", "RU")]);
        assert_eq!(device.region.known().unwrap().as_deref(), Some("RU"));
        let halves = of(&[("ro.product.locale.language", "ru"), ("ro.product.locale.region", "RU")]);
        assert_eq!(halves.locale.known().unwrap().as_deref(), Some("ru-RU"));
    }
}
