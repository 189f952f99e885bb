//! What an operation writes.

use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use super::manifest::{Operation, Partition, total};
use super::{Store, bsdiff};
use crate::bytes::{
    Codec, ExtentMap, Failed, ParseError, ReadAt, SharedBytes, Spool, Window, read_vec_at, within, zeroed,
};

/// Bytes that are hashed at once.
const PIECE: u64 = 64 << 10;
/// What compressed data may exceed its content by.
const SLACK: u64 = 64 << 10;

/// What an operation writes, one extent after another.
#[derive(Clone)]
pub(super) enum Content {
    Zeros,
    /// As many bytes as the extents have, or less: the rest is zero.
    Bytes(SharedBytes),
}

/// The output of an operation, which is made when it is read. An operation that can't be read is one that fails then.
pub(super) fn content(
    operation: &Operation,
    number: u64,
    partition: &Partition,
    block: u64,
    store: &Arc<Store>,
) -> Result<Content, ParseError> {
    let len = total(&operation.extents, block);
    let data = || Ok(Arc::new(Window::new(store.data.clone(), operation.offset, operation.length)?) as SharedBytes);
    let encoded = |codec| {
        let recipe = Recipe::Decode { codec, data: data()?, sha256: operation.sha256.clone() };
        Ok::<_, ParseError>(Made::shared(number, len, recipe, store))
    };
    let failed =
        |error: ParseError| -> SharedBytes { Arc::new(Failed::new(len, error.within(format!("operation {number}")))) };
    let bytes: SharedBytes = match operation.kind {
        6 | 7 => return Ok(Content::Zeros),
        0 => {
            if operation.length > len {
                return Err(ParseError::invalid(
                    operation.offset,
                    "data_length",
                    operation.length,
                    "what dst_extents hold",
                ));
            }
            data()?
        }
        1 => encoded(Codec::Bzip2)?,
        8 => encoded(Codec::Xz)?,
        14 => encoded(Codec::Zstd)?,
        4 | 5 | 10 => match source(operation, partition, block, store) {
            // What is missing is missing where it is read; the rest of the partition is there.
            Err(error) => failed(error),
            Ok(source) if operation.kind == 4 => {
                if source.bytes.len() != len {
                    return Err(ParseError::invalid(
                        0,
                        "src_extents",
                        source.bytes.len(),
                        "as many blocks as dst_extents",
                    ));
                }
                Arc::new(Copied { number, source })
            }
            Ok(source) => {
                let (patch, sha256) = (data()?, operation.sha256.clone());
                Made::shared(number, len, Recipe::Patch { source, patch, sha256 }, store)
            }
        },
        _ => {
            let feature = format!("{} of an incremental update", operation.name());
            failed(ParseError::unsupported(0, feature))
        }
    };
    Ok(Content::Bytes(bytes))
}

/// Blocks of the former build.
struct Source {
    bytes: SharedBytes,
    sha256: Vec<u8>,
    checked: OnceLock<Result<(), ParseError>>,
}

fn source(operation: &Operation, partition: &Partition, block: u64, store: &Store) -> Result<Source, ParseError> {
    let name = operation.name();
    let Some(base) = store.budget.base(&partition.name) else {
        let why = if store.budget.has_base() { "has no such partition" } else { "is not here (--base)" };
        let feature = format!("an incremental update ({name}), made from the build before it, which {why},");
        return Err(ParseError::unsupported(0, feature));
    };
    let Some(sha256) = operation.source_sha256.clone() else {
        return Err(ParseError::invalid(0, "src_sha256_hash", "absent", "the hash of the blocks of the former build"));
    };
    let mut map = ExtentMap::new(total(&operation.sources, block));
    let mut at = 0_u64;
    for extent in &operation.sources {
        let (start, len) = extent.bytes(block)?;
        map.store(at, base.clone(), start, len).map_err(|error| error.within("former build"))?;
        at = at.saturating_add(len);
    }
    Ok(Source { bytes: map.shared(), sha256, checked: OnceLock::new() })
}

impl Source {
    /// The blocks, once they are known to be the right ones.
    fn checked(&self) -> Result<&SharedBytes, ParseError> {
        let check = || match hash(&self.bytes)? == self.sha256 || cfg!(fuzzing) {
            true => Ok(()),
            false => Err(ParseError::invalid(
                0,
                "src_sha256_hash",
                "another",
                "that of the former build: it is another build",
            )),
        };
        self.checked.get_or_init(check).clone().map(|()| &self.bytes)
    }
}

