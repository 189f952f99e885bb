//! What stands in the resources of some packages beside their manifests: layouts of the home screen, and values of the
//! platform's configuration.

use crate::apk::{self, ComponentKind, Manifest, XmlElement, XmlFile};
use crate::bytes::{ParseError, SharedBytes};
use crate::inventory::{ConfigValue, Evidence, Gap, GapReason, Layout, LayoutOrigin, RoleDefinition};
use crate::platform::home_layout::{self, Element, Files, PARTNER_FOLDER};
use crate::platform::{default_roles, role_definitions};

/// Actions of receivers by which launchers find packages with layouts.
const PROVIDERS: [(&str, LayoutOrigin); 2] = [
    ("android.autoinstalls.config.action.PLAY_AUTO_INSTALL", LayoutOrigin::PlayAutoInstall),
    ("com.android.launcher3.action.PARTNER_CUSTOMIZATION", LayoutOrigin::Partner),
];
/// The file in which a resource overlay says which values of its target it replaces by which of its own.
const OVERLAID: &str = "overlays";

/// End of the name of the package that defines roles, AOSP's or the maker's.
const PERMISSION_CONTROLLER: &str = ".permissioncontroller";
/// Its file with them.
const ROLES: &str = "roles";

/// What one package file has of them.
#[derive(Debug, Default)]
pub(super) struct Extras {
    layouts: Vec<(LayoutOrigin, Result<Vec<XmlFile>, ParseError>)>,
    configuration: Option<Result<Vec<(String, String)>, ParseError>>,
    roles: Option<Result<Vec<XmlFile>, ParseError>>,
}

/// Where what packages have of them goes.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) layouts: Vec<Layout>,
    pub(super) configuration: Vec<ConfigValue>,
    /// Of each package that defines roles.
    pub(super) roles: Vec<Vec<RoleDefinition>>,
    pub(super) gaps: Vec<Gap>,
}

/// Reads what a package of that manifest may have.
pub(super) fn read(bytes: &SharedBytes, manifest: &Manifest) -> Extras {
    let mut extras = Extras::default();
    if manifest.split.is_some() {
        return extras;
    }
    let receives = |action: &str| {
        let receivers = manifest.components.iter().filter(|component| component.kind == ComponentKind::Receiver);
        receivers.flat_map(|receiver| &receiver.filters).any(|filter| filter.has_action(action))
    };
    let mut origins: Vec<LayoutOrigin> =
        PROVIDERS.iter().filter(|(action, _)| receives(action)).map(|(_, origin)| *origin).collect();
    if manifest.roles().contains(&apk::Role::Home) {
        origins.push(LayoutOrigin::Launcher);
    }
    for origin in origins {
        extras.layouts.push((origin, apk::xml_files(bytes, &|name| belongs_to(origin, name))));
    }
    let overlays_platform =
        manifest.overlay.as_ref().is_some_and(|overlay| overlay.target.as_deref() == Some("android"));
    if manifest.package == "android" || overlays_platform {
        extras.configuration = Some(configuration(bytes, overlays_platform));
    }
    if manifest.package.ends_with(PERMISSION_CONTROLLER) {
        extras.roles = Some(apk::xml_files(bytes, &|name| name == ROLES));
    }
    extras
}

/// Whether a resource is a layout of that provider, or a part of one.
fn belongs_to(origin: LayoutOrigin, name: &str) -> bool {
    match origin {
        LayoutOrigin::PlayAutoInstall => name.starts_with("default_layout"),
        LayoutOrigin::Partner => name == "partner_default_layout" || name == PARTNER_FOLDER,
        LayoutOrigin::Launcher | LayoutOrigin::Vendor => {
            is_layout(origin, name) || ["hotseat", "folder", "dw_"].iter().any(|part| name.contains(part))
        }
    }
}

/// Whether a resource is a whole layout, for screens of some size or of any.
fn is_layout(origin: LayoutOrigin, name: &str) -> bool {
    let sized = |stem: &str| name.strip_prefix(stem).is_some_and(is_size);
    match origin {
        LayoutOrigin::PlayAutoInstall => sized("default_layout"),
        LayoutOrigin::Partner => name == "partner_default_layout",
        LayoutOrigin::Launcher | LayoutOrigin::Vendor => {
            sized("default_layout") || name.starts_with("default_workspace")
        }
    }
}

