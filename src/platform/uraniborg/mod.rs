//! The risk score of Uraniborg: how much of what a device's packages may do they have beyond a generic system image of the
//! same Android, from 0 to 10, lower is better.
//!
//! | part | of | what is counted |
//! |---|---|---|
//! | platform signature | 6 | packages with code that are signed with the platform's key |
//! | permissions | 3 | weights of the permissions that the other packages with code hold (`weights.tsv`) |
//! | cleartext | 1 | packages with code that may send unencrypted and reach the network |
//!
//! Each part is its maximum times the share of the count that comes from packages which the generic image does not have
//! (`baselines.tsv`, names compared as Uraniborg does). Of permissions for places the heaviest counts once for a package, and
//! so of those for SMS. Source: `risk_analyzer.py`, `package_whitelists.py` and `hubble_parser.py` of
//! github.com/android/security-certification-resources at 055f829, read; since withdrawn by their authors.
//!
//! What is not known of a package makes a range: [`Score`] is exact only where its ends meet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

const WEIGHTS: &str = include_str!("weights.tsv");
const BASELINES: &str = include_str!("baselines.tsv");
const EXEMPT: &str = include_str!("exempt.tsv");

/// Beginnings of names that a maker may replace by its own: `com.android.settings`, `com.maker.settings`.
const PREFIXES: [&str; 2] = ["com.android.", "android."];
/// What a package needs to reach the network.
const INTERNET: &str = "android.permission.INTERNET";
/// Millionths in a whole: scores are whole numbers of them.
const WHOLE: u64 = 1_000_000;

/// What Uraniborg looks at in one package. `None`: not known.
#[derive(Debug, Clone, Default)]
pub struct Subject<'a> {
    /// The application id.
    pub name: &'a str,
    /// Whether it has code.
    pub has_code: Option<bool>,
    /// Whether it has the platform's signer.
    pub platform_signed: Option<bool>,
    /// SHA-256 digests of its signers, lower-case hex.
    pub signers: Option<BTreeSet<&'a str>>,
    /// Permissions that it holds, by name; with [`Subject::components`] of unknown use, those that its components name too.
    pub holds: BTreeSet<&'a str>,
    /// Permissions of which it is not known whether it holds them.
    pub may_hold: BTreeSet<&'a str>,
    /// Permissions that its own components ask of their callers; `None`: not known.
    pub components: Option<BTreeSet<&'a str>>,
    /// Whether it may send unencrypted.
    pub cleartext: Option<bool>,
}

/// A count of which the ends are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// At least.
    pub low: u64,
    /// At most.
    pub high: u64,
}

impl Range {
    fn add(&mut self, low: u64, high: u64) {
        self.low += low;
        self.high += high;
    }

    /// Whether it is one number.
    #[must_use]
    pub fn is_exact(self) -> bool {
        self.low == self.high
    }
}

/// One part of a score.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// What it may come to, a whole number.
    pub most: u64,
    /// Of packages beyond the generic image, in tenths.
    pub own: Range,
    /// Of packages that the generic image has too, in tenths.
    pub common: Range,
    /// Packages beyond the generic image that count for sure, with tenths: heaviest first, then by name.
    pub packages: Vec<(String, u64)>,
}

impl Part {
    fn new(most: u64) -> Self {
        Self { most, ..Self::default() }
    }

    fn count(&mut self, name: &str, common: bool, low: u64, high: u64) {
        if common {
            return self.common.add(low, high);
        }
        self.own.add(low, high);
        if low > 0 {
            self.packages.push((name.to_owned(), low));
        }
    }

    /// The part's share of the score in millionths: a growing share of its own raises it, one of the common lowers it.
    #[must_use]
    pub fn score(&self) -> Range {
        let share = |own: u64, common: u64| {
            let all = u128::from(own) + u128::from(common);
            let scaled = u128::from(self.most) * u128::from(WHOLE) * u128::from(own);
            // At most the part's own maximum, so that it fits.
            scaled.checked_div(all).and_then(|share| u64::try_from(share).ok()).unwrap_or(0)
        };
        Range { low: share(self.own.low, self.common.high), high: share(self.own.high, self.common.low) }
    }
}

/// A score with its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// Packages signed with the platform's key.
    pub platform: Part,
    /// Permissions that packages hold.
    pub permissions: Part,
    /// Packages that may send unencrypted.
    pub cleartext: Part,
}

impl Score {
    /// The whole, in millionths, from 0 to 10 wholes.
    #[must_use]
    pub fn total(&self) -> Range {
        let mut total = Range::default();
        for part in [&self.platform, &self.permissions, &self.cleartext] {
            let score = part.score();
            total.add(score.low, score.high);
        }
        total
    }
}

