//! Facts of `AndroidManifest.xml`, as Android's package parser takes them (AOSP `ParsingPackageUtils`, API 34).
//!
//! Elements count in their own place only: a `permission` below `manifest`, an `action` below an `intent-filter` of an
//! activity. Of several `application` elements the first counts, of several `uses-sdk` the last.

use super::axml::{ANDROID, Document, Element, Event};
use super::value::{Raw, Value};
use super::{DeclaredPermission, Manifest, RequestedPermission};
use crate::bytes::ParseError;

/// API level that Android gives to a version under development: `minSdkVersion="Baklava"` and the like.
const CURRENT_DEVELOPMENT: u32 = 10_000;
const MAIN: &str = "android.intent.action.MAIN";
const LAUNCHER: &str = "android.intent.category.LAUNCHER";

/// Ids of the platform's attributes (AOSP `core/res/res/values/public*.xml`).
mod id {
    pub(super) const LABEL: u32 = 0x0101_0001;
    pub(super) const NAME: u32 = 0x0101_0003;
    pub(super) const PROTECTION_LEVEL: u32 = 0x0101_0009;
    pub(super) const SHARED_USER_ID: u32 = 0x0101_000b;
    pub(super) const HAS_CODE: u32 = 0x0101_000c;
    pub(super) const ENABLED: u32 = 0x0101_000e;
    pub(super) const TARGET_PACKAGE: u32 = 0x0101_0021;
    pub(super) const MIN_SDK: u32 = 0x0101_020c;
    pub(super) const VERSION_CODE: u32 = 0x0101_021b;
    pub(super) const VERSION_NAME: u32 = 0x0101_021c;
    pub(super) const TARGET_SDK: u32 = 0x0101_0270;
    pub(super) const MAX_SDK: u32 = 0x0101_0271;
    pub(super) const VERSION_CODE_MAJOR: u32 = 0x0101_0576;
}

/// Flags that say something of an app's trust: their names are known by id, so that a changed name hides none.
const FLAGS: [(u32, &str); 5] = [
    (0x0101_000c, "hasCode"),
    (0x0101_000d, "persistent"),
    (0x0101_000f, "debuggable"),
    (0x0101_0272, "testOnly"),
    (0x0101_0280, "allowBackup"),
];

/// Finds the value of a resource of the same file.
pub(super) trait Resolve {
    /// `None` where there is no such resource, or no single value of it.
    fn resolve(&mut self, id: u32) -> Option<Value>;
}

/// Reads the document. `resolve` is asked only for values that are references.
pub(super) fn read(document: &Document, resolve: &mut dyn Resolve) -> Result<Manifest, ParseError> {
    let mut reader =
        Reader { document, resolve, manifest: Manifest::default(), enabled: true, sdk: (None, None), component: None };
    let mut places = Vec::new();
    let mut seen_application = false;
    let mut events = document.events();
    while let Some(event) = events.step()? {
        let Event::Start(element) = event else {
            reader.leave(places.pop());
            if places.is_empty() {
                break;
            }
            continue;
        };
        let name = document.name(&element)?;
        let place = match places.last().copied() {
            None if name == "manifest" => Place::Manifest,
            None => {
                return Err(ParseError::invalid(0, "first element", format!("'{}'", name.escape_debug()), "manifest"));
            }
            Some(parent) => Place::of(parent, &name),
        };
        let again = place == Place::Application && std::mem::replace(&mut seen_application, true);
        let place = if again { Place::Other } else { place };
        places.push(place);
        reader.enter(place, &element, &name)?;
    }
    reader.finish()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Manifest,
    Application,
    Activity,
    Filter,
    Action,
    Category,
    UsesSdk,
    UsesPermission,
    Permission,
    Overlay,
    Other,
}

