//! Who holds a role at first start, from an image; who holds it, from a phone.
//!
//! Of an image, as `PermissionController` decides since Android 10 (`roles.xml`, `Role.getDefaultHolders`,
//! `getFallbackHolder`): the package that the platform's configuration names, where it is there and qualifies, else for
//! the home screen, browser, dialer and messages the only package that qualifies. Overlays replace the configuration's
//! values: static ones, by priority, since Android 11 within the order of partitions (`OverlayConfig`). The search field
//! asks the only package that answers `GLOBAL_SEARCH` (`Searchables.findGlobalSearchActivity`).

use super::framework;
use crate::inventory::{
    ChosenKind, ConfigValue, Evidence, Fact, Gap, GapReason, Inventory, Package, PreferredApp, Role, RoleHolder,
};

/// From this version on overlays of a later partition win whatever their priority.
const PARTITIONS_IN_ORDER: u32 = 30;
/// First version whose settings and home screen a phone tells without root (Android 7).
const TELLS_CHOICES_SINCE: u32 = 24;
/// Partitions in the order of `PackagePartitions`: overlays of a later one win.
const PARTITIONS: [&str; 6] = ["system", "vendor", "odm", "oem", "product", "system_ext"];
/// Its activity with the category of a home screen only bridges the time before the owner's storage is open.
const NOT_A_HOME: &str = "com.android.settings";

/// Names of configuration values, newest first, and whether the only package that qualifies follows.
struct Rule {
    role: Role,
    configured: &'static [&'static str],
    fallback: bool,
}

const RULES: [Rule; 10] = [
    Rule { role: Role::Home, configured: &[], fallback: true },
    Rule { role: Role::Browser, configured: &["config_defaultBrowser", "default_browser"], fallback: true },
    Rule { role: Role::Dialer, configured: &["config_defaultDialer"], fallback: true },
    Rule { role: Role::Sms, configured: &["config_defaultSms", "default_sms_application"], fallback: true },
    Rule { role: Role::Assistant, configured: &["config_defaultAssistant"], fallback: false },
    Rule { role: Role::Search, configured: &[], fallback: true },
    Rule { role: Role::CallScreening, configured: &["config_defaultCallScreening"], fallback: false },
    Rule { role: Role::CallRedirection, configured: &["config_defaultCallRedirection"], fallback: false },
    Rule { role: Role::Wallet, configured: &["config_defaultWallet"], fallback: false },
    Rule { role: Role::Notes, configured: &["config_defaultNotes"], fallback: false },
];

/// Roles that a package's manifest shows it to qualify for.
const SHOWN: [Role; 6] = [Role::Home, Role::Browser, Role::Dialer, Role::Sms, Role::Assistant, Role::Search];

/// Other configuration values that conclusions ask for.
pub const PROVISIONING: &str = "config_deviceProvisioningPackage";
/// How lists of packages by type of user are applied: bit 0 enforces them.
pub const USER_TYPE_MODE: &str = "config_userTypePackageWhitelistMode";

/// Whether a value of the platform's configuration is read at all.
#[must_use]
pub fn is_read(name: &str) -> bool {
    name == PROVISIONING
        || name == USER_TYPE_MODE
        || names_role_holders(name)
        || RULES.iter().any(|rule| rule.configured.contains(&name))
}

