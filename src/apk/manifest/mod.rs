//! Facts of `AndroidManifest.xml`, as Android's package parser takes them (AOSP `ParsingPackageUtils`, API 34).
//!
//! Elements count in their own place only: a `permission` below `manifest`, an `action` below an `intent-filter` of a
//! component. Of several `application` elements the first counts, of several `uses-sdk` the last.

mod attributes;
mod component;
mod facts;
mod id;
mod implied;
mod roles;

use std::mem;

use super::axml::{Document, Element, Event};
use super::locale::Locale;
use super::value::Value;
use crate::bytes::ParseError;
use attributes::Attributes;
pub(super) use attributes::{Resolve, Resolved};
use component::Defaults;
pub use facts::{
    Component, ComponentKind, DeclaredPermission, Feature, Instrumentation, IntentFilter, Label, Library, LibraryKind,
    Manifest, MetaData, Overlay, Queries, RequestedPermission, Screen, Unresolved,
};
pub use implied::ImpliedPermission;
pub use roles::{Hook, Role};

/// As many components as Android 13 and newer accept.
const MAX_COMPONENTS: usize = 30_000;
/// `neverForLocation` of `usesPermissionFlags`.
const NEVER_FOR_LOCATION: u32 = 0x0001_0000;
const MAIN: &str = "android.intent.action.MAIN";
const LAUNCHER: &str = "android.intent.category.LAUNCHER";
const LEANBACK_LAUNCHER: &str = "android.intent.category.LEANBACK_LAUNCHER";

/// Reads the document. `resolve` is asked only for values that are references; the label is wanted in each of
/// `locales`.
pub(super) fn read(document: &Document, resolve: &mut dyn Resolve, locales: &[Locale]) -> Result<Manifest, ParseError> {
    let mut reader = Reader {
        attributes: Attributes { document, resolve, unresolved: Vec::new() },
        locales,
        manifest: Manifest { enabled: true, has_code: true, allow_backup: true, ..Manifest::default() },
        defaults: Defaults::default(),
        sdk: (None, None),
        component: None,
        filter: IntentFilter::default(),
    };
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
            None if &*name == "manifest" => Place::Manifest,
            None => {
                return Err(ParseError::invalid(0, "first element", format!("'{}'", name.escape_debug()), "manifest"));
            }
            Some(parent) => Place::of(parent, &name),
        };
        let again = place == Place::Application && mem::replace(&mut seen_application, true);
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
    Component(ComponentKind),
    Filter,
    Action,
    Category,
    Data,
    ComponentMetaData,
    MetaData,
    Library(LibraryKind),
    UsesSdk,
    UsesPermission,
    Permission,
    PermissionGroup,
    PermissionTree,
    OriginalPackage,
    Feature,
    Overlay,
    Instrumentation,
    CompatibleScreens,
    Screen,
    UsesSplit,
    Queries,
    QueriedPackage,
    QueriedProvider,
    QueriedIntent,
    QueriedAction,
    Other,
}

impl Place {
    fn of(parent: Self, name: &str) -> Self {
        match parent {
            Self::Manifest => Self::below_manifest(name),
            Self::Application => Self::below_application(name),
            Self::Component(_) => match name {
                "intent-filter" => Self::Filter,
                "meta-data" => Self::ComponentMetaData,
                _ => Self::Other,
            },
            Self::Filter => match name {
                "action" => Self::Action,
                "category" => Self::Category,
                "data" => Self::Data,
                _ => Self::Other,
            },
            Self::Queries => match name {
                "package" => Self::QueriedPackage,
                "provider" => Self::QueriedProvider,
                "intent" => Self::QueriedIntent,
                _ => Self::Other,
            },
            Self::CompatibleScreens if name == "screen" => Self::Screen,
            Self::QueriedIntent if name == "action" => Self::QueriedAction,
            _ => Self::Other,
        }
    }

    fn below_manifest(name: &str) -> Self {
        match name {
            "application" => Self::Application,
            "uses-sdk" => Self::UsesSdk,
            "uses-permission" | "uses-permission-sdk-23" | "uses-permission-sdk-m" => Self::UsesPermission,
            "permission" => Self::Permission,
            "permission-group" => Self::PermissionGroup,
            "permission-tree" => Self::PermissionTree,
            "original-package" => Self::OriginalPackage,
            "uses-feature" => Self::Feature,
            "overlay" => Self::Overlay,
            "queries" => Self::Queries,
            "compatible-screens" => Self::CompatibleScreens,
            "instrumentation" => Self::Instrumentation,
            "uses-split" => Self::UsesSplit,
            _ => Self::Other,
        }
    }