/// `_5x6`, `_5x6_h5`, or nothing.
fn is_size(end: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(size) = end.strip_prefix('_') else { return end.is_empty() };
    let (grid, hotseat) = size.split_once("_h").map_or((size, None), |(grid, hotseat)| (grid, Some(hotseat)));
    grid.split_once('x').is_some_and(|(columns, rows)| number(columns) && number(rows)) && hotseat.is_none_or(number)
}

fn configuration(bytes: &SharedBytes, is_overlay: bool) -> Result<Vec<(String, String)>, ParseError> {
    let mut values = apk::values(bytes, &default_roles::is_read)?;
    // Others of such names are numbers and switches.
    values.retain(|(name, text)| !default_roles::names_role_holders(name) || default_roles::is_list_of_packages(text));
    if !is_overlay {
        return Ok(values);
    }
    // Since Android 11 an overlay may name its values as it likes, and map them.
    for file in apk::xml_files(bytes, &|name| name == OVERLAID)? {
        for element in file.elements? {
            let get = |name: &str| element.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value);
            let (Some(target), Some(value)) = (get("target"), get("value")) else { continue };
            let name = target.split_once('/').map_or(target.as_str(), |(_, name)| name);
            if default_roles::is_read(name) && !values.iter().any(|(known, _)| known == name) {
                values.push((name.to_owned(), value.clone()));
            }
        }
    }
    Ok(values)
}

impl Extras {
    /// Whether there is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.layouts.is_empty() && self.configuration.is_none() && self.roles.is_none()
    }

    /// As facts of the inventory. `path` is the package file's, `evidence` points to it.
    pub(super) fn tell(self, package: &str, path: &str, evidence: &Evidence, told: &mut Told) {
        let Told { layouts, configuration, roles, gaps } = told;
        let gap = |error: &ParseError| Gap::new(path, super::reason(error), error.to_string());
        for (origin, files) in self.layouts {
            let mut readable = Files::new();
            let mut tops = Vec::new();
            match files {
                Ok(files) => {
                    for file in files {
                        match file.elements {
                            Ok(elements) => {
                                if is_layout(origin, &file.name) {
                                    tops.push((file.name.clone(), file.path.clone()));
                                }
                                let elements: Vec<Element> = elements.into_iter().map(element).collect();
                                if file.name == PARTNER_FOLDER {
                                    readable.insert(PARTNER_FOLDER.to_owned(), elements.clone());
                                }
                                readable.insert(file.path, elements);
                            }
                            Err(error) => gaps.push(gap(&error)),
                        }
                    }
                }
                Err(error) => gaps.push(gap(&error)),
            }
            // What another layout includes is a part of it.
            let included = home_layout::included(&readable);
            for (name, file) in tops.into_iter().filter(|(_, file)| !included.contains(file)) {
                let items = home_layout::items(&file, &readable, evidence);
                layouts.push(Layout { origin, provider: package.to_owned(), name, items, evidence: evidence.at(file) });
            }
        }
        match self.configuration {
            Some(Ok(values)) => configuration.extend(values.into_iter().map(|(name, value)| ConfigValue {
                evidence: evidence.at(format!("resource {name}")),
                package: package.to_owned(),
                name,
                value,
            })),
            Some(Err(error)) => gaps.push(gap(&error)),
            None => {}
        }
        match self.roles {
            Some(Ok(files)) => {
                for file in files {
                    let elements = match file.elements {
                        Ok(elements) => elements.into_iter().map(element).collect::<Vec<_>>(),
                        Err(error) => {
                            gaps.push(gap(&error));
                            continue;
                        }
                    };
                    match role_definitions::read(&file.path, &elements, evidence) {
                        Ok(found) => roles.push(found),
                        Err(words) => gaps.push(Gap::new(path, GapReason::Unsupported, words)),
                    }
                }
            }
            Some(Err(error)) => gaps.push(gap(&error)),
            None => {}
        }
    }
}

fn element(element: XmlElement) -> Element {
    Element { depth: element.depth, name: element.name, attributes: element.attributes, line: element.line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_told_by_whole_names_and_sizes() {
        for (name, is) in [
            ("default_layout", true),
            ("default_layout_5x6", true),
            ("default_layout_5x6_h5", true),
            ("default_layout_5x", false),
            ("default_layout_part", false),
            ("default_layouts", false),
            ("default_layout_5x6_h", false),
        ] {
            assert_eq!(is_layout(LayoutOrigin::PlayAutoInstall, name), is, "{name}");
        }
    }
}