/// Whether a value may name the holders of a role that is the system's own: which there are stands in another package.
#[must_use]
pub fn names_role_holders(name: &str) -> bool {
    name.strip_prefix("config_system").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Whether a text names packages as values for roles do: `com.a`, `com.a:DIGEST;com.b`.
#[must_use]
pub fn is_list_of_packages(text: &str) -> bool {
    let is_name =
        |name: &str| name.contains('.') && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    packages_of(text).all(is_name)
}

/// The roles that are looked for.
pub fn roles() -> impl Iterator<Item = Role> {
    RULES.iter().map(|rule| rule.role.clone())
}

/// Packages that hold a role for the owner: on a phone as it says, of an image at first start. Empty: nobody.
#[must_use]
pub fn holders(inventory: &Inventory, role: &Role) -> Fact<Vec<String>> {
    if inventory.target.kind.has_run() {
        return of_phone(inventory, role);
    }
    let Some(rule) = RULES.iter().find(|rule| rule.role == *role) else {
        return Fact::Unknown(unknown(role, GapReason::Unsupported, "the holder of this role is not looked for"));
    };
    let (packages, listed) = match &inventory.packages {
        Fact::Known { value, evidence } => (value, evidence),
        Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
    };
    if let Some((package, evidence)) = preferred(inventory, role) {
        return Fact::new(vec![package], &evidence);
    }
    let mut named = Vec::new();
    for name in rule.configured {
        let Some(value) = value(inventory, name) else { continue };
        for package in packages_of(&value.value) {
            if inventory.package(package).is_some_and(|found| qualifies(found, role)) {
                return Fact::new(vec![package.to_owned()], &value.evidence);
            }
            named.push(package.to_owned());
        }
    }
    if !rule.configured.is_empty() && !framework::was_read(inventory) {
        return Fact::Unknown(framework::missing(inventory));
    }
    if !rule.fallback {
        return if named.is_empty() || inventory.gaps_hiding_packages().next().is_none() {
            Fact::new(Vec::new(), listed)
        } else {
            let words = format!("the configuration names {}, which may be hidden by a gap", named.join(", "));
            Fact::Unknown(unknown(role, GapReason::Missing, &words))
        };
    }
    let candidates: Vec<&str> =
        packages.iter().filter(|package| qualifies(package, role)).map(|package| package.name.as_str()).collect();
    match candidates.as_slice() {
        _ if inventory.gaps_hiding_packages().next().is_some() => {
            let words = "packages that qualify for it may be hidden by a gap";
            Fact::Unknown(unknown(role, GapReason::Missing, words))
        }
        [] => Fact::new(Vec::new(), listed),
        [only] => Fact::new(vec![(*only).to_owned()], listed),
        several => {
            let words = format!("several packages qualify, and none is configured: {}", several.join(", "));
            Fact::Unknown(unknown(role, GapReason::NotObserved, &words))
        }
    }
}

/// Who holds a role by what a phone says: of Android's roles, before Android 10 of what was chosen.
fn of_phone(inventory: &Inventory, role: &Role) -> Fact<Vec<String>> {
    let owner = |user: Option<u32>| user.is_none_or(|user| user == 0);
    let chosen = match role {
        Role::Home => Some(ChosenKind::Home),
        Role::Dialer => Some(ChosenKind::Dialer),
        Role::Sms => Some(ChosenKind::Sms),
        Role::Assistant => Some(ChosenKind::Assistant),
        _ => None,
    };
    match (&inventory.role_holders, &inventory.state.chosen, chosen) {
        (Fact::Known { value, evidence }, ..) => {
            let own = value.iter().filter(|holder| holder.role == *role && owner(holder.user));
            Fact::new(own.map(|holder| holder.package.clone()).collect(), evidence)
        }
        (Fact::Unknown(_), Fact::Known { value, evidence }, Some(kind)) => {
            let own = value.iter().filter(|chosen| chosen.kind == kind && owner(Some(chosen.user)));
            let package = |component: &str| component.split('/').next().unwrap_or_default().to_owned();
            let found: Vec<String> = own.map(|chosen| package(&chosen.component)).collect();
            // Nobody was found where nobody could be looked for.
            let tells = inventory.device.sdk.known().is_none_or(|sdk| *sdk >= TELLS_CHOICES_SINCE);
            let open = inventory.gaps.iter().find(|gap| keeps_open(gap, kind));
            match open {
                _ if !found.is_empty() => Fact::new(found, evidence),
                Some(gap) => Fact::Unknown(gap.clone()),
                None if tells => Fact::new(found, evidence),
                None => {
                    let words = "this version of Android does not tell what the user chose";
                    Fact::Unknown(unknown(role, GapReason::Unsupported, words))
                }
            }
        }
        (Fact::Unknown(gap), ..) => Fact::Unknown(gap.clone()),
    }
}

/// Whether a gap leaves open what the owner of a phone chose.
fn keeps_open(gap: &Gap, kind: ChosenKind) -> bool {
    let asked = if kind == ChosenKind::Home { "cmd package resolve-activity" } else { "settings" };
    gap.place.starts_with(asked) && gap.place.contains(" --user 0 ")
}

/// All holders of an image, and why the holders of the other roles are not known.
#[must_use]
pub fn of_image(inventory: &Inventory) -> (Fact<Vec<RoleHolder>>, Vec<(Role, Gap)>) {
    let evidence = match &inventory.packages {
        Fact::Known { evidence, .. } => evidence.clone(),
        Fact::Unknown(gap) => return (Fact::Unknown(gap.clone()), Vec::new()),
    };
    let mut found = Vec::new();
    let mut open = Vec::new();
    for role in roles() {
        match holders(inventory, &role) {
            Fact::Known { value, .. } => {
                found.extend(value.into_iter().map(|package| RoleHolder { role: role.clone(), package, user: None }));
            }
            Fact::Unknown(gap) => open.push((role, gap)),
        }
    }
    found.sort();
    (Fact::new(found, &evidence), open)
}

/// The gaps of roles, those that are open for the same reason as one: `roles home, search`.
pub(super) fn folded(open: Vec<(Role, Gap)>) -> Vec<Gap> {
    let mut by_cause: Vec<(Gap, Vec<&str>)> = Vec::new();
    for (role, gap) in &open {
        let is_same = |other: &Gap| (other.reason, other.hides, &other.detail) == (gap.reason, gap.hides, &gap.detail);
        match by_cause.iter_mut().find(|(other, _)| is_same(other)) {
            Some((_, names)) => names.push(role.as_str()),
            None => by_cause.push((gap.clone(), vec![role.as_str()])),
        }
    }
    let folded = by_cause.into_iter().map(|(gap, names)| match names.as_slice() {
        [_] => gap,
        several => Gap { place: format!("roles {}", several.join(", ")), ..gap },
    });
    folded.collect()
}

fn unknown(role: &Role, reason: GapReason, words: &str) -> Gap {
    Gap::new(format!("role {}", role.as_str()), reason, words)
}

/// The value that counts of a name: of the overlays the strongest, else the platform's own.
#[must_use]
pub fn value<'a>(inventory: &'a Inventory, name: &str) -> Option<&'a ConfigValue> {
    let all = inventory.configuration.known()?.iter().filter(|value| value.name == name);
    all.filter_map(|value| Some((strength(inventory, value)?, value)))
        .max_by_key(|(strength, _)| *strength)
        .map(|(_, v)| v)
}

