//! Changes in words.

use super::{Change, EntryKind, Known, Unsettled};

/// Every aspect: its code, and what it is called in a sentence.
const ASPECTS: &[(&str, &str)] = &[
    ("abis", "native code for"),
    ("administrators", "administrators"),
    ("allow-backup", "backup allowed"),
    ("answers", "answers intents"),
    ("arrives-as", "shows or arrives as"),
    ("bootloader-locked", "bootloader locked"),
    ("brand", "brand"),
    ("build", "build"),
    ("build-date", "day of the build"),
    ("build-tags", "build tags"),
    ("build-type", "build type"),
    ("chosen", "switched on or chosen"),
    ("cleartext", "unencrypted traffic allowed"),
    ("cleartext-hosts", "unencrypted traffic with"),
    ("code", "code"),
    ("compatible-screens", "for screens"),
    ("components", "components"),
    ("configured-as", "configured as"),
    ("contents", "contents"),
    ("control-files", "control files"),
    ("copies", "copies"),
    ("declared-by", "declared by"),
    ("declared-permissions", "declares permissions"),
    ("default-grants", "granted at first boot"),
    ("device", "code name"),
    ("device-kind", "kind of device"),
    ("direct-boot", "runs before the first unlock"),
    ("exported-components", "open to other apps"),
    ("features", "features"),
    ("filesystem", "filesystem"),
    ("fingerprint", "fingerprint"),
    ("flags", "flags"),
    ("generic-system", "generic system"),
    ("granted-permissions", "holds permissions"),
    ("has-code", "has code"),
    ("hooks", "called by the system as"),
    ("icons", "icons"),
    ("implied-permissions", "asks implicitly for"),
    ("install-location", "install location"),
    ("installer", "installed by"),
    ("judged-as-of", "judged as of"),
    ("label", "name"),
    ("labels", "names"),
    ("launcher", "icons"),
    ("launcher-place", "icon stands on"),
    ("libraries", "libraries"),
    ("locale", "default locale"),
    ("manifest", "manifest"),
    ("manufacturer", "manufacturer"),
    ("market", "market"),
    ("meta-data", "meta-data"),
    ("min-sdk", "least SDK"),
    ("model", "model"),
    ("module", "module"),
    ("mount-point", "mounted at"),
    ("never-for-location", "never for location"),
    ("oem-allowlist", "allowed by the list of OEM permissions"),
    ("original-packages", "former names"),
    ("os-flavour", "operating system"),
    ("overlay", "overlays"),
    ("overlay-state", "overlay"),
    ("packages", "list of packages"),
    ("partition", "partition"),
    ("partitions", "partitions"),
    ("path", "path"),
    ("permission-groups", "declares groups of permissions"),
    ("permission-trees", "declares trees of permissions"),
    ("placement", "kind of place"),
    ("predicted-grants", "will be granted"),
    ("preferred-for", "opens before the user chooses"),
    ("presence", "whether it is there"),
    ("presence-as", "way of presence"),
    ("privileged-allowlist", "allowed by the list of privileged permissions"),
    ("privileged-enforcement", "enforcement of privileged permissions"),
    ("processes", "processes"),
    ("product", "product"),
    ("profile", "profile"),
    ("protection", "protection level"),
    ("published-keys", "published keys among its signers"),
    ("qualifies-for-roles", "qualifies for roles"),
    ("queries", "wants to see"),
    ("region", "region"),
    ("release", "Android version"),
    ("removability", "removability"),
    ("requested-permissions", "asks for permissions"),
    ("required-features", "needs features"),
    ("role-holders", "held by"),
    ("sdk", "SDK"),
    ("sdks", "SDKs in its code"),
    ("security-patch", "security patch"),
    ("shared-user", "shared user"),
    ("shared-user-max-sdk", "shared user up to SDK"),
    ("signature-allowlist", "allowed by the list of signature permissions"),
    ("signers", "signers"),
    ("split-files", "contents of split APKs"),
    ("split-permissions", "brings along"),
    ("splits", "split APKs"),
    ("stub", "placeholder"),
    ("target-sdk", "target SDK"),
    ("uid", "fixed user id"),
    ("user-authorities", "trusts authorities that a user installed"),
    ("user-states", "states"),
    ("vbmeta-digest", "digest of verified partitions"),
    ("vendor-fingerprint", "fingerprint of the vendor's part"),
    ("vendor-lists", "lists of the vendor"),
    ("vendor-security-patch", "security patch of the vendor's part"),
    ("verdict", "verdict"),
    ("verdicts", "verdicts"),
    ("verified-boot", "verified boot"),
    ("version", "version"),
];

/// Characters of a digest that tell it apart in a sentence.
const DIGEST: usize = 12;

