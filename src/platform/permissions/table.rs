//! Built-in tables of AOSP: permissions of the platform and splits, for API levels 26 to 36. Their files say where from.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::inventory::{Evidence, SourceId, SplitPermission};
use crate::platform::protection;

const FRAMEWORK: &str = include_str!("framework.tsv");
const SPLITS: &str = include_str!("splits.tsv");

/// The oldest API level with a table.
pub const OLDEST: u32 = 26;
const NEWEST: u32 = 36;

/// Level of a permission of the platform, and the API level of the table that says so: the device's own or the nearest.
pub(super) fn level(name: &str, sdk: u32) -> Option<(u32, u32)> {
    let nearest = sdk.clamp(OLDEST, NEWEST);
    let ranges = RANGES.get(name)?;
    let (.., level) = ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&nearest))?;
    Some((*level, nearest))
}

/// First and last API level, and the level of protection.
type Ranges = Vec<(u32, u32, u32)>;

/// Levels by name.
static RANGES: LazyLock<HashMap<&str, Ranges>> = LazyLock::new(|| {
    let mut ranges: HashMap<&str, Ranges> = HashMap::new();
    for row in rows(FRAMEWORK) {
        let [name, first, last, words, ..] = row[..] else { continue };
        if let (Ok(first), Ok(last), Some(level)) = (first.parse(), last.parse(), protection::level(words)) {
            ranges.entry(name).or_default().push((first, last, level));
        }
    }
    ranges
});

/// Splits of the platform at an API level. They stand in no file of the device.
pub(super) fn splits(sdk: u32) -> Vec<SplitPermission> {
    let evidence = Evidence { source: SourceId(u32::MAX), at: None };
    let split = |row: Vec<&str>| match row[..] {
        [permission, target, new, since] if since.parse::<u32>().is_ok_and(|since| since <= sdk) => {
            let target_sdk = target.parse().ok();
            let new = vec![new.to_owned()];
            Some(SplitPermission { permission: permission.to_owned(), target_sdk, new, evidence: evidence.clone() })
        }
        _ => None,
    };
    rows(SPLITS).filter_map(split).collect()
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_row_is_whole_its_words_are_known_and_its_levels_do_not_overlap() {
        let mut until: BTreeMap<&str, u32> = BTreeMap::new();
        for row in rows(FRAMEWORK) {
            let (first, last): (u32, u32) = (row[1].parse().unwrap(), row[2].parse().unwrap());
            assert!(OLDEST <= first && first <= last && last <= NEWEST, "{row:?}");
            let number = protection::level(row[3]).unwrap_or_else(|| panic!("{row:?}"));
            assert_eq!(protection::words(number), row[3]);
            assert!(until.insert(row[0], last).is_none_or(|before| before < first), "{row:?}");
        }
        assert!(rows(SPLITS).all(|row| row.len() == 4 && row[3].parse::<u32>().is_ok()));
    }

    #[test]
    fn levels_change_between_versions() {
        let name = "android.permission.ACCESS_AMBIENT_CONTEXT_EVENT";
        assert_eq!(level(name, 32), None);
        assert_eq!(level(name, 33).map(|(level, _)| protection::words(level)).as_deref(), Some("internal|role"));
        let later = level(name, 34).map(|(level, _)| protection::words(level));
        assert_eq!(later.as_deref(), Some("signature|privileged|role"));
    }

    /// The independent truth is a real `framework-res.apk` of AOSP 10.
    #[test]
    fn the_table_of_android_10_is_that_of_a_real_framework_but_for_two_levels_that_changed_within_the_version() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/truth/aosp10-framework-permissions.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            #[allow(clippy::print_stderr, reason = "a test that did not run says so")]
            {
                eprintln!("NOT RUN: {} is not here", path.display());
            }
            return;
        };
        let truth: BTreeMap<String, u32> = serde_json::from_str(&text).unwrap();
        let differing: Vec<&str> = truth
            .iter()
            .filter(|(name, number)| level(name, 29) != Some((**number, 29)))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(truth.len(), 533);
        assert_eq!(
            differing,
            ["android.permission.ACCESS_SHORTCUTS", "android.permission.UNLIMITED_SHORTCUTS_API_CALLS"]
        );
    }
}