/// How strong a value is: partition, priority, path. `None` for an overlay that is not on from the start.
fn strength<'a>(inventory: &'a Inventory, value: &ConfigValue) -> Option<(usize, u32, &'a str)> {
    if value.package == "android" {
        return Some((0, 0, ""));
    }
    let copy = inventory.package(&value.package)?.active()?;
    let overlay = copy.manifest.known()?.overlay.as_ref().filter(|overlay| overlay.is_static)?;
    let ordered = inventory.device.sdk.known().is_some_and(|sdk| *sdk >= PARTITIONS_IN_ORDER);
    let partition = copy.partition.known().filter(|_| ordered);
    let rank = partition.and_then(|name| PARTITIONS.iter().position(|known| known == name)).unwrap_or(0);
    // Any overlay before the platform's own value.
    Some((rank + 1, overlay.priority, copy.path.as_str()))
}

/// Packages of a value: `com.a`, or several with `;` between, each with the digest of its signer behind a colon or none.
fn packages_of(value: &str) -> impl Iterator<Item = &str> {
    value.split(';').map(|part| part.split(':').next().unwrap_or_default().trim()).filter(|name| !name.is_empty())
}

/// Whether a package may hold the role, as far as its manifest shows; a role that manifests don't show is open to all.
fn qualifies(package: &Package, role: &Role) -> bool {
    if *role == Role::Home && package.name == NOT_A_HOME {
        return false;
    }
    if !SHOWN.contains(role) {
        return true;
    }
    let manifest = package.active().and_then(|copy| copy.manifest.known());
    manifest.is_some_and(|manifest| manifest.roles.iter().any(|own| own == role.as_str()))
}

/// The package that `preferred-apps` names for what the role answers.
fn preferred(inventory: &Inventory, role: &Role) -> Option<(String, Evidence)> {
    let names = |app: &PreferredApp| {
        let action = |name: &str| app.actions.iter().any(|action| action == name);
        let category = |name: &str| app.categories.iter().any(|category| category == name);
        match role {
            Role::Home => category("android.intent.category.HOME"),
            Role::Search => action("android.search.action.GLOBAL_SEARCH"),
            Role::Browser => {
                action("android.intent.action.VIEW")
                    && category("android.intent.category.BROWSABLE")
                    && app.schemes.iter().any(|scheme| scheme == "http")
            }
            _ => false,
        }
    };
    let mut found = inventory.preferred_apps.known()?.iter().filter(|app| names(app));
    let app = found.next()?;
    let there = inventory.package(&app.package).is_some_and(|package| qualifies(package, role));
    (there && found.all(|other| other.package == app.package)).then(|| (app.package.clone(), app.evidence.clone()))
}