/// API levels for which there is a generic image to compare with, ascending.
#[must_use]
pub fn levels() -> Vec<u32> {
    baselines().keys().copied().collect()
}

/// The score of packages; `None` where there is no generic image of that API level.
#[must_use]
pub fn score(sdk: u32, manufacturer: &str, with_google: bool, packages: &[Subject<'_>]) -> Option<Score> {
    let baseline = baselines().get(&sdk)?;
    let mut score = Score { platform: Part::new(6), permissions: Part::new(3), cleartext: Part::new(1) };
    for package in packages {
        let name = package.name;
        let code = package.has_code;
        let excluded = exempt("excluded", manufacturer, package) != Some(false);
        // What of a package is not known may come to nothing.
        let (left_out, maybe_out) =
            answer(exempt("google", manufacturer, package).map(|google| google && !with_google));

        if !excluded {
            let (low, high) = tenths(all([code, package.platform_signed]), 10);
            score.platform.count(name, baseline.platform.has(name), low, high);

            let installer = answer(exempt("installer", manufacturer, package));
            let signed = answer(package.platform_signed);
            let never = left_out || installer.0 || signed.0 || code == Some(false);
            let unsure = maybe_out || installer.1 || signed.1 || code.is_none();
            let (low, high) = weigh(package);
            let (low, high) = (if never || unsure { 0 } else { low }, if never { 0 } else { high });
            score.permissions.count(name, baseline.all.has(name), low, high);
        }

        let internet = if package.holds.contains(INTERNET) {
            Some(true)
        } else if package.may_hold.contains(INTERNET) {
            None
        } else {
            Some(false)
        };
        let (low, high) = tenths(all([code, package.cleartext, internet]), 10);
        let (low, high) = (if left_out || maybe_out { 0 } else { low }, if left_out { 0 } else { high });
        score.cleartext.count(name, baseline.all.has(name), low, high);
    }
    for part in [&mut score.platform, &mut score.permissions, &mut score.cleartext] {
        part.packages.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    }
    Some(score)
}

/// The weight of a permission in tenths; 0 for one that is not counted.
#[must_use]
pub fn weight(permission: &str) -> u64 {
    static TABLE: OnceLock<BTreeMap<&'static str, u64>> = OnceLock::new();
    let table = TABLE.get_or_init(|| rows(WEIGHTS).filter_map(|[name, weight]| Some((name, parse(weight)?))).collect());
    table.get(permission).copied().unwrap_or(0)
}

/// Permissions that are counted, by name.
pub fn counted() -> impl Iterator<Item = &'static str> {
    rows(WEIGHTS).map(|[name, _]| name)
}

/// Tenths of `7.5` or `10`.
fn parse(weight: &str) -> Option<u64> {
    let (whole, tenths) = weight.split_once('.').unwrap_or((weight, "0"));
    Some(whole.parse::<u64>().ok()? * 10 + tenths.parse::<u64>().ok().filter(|_| tenths.len() == 1)?)
}

/// Rows of a table, those that have as many columns.
fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok())
}

/// Whether it surely is, and whether it only may be.
fn answer(known: Option<bool>) -> (bool, bool) {
    (known == Some(true), known != Some(false) && known != Some(true))
}

/// Whether all of it holds.
fn all<const N: usize>(parts: [Option<bool>; N]) -> Option<bool> {
    if parts.contains(&Some(false)) {
        return Some(false);
    }
    parts.iter().all(Option::is_some).then_some(true)
}

fn tenths(known: Option<bool>, weight: u64) -> (u64, u64) {
    match known {
        Some(true) => (weight, weight),
        Some(false) => (0, 0),
        None => (0, weight),
    }
}

/// The least and the most that a package's permissions weigh, in tenths.
fn weigh(package: &Subject<'_>) -> (u64, u64) {
    let low = fair(package.holds.iter().copied());
    let high = fair(package.holds.iter().chain(&package.may_hold).copied());
    let bound = |names: &BTreeSet<&str>| names.iter().map(|name| weight(name)).sum::<u64>();
    match &package.components {
        Some(names) => {
            let special = bound(&names.iter().copied().filter(|name| name.contains("BIND_")).collect());
            (low + special, high + special)
        }
        None => {
            let every = rows(WEIGHTS).filter(|[name, _]| name.contains("BIND_"));
            (low, high + every.filter_map(|[_, weight]| parse(weight)).sum::<u64>())
        }
    }
}

/// Weights of permissions, the heaviest for places once and the heaviest for SMS once.
fn fair<'a>(permissions: impl Iterator<Item = &'a str>) -> u64 {
    let (mut places, mut sms, mut others) = (0, 0, 0);
    for permission in permissions {
        let weight = weight(permission);
        if permission.contains("LOCATION") {
            places = weight.max(places);
        } else if permission.contains("SMS") {
            sms = weight.max(sms);
        } else {
            others += weight;
        }
    }
    places + sms + others
}

