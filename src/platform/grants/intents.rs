//! Intents for which Android looks for a default, and how it chooses (AOSP `DefaultPermissionGrantPolicy`,
//! `PackageManagerService.chooseBestActivity`, `getRequired*`; API 26 to 34).

/// Component that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An activity or an alias of one.
    Activity,
    /// A service.
    Service,
    /// A receiver.
    Receiver,
}

/// An intent by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// Its code in inventories.
    pub code: &'static str,
    /// What answers it.
    pub kind: Kind,
    /// Its action.
    pub action: &'static str,
    /// Its categories, all of which a filter must have.
    pub categories: &'static [&'static str],
    /// Its MIME type.
    pub mime: Option<&'static str>,
    /// Scheme of its data.
    pub scheme: Option<&'static str>,
}

/// The filter's side, as far as it decides.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a> {
    /// Names of actions.
    pub actions: &'a [String],
    /// Names of categories.
    pub categories: &'a [String],
    /// Schemes of data.
    pub schemes: &'a [String],
    /// Hosts of data.
    pub hosts: &'a [String],
    /// MIME types, `audio/*` among them.
    pub mime_types: &'a [String],
}

/// Category of a filter that may become a default.
pub const DEFAULT: &str = "android.intent.category.DEFAULT";
const MAIN: &str = "android.intent.action.MAIN";
const PACKAGE_ARCHIVE: &str = "application/vnd.android.package-archive";

const fn action(code: &'static str, kind: Kind, action: &'static str) -> Intent {
    Intent { code, kind, action, categories: &[], mime: None, scheme: None }
}

