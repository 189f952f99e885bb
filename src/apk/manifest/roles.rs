//! What a package could become or hook into, by the components that Android asks for.
//!
//! Roles follow the required components of AOSP's `roles.xml` (PermissionController, API 34); whether a package holds one
//! is decided on the device. Hooks are known by the permission that the system demands of such a component, or by its
//! action.

use serde::Serialize;

use super::{Component, ComponentKind, IntentFilter, MAIN, Manifest};

/// A role that a package qualifies for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// An icon among the apps.
    Launcher,
    /// The home screen.
    Home,
    /// Phone calls.
    Dialer,
    /// SMS and MMS.
    Sms,
    /// Web addresses of any host.
    Browser,
    /// Assistant.
    Assistant,
}

impl Role {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Launcher => "launcher",
            Self::Home => "home",
            Self::Dialer => "dialer",
            Self::Sms => "sms",
            Self::Browser => "browser",
            Self::Assistant => "assistant",
        }
    }
}

/// A place where the system calls a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hook {
    /// `device-admin`, `accessibility`, `notification-listener` ...
    pub kind: &'static str,
    /// Class name of the component.
    pub component: String,
}

/// Permission without `android.permission.`, component, name of the hook.
const BY_PERMISSION: [(&str, ComponentKind, &str); 26] = [
    ("BIND_DEVICE_ADMIN", ComponentKind::Receiver, "device-admin"),
    ("BIND_ACCESSIBILITY_SERVICE", ComponentKind::Service, "accessibility"),
    ("BIND_NOTIFICATION_LISTENER_SERVICE", ComponentKind::Service, "notification-listener"),
    ("BIND_INPUT_METHOD", ComponentKind::Service, "input-method"),
    ("BIND_VPN_SERVICE", ComponentKind::Service, "vpn"),
    ("BIND_AUTOFILL_SERVICE", ComponentKind::Service, "autofill"),
    ("BIND_CREDENTIAL_PROVIDER_SERVICE", ComponentKind::Service, "credential-provider"),
    ("BIND_DREAM_SERVICE", ComponentKind::Service, "dream"),
    ("BIND_WALLPAPER", ComponentKind::Service, "wallpaper"),
    ("BIND_QUICK_SETTINGS_TILE", ComponentKind::Service, "tile"),
    ("BIND_CARRIER_SERVICES", ComponentKind::Service, "carrier-service"),
    ("BIND_CARRIER_MESSAGING_SERVICE", ComponentKind::Service, "carrier-service"),
    ("BIND_CARRIER_MESSAGING_CLIENT_SERVICE", ComponentKind::Service, "carrier-service"),
    ("BIND_INCALL_SERVICE", ComponentKind::Service, "in-call"),
    ("BIND_SCREENING_SERVICE", ComponentKind::Service, "call-screening"),
    ("BIND_CALL_REDIRECTION_SERVICE", ComponentKind::Service, "call-redirection"),
    ("BIND_TELECOM_CONNECTION_SERVICE", ComponentKind::Service, "connection-service"),
    ("BIND_VOICE_INTERACTION", ComponentKind::Service, "voice-interaction"),
    ("BIND_PRINT_SERVICE", ComponentKind::Service, "print"),
    ("BIND_NFC_SERVICE", ComponentKind::Service, "nfc-card-emulation"),
    ("BIND_TEXT_SERVICE", ComponentKind::Service, "text-service"),
    ("BIND_CONDITION_PROVIDER_SERVICE", ComponentKind::Service, "do-not-disturb"),
    ("BIND_TV_INPUT", ComponentKind::Service, "tv-input"),
    ("BIND_JOB_SERVICE", ComponentKind::Service, "job"),
    ("BIND_REMOTEVIEWS", ComponentKind::Service, "widget-list"),
    ("BIND_CHOOSER_TARGET_SERVICE", ComponentKind::Service, "share-targets"),
];

/// Action, component, name of the hook.
const BY_ACTION: [(&str, ComponentKind, &str); 5] = [
    ("android.intent.action.BOOT_COMPLETED", ComponentKind::Receiver, "boot"),
    ("android.intent.action.LOCKED_BOOT_COMPLETED", ComponentKind::Receiver, "boot"),
    ("android.accounts.AccountAuthenticator", ComponentKind::Service, "account-authenticator"),
    ("android.content.SyncAdapter", ComponentKind::Service, "sync-adapter"),
    ("android.appwidget.action.APPWIDGET_UPDATE", ComponentKind::Receiver, "widget"),
];

