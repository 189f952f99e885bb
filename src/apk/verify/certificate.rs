//! Fields of an X.509 certificate (RFC 5280) that verification asks for. The bytes may be BER: some old certificates are.

use super::super::der::Der;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const BOOLEAN: u8 = 0x01;
const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
/// 2.5.29, the standard's own extensions.
const STANDARD: [u8; 2] = [0x55, 0x1d];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// Netscape's certificate type and the authority's information access, which Java knows too.
const OTHER_KNOWN: [&[u8]; 2] =
    [&[0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x01], &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01]];

/// A certificate whose structure could be read.
#[derive(Debug, Clone)]
pub(super) struct Parsed<'a> {
    /// The certificate as it stands.
    pub(super) raw: &'a [u8],
    /// `SubjectPublicKeyInfo`.
    pub(super) key: &'a [u8],
    /// `issuer`, with tag and length.
    issuer: &'a [u8],
    /// `serialNumber`, contents.
    serial: &'a [u8],
    /// First octet of `keyUsage`.
    usage: Option<u8>,
    /// Whether a critical extension is not known.
    pub(super) unknown_critical: bool,
}

impl<'a> Parsed<'a> {
    /// `None` where the structure is another.
    pub(super) fn new(raw: &'a [u8]) -> Option<Self> {
        let mut fields = Der::new(raw).enter(SEQUENCE, "").ok()?.enter(SEQUENCE, "").ok()?;
        if fields.tag() == Some(0xa0) {
            fields.element("").ok()?;
        }
        let serial = fields.enter(INTEGER, "").ok()?.rest();
        fields.element("").ok()?;
        let issuer = fields.element("").ok()?;
        fields.element("").ok()?;
        fields.element("").ok()?;
        let key = fields.element("").ok()?;
        let mut parsed = Self { raw, key, issuer, serial, usage: None, unknown_critical: false };
        while let Some(tag) = fields.tag() {
            if tag == 0xa3 {
                parsed.extensions(fields.enter(tag, "").ok()?.enter(SEQUENCE, "").ok()?)?;
            } else {
                fields.element("").ok()?;
            }
        }
        Some(parsed)
    }

    fn extensions(&mut self, mut extensions: Der<'_>) -> Option<()> {
        while !extensions.rest().is_empty() {
            let mut extension = extensions.enter(SEQUENCE, "").ok()?;
            let object = extension.enter(OBJECT, "").ok()?.rest();
            let critical = extension.tag() == Some(BOOLEAN) && extension.enter(BOOLEAN, "").ok()?.rest() != [0];
            let value = extension.enter(OCTET_STRING, "").ok()?.rest();
            if object == KEY_USAGE {
                let bits = Der::new(value).enter(BIT_STRING, "").ok()?.rest();
                self.usage = Some(bits.get(1).copied().unwrap_or_default());
            }
            self.unknown_critical |= critical && !object.starts_with(&STANDARD) && !OTHER_KNOWN.contains(&object);
        }
        Some(())
    }

    /// Whether `keyUsage`, where there is one, allows signatures over contents.
    pub(super) fn may_sign(&self) -> bool {
        // digitalSignature and nonRepudiation are the first two bits.
        self.usage.is_none_or(|bits| bits & 0xc0 != 0)
    }

    /// Whether `issuerAndSerialNumber` of a signer means this certificate. `issuer` is with its tag, `serial` without.
    pub(super) fn is(&self, issuer: &[u8], serial: &[u8]) -> bool {
        let positive = |digits: &[u8]| digits.iter().skip_while(|&&digit| digit == 0).copied().collect::<Vec<_>>();
        positive(serial) == positive(self.serial)
            && (issuer == self.issuer || names(issuer).is_some_and(|ours| Some(ours) == names(self.issuer)))
    }
}

/// The parts of a distinguished name, in a form that is the same for names that mean the same: signing tools write an
/// issuer anew, with other string types.
fn names(raw: &[u8]) -> Option<Vec<Vec<Vec<u8>>>> {
    let mut sequence = Der::new(raw).enter(SEQUENCE, "").ok()?;
    let mut all = Vec::new();
    while !sequence.rest().is_empty() {
        let mut set = sequence.enter(SET, "").ok()?;
        let mut part = Vec::new();
        while !set.rest().is_empty() {
            let mut pair = set.enter(SEQUENCE, "").ok()?;
            let mut canonical = pair.element("").ok()?.to_vec();
            match pair.tag()? {
                tag @ (UTF8 | PRINTABLE) => {
                    let text = String::from_utf8_lossy(pair.enter(tag, "").ok()?.rest()).to_lowercase();
                    canonical.extend(text.split_whitespace().collect::<Vec<_>>().join(" ").into_bytes());
                }
                _ => canonical.extend_from_slice(pair.rest()),
            }
            part.push(canonical);
        }
        part.sort();
        all.push(part);
    }
    Some(all)
}
