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

/// Base of permissions that are granted to every app.
pub const NORMAL: u32 = 0;
/// Base of permissions that the user grants.
pub const DANGEROUS: u32 = 1;
/// Base of permissions for apps with the key of the platform or of the declaring package.
pub const SIGNATURE: u32 = 2;
/// Base of permissions that only flags grant.
pub const INTERNAL: u32 = 4;
/// Flag: also for apps in `priv-app`.
pub const PRIVILEGED: u32 = 0x10;
/// Flag: grantable by a developer.
pub const DEVELOPMENT: u32 = 0x20;
/// Flag: with an operation that the user may allow.
pub const APPOP: u32 = 0x40;
/// Flag: for apps made before Android 6.
pub const PRE23: u32 = 0x80;
/// Flag: for the package installer.
pub const INSTALLER: u32 = 0x100;
/// Flag: for the package verifier.
pub const VERIFIER: u32 = 0x200;
/// Flag: for every pre-installed app.
pub const PREINSTALLED: u32 = 0x400;
/// Flag: for the setup wizard.
pub const SETUP: u32 = 0x800;
/// Flag: a permission of a runtime level that older apps do not get at installation.
pub const RUNTIME_ONLY: u32 = 0x2000;
/// Flag: for apps of `/oem` that a list names.
pub const OEM: u32 = 0x4000;
/// Flag: also for privileged apps of `/vendor` and `/odm`.
pub const VENDOR_PRIVILEGED: u32 = 0x8000;
/// Flag: for the app that handles documents.
pub const DOCUMENTER: u32 = 0x4_0000;
/// Flag: for apps of an APEX.
pub const MODULE: u32 = 0x40_0000;
/// Flag: for holders of a role.
pub const ROLE: u32 = 0x400_0000;
/// Flag: for apps with one of the certificates that the permission names.
pub const KNOWN_SIGNER: u32 = 0x800_0000;
/// Flags for the one package that a string of the platform names, by the name of the flag.
pub const NAMED: [(u32, &str); 8] = [
    (0x1_0000, "textClassifier"),
    (0x2_0000, "wellbeing"),
    (0x8_0000, "configurator"),
    (0x10_0000, "incidentReportApprover"),
    (0x20_0000, "appPredictor"),
    (0x80_0000, "companion"),
    (0x100_0000, "retailDemo"),
    (0x200_0000, "recents"),
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

/// The number that [`words`] writes so; `None` for a word that no known version has. `signatureOrSystem` and `system` are what
/// older versions write for `signature|privileged` and `privileged`.
#[must_use]
pub fn level(words: &str) -> Option<u32> {
    let mut parts = words.split('|').map(str::trim);
    let base = parts.next()?;
    let mut level = match BASES.iter().position(|name| *name == base) {
        // `PermissionInfo.fixProtectionLevel`.
        Some(3) => SIGNATURE | PRIVILEGED,
        Some(index) => u32::try_from(index).ok()?,
        None => number(base)?,
    };
    for part in parts {
        level |= match part {
            "system" => PRIVILEGED,
            "ephemeral" => 0x1000,
            "runtimeOnly" => RUNTIME_ONLY,
            _ => match FLAGS.iter().find(|(_, name)| *name == part) {
                Some((bit, _)) => *bit,
                None => number(part)?,
            },
        };
    }
    Some(level)
}

fn number(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
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

    #[test]
    fn words_are_read_back_and_a_letter_off_is_unknown() {
        for number in [0, 1, 2, 0x12, 4, 0x1012, 0x0FFF_FFF2, 0x1000_0002] {
            assert_eq!(level(&words(number)), Some(number));
        }
        assert_eq!(level("signatureOrSystem"), Some(0x12));
        assert_eq!(level("signature|system"), Some(0x12));
        for wrong in ["", "sign", "signature|Privileged", "signature|privilege", "signature||"] {
            assert_eq!(level(wrong), None, "{wrong}");
        }
    }
}