impl Manifest {
    /// Roles that its enabled components qualify for, sorted.
    #[must_use]
    pub fn roles(&self) -> Vec<Role> {
        let has = |kind: ComponentKind, permission: Option<&str>, wanted: &dyn Fn(&IntentFilter) -> bool| {
            self.components.iter().any(|component| {
                component.is(kind)
                    && permission.is_none_or(|permission| component.permission.as_deref() == Some(permission))
                    && component.filters.iter().any(wanted)
            })
        };
        let activity = |wanted: &dyn Fn(&IntentFilter) -> bool| has(ComponentKind::Activity, None, wanted);
        let mut roles = Vec::new();
        if !self.launcher.is_empty() {
            roles.push(Role::Launcher);
        }
        if activity(&|f| f.has_action(MAIN) && f.has_category("android.intent.category.HOME")) {
            roles.push(Role::Home);
        }
        let dials = |f: &IntentFilter| f.has_action("android.intent.action.DIAL");
        if activity(&|f| dials(f) && f.schemes.is_empty()) && activity(&|f| dials(f) && f.has_scheme("tel")) {
            roles.push(Role::Dialer);
        }
        let mms = "application/vnd.wap.mms-message";
        let sms = has(ComponentKind::Receiver, Some("android.permission.BROADCAST_SMS"), &|f| {
            f.has_action("android.provider.Telephony.SMS_DELIVER")
        }) && has(ComponentKind::Receiver, Some("android.permission.BROADCAST_WAP_PUSH"), &|f| {
            f.has_action("android.provider.Telephony.WAP_PUSH_DELIVER") && f.mime_types.iter().any(|kind| kind == mms)
        }) && has(ComponentKind::Service, Some("android.permission.SEND_RESPOND_VIA_MESSAGE"), &|f| {
            f.has_action("android.intent.action.RESPOND_VIA_MESSAGE") && f.has_scheme("smsto")
        }) && activity(&|f| f.has_action("android.intent.action.SENDTO") && f.has_scheme("smsto"));
        if sms {
            roles.push(Role::Sms);
        }
        let browses = activity(&|f| {
            f.has_action("android.intent.action.VIEW")
                && f.has_category("android.intent.category.BROWSABLE")
                && f.has_scheme("http")
                && f.hosts.is_empty()
                && f.mime_types.is_empty()
        });
        if browses {
            roles.push(Role::Browser);
        }
        let voice = has(ComponentKind::Service, Some("android.permission.BIND_VOICE_INTERACTION"), &|f| {
            f.has_action("android.service.voice.VoiceInteractionService")
        });
        if voice || activity(&|f| f.has_action("android.intent.action.ASSIST")) {
            roles.push(Role::Assistant);
        }
        roles
    }

    /// Where the system calls its components, enabled or not, sorted.
    #[must_use]
    pub fn hooks(&self) -> Vec<Hook> {
        let mut hooks = Vec::new();
        for component in &self.components {
            let mut add = |kind| hooks.push(Hook { kind, component: component.name.clone() });
            let permission = component.permission.as_deref().and_then(|name| name.strip_prefix("android.permission."));
            for (wanted, kind, hook) in BY_PERMISSION {
                if component.kind == kind && permission == Some(wanted) {
                    add(hook);
                }
            }
            for (wanted, kind, hook) in BY_ACTION {
                if component.kind == kind && component.filters.iter().any(|filter| filter.has_action(wanted)) {
                    add(hook);
                }
            }
        }
        hooks.sort();
        hooks.dedup();
        hooks
    }
}

impl Component {
    /// Whether it is enabled and of this kind; an alias is an activity here.
    fn is(&self, kind: ComponentKind) -> bool {
        let own = if self.kind == ComponentKind::ActivityAlias { ComponentKind::Activity } else { self.kind };
        self.enabled && own == kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(kind: ComponentKind, permission: &str, filter: IntentFilter) -> Component {
        Component {
            kind,
            name: "a.B".into(),
            exported: true,
            exported_said: true,
            enabled: true,
            permission: Some(permission.to_owned()).filter(|name| !name.is_empty()),
            read_permission: None,
            write_permission: None,
            process: None,
            direct_boot: false,
            target: None,
            authorities: Vec::new(),
            grants_uri: false,
            filters: vec![filter],
            meta_data: Vec::new(),
        }
    }

    fn filter(action: &str, category: &str, schemes: &[&str]) -> IntentFilter {
        IntentFilter {
            actions: vec![action.into()],
            categories: vec![category.into()],
            schemes: schemes.iter().map(|&scheme| scheme.to_owned()).collect(),
            ..IntentFilter::default()
        }
    }

    fn roles(components: Vec<Component>) -> Vec<Role> {
        Manifest { components, ..Manifest::default() }.roles()
    }

    #[test]
    fn a_browser_takes_any_host_and_an_app_with_links_of_its_own_is_none() {
        let mut web = filter("android.intent.action.VIEW", "android.intent.category.BROWSABLE", &["http", "https"]);
        assert_eq!(roles(vec![component(ComponentKind::Activity, "", web.clone())]), [Role::Browser]);
        web.hosts.push("shop.example".into());
        assert_eq!(roles(vec![component(ComponentKind::Activity, "", web)]), []);
    }

    #[test]
    fn a_component_that_is_disabled_fills_no_role() {
        let mut home = component(ComponentKind::Activity, "", filter(MAIN, "android.intent.category.HOME", &[]));
        assert_eq!(roles(vec![home.clone()]), [Role::Home]);
        home.enabled = false;
        assert_eq!(roles(vec![home]), []);
    }

    #[test]
    fn a_dialer_takes_calls_with_and_without_a_number() {
        let activity = |schemes| {
            let dial = filter("android.intent.action.DIAL", "android.intent.category.DEFAULT", schemes);
            component(ComponentKind::Activity, "", dial)
        };
        assert_eq!(roles(vec![activity(&["tel"])]), []);
        assert_eq!(roles(vec![activity(&["tel"]), activity(&[])]), [Role::Dialer]);
    }

    #[test]
    fn a_hook_is_known_by_the_permission_on_the_right_kind_of_component() {
        let hooks = |kind| {
            let admin = component(kind, "android.permission.BIND_DEVICE_ADMIN", IntentFilter::default());
            Manifest { components: vec![admin], ..Manifest::default() }.hooks()
        };
        assert_eq!(hooks(ComponentKind::Receiver), [Hook { kind: "device-admin", component: "a.B".into() }]);
        assert_eq!(hooks(ComponentKind::Service), []);
    }
}
