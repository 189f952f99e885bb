//! Digests in the sections of `MANIFEST.MF` and `.SF` files, and which of them each API level looks at.

use super::hash::Hash;
use super::sections::Section;

/// Digests that must fit at all levels of `range`. `suffix` is what follows the algorithm in the attribute's name.
pub(super) fn to_verify(section: &Section<'_>, suffix: &str, range: (i32, i32)) -> Vec<(Hash, Vec<u8>)> {
    let mut found = Vec::new();
    if range.0 < 18 {
        // The first one that is known, in the order of an attribute.
        let listed = section.value("Digest-Algorithms").unwrap_or(b"SHA SHA1");
        let listed = String::from_utf8_lossy(listed).into_owned();
        let known = listed.split_ascii_whitespace().find_map(|name| {
            let value = section.value(&format!("{name}{suffix}"))?;
            let (hash, since) = match name.to_ascii_uppercase().as_str() {
                "MD5" => (Hash::Md5, 0),
                "SHA" | "SHA1" | "SHA-1" => (Hash::Sha1, 0),
                "SHA-256" => (Hash::Sha256, 0),
                "SHA-384" => (Hash::Sha384, 9),
                "SHA-512" => (Hash::Sha512, 9),
                _ => return None,
            };
            (since <= range.0).then(|| (hash, decode_base64(value)))
        });
        match known {
            Some(known) => found.push(known),
            None => return found,
        }
    }
    if range.1 >= 18 {
        let names = [("SHA-512", Hash::Sha512), ("SHA-384", Hash::Sha384), ("SHA-256", Hash::Sha256)];
        let mut names = names.into_iter().chain([("SHA1", Hash::Sha1)]);
        let strongest =
            names.find_map(|(name, hash)| Some((hash, decode_base64(section.value(&format!("{name}{suffix}"))?))));
        found.extend(strongest.filter(|digest| !found.contains(digest)));
    }
    found
}

/// What is no base64 fits no digest: it gives no bytes.
fn decode_base64(text: &[u8]) -> Vec<u8> {
    let digits = text.iter().position(|&byte| byte == b'=').map_or(text, |end| text.get(..end).unwrap_or_default());
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for digit in group {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return Vec::new(),
            };
            bits = bits << 6 | u32::from(value);
        }
        let missing = 4 - group.len();
        let whole = (bits << (6 * missing)).to_be_bytes();
        bytes.extend_from_slice(whole.get(1..4 - missing.min(3)).unwrap_or_default());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::decode_base64;

    #[test]
    fn base64_reads_as_rfc_4648_gives_it() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob")] {
            assert_eq!(decode_base64(text.as_bytes()), bytes.as_bytes());
        }
        assert!(decode_base64(b"Zm9v*").is_empty());
    }
}
