//! Permissions that come with a role, by the roles that the device's own permission controller defines
//! (AOSP `Role.grant`, `Permission.isAvailableAsUser`).

use super::answer::{Answer, reason};
use super::app::App;
use super::device::Device;
use crate::inventory::{Inventory, ReasonCode, Role, RoleDefinition, RolePermission};
use crate::platform::{default_roles, framework, protection as p};

/// Behaviours of AOSP that name nobody at first start: a companion's app asks for its role when its device is paired.
const NAMES_NOBODY: [&str; 2] = ["CompanionDevice", "ReservedForTesting"];

/// A role with those that hold it at first start.
pub(super) struct Held<'a> {
    definition: &'a RoleDefinition,
    /// Those that hold it.
    certain: Vec<String>,
    /// Those that are named for it, and may lack what the role requires.
    possible: Vec<String>,
    /// Whether it may be anybody.
    open: bool,
}

/// The roles of a device; `None` where they were not read.
pub(super) fn of<'a>(inventory: &'a Inventory) -> Option<Vec<Held<'a>>> {
    let definitions = inventory.roles.known()?;
    Some(definitions.iter().map(|definition| held(inventory, definition)).collect())
}

fn held<'a>(inventory: &'a Inventory, definition: &'a RoleDefinition) -> Held<'a> {
    let mut held = Held { definition, certain: Vec::new(), possible: Vec::new(), open: false };
    if default_roles::roles().any(|role| role == definition.role) {
        match default_roles::holders(inventory, &definition.role).known() {
            Some(holders) => held.certain.clone_from(holders),
            None => held.open = true,
        }
        return held;
    }
    let behaves = definition.behavior.as_deref();
    let Some(name) = &definition.default_holders else {
        held.open = behaves.is_some_and(|name| !NAMES_NOBODY.iter().any(|nobody| name.contains(nobody)));
        return held;
    };
    let Some(value) = default_roles::value(inventory, name) else {
        held.open = !framework::was_read(inventory);
        return held;
    };
    let incomplete = inventory.gaps_hiding_packages().next().is_some();
    for entry in value.value.split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (package, digest) = entry.split_once(':').map_or((entry, None), |(name, digest)| (name, Some(digest)));
        let Some(found) = inventory.package(package) else {
            held.open |= incomplete;
            continue;
        };
        let Some(app) = App::of(found, inventory.target.kind).first().copied() else { continue };
        // Whoever is not part of the system needs the certificate that is named beside it.
        let qualifies = match digest {
            Some(digest) => has_certificate(&app, digest, inventory.device.sdk.known().copied().unwrap_or_default()),
            None => Some(app.is_system()),
        };
        match qualifies {
            Some(false) => {}
            Some(true) if behaves.is_none() && !definition.requires_components => held.certain.push(package.to_owned()),
            Some(true) | None => held.possible.push(package.to_owned()),
        }
    }
    held
}

fn has_certificate(app: &App<'_>, digest: &str, sdk: u32) -> Option<bool> {
    let digests: Option<Vec<&str>> = app.signers(sdk)?.iter().map(|signer| signer.sha256.as_deref()).collect();
    digests.map(|digests| digests.iter().any(|own| own.eq_ignore_ascii_case(digest)))
}

/// Whether an app gets a permission as the holder of a role. `None` where roles were not read.
pub(super) fn judge(device: &Device<'_>, app: &App<'_>, name: &str, level: u32) -> Option<Answer> {
    let roles = device.roles.as_ref()?;
    let mut answers = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    for held in roles {
        let own = held.definition.permissions.iter().filter(|permission| permission.name == name);
        let gives = own.map(|permission| is_available(held.definition, permission, level, device.sdk));
        let Some(gives) = gives.max() else { continue };
        let role: &Role = &held.definition.role;
        let holds = if held.certain.iter().any(|holder| holder == app.name()) {
            Answers::Yes
        } else if held.open || held.possible.iter().any(|holder| holder == app.name()) {
            Answers::Maybe
        } else {
            Answers::No
        };
        let at = Some(&held.definition.evidence);
        match gives.min(holds) {
            Answers::Yes => answers.push(Answer::yes(reason(ReasonCode::RoleHolder).on(role.as_str()).at(at))),
            Answers::Maybe => {
                answers.push(Answer::unknown(reason(ReasonCode::RoleHolderUnknown).on(role.as_str()).at(at)));
            }
            Answers::No if gives != Answers::No => others.push(role.as_str()),
            Answers::No => {}
        }
    }
    let about = if others.is_empty() { "no role of this device".to_owned() } else { others.join(", ") };
    answers.push(Answer::no(reason(ReasonCode::RoleNotHeld).on(about)));
    Some(Answer::any(answers))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answers {
    No,
    Maybe,
    Yes,
}

/// Whether a role gives a permission at an API level.
fn is_available(role: &RoleDefinition, permission: &RolePermission, level: u32, sdk: u32) -> Answers {
    if role.min_sdk.is_some_and(|least| sdk < least) || role.max_sdk.is_some_and(|most| sdk > most) {
        return Answers::No;
    }
    let grantable = level & 0xF == p::DANGEROUS || level & (p::ROLE | p::APPOP) != 0;
    let optional = permission.optional_min_sdk.is_some_and(|least| sdk >= least) && grantable;
    if permission.min_sdk.is_some_and(|least| sdk < least) && !optional {
        return Answers::No;
    }
    // What a flag is set to stands in code.
    if role.feature_flag.is_some() || permission.feature_flag.is_some() { Answers::Maybe } else { Answers::Yes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Evidence, SourceId};

    #[test]
    fn levels_and_flags_decide_whether_a_role_gives_a_permission() {
        let evidence = Evidence { source: SourceId(0), at: None };
        let role = RoleDefinition {
            role: Role::Sms,
            default_holders: None,
            behavior: None,
            requires_components: false,
            min_sdk: Some(29),
            max_sdk: None,
            feature_flag: None,
            permissions: Vec::new(),
            evidence,
        };
        let permission = |min_sdk, optional_min_sdk, flag: Option<&str>| RolePermission {
            name: "p".to_owned(),
            min_sdk,
            optional_min_sdk,
            feature_flag: flag.map(str::to_owned),
            line: 1,
        };
        let (key, role_flag) = (p::SIGNATURE, p::SIGNATURE | p::ROLE);
        for (own, level, sdk, expected) in [
            (permission(None, None, None), key, 28, Answers::No),
            (permission(None, None, None), key, 29, Answers::Yes),
            (permission(Some(31), None, None), key, 30, Answers::No),
            (permission(Some(31), None, None), key, 31, Answers::Yes),
            (permission(Some(35), Some(34), None), key, 34, Answers::No),
            (permission(Some(35), Some(34), None), role_flag, 34, Answers::Yes),
            (permission(Some(35), Some(34), None), p::DANGEROUS, 33, Answers::No),
            (permission(None, None, Some("f")), key, 34, Answers::Maybe),
        ] {
            assert_eq!(is_available(&role, &own, level, sdk), expected, "{own:?} {sdk}");
        }
        let ended = RoleDefinition { max_sdk: Some(33), ..role };
        assert_eq!(is_available(&ended, &permission(None, None, None), key, 34), Answers::No);
    }
}
