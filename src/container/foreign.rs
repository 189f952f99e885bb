//! Formats that are recognised and not read: what holds packages must not be passed over in silence.

use super::Probe;
use crate::bytes::SharedBytes;

const FACTORY: &str = "an encrypted factory package of OPPO, realme or OnePlus (OFP, OPS), instead of which the OTA zip of the same build can be read,";
/// The trailer's magic number, of packages for Qualcomm's chips.
const FACTORY_MAGIC: [u8; 4] = 0x7CEF_u32.to_le_bytes();

/// A format that is known by its content.
pub struct Foreign {
    /// Its name, as it reads in "... is not supported".
    pub name: &'static str,
    /// Whether packages may lie in it. What can't hold any (kernels, verification data, modems) is no gap.
    pub hides_packages: bool,
    /// Whether it tells of packages that it does not hold, which is worth a word in the report.
    pub tells_of_packages: bool,
    recognizes: fn(&Probe<'_>) -> bool,
}

/// The format of what the supported ones do not recognise.
#[must_use]
pub fn recognize(probe: &Probe<'_>) -> Option<&'static Foreign> {
    FOREIGN.iter().find(|foreign| (foreign.recognizes)(probe))
}

/// The format of an unrecognised file that ends with something of its own. Reads the last 4 KiB.
#[must_use]
pub fn recognize_end(source: &SharedBytes) -> Option<&'static Foreign> {
    // The trailer is a page of 512 or 4096 bytes.
    let is_trailer = |page: u64| {
        let mut magic = [0; 4];
        let place = source.len().checked_sub(page).map(|start| start + 16);
        place.is_some_and(|place| source.read_exact_at(place, &mut magic).is_ok()) && magic == FACTORY_MAGIC
    };
    let found = is_trailer(512) || is_trailer(4096);
    FOREIGN.iter().find(|foreign| found && foreign.name == FACTORY)
}

fn at(probe: &Probe<'_>, offset: usize, magic: &[u8]) -> bool {
    probe.head.get(offset..).is_some_and(|rest| rest.starts_with(magic))
}

fn suffix(probe: &Probe<'_>, end: &str) -> bool {
    probe.name.to_ascii_lowercase().ends_with(end)
}

const fn packages(name: &'static str, recognizes: fn(&Probe<'_>) -> bool) -> Foreign {
    Foreign { name, hides_packages: true, tells_of_packages: true, recognizes }
}

const fn none(name: &'static str, recognizes: fn(&Probe<'_>) -> bool) -> Foreign {
    Foreign { name, hides_packages: false, tells_of_packages: false, recognizes }
}

const fn absent(name: &'static str, recognizes: fn(&Probe<'_>) -> bool) -> Foreign {
    Foreign { name, hides_packages: false, tells_of_packages: true, recognizes }
}

/// In the order of asking. Magic numbers from each format's own headers and readers.
static FOREIGN: &[Foreign] = &[
    packages("the F2FS filesystem", |p| at(p, 1024, &[0x10, 0x20, 0xf5, 0xf2])),
    packages("the SquashFS filesystem", |p| at(p, 0, b"hsqs")),
    packages("7-Zip", |p| at(p, 0, b"7z\xbc\xaf\x27\x1c")),
    packages("RAR", |p| at(p, 0, b"Rar!\x1a\x07")),
    packages(
        "an encrypted package of OPPO or realme (OZIP), instead of which the OTA zip of the same build can be read,",
        |p| at(p, 0, b"OPPOENCRYPT!"),
    ),
    packages("an encrypted update of HTC (RUU), instead of which a dump of the partitions can be read,", |p| {
        at(p, 0, b"Htc@egi$") || at(p, 256, b"Htc@egi$")
    }),
    packages("the LG firmware package (KDZ)", |p| at(p, 0, &[0x28, 0x05, 0, 0, 0x24, 0x38, 0x22, 0x25])),
    // MediaTek's form has no magic number: only its name tells.
    packages(FACTORY, |p| suffix(p, ".ops") || suffix(p, ".ofp")),
    absent("the layout of the super partition (super_empty.img), which has none of its partitions' data", |p| {
        at(p, 0, b"gDla")
    }),
    none("the verified boot metadata", |p| at(p, 0, b"AVB0")),
    none("the device tree table", |p| at(p, 0, &[0xd7, 0xb7, 0xab, 0x1e])),
    none("the device tree", |p| at(p, 0, &[0xd0, 0x0d, 0xfe, 0xed])),
    none("the ELF file", |p| at(p, 0, b"\x7fELF")),
    none("the MediaTek boot file", |p| at(p, 0, &[0x88, 0x16, 0x88, 0x58])),
    none("the FAT filesystem", |p| at(p, 510, &[0x55, 0xaa]) && (at(p, 54, b"FAT") || at(p, 82, b"FAT"))),
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn name(offset: usize, magic: &[u8]) -> Option<&'static str> {
        let mut head = vec![0; 8192];
        head[offset..offset + magic.len()].copy_from_slice(magic);
        recognize(&Probe { name: "x.img", head: &head, len: 1 << 20 }).map(|foreign| foreign.name)
    }

    #[test]
    fn magic_numbers_count_at_their_place_alone() {
        assert_eq!(name(0, b"hsqs"), Some("the SquashFS filesystem"));
        assert_eq!(name(1, b"hsqs"), None);
        assert!(name(0, b"gDla").unwrap().contains("super_empty.img"));
        assert_eq!(name(1024, &[0x10, 0x20, 0xf5, 0xf2]), Some("the F2FS filesystem"));
        assert_eq!(name(1023, &[0xe2, 0xe1, 0xf5, 0xe0]), None);
        assert_eq!(name(0, b"AVB0"), Some("the verified boot metadata"));
        assert_eq!(name(0, b"PK"), None);
    }

    #[test]
    fn short_files_are_no_format() {
        for len in 0..12 {
            assert!(recognize(&Probe { name: "a", head: &vec![0; len], len: len as u64 }).is_none());
        }
    }

    #[test]
    fn encrypted_packages_are_told_with_what_to_use_instead() {
        assert!(name(0, b"OPPOENCRYPT!").unwrap().contains("OTA zip"));
        assert!(name(256, b"Htc@egi$").unwrap().contains("HTC"));
        let probe = Probe { name: "x.OFP", head: b"\x8b\x01\x80", len: 3 };
        assert_eq!(recognize(&probe).unwrap().name, FACTORY);
        for page in [512, 4096] {
            let mut bytes = vec![7_u8; 10_000];
            let place = bytes.len() - page + 16;
            bytes[place..place + 4].copy_from_slice(&FACTORY_MAGIC);
            assert_eq!(recognize_end(&(Arc::new(bytes.clone()) as SharedBytes)).unwrap().name, FACTORY);
            bytes.push(7);
            assert!(recognize_end(&(Arc::new(bytes) as SharedBytes)).is_none());
        }
        assert!(recognize_end(&(Arc::new(vec![0_u8; 16]) as SharedBytes)).is_none());
    }
}
