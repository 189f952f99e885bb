//! Runtime permissions that Android grants once, at first start, to its defaults for tasks
//! (AOSP `DefaultPermissionGrantPolicy`, read at Android 9, 10 and 14; vendors add to it in code that no file shows).
//!
//! A rule holds from its first to its last API level. Where two of the versions that were read differ, the change is taken
//! to have come with the version that is named beside the rule.

/// Whom a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The one default for an activity's intent.
    Activity(&'static str),
    /// The first pre-installed package with such a service.
    Service(&'static str),
    /// The package with that provider.
    Provider(&'static str),
    /// The only package that answers an intent of the system.
    Only(&'static str),
    /// A package by its name.
    Package(&'static str),
    /// Packages that answer an intent, of which a string of the platform names those that are meant.
    Candidate(&'static str),
}

/// A rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) who: Who,
    pub(super) sets: &'static [Set],
    /// Whether the user can't take it back.
    pub(super) fixed: bool,
    pub(super) since: u32,
    pub(super) until: u32,
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    Phone,
    Contacts,
    AlwaysLocation,
    ForegroundLocation,
    ActivityRecognition,
    Calendar,
    Sms,
    Microphone,
    Camera,
    Sensors,
    Storage,
    Nearby,
    Notifications,
}

use Set::{
    ActivityRecognition, AlwaysLocation, Calendar, Camera, Contacts, ForegroundLocation, Microphone, Nearby,
    Notifications, Phone, Sensors, Sms, Storage,
};

impl Set {
    /// Names without `android.permission.`, with the first API level of each.
    const fn names(self) -> &'static [(&'static str, u32)] {
        match self {
            Phone => &[
                ("READ_PHONE_STATE", 0),
                ("CALL_PHONE", 0),
                ("READ_CALL_LOG", 0),
                ("WRITE_CALL_LOG", 0),
                ("com.android.voicemail.permission.ADD_VOICEMAIL", 0),
                ("USE_SIP", 0),
                ("PROCESS_OUTGOING_CALLS", 0),
            ],
            Contacts => &[("READ_CONTACTS", 0), ("WRITE_CONTACTS", 0), ("GET_ACCOUNTS", 0)],
            AlwaysLocation => {
                &[("ACCESS_FINE_LOCATION", 0), ("ACCESS_COARSE_LOCATION", 0), ("ACCESS_BACKGROUND_LOCATION", 29)]
            }
            ForegroundLocation => &[("ACCESS_FINE_LOCATION", 0), ("ACCESS_COARSE_LOCATION", 0)],
            ActivityRecognition => &[("ACTIVITY_RECOGNITION", 29)],
            Calendar => &[("READ_CALENDAR", 0), ("WRITE_CALENDAR", 0)],
            Sms => &[
                ("SEND_SMS", 0),
                ("RECEIVE_SMS", 0),
                ("READ_SMS", 0),
                ("RECEIVE_WAP_PUSH", 0),
                ("RECEIVE_MMS", 0),
                ("READ_CELL_BROADCASTS", 0),
            ],
            Microphone => &[("RECORD_AUDIO", 0)],
            Camera => &[("CAMERA", 0)],
            Sensors => &[("BODY_SENSORS", 0), ("BODY_SENSORS_BACKGROUND", 33)],
            Storage => &[
                ("READ_EXTERNAL_STORAGE", 0),
                ("WRITE_EXTERNAL_STORAGE", 0),
                ("ACCESS_MEDIA_LOCATION", 30),
                ("READ_MEDIA_AUDIO", 33),
                ("READ_MEDIA_VIDEO", 33),
                ("READ_MEDIA_IMAGES", 33),
            ],
            Nearby => &[
                ("BLUETOOTH_ADVERTISE", 31),
                ("BLUETOOTH_CONNECT", 31),
                ("BLUETOOTH_SCAN", 31),
                ("UWB_RANGING", 31),
                ("NEARBY_WIFI_DEVICES", 33),
            ],
            Notifications => &[("POST_NOTIFICATIONS", 33)],
        }
    }

    /// Whether the set has the permission at an API level.
    pub(super) fn has(self, permission: &str, sdk: u32) -> bool {
        let short = permission.strip_prefix("android.permission.").unwrap_or(permission);
        self.names().iter().any(|(name, since)| *name == short && *since <= sdk)
    }
}

const fn rule(who: Who, sets: &'static [Set]) -> Rule {
    Rule { who, sets, fixed: false, since: 0, until: u32::MAX }
}

const fn fixed(who: Who, sets: &'static [Set]) -> Rule {
    Rule { fixed: true, ..rule(who, sets) }
}

/// Name of the package that prints.
const PRINT_SPOOLER: &str = "com.android.printspooler";
/// Name of the package that looks for companion devices.
const COMPANION: &str = "com.android.companiondevicemanager";
/// Name of the package that backs up shared storage.
const STORAGE_BACKUP: &str = "com.android.sharedstoragebackup";

/// Every rule, in Android's order.
pub(super) const RULES: &[Rule] = &[
    fixed(Who::Only("manage-permissions"), &[Notifications]),
    fixed(Who::Only("install-package"), &[Storage, Notifications]),
    fixed(Who::Only("needs-verification"), &[Storage]),
    rule(Who::Only("needs-verification"), &[Phone, Sms, Notifications]),
    rule(Who::Only("setup-wizard"), &[Phone, Contacts, AlwaysLocation, Camera, Nearby]),
    fixed(Who::Only("setup-wizard"), &[Notifications]),
    rule(Who::Activity("image-capture"), &[Camera, Microphone, Storage]),
    Rule { since: 29, ..rule(Who::Activity("record-sound"), &[Microphone]) },
    fixed(Who::Provider("media"), &[Storage, Notifications]),
    Rule { until: 30, ..fixed(Who::Provider("media"), &[Phone]) },
    fixed(Who::Provider("downloads"), &[Storage, Notifications]),
    fixed(Who::Activity("view-downloads"), &[Storage]),
    fixed(Who::Provider("com.android.externalstorage.documents"), &[Storage]),
    fixed(Who::Activity("install-certificate"), &[Storage]),
    rule(Who::Activity("dial"), &[Phone, Contacts, Sms, Microphone, Camera, Notifications]),
    rule(Who::Activity("app-messaging"), &[Phone, Contacts, Sms, Storage, Microphone, Camera, Notifications]),
    Rule { until: 28, ..rule(Who::Activity("cell-broadcast"), &[Sms]) },
    Rule { since: 29, ..fixed(Who::Activity("cell-broadcast"), &[Sms, Nearby, Notifications]) },
    rule(Who::Service("carrier-provision"), &[Sms]),
    rule(Who::Activity("app-calendar"), &[Calendar, Contacts, Notifications]),
    rule(Who::Provider("com.android.calendar"), &[Contacts, Storage]),
    fixed(Who::Provider("com.android.calendar"), &[Calendar]),
    rule(Who::Candidate("sync-adapter"), &[Calendar, Contacts]),
    rule(Who::Activity("app-contacts"), &[Contacts, Phone]),
    fixed(Who::Provider("com.android.contacts"), &[Contacts, Phone]),
    rule(Who::Provider("com.android.contacts"), &[Storage]),
    rule(Who::Activity("provision-device"), &[Contacts, Notifications]),
    // Gone by Android 14, on phones.
    Rule { until: 30, ..rule(Who::Activity("app-maps"), &[AlwaysLocation]) },
    Rule { until: 30, ..rule(Who::Activity("app-gallery"), &[Storage]) },
    rule(Who::Activity("app-email"), &[Contacts, Calendar]),
    Rule { until: 29, ..rule(Who::Activity("app-browser"), &[AlwaysLocation]) },
    Rule { since: 30, ..rule(Who::Activity("app-browser"), &[ForegroundLocation]) },
    rule(
        Who::Candidate("voice-interaction"),
        &[Contacts, Calendar, Microphone, Phone, Sms, AlwaysLocation, Nearby, Notifications],
    ),
    rule(Who::Service("recognize-speech"), &[Microphone]),
    rule(
        Who::Candidate("location-provider"),
        &[
            Contacts,
            Calendar,
            Microphone,
            Phone,
            Sms,
            Camera,
            Sensors,
            Storage,
            Nearby,
            Notifications,
            AlwaysLocation,
            ActivityRecognition,
        ],
    ),
    rule(Who::Activity("play-music"), &[Storage]),
    rule(Who::Activity("home-launcher"), &[AlwaysLocation, Notifications]),
    fixed(Who::Package(PRINT_SPOOLER), &[AlwaysLocation, Notifications]),
    fixed(Who::Activity("emergency"), &[Contacts, Phone]),
    rule(Who::Activity("nfc-tag"), &[Contacts, Phone]),
    fixed(Who::Activity("manage-storage"), &[Storage]),
    fixed(Who::Package(COMPANION), &[AlwaysLocation, Nearby, Notifications]),
    fixed(Who::Activity("pick-ringtone"), &[Storage]),
    rule(Who::Candidate("text-classifier"), &[Phone, Sms, Calendar, AlwaysLocation, Contacts]),
    rule(Who::Candidate("attention"), &[Camera]),
    fixed(Who::Package(STORAGE_BACKUP), &[Storage]),
    rule(Who::Candidate("ims-service"), &[Phone, Microphone, AlwaysLocation, Camera, Contacts]),
    rule(Who::Candidate("data-service"), &[Phone, AlwaysLocation]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::grants::intents::{AUTHORITIES, INTENTS, Kind};

    #[test]
    fn every_rule_names_an_intent_or_a_provider_that_is_looked_for() {
        for rule in RULES {
            let kind = match rule.who {
                Who::Activity(code) => INTENTS.iter().any(|i| i.code == code && i.kind == Kind::Activity),
                Who::Service(code) => INTENTS.iter().any(|i| i.code == code && i.kind == Kind::Service),
                Who::Only(code) | Who::Candidate(code) => INTENTS.iter().any(|i| i.code == code),
                Who::Provider(name) => AUTHORITIES.contains(&name),
                Who::Package(name) => name.starts_with("com.android."),
            };
            assert!(kind && rule.since <= rule.until, "{rule:?}");
        }
    }

    #[test]
    fn sets_grow_with_the_version_and_know_no_neighbour() {
        assert!(Set::AlwaysLocation.has("android.permission.ACCESS_BACKGROUND_LOCATION", 29));
        assert!(!Set::AlwaysLocation.has("android.permission.ACCESS_BACKGROUND_LOCATION", 28));
        assert!(Set::Phone.has("com.android.voicemail.permission.ADD_VOICEMAIL", 26));
        assert!(!Set::Sms.has("android.permission.READ_SM", 34));
    }
}
