//! Protection levels of permissions, in Android's words (`PermissionInfo.protectionToString`).

/// Base levels, the low four bits.
const BASES: [&str; 5] = ["normal", "dangerous", "signature", "signatureOrSystem", "internal"];

/// Flags by their bit, AOSP 16 with those that older versions had.
const FLAGS: [(u32, &str); 24] = [
    (0x10, "privileged"),
    (0x20, "development"),
    (0x40, "appop"),
    (0x80, "pre23"),
    (0x100, "installer"),
    (0x200, "verifier"),
    (0x400, "preinstalled"),
    (0x800, "setup"),
    (0x1000, "instant"),
    (0x2000, "runtime"),
    (0x4000, "oem"),
    (0x8000, "vendorPrivileged"),
    (0x1_0000, "textClassifier"),
    (0x2_0000, "wellbeing"),
    (0x4_0000, "documenter"),
    (0x8_0000, "configurator"),
    (0x10_0000, "incidentReportApprover"),
    (0x20_0000, "appPredictor"),
    (0x40_0000, "module"),
    (0x80_0000, "companion"),
    (0x100_0000, "retailDemo"),
    (0x200_0000, "recents"),
    (0x400_0000, "role"),
    (0x800_0000, "knownSigner"),
];

/// `signature|privileged` for 0x12. A base or flag that no known version has is a hexadecimal number.
#[must_use]
pub fn words(level: u32) -> String {
    let base = level & 0xF;
    let name = usize::try_from(base).ok().and_then(|index| BASES.get(index));
    let mut text = name.map_or_else(|| format!("{base:#x}"), |name| (*name).to_owned());
    let mut rest = level & !0xF;
    for (bit, name) in FLAGS {
        if rest & bit != 0 {
            text.push('|');
            text.push_str(name);
            rest &= !bit;
        }
    }
    if rest != 0 {
        text.push_str(&format!("|{rest:#x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_comes_first_and_flags_in_order_of_their_bits() {
        assert_eq!(words(0), "normal");
        assert_eq!(words(1), "dangerous");
        assert_eq!(words(0x12), "signature|privileged");
        assert_eq!(words(0x1012), "signature|privileged|instant");
        assert_eq!(words(0x2001), "dangerous|runtime");
        assert_eq!(words(4 | 0x400_0000), "internal|role");
    }

    #[test]
    fn unknown_bits_stay_visible() {
        assert_eq!(words(0xF), "0xf");
        assert_eq!(words(0x1000_0002), "signature|0x10000000");
    }
}
