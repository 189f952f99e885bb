//! Names of partitions: from file names, and from what a volume holds.

use crate::bytes::read_vec_at;
use crate::filesystem::{Filesystem, NodeId, find};

/// Partitions that may hold packages: AOSP's, and those of vendors' images. A trailing `*` stands for any end.
const KNOWN: &[&str] = &[
    "system",
    "system_ext",
    "system_other",
    "system_dlkm",
    "vendor",
    "vendor_dlkm",
    "product",
    "odm",
    "odm_dlkm",
    "oem",
    "super",
    "userdata",
    "factory",
    "cust",
    "mi_ext",
    "my_*",
    "tr_*",
    "hw_product",
    "product_h",
    "preas",
    "preavs",
    "version",
    "preload",
    "preload_common",
    "special_preload",
    "india",
    "reserve",
    "oppo_product",
    "opproduct",
    "systemex",
    "xrom",
    "prism",
    "optics",
    "omr",
    "hidden",
    "vgc",
    "tvconfig",
    "tvservice",
];

/// Ends of file names that say how a partition is wrapped, not which one it is.
const SUFFIXES: &[&str] = &[
    ".img",
    ".bin",
    ".raw",
    ".ext4",
    ".erofs",
    ".f2fs",
    ".simg",
    ".sparse",
    ".lz4",
    ".gz",
    ".xz",
    ".zst",
    ".bz2",
    ".br",
    ".new.dat",
    ".patch.dat",
    ".dat",
    "_sparsechunk",
    "-sign",
];

/// A partition's name as a file name gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartitionName {
    /// Without slot, in lower case.
    pub(super) base: String,
    /// `a` or `b`.
    pub(super) slot: Option<char>,
}

/// The name in `images/System_a.img.lz4`.
pub(super) fn parse(file_name: &str) -> PartitionName {
    let lower = file_name.to_lowercase();
    let mut base = lower.rsplit(['/', '\\']).next().unwrap_or_default();
    loop {
        let digits = base.trim_end_matches(|character: char| character.is_ascii_digit());
        let shorter = match digits.strip_suffix('.') {
            Some(shorter) if digits.len() < base.len() => Some(shorter),
            _ => SUFFIXES.iter().find_map(|suffix| base.strip_suffix(suffix)),
        };
        match shorter.filter(|shorter| !shorter.is_empty()) {
            Some(shorter) => base = shorter,
            None => break,
        }
    }
    let slot = ['a', 'b'].into_iter().find_map(|slot| {
        let rest = base.strip_suffix(slot)?.strip_suffix('_')?;
        Some((rest, slot))
    });
    match slot {
        Some((rest, slot)) if !rest.is_empty() => PartitionName { base: rest.to_owned(), slot: Some(slot) },
        _ => PartitionName { base: base.to_owned(), slot: None },
    }
}

/// Whether a partition of that name may hold packages.
pub(super) fn is_known(base: &str) -> bool {
    KNOWN.iter().any(|known| known.strip_suffix('*').map_or(*known == base, |start| base.starts_with(start)))
}

/// The partition's name by the properties in its build.prop; `None` where they say nothing.
pub(super) fn by_content(filesystem: &dyn Filesystem, root: NodeId) -> Option<&'static str> {
    let read = |path| {
        let content = filesystem.open(find(filesystem, root, path).ok()??).ok()?;
        read_vec_at(content.as_ref(), 0, content.len().min(1 << 20), "build.prop", 1 << 20).ok()
    };
    if read("system/build.prop").is_some() {
        return Some("system");
    }
    let properties = read("build.prop").or_else(|| read("etc/build.prop"))?;
    let properties = String::from_utf8_lossy(&properties);
    let has = |start: &str| properties.lines().any(|line| line.trim_start().starts_with(start));
    if has("ro.build.version.sdk=") || has("ro.product.system.") {
        return Some("system");
    }
    let named = ["system_ext", "product", "odm", "vendor", "mi_ext"];
    named
        .into_iter()
        .find(|name| has(&format!("ro.product.{name}.")) || (*name != "product" && has(&format!("ro.{name}.build."))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, base: &str, slot: Option<char>) {
        assert_eq!(parse(file), PartitionName { base: base.to_owned(), slot }, "{file}");
    }

    #[test]
    fn a_file_name_loses_what_only_tells_of_its_wrapping() {
        check("system.img", "system", None);
        check("IMAGES/VENDOR.IMG", "vendor", None);
        check("AP/system.img.ext4.lz4", "system", None);
        check("product_a.img", "product", Some('a'));
        check("super.img_sparsechunk.12", "super", None);
        check("super.img.3", "super", None);
        check("system.new.dat.br", "system", None);
        check("my_stock_b.img", "my_stock", Some('b'));
        check("system_ext.raw.img", "system_ext", None);
        check(".img", ".img", None);
        check("_a.img", "_a", None);
        check("", "", None);
    }

    #[test]
    fn names_one_letter_off_are_not_known() {
        assert!(is_known("system") && is_known("my_heytap") && is_known("tr_product"));
        assert!(!is_known("systems") && !is_known("my") && !is_known("boot") && !is_known("modem"));
    }
}
