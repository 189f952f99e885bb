//! Roles: which package answers for home screen, calls, web addresses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Evidence;

/// A role that packages hold: Android's own (`android.app.role.*`, since Android 10), and `search`, which is a setting
/// of Android and not a role there.
///
/// In JSON its name: kebab-case, or the whole name of a role that is none of these (`android.app.role.SYSTEM_GALLERY`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
pub enum Role {
    /// The home screen.
    Home,
    /// Web addresses of any host.
    Browser,
    /// Phone calls.
    Dialer,
    /// SMS and MMS.
    Sms,
    /// What answers the assistant's key or gesture.
    Assistant,
    /// Searches of the whole device: what the launcher's search field asks.
    Search,
    /// Screens incoming calls.
    CallScreening,
    /// Redirects outgoing calls.
    CallRedirection,
    /// Shows what helpers need to know in an emergency.
    Emergency,
    /// Pays and holds cards.
    Wallet,
    /// Takes notes from the lock screen or a pen.
    Notes,
    /// Any other, by its whole name.
    Other(String),
}

/// Names that are ours, in declaration order.
const NAMES: [(&str, Role); 11] = [
    ("home", Role::Home),
    ("browser", Role::Browser),
    ("dialer", Role::Dialer),
    ("sms", Role::Sms),
    ("assistant", Role::Assistant),
    ("search", Role::Search),
    ("call-screening", Role::CallScreening),
    ("call-redirection", Role::CallRedirection),
    ("emergency", Role::Emergency),
    ("wallet", Role::Wallet),
    ("notes", Role::Notes),
];
/// What Android puts before the names of its roles.
const ANDROID: &str = "android.app.role.";

impl Role {
    /// Every role with a name of its own, in declaration order.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(_, role)| role.clone())
    }

    /// The name as printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(name) => name,
            known => NAMES.iter().find(|(_, role)| role == known).map_or("", |(name, _)| name),
        }
    }

    /// The role of one of our names; any other text is [`Role::Other`].
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let known = NAMES.iter().find(|(own, _)| *own == name);
        known.map_or_else(|| Self::Other(name.to_owned()), |(_, role)| role.clone())
    }

    /// The role of Android's name, `android.app.role.CALL_SCREENING`.
    #[must_use]
    pub fn from_android(name: &str) -> Self {
        let own = name.strip_prefix(ANDROID).map(|name| name.to_ascii_lowercase().replace('_', "-"));
        match own.as_deref().map(Self::from_name) {
            // A search role is not Android's: whoever names one so means something else.
            None | Some(Self::Other(_) | Self::Search) => Self::Other(name.to_owned()),
            Some(role) => role,
        }
    }
}

impl From<String> for Role {
    fn from(name: String) -> Self {
        Self::from_name(&name)
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.as_str().to_owned()
    }
}

/// A package that holds a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleHolder {
    /// The role.
    pub role: Role,
    /// The package.
    pub package: String,
    /// The user for whom it holds the role; `null` for the holder that an image gives every user at first start.
    pub user: Option<u32>,
}

/// A role as the permission controller of an image defines it (Android 10 and later).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleDefinition {
    /// The role.
    pub role: Role,
    /// The value of the platform's configuration that names its holders at first start; `null` where none does.
    pub default_holders: Option<String>,
    /// The class that decides beside it; `null` where none does.
    pub behavior: Option<String>,
    /// Whether holders need certain components.
    pub requires_components: bool,
    /// First API level that has it; `null` for every one.
    pub min_sdk: Option<u32>,
    /// Last API level that has it; `null` for every one.
    pub max_sdk: Option<u32>,
    /// The flag of the build on which it depends; `null` for none.
    pub feature_flag: Option<String>,
    /// Permissions of its holders, in the file's order.
    pub permissions: Vec<RolePermission>,
    /// File and line.
    pub evidence: Evidence,
}

/// A permission that comes with a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RolePermission {
    /// Its name.
    pub name: String,
    /// First API level at which it comes with the role; absent for every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_sdk: Option<u32>,
    /// First API level at which it does where its own level allows it; absent for none before [`Self::min_sdk`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional_min_sdk: Option<u32>,
    /// The flag of the build on which it depends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_flag: Option<String>,
    /// Line of the file.
    pub line: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_its_name_in_json_and_an_unknown_one_keeps_its_own() {
        for role in Role::all().chain([Role::Other("android.app.role.SYSTEM_GALLERY".to_owned())]) {
            let text = serde_json::to_string(&role).unwrap();
            assert_eq!(text, format!("\"{}\"", role.as_str()));
            assert_eq!(serde_json::from_str::<Role>(&text).unwrap(), role);
        }
        assert_eq!(Role::all().count(), NAMES.len());
    }

    #[test]
    fn androids_names_become_ours_and_neighbours_do_not() {
        assert_eq!(Role::from_android("android.app.role.CALL_SCREENING"), Role::CallScreening);
        assert_eq!(Role::from_android("android.app.role.SMS"), Role::Sms);
        for other in ["android.app.role.SEARCH", "android.app.role.SMSS", "android.app.roles.SMS", "sms", "com.x.HOME"]
        {
            assert_eq!(Role::from_android(other), Role::Other(other.to_owned()));
        }
    }
}