/// Whether a package is one that is left out; `None` where its signer decides and is not known.
fn exempt(kind: &str, manufacturer: &str, package: &Subject<'_>) -> Option<bool> {
    let row = rows::<4>(EXEMPT).find(|[row_kind, maker, name, _]| {
        *row_kind == kind && (*maker == "*" || *maker == manufacturer) && *name == package.name
    });
    match row {
        None => Some(false),
        Some([.., "-"]) => Some(true),
        Some([.., digest]) => package.signers.as_ref().map(|signers| signers.contains(digest)),
    }
}

/// Names of a generic image.
#[derive(Default)]
struct Names {
    whole: BTreeSet<&'static str>,
    /// What stands behind a beginning that a maker may replace, with the dot before it.
    ends: Vec<&'static str>,
}

impl Names {
    fn insert(&mut self, name: &'static str) {
        self.whole.insert(name);
        for prefix in PREFIXES {
            if name.starts_with(prefix) {
                self.ends.extend(name.get(prefix.len() - 1..));
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.whole.contains(name) || self.ends.iter().any(|end| name.ends_with(end))
    }
}

#[derive(Default)]
struct Baseline {
    all: Names,
    platform: Names,
}

fn baselines() -> &'static BTreeMap<u32, Baseline> {
    static TABLE: OnceLock<BTreeMap<u32, Baseline>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: BTreeMap<u32, Baseline> = BTreeMap::new();
        for [name, all, platform] in rows(BASELINES) {
            let levels = |list: &str| list.split(',').filter_map(|level| level.parse::<u32>().ok()).collect::<Vec<_>>();
            for level in levels(all) {
                table.entry(level).or_default().all.insert(name);
            }
            for level in levels(platform) {
                table.entry(level).or_default().platform.insert(name);
            }
        }
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> Subject<'_> {
        Subject {
            name,
            has_code: Some(true),
            platform_signed: Some(false),
            signers: Some(BTreeSet::new()),
            components: Some(BTreeSet::new()),
            cleartext: Some(false),
            ..Subject::default()
        }
    }