    fn below_application(name: &str) -> Self {
        match name {
            "activity" => Self::Component(ComponentKind::Activity),
            "activity-alias" => Self::Component(ComponentKind::ActivityAlias),
            "service" => Self::Component(ComponentKind::Service),
            "receiver" => Self::Component(ComponentKind::Receiver),
            "provider" => Self::Component(ComponentKind::Provider),
            "meta-data" => Self::MetaData,
            "library" => Self::Library(LibraryKind::Library),
            "static-library" => Self::Library(LibraryKind::StaticLibrary),
            "sdk-library" => Self::Library(LibraryKind::SdkLibrary),
            "uses-library" => Self::Library(LibraryKind::UsesLibrary),
            "uses-native-library" => Self::Library(LibraryKind::UsesNativeLibrary),
            "uses-static-library" => Self::Library(LibraryKind::UsesStaticLibrary),
            "uses-sdk-library" => Self::Library(LibraryKind::UsesSdkLibrary),
            _ => Self::Other,
        }
    }
}

struct Reader<'a> {
    attributes: Attributes<'a>,
    locales: &'a [Locale],
    manifest: Manifest,
    defaults: Defaults,
    sdk: (Option<u32>, Option<u32>),
    /// The component that is being read.
    component: Option<Component>,
    filter: IntentFilter,
}

