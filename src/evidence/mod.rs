//! What makes a verdict checkable by somebody else: keys, signatures, bundles of evidence and their verification.
//!
//! A signature proves that a file is what the holder of the key signed, and nothing more: not that a phone told the
//! truth, nor that the time in the file is right.

pub mod archive;
pub mod bundle;
pub mod key;
pub mod minisign;
mod privacy;
pub mod redaction;
pub mod statement;
pub mod trust;
pub mod verification;