impl Place {
    fn of(parent: Self, name: &str) -> Self {
        match (parent, name) {
            (Self::Manifest, "application") => Self::Application,
            (Self::Manifest, "uses-sdk") => Self::UsesSdk,
            (Self::Manifest, "uses-permission" | "uses-permission-sdk-23" | "uses-permission-sdk-m") => {
                Self::UsesPermission
            }
            (Self::Manifest, "permission") => Self::Permission,
            (Self::Manifest, "overlay") => Self::Overlay,
            (Self::Application, "activity" | "activity-alias") => Self::Activity,
            (Self::Activity, "intent-filter") => Self::Filter,
            (Self::Filter, "action") => Self::Action,
            (Self::Filter, "category") => Self::Category,
            _ => Self::Other,
        }
    }
}

/// The activity or alias that is being read.
struct Component {
    name: Option<String>,
    enabled: bool,
    launches: bool,
    main: bool,
    launcher: bool,
}

struct Reader<'a> {
    document: &'a Document,
    resolve: &'a mut dyn Resolve,
    manifest: Manifest,
    /// `enabled` of the application.
    enabled: bool,
    sdk: (Option<u32>, Option<u32>),
    component: Option<Component>,
}

impl Reader<'_> {
    fn enter(&mut self, place: Place, element: &Element, name: &str) -> Result<(), ParseError> {
        match place {
            Place::Manifest => self.root(element)?,
            Place::Application => {
                self.manifest.label = self.text(element, id::LABEL)?;
                self.manifest.has_code = self.boolean(element, id::HAS_CODE)?.unwrap_or(true);
                self.enabled = self.boolean(element, id::ENABLED)?.unwrap_or(true);
                self.flags(element)?;
            }
            Place::UsesSdk => self.sdk = (self.sdk(element, id::MIN_SDK)?, self.sdk(element, id::TARGET_SDK)?),
            Place::UsesPermission => {
                // A name by reference is nothing to Android.
                if let Some(name_of) = self.literal(element, id::NAME)? {
                    let max_sdk = self.integer(element, id::MAX_SDK)?;
                    let sdk_23 = name != "uses-permission";
                    self.manifest.requested_permissions.push(RequestedPermission { name: name_of, max_sdk, sdk_23 });
                }
            }
            Place::Permission => {
                if let Some(name) = self.text(element, id::NAME)? {
                    let protection_level = match self.document.by_id(element, id::PROTECTION_LEVEL)? {
                        None => Some(0),
                        Some(raw) => self.value(raw)?.and_then(|value| value.integer()),
                    };
                    self.manifest.declared_permissions.push(DeclaredPermission { name, protection_level });
                }
            }
            Place::Overlay => self.manifest.overlay_target = self.text(element, id::TARGET_PACKAGE)?,
            Place::Activity => {
                let name = self.text(element, id::NAME)?.map(|name| class_name(&self.manifest.package, &name));
                let enabled = self.boolean(element, id::ENABLED)?.unwrap_or(true);
                self.component = Some(Component { name, enabled, launches: false, main: false, launcher: false });
            }
            Place::Action | Place::Category => {
                let name = self.document.by_name(element, Some(ANDROID), "name")?;
                if let (Some(component), Some(name)) = (&mut self.component, name) {
                    component.main |= place == Place::Action && name == MAIN;
                    component.launcher |= place == Place::Category && name == LAUNCHER;
                }
            }
            Place::Filter | Place::Other => {}
        }
        Ok(())
    }

    fn leave(&mut self, place: Option<Place>) {
        match place {
            Some(Place::Filter) => {
                if let Some(component) = &mut self.component {
                    component.launches |= component.main && component.launcher;
                    (component.main, component.launcher) = (false, false);
                }
            }
            Some(Place::Activity) => {
                if let Some(Component { name: Some(name), enabled: true, launches: true, .. }) = self.component.take() {
                    self.manifest.launcher.push(name);
                }
            }
            _ => {}
        }
    }

    fn root(&mut self, element: &Element) -> Result<(), ParseError> {
        // Read by name, without a namespace: they are no attributes of the platform.
        let package = self.document.by_name(element, None, "package")?;
        self.manifest.package = package
            .filter(|name| !name.is_empty())
            .ok_or_else(|| ParseError::invalid(0, "package of manifest", "absent", "the name of the package"))?;
        self.manifest.split = self.document.by_name(element, None, "split")?.filter(|name| !name.is_empty());
        let code = self.integer(element, id::VERSION_CODE)?.unwrap_or_default();
        let major = self.integer(element, id::VERSION_CODE_MAJOR)?.unwrap_or_default();
        self.manifest.version_code = u64::from(major) << 32 | u64::from(code);
        self.manifest.version_name = self.text(element, id::VERSION_NAME)?;
        self.manifest.shared_user = self.text(element, id::SHARED_USER_ID)?.filter(|name| !name.is_empty());
        self.manifest.has_code = true;
        self.flags(element)
    }

    fn flags(&mut self, element: &Element) -> Result<(), ParseError> {
        for (id, name, raw) in self.document.attributes(element)? {
            if self.value(raw)?.is_some_and(|value| value.is_true()) {
                let known = FLAGS.iter().find(|flag| flag.0 == id).map(|flag| flag.1.to_owned());
                self.manifest.flags.push(known.unwrap_or(name));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Manifest, ParseError> {
        if self.manifest.package.is_empty() {
            return Err(ParseError::invalid(0, "first element", "absent", "manifest"));
        }
        if !self.enabled {
            self.manifest.launcher.clear();
        }
        self.manifest.min_sdk = self.sdk.0.unwrap_or(1);
        self.manifest.target_sdk = self.sdk.1.unwrap_or(self.manifest.min_sdk);
        self.manifest.flags.sort();
        self.manifest.flags.dedup();
        Ok(self.manifest)
    }

    /// A text that stands in the manifest itself.
    fn literal(&self, element: &Element, id: u32) -> Result<Option<String>, ParseError> {
        match self.document.by_id(element, id)?.and_then(Raw::string) {
            Some(index) => self.document.string(index),
            None => Ok(None),
        }
    }

    fn text(&mut self, element: &Element, id: u32) -> Result<Option<String>, ParseError> {
        Ok(self.attribute(element, id)?.and_then(Value::into_text))
    }

    fn integer(&mut self, element: &Element, id: u32) -> Result<Option<u32>, ParseError> {
        Ok(self.attribute(element, id)?.and_then(|value| value.integer()))
    }

    fn boolean(&mut self, element: &Element, id: u32) -> Result<Option<bool>, ParseError> {
        Ok(self.attribute(element, id)?.and_then(|value| value.boolean()))
    }

    /// An API level. A text that is no number is the codename of a version under development.
    fn sdk(&mut self, element: &Element, id: u32) -> Result<Option<u32>, ParseError> {
        Ok(self.attribute(element, id)?.map(|value| value.integer().unwrap_or(CURRENT_DEVELOPMENT)))
    }

    fn attribute(&mut self, element: &Element, id: u32) -> Result<Option<Value>, ParseError> {
        match self.document.by_id(element, id)? {
            Some(raw) => self.value(raw),
            None => Ok(None),
        }
    }

    fn value(&mut self, raw: Raw) -> Result<Option<Value>, ParseError> {
        if let Some(id) = raw.reference() {
            return Ok(self.resolve.resolve(id));
        }
        match raw.string() {
            Some(index) => Ok(self.document.string(index)?.map(Value::Text)),
            None => Ok(Some(Value::Plain(raw)).filter(|_| !raw.is_null())),
        }
    }
}

/// As `ParsingUtils.buildClassName`: a name without a dot, or with one in front, is relative to the package.
fn class_name(package: &str, name: &str) -> String {
    if name.starts_with('.') {
        format!("{package}{name}")
    } else if name.contains('.') || name.is_empty() {
        name.to_owned()
    } else {
        format!("{package}.{name}")
    }
}