fn hash(bytes: &SharedBytes) -> Result<Vec<u8>, ParseError> {
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < bytes.len() {
        let piece = read_vec_at(bytes.as_ref(), at, PIECE.min(bytes.len() - at), "piece", PIECE)?;
        hash.update(&piece);
        at += piece.len() as u64;
    }
    Ok(hash.finalize().to_vec())
}

/// SOURCE_COPY: read where it stands.
struct Copied {
    number: u64,
    source: Source,
}

impl ReadAt for Copied {
    fn len(&self) -> u64 {
        self.source.bytes.len()
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        let checked = self.source.checked().and_then(|bytes| bytes.read_exact_at(offset, buf));
        checked.map_err(|error| error.within(format!("operation {}", self.number)))
    }
}

enum Recipe {
    Decode { codec: Codec, data: SharedBytes, sha256: Option<Vec<u8>> },
    Patch { source: Source, patch: SharedBytes, sha256: Option<Vec<u8>> },
}

/// An output that is made as a whole: in memory, or in a temporary file where it is too long for that.
struct Made {
    number: u64,
    len: u64,
    recipe: Recipe,
    store: Arc<Store>,
    /// The temporary file.
    long: OnceLock<Result<SharedBytes, ParseError>>,
}

impl Made {
    fn shared(number: u64, len: u64, recipe: Recipe, store: &Arc<Store>) -> SharedBytes {
        Arc::new(Self { number, len, recipe, store: store.clone(), long: OnceLock::new() })
    }

    fn is_long(&self) -> bool {
        self.len > self.store.budget.limits.memory / 4
    }

    fn make(&self) -> Result<Vec<u8>, ParseError> {
        let budget = &self.store.budget;
        let mut made = match &self.recipe {
            Recipe::Decode { codec, data, sha256 } => {
                let limit = self.len.saturating_add(SLACK);
                let _reserved = budget.cache.reserve(data.len());
                let raw = read_vec_at(data.as_ref(), 0, data.len(), "data_length", limit)?;
                agrees(sha256.as_deref(), &Sha256::digest(&raw))?;
                codec.decode(Arc::new(raw), self.len, budget)?
            }
            Recipe::Patch { source, patch, sha256 } => {
                agrees(sha256.as_deref(), &hash(patch)?)?;
                let mut made = zeroed(0, self.len, "bytes of an operation", budget.limits.memory / 4)?;
                made.clear();
                bsdiff::apply(patch, source.checked()?, self.len, budget, &mut |bytes| {
                    made.extend_from_slice(bytes);
                    Ok(())
                })?;
                made
            }
        };
        // What the data does not fill is zero.
        made.resize(usize::try_from(self.len).unwrap_or_default(), 0);
        Ok(made)
    }

    fn make_long(&self) -> Result<SharedBytes, ParseError> {
        let budget = &self.store.budget;
        match &self.recipe {
            Recipe::Decode { codec, data, sha256 } => {
                agrees(sha256.as_deref(), &hash(data)?)?;
                codec.spool(data.clone(), &format!("operation {} of the payload", self.number), budget)
            }
            Recipe::Patch { source, patch, sha256 } => {
                agrees(sha256.as_deref(), &hash(patch)?)?;
                let spool = Spool::new(budget)?;
                let mut at = 0;
                bsdiff::apply(patch, source.checked()?, self.len, budget, &mut |bytes| {
                    spool.write_at(at, bytes)?;
                    at += bytes.len() as u64;
                    Ok(())
                })?;
                spool.finish(self.len)
            }
        }
    }
}

fn agrees(expected: Option<&[u8]>, found: &[u8]) -> Result<(), ParseError> {
    match expected {
        Some(expected) if expected != found && !cfg!(fuzzing) => {
            let start: String = expected.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            Err(ParseError::invalid(0, "data_sha256_hash", format!("{start}..."), "the hash of the data"))
        }
        _ => Ok(()),
    }
}

impl ReadAt for Made {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ParseError> {
        within(self.len, offset, buf.len() as u64)?;
        let place = |error: ParseError| error.within(format!("operation {}", self.number));
        if !self.is_long() {
            let made = self.store.cache.get((self.number, 0), || self.make().map_err(place))?;
            return made.as_ref().read_exact_at(offset, buf);
        }
        let long = self.long.get_or_init(|| self.make_long().map_err(place)).as_ref().map_err(Clone::clone)?;
        // What the data does not fill is zero.
        buf.fill(0);
        let there = long.len().saturating_sub(offset).min(buf.len() as u64);
        let target = usize::try_from(there).ok().and_then(|there| buf.get_mut(..there));
        target.map_or(Ok(()), |target| long.read_exact_at(offset, target))
    }
}