    fn platform(name: &str) -> Subject<'_> {
        Subject { platform_signed: Some(true), ..subject(name) }
    }

    fn holding<'a>(name: &'a str, permissions: &[&'a str]) -> Subject<'a> {
        Subject { holds: permissions.iter().copied().collect(), ..subject(name) }
    }

    fn of(packages: &[Subject<'_>]) -> Score {
        score(34, "Orion", false, packages).unwrap()
    }

    fn exact(value: u64) -> Range {
        Range { low: value, high: value }
    }

    #[test]
    fn the_tables_are_as_long_as_their_source_says() {
        let count = |weight: &str| rows::<2>(WEIGHTS).filter(|row| row[1] == weight).count();
        assert_eq!(["100", "10", "7.5", "5", "2.5"].map(count), [1, 13, 24, 22, 11]);
        assert_eq!(rows::<2>(WEIGHTS).count(), WEIGHTS.lines().filter(|line| !line.starts_with('#')).count());
        assert!(rows::<2>(WEIGHTS).all(|[name, _]| weight(name) > 0));
        assert_eq!(rows::<4>(EXEMPT).count(), 21);
        assert_eq!(levels(), [29, 30, 33, 34, 35]);
        // The source counts the packages with code and the platform's key of each build, less those left out. Of API level 33 it
        // says 50 of an older build than the list that it has.
        let no_code: [(u32, &[&str], u64); 5] = [
            (
                29,
                &[
                    "com.android.internal.display.cutout.emulation.emu01",
                    "com.android.theme.icon_pack.circular.themepicker",
                    "com.android.theme.icon_pack.filled.themepicker",
                ],
                49,
            ),
            (
                30,
                &[
                    "com.android.theme.icon_pack.circular.themepicker",
                    "com.android.theme.icon_pack.filled.themepicker",
                    "com.android.theme.icon_pack.rounded.themepicker",
                ],
                49,
            ),
            (33, &[], 43),
            (34, &["com.android.role.notes.enabled"], 50),
            (35, &["com.android.role.notes.enabled", "com.android.server.deviceconfig.resources"], 51),
        ];
        for (level, no_code, base) in no_code {
            let baseline = &baselines()[&level];
            assert!(baseline.platform.whole.is_subset(&baseline.all.whole), "{level}");
            let packages: Vec<Subject<'_>> = baseline
                .platform
                .whole
                .iter()
                .map(|name| Subject { has_code: Some(!no_code.contains(name)), ..platform(name) })
                .collect();
            let score = score(level, "Orion", false, &packages).unwrap();
            assert_eq!((score.platform.common, score.platform.own), (exact(base * 10), exact(0)), "{level}");
            assert_eq!(score.total(), exact(0));
        }
    }

    #[test]
    fn a_device_that_is_nothing_but_its_makers_own_comes_to_ten() {
        let clear = Subject {
            cleartext: Some(true),
            holds: [INTERNET, "android.permission.CAMERA"].into(),
            ..subject("com.maker.b")
        };
        let score = of(&[platform("com.maker.a"), clear]);
        assert_eq!(score.total(), exact(10 * WHOLE));
        assert_eq!(score.permissions.packages, [("com.maker.b".to_owned(), 100)]);
        assert_eq!(of(&[]).total(), exact(0));
    }

    #[test]
    fn each_part_is_the_share_of_what_the_generic_image_has_not() {
        let packages = [
            platform("com.maker.a"),
            platform("com.android.settings"),
            platform("com.maker.settings"),
            platform("android"),
            holding("com.maker.b", &["android.permission.INSTALL_PACKAGES"]),
            holding("com.android.contacts", &["android.permission.READ_CONTACTS", "android.permission.WRITE_CONTACTS"]),
        ];
        let score = of(&packages);
        // Settings by another maker's name is that of the generic image; `android` is left out.
        assert_eq!((score.platform.own, score.platform.common), (exact(10), exact(20)));
        assert_eq!(score.platform.score(), exact(2 * WHOLE));
        assert_eq!((score.permissions.own, score.permissions.common), (exact(1000), exact(100)));
        assert_eq!(score.permissions.score(), exact(3 * WHOLE * 1000 / 1100));
    }

    #[test]
    fn permissions_for_places_and_for_sms_count_once_each() {
        let places = ["android.permission.ACCESS_FINE_LOCATION", "android.permission.ACCESS_COARSE_LOCATION"];
        assert_eq!(fair(places.into_iter()), 75);
        let sms = ["android.permission.READ_SMS", "android.permission.RECEIVE_SMS", "android.permission.DUMP"];
        assert_eq!(fair(sms.into_iter()), 175);
        assert_eq!(fair(["android.permission.VIBRATE"].into_iter()), 0);
        let bound = Subject {
            components: Some(["android.permission.BIND_ACCESSIBILITY_SERVICE", "android.permission.DUMP"].into()),
            ..subject("com.a")
        };
        assert_eq!(weigh(&bound), (75, 75));
        assert_eq!(weigh(&Subject { components: None, ..bound }), (0, 150));
    }

    #[test]
    fn what_is_not_known_makes_a_range_that_holds_every_answer() {
        let maybe = Subject { platform_signed: None, ..subject("com.maker.a") };
        let common = Subject { has_code: None, ..platform("com.android.settings") };
        let score = of(&[maybe, common, platform("com.maker.b")]);
        assert_eq!(score.platform.own, Range { low: 10, high: 20 });
        assert_eq!(score.platform.common, Range { low: 0, high: 10 });
        assert_eq!(score.platform.score(), Range { low: 3 * WHOLE, high: 6 * WHOLE });
        let open = Subject { may_hold: [INTERNET].into(), cleartext: Some(true), ..subject("com.maker.a") };
        assert_eq!(of(&[open]).cleartext.own, Range { low: 0, high: 10 });
    }

    #[test]
    fn googles_apps_and_a_makers_store_are_left_out_by_their_certificates_alone() {
        let digest = "f0fd6c5b410f25cb25c3b53346c8972fae30f8ee7411df910480ad6b2d60db83";
        let maps = |signers: Option<BTreeSet<&'static str>>| Subject {
            signers,
            ..holding("com.google.android.apps.maps", &["android.permission.CAMERA"])
        };
        let weigh = |package, with_google| score(34, "Orion", with_google, &[package]).unwrap().permissions.own;
        assert_eq!(weigh(maps(Some([digest].into())), false), exact(0));
        assert_eq!(weigh(maps(Some([digest].into())), true), exact(100));
        assert_eq!(weigh(maps(Some(["00"].into())), false), exact(100));
        assert_eq!(weigh(maps(None), false), Range { low: 0, high: 100 });
        let store = Subject {
            signers: Some([digest].into()),
            ..holding("com.android.vending", &["android.permission.INSTALL_PACKAGES"])
        };
        assert_eq!(weigh(store, true), exact(0));
    }

    #[test]
    fn a_level_without_a_generic_image_has_no_score() {
        assert_eq!(score(31, "Orion", false, &[]), None);
    }
}
