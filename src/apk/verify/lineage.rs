//! A proof of rotation: a chain of certificates in which each signs the next
//! (<https://source.android.com/docs/security/features/apksigning/v3#proof-of-rotation>).
//!
//! | size | name |
//! |---|---|
//! | 4 | version, 1 |
//! | ... | nodes: signed data (certificate, algorithm of the parent), flags, algorithm for the next, signature |

use super::algorithm::Algorithm;
use super::certificate::Parsed;
use super::fields::Fields;
use super::key;

const VERSION: u32 = 1;

/// A chain whose signatures hold, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lineage {
    /// Each certificate, with the whole node it stands in.
    nodes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Why a proof does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    Malformed,
    Version,
    Signature,
}

impl Lineage {
    /// Reads and verifies.
    pub(super) fn read(raw: &[u8]) -> Result<Self, Broken> {
        let mut fields = Fields(raw);
        if fields.u32().ok_or(Broken::Malformed)? != VERSION {
            return Err(Broken::Version);
        }
        let mut nodes: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut parent_algorithm = 0;
        while !fields.is_empty() {
            let node = fields.bytes().ok_or(Broken::Malformed)?;
            let mut rest = Fields(node);
            let (signed, next_algorithm, signature) = (|| {
                let signed = rest.bytes()?;
                rest.u32()?;
                Some((signed, rest.u32()?, rest.bytes()?))
            })()
            .ok_or(Broken::Malformed)?;
            let (certificate, named) = (|| {
                let mut signed = Fields(signed);
                Some((signed.bytes()?, signed.u32()?))
            })()
            .ok_or(Broken::Malformed)?;
            if let Some((parent, _)) = nodes.last() {
                let algorithm = Algorithm::by_id(parent_algorithm).ok_or(Broken::Malformed)?;
                let parent = Parsed::new(parent).ok_or(Broken::Signature)?;
                key::verify(parent.key, algorithm.method, algorithm.hash, &[signed], signature)
                    .map_err(|_| Broken::Signature)?;
                if named != parent_algorithm {
                    return Err(Broken::Signature);
                }
            }
            Parsed::new(certificate).ok_or(Broken::Signature)?;
            parent_algorithm = next_algorithm;
            nodes.push((certificate.to_vec(), node.to_vec()));
        }
        if nodes.is_empty() { Err(Broken::Malformed) } else { Ok(Self { nodes }) }
    }

    /// The certificates, oldest first.
    pub(super) fn certificates(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.nodes.iter().map(|(certificate, _)| certificate.as_slice())
    }

    /// Certificates in the chain; at least one.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the first certificate of its kind is the newest of the chain.
    pub(super) fn ends_with(&self, certificate: &[u8]) -> bool {
        self.certificates().position(|node| node == certificate).map(|at| at + 1) == Some(self.len())
    }

    /// Whether the chain begins with it.
    pub(super) fn begins_with(&self, certificate: &[u8]) -> bool {
        self.certificates().next() == Some(certificate)
    }

    /// The longest of `lineages` where all others are its beginnings.
    pub(super) fn consolidate(lineages: Vec<Self>) -> Result<Option<Self>, Broken> {
        let longest = lineages.iter().rev().max_by_key(|lineage| lineage.len()).cloned();
        let Some(longest) = longest else { return Ok(None) };
        let fits = lineages.iter().all(|lineage| longest.nodes.starts_with(&lineage.nodes));
        if fits { Ok(Some(longest)) } else { Err(Broken::Malformed) }
    }
}
