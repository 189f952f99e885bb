//! Formats that are recognised and not read: what holds packages must not be passed over in silence.

use super::Probe;

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
    packages("the Rockchip firmware image (RKFW)", |p| at(p, 0, b"RKFW") || at(p, 0, b"RKAF")),
    packages("the Amlogic upgrade package", |p| at(p, 8, &0x27B5_1956_u32.to_le_bytes())),
    packages("the Allwinner firmware image (IMAGEWTY)", |p| at(p, 0, b"IMAGEWTY")),
    packages("the UNISOC firmware package (PAC)", |p| {
        at(p, 0, b"B\0P\0_\0R\x001\0.\0") || at(p, 0, b"B\0P\0_\0R\x002\0.\0")
    }),
    packages("the Huawei update file (UPDATE.APP)", |p| {
        at(p, 92, &[0x55, 0xaa, 0x5a, 0xa5]) && p.head.iter().take(92).all(|byte| *byte == 0)
    }),
    packages("the encrypted Oppo package (OZIP)", |p| at(p, 0, b"OPPOENCRYPT!")),
    packages("the LG firmware package (KDZ)", |p| at(p, 0, &[0x28, 0x05, 0, 0, 0x24, 0x38, 0x22, 0x25])),
    packages("the image bundle SINGLE_N_LONELY", |p| at(p, 0, b"SINGLE_N_LONELY")),
    packages("the signed MediaTek image", |p| at(p, 0, b"SSSS") || at(p, 0, b"BFBF")),
    // A stream without any magic number: only its name tells.
    packages("brotli compression", |p| suffix(p, ".br")),
    packages("the encrypted OnePlus or Oppo package", |p| suffix(p, ".ops") || suffix(p, ".ofp")),
    absent("the layout of the super partition (super_empty.img), which has none of its partitions' data", |p| {
        at(p, 0, b"gDla")
    }),
    none("the boot image", |p| at(p, 0, b"ANDROID!")),
    none("the vendor boot image", |p| at(p, 0, b"VNDRBOOT")),
    none("the verified boot metadata", |p| at(p, 0, b"AVB0")),
    none("the device tree table", |p| at(p, 0, &[0xd7, 0xb7, 0xab, 0x1e])),
    none("the device tree", |p| at(p, 0, &[0xd0, 0x0d, 0xfe, 0xed])),
    none("the ELF file", |p| at(p, 0, b"\x7fELF")),
    none("the MediaTek boot file", |p| at(p, 0, &[0x88, 0x16, 0x88, 0x58])),
    none("the FAT filesystem", |p| at(p, 510, &[0x55, 0xaa]) && (at(p, 54, b"FAT") || at(p, 82, b"FAT"))),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn name(offset: usize, magic: &[u8]) -> Option<&'static str> {
        let mut head = vec![0; 8192];
        head[offset..offset + magic.len()].copy_from_slice(magic);
        recognize(&Probe { name: "x.img", head: &head, len: 1 << 20 }).map(|foreign| foreign.name)
    }

    #[test]
    fn magic_numbers_count_at_their_place_alone() {
        assert_eq!(name(0, b"RKFW"), Some("the Rockchip firmware image (RKFW)"));
        assert_eq!(name(1, b"RKFW"), None);
        assert!(name(0, b"gDla").unwrap().contains("super_empty.img"));
        assert_eq!(name(1024, &[0x10, 0x20, 0xf5, 0xf2]), Some("the F2FS filesystem"));
        assert_eq!(name(1023, &[0xe2, 0xe1, 0xf5, 0xe0]), None);
        assert_eq!(name(0, b"ANDROID!"), Some("the boot image"));
        assert_eq!(name(0, b"PK"), None);
    }

    #[test]
    fn short_files_are_no_format() {
        for len in 0..12 {
            assert!(recognize(&Probe { name: "a", head: &vec![0; len], len: len as u64 }).is_none());
        }
    }

    #[test]
    fn what_has_no_magic_number_is_known_by_name() {
        let probe = Probe { name: "system.img.br", head: b"\x8b\x01\x80", len: 3 };
        assert_eq!(recognize(&probe).unwrap().name, "brotli compression");
    }
}
