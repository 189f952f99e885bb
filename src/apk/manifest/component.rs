//! Components and their intent filters (AOSP `ParsedActivityUtils`, `ParsedProviderUtils`, `ParsedIntentInfoUtils`).

use super::super::axml::{ANDROID, Element};
use super::attributes::Attributes;
use super::id;
use super::{Component, ComponentKind, IntentFilter};
use crate::bytes::ParseError;

/// From this target on a provider is private where nothing else is said.
const PRIVATE_PROVIDERS: u32 = 17;

/// What the application says for its components.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    permission: Option<String>,
    process: Option<String>,
}

impl Component {
    /// Fills in what depends on the rest of the manifest, which may come later.
    pub(super) fn settle(&mut self, application_enabled: bool, target_sdk: u32) {
        self.enabled &= application_enabled;
        if !self.exported_said {
            self.exported = match self.kind {
                ComponentKind::Provider => target_sdk < PRIVATE_PROVIDERS,
                _ => !self.filters.is_empty(),
            };
        }
    }
}

impl Attributes<'_> {
    pub(super) fn defaults(&mut self, element: &Element) -> Result<Defaults, ParseError> {
        Ok(Defaults {
            permission: self.text(element, id::PERMISSION)?.filter(|name| !name.is_empty()),
            process: self.text(element, id::PROCESS)?,
        })
    }

    /// `None` for an element without a name.
    pub(super) fn component(
        &mut self,
        element: &Element,
        kind: ComponentKind,
        package: &str,
        defaults: &Defaults,
    ) -> Result<Option<Component>, ParseError> {
        let Some(name) = self.text(element, id::NAME)? else { return Ok(None) };
        let provider = kind == ComponentKind::Provider;
        let alias = kind == ComponentKind::ActivityAlias;
        let exported = self.boolean(element, id::EXPORTED)?;
        let inherited = if alias { None } else { defaults.permission.clone() };
        let permission = self.name_of(element, id::PERMISSION)?;
        let (mut read_permission, mut write_permission, mut authorities) = (None, None, Vec::new());
        if provider {
            let general = permission.clone().or_else(|| inherited.clone());
            read_permission = self.name_of(element, id::READ_PERMISSION)?.or_else(|| general.clone());
            write_permission = self.name_of(element, id::WRITE_PERMISSION)?.or(general);
            let list = self.text(element, id::AUTHORITIES)?.unwrap_or_default();
            authorities = list.split(';').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        }
        let target = if alias { self.text(element, id::TARGET_ACTIVITY)? } else { None };
        Ok(Some(Component {
            kind,
            name: class_name(package, &name),
            exported: exported.unwrap_or_default(),
            exported_said: exported.is_some(),
            enabled: self.boolean(element, id::ENABLED)?.unwrap_or(true),
            permission: permission.or(inherited),
            read_permission,
            write_permission,
            process: self.text(element, id::PROCESS)?.or_else(|| defaults.process.clone()),
            direct_boot: self.boolean(element, id::DIRECT_BOOT_AWARE)?.unwrap_or_default(),
            target: target.map(|target| class_name(package, &target)),
            authorities,
            grants_uri: provider && self.boolean(element, id::GRANT_URI_PERMISSIONS)?.unwrap_or_default(),
            filters: Vec::new(),
            meta_data: Vec::new(),
        }))
    }

    /// The name of an action or category.
    pub(super) fn filter_name(&self, element: &Element) -> Result<Option<String>, ParseError> {
        Ok(self.document.by_name(element, Some(ANDROID), "name")?.filter(|name| !name.is_empty()))
    }

    /// What a `data` element adds to a filter.
    pub(super) fn data(&mut self, element: &Element, filter: &mut IntentFilter) -> Result<(), ParseError> {
        for (id, list) in
            [(id::SCHEME, &mut filter.schemes), (id::HOST, &mut filter.hosts), (id::MIME_TYPE, &mut filter.mime_types)]
        {
            // The last is looked at, not all: a filter of many thousand elements must not cost their square.
            let found = self.text(element, id)?.filter(|text| list.last() != Some(text));
            list.extend(found);
        }
        Ok(())
    }

    fn name_of(&mut self, element: &Element, id: u32) -> Result<Option<String>, ParseError> {
        Ok(self.text(element, id)?.filter(|name| !name.is_empty()))
    }
}

/// As `ParsingUtils.buildClassName`: a name without a dot, or with one in front, is relative to the package.
fn class_name(package: &str, name: &str) -> String {
    if name.starts_with('.') {
        [package, name].concat()
    } else if name.contains('.') || name.is_empty() {
        name.to_owned()
    } else {
        [package, ".", name].concat()
    }
}