impl Reader<'_> {
    fn enter(&mut self, place: Place, element: &Element, name: &str) -> Result<(), ParseError> {
        let attributes = &mut self.attributes;
        let manifest = &mut self.manifest;
        match place {
            Place::Manifest => self.root(element)?,
            Place::Application => self.application(element)?,
            Place::UsesSdk => {
                self.sdk = (attributes.sdk(element, id::MIN_SDK)?, attributes.sdk(element, id::TARGET_SDK)?);
            }
            Place::UsesPermission => manifest.requested_permissions.extend(attributes.requested(element, name)?),
            Place::Permission => manifest.declared_permissions.extend(attributes.declared(element)?),
            Place::PermissionGroup => manifest.permission_groups.extend(attributes.text(element, id::NAME)?),
            Place::PermissionTree => manifest.permission_trees.extend(attributes.text(element, id::NAME)?),
            Place::OriginalPackage => manifest.original_packages.extend(attributes.literal(element, id::NAME)?),
            Place::Feature => manifest.features.push(attributes.feature(element)?),
            Place::Overlay => {
                let overlay = attributes.overlay(element)?;
                manifest.overlay_target.clone_from(&overlay.target);
                manifest.overlay = Some(overlay);
            }
            Place::Library(kind) => manifest.libraries.extend(attributes.library(element, kind)?),
            Place::MetaData => manifest.meta_data.extend(attributes.meta_data(element)?),
            Place::Component(kind) => {
                self.component = attributes.component(element, kind, &self.manifest.package, &self.defaults)?;
            }
            Place::ComponentMetaData => {
                if let Some(component) = &mut self.component {
                    component.meta_data.extend(attributes.meta_data(element)?);
                }
            }
            Place::Filter => {
                let priority = attributes.integer(element, id::PRIORITY)?.unwrap_or_default().cast_signed();
                self.filter = IntentFilter { priority, ..IntentFilter::default() };
            }
            Place::Action => self.filter.actions.extend(attributes.filter_name(element)?),
            Place::Category => self.filter.categories.extend(attributes.filter_name(element)?),
            Place::Data => attributes.data(element, &mut self.filter)?,
            Place::QueriedPackage => manifest.queries.packages.extend(attributes.literal(element, id::NAME)?),
            Place::QueriedProvider => manifest.queries.authorities.extend(attributes.text(element, id::AUTHORITIES)?),
            Place::QueriedAction => manifest.queries.actions.extend(attributes.filter_name(element)?),
            Place::Screen => manifest.compatible_screens.push(Screen {
                size: attributes.integer(element, id::SCREEN_SIZE)?,
                density: attributes.integer(element, id::SCREEN_DENSITY)?,
            }),
            Place::Instrumentation => manifest.instrumentations.push(Instrumentation {
                name: attributes.text(element, id::NAME)?,
                target: attributes.text(element, id::TARGET_PACKAGE)?,
            }),
            Place::UsesSplit => manifest.uses_splits.extend(attributes.text(element, id::NAME)?),
            Place::CompatibleScreens | Place::Queries | Place::QueriedIntent | Place::Other => {}
        }
        if self.manifest.components.len() > MAX_COMPONENTS {
            let found = self.manifest.components.len() as u64;
            return Err(ParseError::limit(0, "number of components", found, MAX_COMPONENTS as u64));
        }
        Ok(())
    }

    fn leave(&mut self, place: Option<Place>) {
        match place {
            Some(Place::Filter) => {
                let filter = mem::take(&mut self.filter);
                if let Some(component) = &mut self.component {
                    component.filters.push(filter);
                }
            }
            Some(Place::Component(_)) => self.manifest.components.extend(self.component.take()),
            _ => {}
        }
    }

    fn root(&mut self, element: &Element) -> Result<(), ParseError> {
        // Read by name, without a namespace: they are no attributes of the platform.
        let by_name = |name| self.attributes.document.by_name(element, None, name);
        let package = by_name("package")?;
        self.manifest.split = by_name("split")?.filter(|name| !name.is_empty());
        self.manifest.package = package
            .filter(|name| !name.is_empty())
            .ok_or_else(|| ParseError::invalid(0, "package of manifest", "absent", "the name of the package"))?;
        let attributes = &mut self.attributes;
        let manifest = &mut self.manifest;
        let code = attributes.integer(element, id::VERSION_CODE)?.unwrap_or_default();
        let major = attributes.integer(element, id::VERSION_CODE_MAJOR)?.unwrap_or_default();
        manifest.version_code = u64::from(major) << 32 | u64::from(code);
        manifest.version_name = attributes.text(element, id::VERSION_NAME)?;
        manifest.shared_user = attributes.text(element, id::SHARED_USER_ID)?.filter(|name| !name.is_empty());
        manifest.shared_user_max_sdk = attributes.integer(element, id::SHARED_USER_MAX_SDK)?.filter(|&sdk| sdk != 0);
        manifest.install_location = attributes.integer(element, id::INSTALL_LOCATION)?;
        manifest.is_feature_split = attributes.boolean(element, id::IS_FEATURE_SPLIT)?.unwrap_or_default();
        self.flags(element)
    }

    fn application(&mut self, element: &Element) -> Result<(), ParseError> {
        let attributes = &mut self.attributes;
        let manifest = &mut self.manifest;
        manifest.label = attributes.text(element, id::LABEL)?;
        for locale in self.locales {
            if let Some(text) = attributes.text_in(element, id::LABEL, locale)? {
                manifest.labels.push(Label { locale: locale.to_string(), text });
            }
        }
        manifest.has_code = attributes.boolean(element, id::HAS_CODE)?.unwrap_or(true);
        manifest.enabled = attributes.boolean(element, id::ENABLED)?.unwrap_or(true);
        manifest.has_backup_agent = attributes.text(element, id::BACKUP_AGENT)?.is_some_and(|name| !name.is_empty());
        manifest.allow_backup = attributes.boolean(element, id::ALLOW_BACKUP)?.unwrap_or(true);
        manifest.uses_cleartext_traffic = attributes.boolean(element, id::USES_CLEARTEXT_TRAFFIC)?;
        manifest.network_security_config = attributes.text(element, id::NETWORK_SECURITY_CONFIG)?;
        self.defaults = attributes.defaults(element)?;
        self.flags(element)
    }

    fn flags(&mut self, element: &Element) -> Result<(), ParseError> {
        let document = self.attributes.document;
        for attribute in document.attributes(element) {
            let attribute = attribute?;
            let (id, raw) = (attribute.id, attribute.value);
            // Texts are none, and looking up icons and themes, which have a value for each kind of screen, costs more than all else.
            if raw.string().is_some() || raw.reference().is_some() && id::NO_FLAGS.contains(&id) {
                continue;
            }
            if self.attributes.value(element, id, raw)?.is_some_and(|value| value.is_true()) {
                let known = id::FLAGS.iter().find(|flag| flag.0 == id).map(|flag| flag.1.to_owned());
                let name = || document.attribute_name(&attribute).map(|name| name.to_string());
                self.manifest.flags.push(known.map_or_else(name, Ok)?);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Manifest, ParseError> {
        let manifest = &mut self.manifest;
        manifest.unresolved = mem::take(&mut self.attributes.unresolved);
        if manifest.package.is_empty() {
            return Err(ParseError::invalid(0, "first element", "absent", "manifest"));
        }
        manifest.min_sdk = self.sdk.0.unwrap_or(1);
        manifest.target_sdk = self.sdk.1.unwrap_or(manifest.min_sdk);
        manifest.flags.sort();
        manifest.flags.dedup();
        for component in &mut manifest.components {
            component.settle(manifest.enabled, manifest.target_sdk);
        }
        // Launchers of TVs show the second one.
        let shown = |filter: &IntentFilter| filter.has_category(LAUNCHER) || filter.has_category(LEANBACK_LAUNCHER);
        let launches = |filter: &IntentFilter| filter.has_action(MAIN) && shown(filter);
        let launcher = manifest.components.iter().filter(|component| {
            component.kind <= ComponentKind::ActivityAlias
                && component.enabled
                && component.filters.iter().any(launches)
        });
        manifest.launcher = launcher.map(|component| component.name.clone()).collect();
        Ok(self.manifest)
    }
}

impl Attributes<'_> {
    /// A name by reference is nothing to Android.
    fn requested(&mut self, element: &Element, tag: &str) -> Result<Option<RequestedPermission>, ParseError> {
        let Some(name) = self.literal(element, id::NAME)? else { return Ok(None) };
        let max_sdk = self.integer(element, id::MAX_SDK)?;
        let flags = self.integer(element, id::USES_PERMISSION_FLAGS)?.unwrap_or_default();
        let never_for_location = flags & NEVER_FOR_LOCATION != 0;
        Ok(Some(RequestedPermission { name, max_sdk, sdk_23: tag != "uses-permission", never_for_location }))
    }

    fn declared(&mut self, element: &Element) -> Result<Option<DeclaredPermission>, ParseError> {
        let Some(name) = self.text(element, id::NAME)? else { return Ok(None) };
        let protection_level = match self.document.by_id(element, id::PROTECTION_LEVEL)? {
            None => Some(0),
            Some(raw) => self.value(element, id::PROTECTION_LEVEL, raw)?.and_then(|value| value.integer()),
        };
        let group = self.text(element, id::PERMISSION_GROUP)?;
        let flags = self.integer(element, id::PERMISSION_FLAGS)?.unwrap_or_default();
        let known = self.texts(element, "knownCerts")?.into_iter();
        let known_certificates = known.map(|digest| digest.replace(':', "").to_ascii_lowercase()).collect();
        Ok(Some(DeclaredPermission { name, protection_level, group, flags, known_certificates }))
    }

    fn feature(&mut self, element: &Element) -> Result<Feature, ParseError> {
        Ok(Feature {
            name: self.text(element, id::NAME)?,
            gl_es_version: self.integer(element, id::GL_ES_VERSION)?,
            required: self.boolean(element, id::REQUIRED)?.unwrap_or(true),
        })
    }

    fn overlay(&mut self, element: &Element) -> Result<Overlay, ParseError> {
        Ok(Overlay {
            target: self.text(element, id::TARGET_PACKAGE)?,
            target_name: self.text(element, id::TARGET_NAME)?,
            category: self.text(element, id::CATEGORY)?,
            priority: self.integer(element, id::PRIORITY)?.unwrap_or_default(),
            is_static: self.boolean(element, id::IS_STATIC)?.unwrap_or_default(),
        })
    }

    fn library(&mut self, element: &Element, kind: LibraryKind) -> Result<Option<Library>, ParseError> {
        let Some(name) = self.literal(element, id::NAME)? else { return Ok(None) };
        let by_major = matches!(kind, LibraryKind::SdkLibrary | LibraryKind::UsesSdkLibrary);
        let version = self.integer(element, if by_major { id::VERSION_MAJOR } else { id::VERSION })?;
        let required = self.boolean(element, id::REQUIRED)?.unwrap_or(true);
        Ok(Some(Library { kind, name, version, required }))
    }

    fn meta_data(&mut self, element: &Element) -> Result<Option<MetaData>, ParseError> {
        let Some(name) = self.text(element, id::NAME)? else { return Ok(None) };
        let value = match self.attribute(element, id::VALUE)? {
            Some(value) => Some(value),
            None => self.attribute(element, id::RESOURCE)?,
        };
        Ok(Some(MetaData { name, value: value.and_then(Value::into_text) }))
    }
}