const fn main(code: &'static str, categories: &'static [&'static str]) -> Intent {
    Intent { code, kind: Kind::Activity, action: MAIN, categories, mime: None, scheme: None }
}

/// Everything that is looked for, by code. A code that stands twice is answered by either.
pub const INTENTS: &[Intent] = &[
    main("app-browser", &["android.intent.category.APP_BROWSER"]),
    main("app-calendar", &["android.intent.category.APP_CALENDAR"]),
    main("app-contacts", &["android.intent.category.APP_CONTACTS"]),
    main("app-email", &["android.intent.category.APP_EMAIL"]),
    main("app-gallery", &["android.intent.category.APP_GALLERY"]),
    main("app-maps", &["android.intent.category.APP_MAPS"]),
    main("app-messaging", &["android.intent.category.APP_MESSAGING"]),
    action("attention", Kind::Service, "android.service.attention.AttentionService"),
    action("carrier-provision", Kind::Service, "android.provider.Telephony.SMS_CARRIER_PROVISION"),
    action("cell-broadcast", Kind::Activity, "android.provider.Telephony.SMS_CB_RECEIVED"),
    action("data-service", Kind::Service, "android.telephony.data.DataService"),
    action("dial", Kind::Activity, "android.intent.action.DIAL"),
    action("emergency", Kind::Activity, "android.telephony.action.EMERGENCY_ASSISTANCE"),
    main("home-launcher", &["android.intent.category.HOME", "android.intent.category.LAUNCHER_APP"]),
    action("image-capture", Kind::Activity, "android.media.action.IMAGE_CAPTURE"),
    action("ims-service", Kind::Service, "android.telephony.ims.ImsService"),
    action("install-certificate", Kind::Activity, "android.credentials.INSTALL"),
    Intent {
        code: "install-package",
        kind: Kind::Activity,
        action: "android.intent.action.INSTALL_PACKAGE",
        categories: &[DEFAULT],
        mime: Some(PACKAGE_ARCHIVE),
        scheme: Some("content"),
    },
    action("location-provider", Kind::Service, "com.android.location.service.FusedLocationProvider"),
    action("location-provider", Kind::Service, "com.android.location.service.v2.NetworkLocationProvider"),
    action("location-provider", Kind::Service, "com.android.location.service.v3.NetworkLocationProvider"),
    Intent {
        categories: &[DEFAULT],
        ..action("manage-permissions", Kind::Activity, "android.intent.action.MANAGE_PERMISSIONS")
    },
    action("manage-storage", Kind::Activity, "android.os.storage.action.MANAGE_STORAGE"),
    Intent {
        mime: Some(PACKAGE_ARCHIVE),
        ..action("needs-verification", Kind::Receiver, "android.intent.action.PACKAGE_NEEDS_VERIFICATION")
    },
    Intent {
        mime: Some("vnd.android.cursor.item/ndef_msg"),
        ..action("nfc-tag", Kind::Activity, "android.intent.action.VIEW")
    },
    Intent {
        code: "open-document",
        kind: Kind::Activity,
        action: "android.intent.action.OPEN_DOCUMENT",
        categories: &["android.intent.category.OPENABLE"],
        mime: Some("*/*"),
        scheme: None,
    },
    action("pick-ringtone", Kind::Activity, "android.intent.action.RINGTONE_PICKER"),
    Intent {
        code: "play-music",
        kind: Kind::Activity,
        action: "android.intent.action.VIEW",
        categories: &[DEFAULT],
        mime: Some("audio/mpeg"),
        scheme: Some("file"),
    },
    action("provision-device", Kind::Activity, "android.app.action.PROVISION_MANAGED_DEVICE"),
    Intent { categories: &[DEFAULT], ..action("recognize-speech", Kind::Service, "android.speech.RecognitionService") },
    action("record-sound", Kind::Activity, "android.provider.MediaStore.RECORD_SOUND"),
    main("setup-wizard", &["android.intent.category.SETUP_WIZARD"]),
    action("sync-adapter", Kind::Service, "android.content.SyncAdapter"),
    action("text-classifier", Kind::Service, "android.service.textclassifier.TextClassifierService"),
    action("view-downloads", Kind::Activity, "android.intent.action.VIEW_DOWNLOADS"),
    action("voice-interaction", Kind::Service, "android.service.voice.VoiceInteractionService"),
];

/// Authorities of providers that are looked for. Their code is `provider:` and the name.
pub const AUTHORITIES: [&str; 5] =
    ["com.android.calendar", "com.android.contacts", "com.android.externalstorage.documents", "downloads", "media"];

impl Intent {
    /// Whether a filter lets it pass (`IntentFilter.match`).
    #[must_use]
    pub fn passes(&self, filter: &Filter<'_>) -> bool {
        let has = |list: &[String], wanted: &str| list.iter().any(|found| found == wanted);
        has(filter.actions, self.action)
            && self.categories.iter().all(|category| has(filter.categories, category))
            && self.data_passes(filter)
    }

    fn data_passes(&self, filter: &Filter<'_>) -> bool {
        if filter.mime_types.is_empty() && filter.schemes.is_empty() {
            return self.mime.is_none() && self.scheme.is_none();
        }
        let scheme = if filter.schemes.is_empty() {
            matches!(self.scheme, None | Some("content" | "file"))
        } else {
            // Data of these intents names no host, so a filter that wants one does not match.
            self.scheme.is_some_and(|scheme| filter.schemes.iter().any(|found| found == scheme))
                && filter.hosts.is_empty()
        };
        let mime = match self.mime {
            None => filter.mime_types.is_empty(),
            Some(wanted) => filter.mime_types.iter().any(|found| mime_matches(found, wanted)),
        };
        scheme && mime
    }
}

/// Whether a filter's MIME type takes one of an intent.
fn mime_matches(filter: &str, wanted: &str) -> bool {
    if wanted == "*/*" || filter == "*/*" || filter == "*" || filter == wanted {
        return true;
    }
    filter.strip_suffix("/*").is_some_and(|base| wanted.split('/').next() == Some(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(code: &str) -> &'static Intent {
        INTENTS.iter().find(|intent| intent.code == code).unwrap()
    }

    fn passes(code: &str, actions: &[&str], categories: &[&str], schemes: &[&str], mime_types: &[&str]) -> bool {
        let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (actions, categories) = (owned(actions), owned(categories));
        let (schemes, mime_types) = (owned(schemes), owned(mime_types));
        let filter = Filter {
            actions: &actions,
            categories: &categories,
            schemes: &schemes,
            hosts: &[],
            mime_types: &mime_types,
        };
        intent(code).passes(&filter)
    }

    #[test]
    fn the_table_is_in_the_order_of_codes() {
        assert!(INTENTS.is_sorted_by_key(|intent| intent.code));
        assert!(AUTHORITIES.is_sorted());
    }

    #[test]
    fn an_intent_without_data_passes_only_filters_without_data() {
        const DIAL: &str = "android.intent.action.DIAL";
        assert!(passes("dial", &[DIAL], &[], &[], &[]));
        assert!(!passes("dial", &[DIAL], &[], &["tel"], &[]));
        assert!(!passes("dial", &["android.intent.action.DIALS"], &[], &[], &[]));
        let messaging = "android.intent.category.APP_MESSAGING";
        assert!(passes("app-messaging", &[MAIN], &[messaging, DEFAULT], &[], &[]));
        assert!(!passes("app-messaging", &[MAIN], &[DEFAULT], &[], &[]));
    }

    #[test]
    fn music_passes_filters_for_its_type_and_its_file() {
        const VIEW: &str = "android.intent.action.VIEW";
        assert!(passes("play-music", &[VIEW], &[DEFAULT], &["file"], &["audio/*"]));
        assert!(passes("play-music", &[VIEW], &[DEFAULT], &[], &["audio/mpeg"]));
        assert!(!passes("play-music", &[VIEW], &[DEFAULT], &["http"], &["audio/*"]));
        assert!(!passes("play-music", &[VIEW], &[DEFAULT], &["file"], &["video/*"]));
        assert!(!passes("play-music", &[VIEW], &[], &["file"], &["audio/*"]));
    }
}
