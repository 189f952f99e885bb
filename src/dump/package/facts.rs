//! What the fields of an entry say: the forms of Android 5 to 16.

use std::collections::BTreeMap;

use crate::dump::At;

/// A permission and whether it is granted: `NAME: granted=true, flags=[ A|B ]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionState {
    /// The permission's name.
    pub name: String,
    /// The word after `granted=`; `None` if it is neither `true` nor `false`.
    pub granted: Option<bool>,
    /// Flags in the device's order: `|` between them since Android 9, a space before.
    pub flags: Vec<String>,
    /// False if what stands after the word is not a list of flags.
    pub flags_readable: bool,
}

/// Reads an item of `install permissions` or `runtime permissions`. An item without `granted=` is one of Android 5's
/// `grantedPermissions`: its presence says that it is granted.
#[must_use]
pub fn permission_state(item: &str) -> PermissionState {
    let Some((name, rest)) = item.rsplit_once(": granted=") else {
        let granted = (!item.contains([':', '=', ' '])).then_some(true);
        return PermissionState { name: item.to_owned(), granted, flags: Vec::new(), flags_readable: true };
    };
    let (word, rest) = rest.split_once(", ").unwrap_or((rest, ""));
    let granted = match word {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let list = rest.strip_prefix("flags=").filter(|list| list.starts_with('[') && list.trim_end().ends_with(']'));
    PermissionState {
        name: name.to_owned(),
        granted,
        flags: list.map(words).unwrap_or_default(),
        flags_readable: rest.is_empty() || list.is_some(),
    }
}

/// Name of an item of `requested permissions`: `NAME` or `NAME: restricted=true`.
#[must_use]
pub fn requested_name(item: &str) -> &str {
    item.split_once(": ").map_or(item, |(name, _)| name)
}

/// Name and protection level of an item of `declared permissions`: `NAME: prot=signature, INSTALLED`.
#[must_use]
pub fn declared(item: &str) -> (&str, Option<&str>) {
    let Some((name, rest)) = item.split_once(": ") else { return (item, None) };
    let level = rest.split(", ").find_map(|part| part.strip_prefix("prot="));
    (name, level.and_then(protection))
}

/// A protection level, if the words are Android's: a base (`normal`, `dangerous`, `signature`, `signatureOrSystem`,
/// `internal`), then flags after `|`.
#[must_use]
pub fn protection(text: &str) -> Option<&str> {
    const BASES: [&str; 5] = ["normal", "dangerous", "signature", "signatureOrSystem", "internal"];
    let base = text.split('|').next()?;
    BASES.contains(&base).then_some(text)
}

/// Protection level of an entry of `Permissions`: `uid=1000 gids=null type=0 prot=signature`.
#[must_use]
pub fn permission_level(fields: &BTreeMap<String, At<String>>) -> Option<At<&str>> {
    let field = fields.get("uid").or_else(|| fields.get("userId"))?;
    let (_, level) = field.value.rsplit_once(" prot=")?;
    Some(At { value: protection(level.split_whitespace().next()?)?, line: field.line })
}

/// Words of `[ A B ]`, `[A|B]` or `[a, b]`; none if there are no brackets.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let inner = text.trim().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inner.unwrap_or_default().split([' ', '|', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Names of split APKs beside the base, of `[base, config.fr, x:3]` (the number is a revision).
#[must_use]
pub fn splits(text: &str) -> Option<Vec<String>> {
    text.strip_prefix('[')?.strip_suffix(']')?;
    let without_revision = |word: String| match word.rsplit_once(':') {
        Some((name, revision)) if revision.chars().all(|c| c.is_ascii_digit()) => name.to_owned(),
        _ => word,
    };
    Some(words(text).into_iter().map(without_revision).filter(|name| name != "base").collect())
}

/// Numbers of the signing certificates, eight hexadecimal digits each, of
/// `PackageSignatures{9648374 [e3ca78d8]}` (Android 5 to 8) or
/// `PackageSignatures{6c98c74 version:2, signatures:[b378e95c], past signatures:[7d3bce25 flags: 17]}` (since 9).
/// Past certificates are left out: they sign nothing now. `None` if the text has another form, or no number.
#[must_use]
pub fn signature_numbers(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix("PackageSignatures{")?.strip_suffix('}')?;
    let list = match inner.split_once("signatures:[") {
        Some((before, list)) if !before.ends_with("past ") => list,
        _ => inner.split_once(" [")?.1,
    };
    let (list, _) = list.split_once(']')?;
    let numbers: Option<Vec<_>> = list.split([',', ' ']).filter(|word| !word.is_empty()).map(number).collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

/// Java prints the number without leading zeros.
fn number(word: &str) -> Option<String> {
    u32::from_str_radix(word, 16).ok().map(|number| format!("{number:08x}"))
}

/// Name of the shared user, of `SharedUserSetting{7fb54b1 android.uid.phone/1001}`.
#[must_use]
pub fn shared_user(text: &str) -> Option<&str> {
    setting(text.strip_prefix("SharedUserSetting{")?)
}

/// Name of the package, of `PackageSetting{e63ee07 com.example.a/10044}`.
#[must_use]
pub fn package_setting(text: &str) -> Option<&str> {
    setting(text.strip_prefix("PackageSetting{")?)
}

fn setting(rest: &str) -> Option<&str> {
    let (_, name) = rest.strip_suffix('}')?.split_once(' ')?;
    name.rsplit_once('/').map(|(name, _)| name).filter(|name| !name.is_empty())
}

/// A text field in which Android prints `null` for nothing.
#[must_use]
pub fn nullable(text: &str) -> Option<String> {
    (text != "null" && !text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_with_both_separators_and_without() {
        let new = permission_state("a.B: granted=true, flags=[ SYSTEM_FIXED|GRANTED_BY_DEFAULT]");
        let old = permission_state("a.B: granted=true, flags=[ SYSTEM_FIXED GRANTED_BY_DEFAULT ]");
        assert_eq!(new, old);
        assert_eq!(new.flags, ["SYSTEM_FIXED", "GRANTED_BY_DEFAULT"]);
        assert_eq!(permission_state("a.B: granted=false").flags, Vec::<String>::new());
        assert_eq!(permission_state("a.B: granted=REDACTED").granted, None);
        assert_eq!(permission_state("a.B").granted, Some(true));
        assert!(new.flags_readable && old.flags_readable);
        assert!(!permission_state("a.B: granted=true, flags=REDACTED").flags_readable);
    }

    #[test]
    fn certificate_numbers_of_both_forms_are_padded_and_past_ones_are_left_out() {
        assert_eq!(signature_numbers("PackageSignatures{9648374 [e3ca78d8]}"), Some(vec!["e3ca78d8".to_owned()]));
        assert_eq!(
            signature_numbers(
                "PackageSignatures{fe version:3, signatures:[fa41615, 1], past signatures:[7d3bce25 flags: 17]}"
            ),
            Some(vec!["0fa41615".to_owned(), "00000001".to_owned()])
        );
        assert_eq!(signature_numbers("PackageSignatures{fe version:0, signatures:[], past signatures:[]}"), None);
        assert_eq!(signature_numbers("PackageSignatures{fe version:0, past signatures:[1]}"), None);
        assert_eq!(signature_numbers("PackageSignatures{fe [xyz]}"), None);
    }

    #[test]
    fn splits_lose_the_base_and_revisions() {
        assert_eq!(splits("[base, config.fr, feature:3]"), Some(vec!["config.fr".to_owned(), "feature".to_owned()]));
        assert_eq!(splits("[base:2]"), Some(Vec::new()));
        assert_eq!(splits("base"), None);
    }

    #[test]
    fn a_level_that_is_not_androids_is_not_taken() {
        assert_eq!(declared("a.B: prot=signature|privileged, INSTALLED"), ("a.B", Some("signature|privileged")));
        assert_eq!(declared("a.B: prot=REDACTED"), ("a.B", None));
    }

    #[test]
    fn names_in_settings_may_hold_slashes_only_before_the_number() {
        assert_eq!(shared_user("SharedUserSetting{7fb54b1 android.uid.phone/1001}"), Some("android.uid.phone"));
        assert_eq!(package_setting("PackageSetting{e63ee07 com.android.mtp/10044}"), Some("com.android.mtp"));
        assert_eq!(shared_user("SharedUserSetting{7fb54b1}"), None);
    }
}