impl EntryKind {
    /// The heading under which such entries stand.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Verdict => "Verdicts",
            Self::Device => "Device and build",
            Self::Added => "New packages",
            Self::Removed => "Packages that are gone",
            Self::Resigned => "Packages with other signers",
            Self::Moved => "Packages in another place",
            Self::Updated => "Packages with another version",
            Self::Permissions => "Packages with other permissions, same version",
            Self::Changed => "Packages that differ otherwise, same version",
            Self::Role => "Roles",
            Self::Control => "What control files allow",
            Self::Permission => "Declared permissions",
            Self::Partition => "Partitions",
            Self::Arrival => "Apps that show or arrive without being installed",
            Self::Preinstall => "What lists of the vendor say",
            Self::Layout => "Layouts of the home screen",
            Self::Configuration => "Configuration of the platform",
            Self::State => "State of the running device",
        }
    }
}

/// What an aspect is called in a sentence; an unknown one by its code.
#[must_use]
pub fn aspect_in_words(aspect: &str) -> &str {
    ASPECTS
        .binary_search_by_key(&aspect, |(code, _)| code)
        .ok()
        .and_then(|at| ASPECTS.get(at))
        .map_or(aspect, |(_, words)| words)
}

/// `version: 1.0 (10), now 1.1 (11)`; `asks for permissions: + a, b; - c`.
#[must_use]
pub fn change_in_words(change: &Change) -> String {
    let show = |value: &String| if change.aspect == "signers" { short(value) } else { value.clone() };
    let list = |items: &[String]| items.iter().map(show).collect::<Vec<_>>().join(", ");
    let name = aspect_in_words(&change.aspect);
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => return format!("{name}: {}, now {}", show(before), show(after)),
        (Some(before), None) => return format!("{name}: was {}", show(before)),
        (None, Some(after)) => return format!("{name}: {}", show(after)),
        (None, None) => {}
    }
    match (change.gained.is_empty(), change.lost.is_empty()) {
        (false, true) => format!("{name}: + {}", list(&change.gained)),
        (true, _) => format!("{name}: - {}", list(&change.lost)),
        (false, false) => format!("{name}: + {}; - {}", list(&change.gained), list(&change.lost)),
    }
}

/// Digests of several signers, each cut short.
fn short(digests: &str) -> String {
    let cut = |digest: &str| match digest.char_indices().nth(DIGEST) {
        Some((at, _)) => format!("{}…", digest.get(..at).unwrap_or(digest)),
        None => digest.to_owned(),
    };
    digests.split(", ").map(cut).collect::<Vec<_>>().join(", ")
}

/// What could not be compared, why, and of how many.
#[must_use]
pub fn unsettled_in_words(unsettled: &Unsettled) -> String {
    let name = match (unsettled.aspect.as_str(), unsettled.subjects.is_empty()) {
        ("presence", true) => "packages that may be hidden",
        (aspect, _) => aspect_in_words(aspect),
    };
    let side = match unsettled.known {
        Known::Before => "only the former side knows it",
        Known::After => "only the latter side knows it",
        Known::Incomparably => "the sides know it in different terms",
    };
    let of = match unsettled.subjects.as_slice() {
        [] => String::new(),
        [one] => format!(" of {one}"),
        many => format!(" of {} packages", many.len()),
    };
    format!("{name}{of}: {side} [{}: {}]", unsettled.reason, unsettled.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aspects_are_sorted_and_unique() {
        assert!(ASPECTS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn every_aspect_that_the_comparison_uses_has_words() {
        let sources = [
            include_str!("device.rs"),
            include_str!("package.rs"),
            include_str!("platform.rs"),
            include_str!("verdicts.rs"),
            include_str!("mod.rs"),
        ];
        let calls = [
            "with.fact(\"",
            "with.list(\"",
            "with.sets(\"",
            "with.differ(\"",
            ".both(\"",
            "unsettled(\"",
            "one(\"",
            ".one_side(\"",
        ];
        let mut seen = 0;
        for source in sources {
            for call in calls {
                for (at, found) in source.match_indices(call) {
                    let aspect = source[at + found.len()..].split('"').next().unwrap();
                    assert!(ASPECTS.iter().any(|(code, _)| *code == aspect), "{aspect} has no words");
                    seen += 1;
                }
            }
        }
        assert!(seen > 50, "{seen} aspects were found in the sources");
    }

    #[test]
    fn a_change_reads_as_what_was_and_is_or_as_what_came_and_went() {
        let change = |before: Option<&str>, after: Option<&str>, gained: &[&str], lost: &[&str]| Change {
            aspect: "version".to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            gained: gained.iter().map(|item| (*item).to_owned()).collect(),
            lost: lost.iter().map(|item| (*item).to_owned()).collect(),
        };
        assert_eq!(change_in_words(&change(Some("1"), Some("2"), &[], &[])), "version: 1, now 2");
        assert_eq!(change_in_words(&change(Some("1"), None, &[], &[])), "version: was 1");
        assert_eq!(change_in_words(&change(None, Some("2"), &[], &[])), "version: 2");
        assert_eq!(change_in_words(&change(None, None, &["a", "b"], &["c"])), "version: + a, b; - c");
        assert_eq!(change_in_words(&change(None, None, &[], &["c"])), "version: - c");
    }
}
