//! What a phone says of itself beside its packages: two requests for all users, and one for each user.

use std::collections::{BTreeMap, BTreeSet};

use super::asking::{Asker, Text};
use crate::adb::{Command, commands};
use crate::dump::device_policy::Power;
use crate::dump::refusal::RefusalKind;
use crate::dump::settings::Settings;
use crate::dump::{
    At, accessibility, activities, app_ops, device_policy, features, overlay, package_list, refusal, role, settings,
};
use crate::inventory::{
    Administrator, AdministratorKind, AppOpMode, Chosen, ChosenKind, Evidence, Fact, Gap, GapReason, Hides, Module,
    OverlayState, Role, RoleHolder, State,
};
use crate::platform::identity::{self, Properties};

/// First API levels that have roles, overlays, modules.
const ROLES_SINCE: u32 = 29;
const OVERLAYS_SINCE: u32 = 26;
const MODULES_SINCE: u32 = 29;

/// Settings that name components, and what each is for. Several are separated by colons.
const CHOICES: [(&str, ChosenKind); 8] = [
    ("enabled_accessibility_services", ChosenKind::AccessibilityService),
    ("enabled_notification_listeners", ChosenKind::NotificationListener),
    ("enabled_input_methods", ChosenKind::InputMethod),
    ("default_input_method", ChosenKind::DefaultInputMethod),
    ("assistant", ChosenKind::Assistant),
    ("voice_interaction_service", ChosenKind::VoiceInteraction),
    ("autofill_service", ChosenKind::Autofill),
    ("credential_service", ChosenKind::CredentialProvider),
];

/// Settings that name a package.
const PACKAGES: [(&str, ChosenKind); 3] = [
    ("always_on_vpn_app", ChosenKind::AlwaysOnVpn),
    ("sms_default_application", ChosenKind::Sms),
    ("dialer_default_application", ChosenKind::Dialer),
];

/// What was learnt.
pub(super) struct Told {
    pub(super) state: State,
    pub(super) role_holders: Fact<Vec<RoleHolder>>,
}

/// An answer, or why there is none.
type Answered = Result<Text, Gap>;

/// Asks for everything.
pub(super) fn ask(
    asker: &mut Asker<'_>,
    sdk: u32,
    users: &BTreeSet<u32>,
    properties: Option<(&Properties, &Evidence)>,
    dumped_features: &Option<(Vec<String>, Evidence)>,
) -> Told {
    let service = |name: &str, since: u32| (sdk >= since).then(|| commands::service(sdk, name)).flatten();
    let wanted: [Option<Command>; 7] = [
        service("role", ROLES_SINCE),
        service("device_policy", 0),
        service("accessibility", 0),
        service("appops", 0),
        service("overlay", OVERLAYS_SINCE),
        // A capture with a whole dump has them there.
        (!asker.is_capture() || dumped_features.is_none()).then(commands::features),
        (sdk >= MODULES_SINCE).then(commands::modules),
    ];
    let asked = asker.ask_batch(wanted.iter().flatten().cloned().collect(), Hides::Facts);
    let mut asked = asked.into_iter();
    let mut next = |what: &str, wanted: &Option<Command>| -> Answered {
        let words = format!("this version of Android has no {what}");
        match wanted {
            None => Err(Gap::new(what, GapReason::Unsupported, words)),
            Some(_) => asked.next().unwrap_or_else(|| Err(Gap::new(what, GapReason::Failed, "no answer"))),
        }
    };
    let [roles, policy, accessible, ops, overlays, has, modules] = &wanted;
    let (roles, policy, accessible) =
        (next("roles", roles), next("device policy", policy), next("accessibility", accessible));
    let (ops, overlays) = (next("app operations", ops), next("overlays", overlays));
    let (has, modules) = (next("features", has), next("APEX modules", modules));
    let settings = of_users(asker, sdk, users);
    let mut state = match properties {
        Some((properties, whole)) => identity::boot_state(properties, whole),
        None => State::unknown(&Gap::new("getprop", GapReason::Missing, "the properties were not read")),
    };
    state.administrators = settle(asker, policy, administrators);
    state.chosen = chosen(asker, accessible, &settings);
    let mut unread = None;
    state.app_ops = settle(asker, ops, |text| modes(text, &mut unread));
    asker.gaps.extend(unread);
    state.overlays = settle(asker, overlays, overlay_states);
    state.features = match (settle(asker, has, feature_names), dumped_features) {
        (Fact::Unknown(_), Some((names, evidence))) => Fact::new(names.clone(), evidence),
        (fact, _) => fact,
    };
    state.modules = settle(asker, modules, module_list);
    Told { state, role_holders: settle(asker, roles, holders) }
}

