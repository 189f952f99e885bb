//! Values of the platform's configuration that name packages, and preferred apps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Evidence;

/// One value of one resource: the platform's own, or an overlay's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigValue {
    /// Name of the resource: `config_defaultBrowser`.
    pub name: String,
    /// `android` for the platform's own file, else the overlay.
    pub package: String,
    /// Its text; may be empty.
    pub value: String,
    /// The package file.
    pub evidence: Evidence,
}

/// An entry of `etc/preferred-apps`: what opens an intent before the user chooses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferredApp {
    /// The package of the activity.
    pub package: String,
    /// The activity as written; a leading dot stands for the package.
    pub class: String,
    /// Actions of its filter.
    pub actions: Vec<String>,
    /// Categories of its filter.
    pub categories: Vec<String>,
    /// Schemes of its filter.
    pub schemes: Vec<String>,
    /// File and line.
    pub evidence: Evidence,
}