/// Reads an answer. What is not whole is a gap.
fn settle<T>(asker: &mut Asker<'_>, answer: Answered, read: impl FnOnce(&Text) -> Result<T, Gap>) -> Fact<T> {
    let text = match answer {
        Ok(text) => text,
        Err(gap) => return Fact::Unknown(gap),
    };
    match whole(asker, &text).and_then(|()| read(&text)) {
        Ok(value) => Fact::new(value, &text.evidence),
        Err(gap) => {
            asker.note(gap.clone());
            Fact::Unknown(gap)
        }
    }
}

/// What any dump shows of being cut.
fn whole(asker: &Asker<'_>, text: &Text) -> Result<(), Gap> {
    let stopped = text.text.lines().find(|line| line.starts_with("*** SERVICE '") && line.contains("DUMP TIMEOUT"));
    if let Some(words) = stopped {
        return Err(Gap::new(&text.command, GapReason::Truncated, words));
    }
    // Whoever keeps a capture may have cut its last line feed off.
    if !asker.is_capture() && !text.text.ends_with('\n') {
        return Err(Gap::new(&text.command, GapReason::Truncated, "the answer ends within a line"));
    }
    Ok(())
}

fn truncated(text: &Text, words: &str) -> Gap {
    match refusal::find(&text.text).filter(|found| found.kind == RefusalKind::Denied) {
        Some(found) => Gap::new(&text.command, GapReason::Refused, found.words),
        None => Gap::new(&text.command, GapReason::Truncated, words),
    }
}

fn holders(text: &Text) -> Result<Vec<RoleHolder>, Gap> {
    let found = role::parse(&text.text);
    if found.truncated || found.roles == 0 {
        return Err(truncated(text, "the list of roles is not whole"));
    }
    if let Some(words) = found.leftover.describe() {
        return Err(Gap::new(&text.command, GapReason::Unsupported, words));
    }
    let holder = |at: At<role::Holder>| RoleHolder {
        role: Role::from_android(&at.value.role),
        package: at.value.package,
        user: Some(at.value.user),
    };
    Ok(found.holders.into_iter().map(holder).collect())
}

fn administrators(text: &Text) -> Result<Vec<Administrator>, Gap> {
    let found = device_policy::parse(&text.text);
    if !found.whole {
        return Err(truncated(text, "no list of administrators"));
    }
    // One of them may be an owner.
    if let Some(words) = found.leftover.describe() {
        return Err(Gap::new(&text.command, GapReason::Unsupported, words));
    }
    let administrator = |at: At<device_policy::Administrator>| Administrator {
        user: at.value.user,
        kind: match at.value.power {
            Power::DeviceOwner => AdministratorKind::DeviceOwner,
            Power::ProfileOwner => AdministratorKind::ProfileOwner,
            Power::Administrator => AdministratorKind::Administrator,
        },
        component: at.value.component,
    };
    Ok(found.administrators.into_iter().map(administrator).collect())
}

/// The modes that were understood; a gap for the lines that were not, beside them.
fn modes(text: &Text, unread: &mut Option<Gap>) -> Result<Vec<AppOpMode>, Gap> {
    let found = app_ops::parse(&text.text);
    if !found.whole {
        return Err(truncated(text, "no operations of any app"));
    }
    *unread = found.leftover.describe().map(|words| Gap::new(&text.command, GapReason::Unsupported, words));
    let mode = |at: At<app_ops::AppOp>| AppOpMode {
        user: at.value.user,
        app_id: at.value.app_id,
        package: at.value.package,
        operation: at.value.operation,
        mode: at.value.mode,
    };
    Ok(found.modes.into_iter().map(mode).collect())
}

fn overlay_states(text: &Text) -> Result<Vec<OverlayState>, Gap> {
    let found = overlay::parse(&text.text);
    if found.truncated {
        return Err(truncated(text, "the list ends within an overlay"));
    }
    if found.unread > 0 || (found.overlays.is_empty() && refusal::find(&text.text).is_some()) {
        let words = format!("{} overlays were not understood", found.unread);
        return Err(truncated(text, &words));
    }
    let state = |at: At<overlay::Overlay>| OverlayState {
        package: at.value.package,
        user: at.value.user,
        target: at.value.target,
        state: at.value.state,
        enabled: at.value.enabled,
    };
    Ok(found.overlays.into_iter().map(state).collect())
}

fn feature_names(text: &Text) -> Result<Vec<String>, Gap> {
    let found = features::parse(&text.text);
    if let Some(words) = found.leftover.describe() {
        return Err(truncated(text, &words));
    }
    Ok(found.names.into_iter().map(|at| at.value).collect())
}

fn module_list(text: &Text) -> Result<Vec<Module>, Gap> {
    let found = package_list::parse(&text.text);
    if found.truncated {
        return Err(truncated(text, "the list ends within a line"));
    }
    if let Some(words) = found.leftover.describe() {
        return Err(truncated(text, &words));
    }
    let module = |at: At<package_list::ListedPackage>| Module {
        name: at.value.name,
        version: at.value.version_code,
        path: at.value.path,
    };
    Ok(found.packages.into_iter().map(module).collect())
}

/// Choices of users: what was told, and for whom something was not.
struct Choices {
    told: Vec<(u32, Settings, Evidence)>,
    homes: Vec<(u32, String)>,
    gap: Option<Gap>,
}

fn of_users(asker: &mut Asker<'_>, sdk: u32, users: &BTreeSet<u32>) -> Choices {
    let mut out = Choices { told: Vec::new(), homes: Vec::new(), gap: None };
    if sdk < commands::SETTINGS_LIST_SINCE {
        let words = "this version of Android does not list settings";
        out.gap = Some(Gap::new("settings list", GapReason::Unsupported, words));
        return out;
    }
    for user in users {
        // Roles name the home screen since Android 10.
        let home = (sdk < ROLES_SINCE).then(|| commands::home(*user));
        let mut answers =
            asker.ask_batch([Some(commands::settings(*user)), home].into_iter().flatten().collect(), Hides::Facts);
        let home = if answers.len() > 1 { answers.pop() } else { None };
        match answers.pop() {
            Some(Ok(text)) => {
                let dump = text.text.contains(" SETTINGS (user ");
                let found =
                    if dump { settings::parse_dump(&text.text) } else { settings::parse_list(&text.text, *user) };
                let unread = match whole(asker, &text) {
                    Ok(()) if found.seen == 0 || (!dump && found.leftover.count > 0) => {
                        Some(truncated(&text, "no settings"))
                    }
                    Ok(()) => None,
                    Err(gap) => Some(gap),
                };
                if let Some(gap) = unread {
                    asker.note(gap.clone());
                    out.gap.get_or_insert(gap);
                } else {
                    out.told.push((*user, found, text.evidence));
                }
            }
            Some(Err(gap)) => {
                out.gap.get_or_insert(gap);
            }
            None => {}
        }
        if let Some(Ok(text)) = home {
            // The answer is a line of match data and the component.
            let components = text.text.lines().filter_map(|line| activities::component_of(line.trim()));
            out.homes.extend(components.map(|name| (*user, name)));
        }
    }
    out
}

fn chosen(asker: &mut Asker<'_>, accessible: Answered, choices: &Choices) -> Fact<Vec<Chosen>> {
    let mut found: Vec<Chosen> = Vec::new();
    let mut evidence: Option<Evidence> = None;
    for (user, settings, at) in &choices.told {
        evidence.get_or_insert_with(|| at.clone());
        let empty = BTreeMap::new();
        let values = settings.by_user.get(user).unwrap_or(&empty);
        for (name, kind) in CHOICES {
            let value = values.get(name).map_or("", |at| at.value.as_str());
            for component in value.split(':').filter_map(component) {
                found.push(Chosen { user: *user, kind, component });
            }
        }
        for (name, kind) in PACKAGES {
            let package = values.get(name).map(|at| at.value.clone());
            found.extend(package.map(|component| Chosen { user: *user, kind, component }));
        }
    }
    let home = |(user, component): &(u32, String)| Chosen {
        user: *user,
        kind: ChosenKind::Home,
        component: component.clone(),
    };
    found.extend(choices.homes.iter().map(home));
    let service = |at: At<(u32, String)>| Chosen {
        user: at.value.0,
        kind: ChosenKind::AccessibilityService,
        component: at.value.1,
    };
    if let Ok(text) = accessible {
        match whole(asker, &text).and_then(|()| services(&text)) {
            Ok(services) => {
                evidence.get_or_insert(text.evidence);
                found.extend(services.into_iter().map(service));
            }
            // The settings name those that are switched on.
            Err(gap) if gap.reason == GapReason::NotObserved && evidence.is_some() => {}
            Err(gap) => asker.note(gap),
        }
    }
    match (evidence, &choices.gap) {
        // What the settings of one user or the accessibility manager tell says nothing of the rest: its gap stands beside.
        (Some(evidence), _) => Fact::new(found, &evidence),
        (None, Some(gap)) => Fact::Unknown(gap.clone()),
        (None, None) => Fact::Unknown(Gap::new("settings list", GapReason::NotObserved, "no user was asked for")),
    }
}

/// Services that are switched on, with their users.
fn services(text: &Text) -> Result<Vec<At<(u32, String)>>, Gap> {
    let told = accessibility::parse(&text.text);
    if let Some(words) = told.leftover.describe() {
        return Err(Gap::new(&text.command, GapReason::Unsupported, words));
    }
    match (told.users.is_empty(), told.running_only.is_empty()) {
        (false, _) => Ok(told.enabled),
        (true, false) => {
            let words = "this version tells which services run, not which are switched on";
            Err(Gap::new(&text.command, GapReason::NotObserved, words))
        }
        (true, true) => Err(truncated(text, "no user's services")),
    }
}

/// `package/class`, with a subtype or flags behind cut off.
fn component(text: &str) -> Option<String> {
    activities::component_of(text.split(';').next().unwrap_or_default().trim())
}
