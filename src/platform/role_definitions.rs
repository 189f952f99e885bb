//! Roles as a device's own permission controller defines them.
//!
//! Since Android 10 its `res/xml/roles.xml` says of each role which packages hold it at first start (the name of a value of
//! the platform's configuration) and which permissions holders get (AOSP `RoleParser`, `Role`, `Permission` of
//! `packages/modules/Permission`):
//!
//! ```xml
//! <roles>
//!   <permission-set name="sms"> <permission name="android.permission.SEND_SMS" /> ... </permission-set>
//!   <role name="android.app.role.SMS" defaultHolders="config_defaultSms" behavior="SmsRoleBehavior" minSdkVersion="29">
//!     <required-components> ... </required-components>
//!     <permissions> <permission-set name="sms" /> <permission name="..." minSdkVersion="31" /> </permissions>
//! ```
//!
//! The file belongs to a module that is updated apart from the system, so its entries name API levels themselves. Operations
//! (`app-ops`, `app-op-permissions`) and preferred activities are not read.

use std::collections::BTreeMap;

use super::home_layout::Element;
use crate::inventory::{Evidence, Role, RoleDefinition, RolePermission};

/// Most permissions that one role may name: AOSP's longest list has some hundred.
const MAX_PERMISSIONS: usize = 1 << 12;

/// The roles of a file. `path` is the file's, `evidence` the package's.
///
/// # Errors
/// What is wrong with the file, in words: a role without a name, a set that is not there, a level that is no number.
pub fn read(path: &str, elements: &[Element], evidence: &Evidence) -> Result<Vec<RoleDefinition>, String> {
    let sets = sets(elements)?;
    let mut found: Vec<RoleDefinition> = Vec::new();
    let mut section = "";
    for element in elements {
        let wrong = |words: &str| format!("{path} line {}: {words}", element.line);
        match (element.depth, element.name.as_str()) {
            (1, "role") => {
                section = "";
                let name = attribute(element, "name").ok_or_else(|| wrong("a role without a name"))?;
                found.push(RoleDefinition {
                    role: Role::from_android(name),
                    default_holders: attribute(element, "defaultHolders").map(str::to_owned),
                    behavior: attribute(element, "behavior").map(str::to_owned),
                    requires_components: false,
                    min_sdk: level(element, "minSdkVersion")?,
                    max_sdk: level(element, "maxSdkVersion")?,
                    feature_flag: attribute(element, "featureFlag").map(str::to_owned),
                    permissions: Vec::new(),
                    evidence: evidence.at(format!("{path} line {}", element.line)),
                });
            }
            (1, _) => section = "other",
            (2, name) if section != "other" => {
                section = match name {
                    "permissions" => "permissions",
                    "required-components" => "required-components",
                    _ => "",
                };
            }
            (3, _) if section == "required-components" => {
                if let Some(role) = found.last_mut() {
                    role.requires_components = true;
                }
            }
            (3, "permission") if section == "permissions" => {
                let own = permission(element)?;
                add(&mut found, [own]).ok_or_else(|| wrong("too many permissions"))?;
            }
            (3, "permission-set") if section == "permissions" => {
                let name = attribute(element, "name").unwrap_or_default();
                let set = sets.get(name).ok_or_else(|| wrong(&format!("the set `{name}` is not there")))?;
                let reference = permission(element)?;
                let merged = set.iter().map(|own| merge(own, &reference));
                add(&mut found, merged).ok_or_else(|| wrong("too many permissions"))?;
            }
            _ => {}
        }
    }
    found.sort();
    Ok(found)
}

/// Sets of permissions by name.
fn sets(elements: &[Element]) -> Result<BTreeMap<&str, Vec<RolePermission>>, String> {
    let mut sets: BTreeMap<&str, Vec<RolePermission>> = BTreeMap::new();
    let mut open = None;
    for element in elements {
        match (element.depth, element.name.as_str()) {
            (1, "permission-set") => open = attribute(element, "name"),
            (1, _) => open = None,
            (2, "permission") => {
                if let Some(name) = open {
                    sets.entry(name).or_default().push(permission(element)?);
                }
            }
            _ => {}
        }
        if let Some(name) = open {
            sets.entry(name).or_default();
        }
    }
    Ok(sets)
}

/// A permission, or a reference to a set.
fn permission(element: &Element) -> Result<RolePermission, String> {
    Ok(RolePermission {
        name: attribute(element, "name").unwrap_or_default().to_owned(),
        min_sdk: level(element, "minSdkVersion")?,
        optional_min_sdk: level(element, "optionalMinSdkVersion")?,
        feature_flag: attribute(element, "featureFlag").map(str::to_owned),
        line: element.line,
    })
}

/// A permission of a set, as far as the role that names the set has it: the later level counts.
fn merge(own: &RolePermission, reference: &RolePermission) -> RolePermission {
    RolePermission {
        name: own.name.clone(),
        min_sdk: own.min_sdk.max(reference.min_sdk),
        optional_min_sdk: own.optional_min_sdk.max(reference.optional_min_sdk),
        feature_flag: own.feature_flag.clone().or_else(|| reference.feature_flag.clone()),
        line: reference.line,
    }
}

fn add(found: &mut [RoleDefinition], more: impl IntoIterator<Item = RolePermission>) -> Option<()> {
    let Some(role) = found.last_mut() else { return Some(()) };
    role.permissions.extend(more);
    (role.permissions.len() <= MAX_PERMISSIONS).then_some(())
}

fn attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    element.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn level(element: &Element, name: &str) -> Result<Option<u32>, String> {
    let Some(text) = attribute(element, name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("line {}: {name} is `{text}`, expected an API level", element.line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::SourceId;

    fn element(depth: u32, name: &str, attributes: &[(&str, &str)], line: u32) -> Element {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Element { depth, name: name.to_owned(), attributes: attributes.iter().map(own).collect(), line }
    }

    fn file() -> Vec<Element> {
        vec![
            element(0, "roles", &[], 1),
            element(1, "permission-set", &[("name", "sms")], 2),
            element(2, "permission", &[("name", "a.SEND")], 3),
            element(2, "permission", &[("name", "a.NEW"), ("minSdkVersion", "33")], 4),
            element(1, "role", &[("name", "android.app.role.SMS"), ("defaultHolders", "config_defaultSms")], 5),
            element(2, "required-components", &[], 6),
            element(3, "activity", &[], 7),
            element(4, "intent-filter", &[], 8),
            element(2, "permissions", &[], 9),
            element(3, "permission-set", &[("name", "sms"), ("minSdkVersion", "31")], 10),
            element(
                3,
                "permission",
                &[("name", "a.LATE"), ("minSdkVersion", "35"), ("optionalMinSdkVersion", "34")],
                11,
            ),
            element(2, "app-op-permissions", &[], 12),
            element(3, "permission", &[("name", "a.NOT")], 13),
            element(1, "role", &[("name", "x.role.OTHER"), ("behavior", "B")], 14),
            element(2, "permissions", &[], 15),
        ]
    }

    fn read_all(elements: &[Element]) -> Result<Vec<RoleDefinition>, String> {
        read("res/xml/roles.xml", elements, &Evidence { source: SourceId(0), at: None })
    }

    #[test]
    fn roles_have_the_permissions_of_their_sets_with_the_later_level() {
        let roles = read_all(&file()).unwrap();
        assert_eq!(roles.len(), 2);
        let sms = &roles[0];
        assert_eq!((&sms.role, sms.default_holders.as_deref()), (&Role::Sms, Some("config_defaultSms")));
        assert!(sms.requires_components && sms.behavior.is_none());
        assert_eq!(sms.evidence.at.as_deref(), Some("res/xml/roles.xml line 5"));
        let found: Vec<_> =
            sms.permissions.iter().map(|p| (p.name.as_str(), p.min_sdk, p.optional_min_sdk, p.line)).collect();
        let expected =
            [("a.SEND", Some(31), None, 10), ("a.NEW", Some(33), None, 10), ("a.LATE", Some(35), Some(34), 11)];
        assert_eq!(found, expected);
        assert_eq!(roles[1].role, Role::Other("x.role.OTHER".to_owned()));
        assert!(roles[1].permissions.is_empty() && !roles[1].requires_components);
    }

    #[test]
    fn a_file_that_is_wrong_in_one_place_says_where() {
        let changed = |at: usize, key: &str, value: &str| {
            let mut elements = file();
            for (name, text) in &mut elements[at].attributes {
                if name == key {
                    value.clone_into(text);
                }
            }
            read_all(&elements)
        };
        assert_eq!(
            changed(9, "name", "smss"),
            Err("res/xml/roles.xml line 10: the set `smss` is not there".to_owned())
        );
        assert_eq!(
            changed(10, "minSdkVersion", "V"),
            Err("line 11: minSdkVersion is `V`, expected an API level".to_owned())
        );
        let mut unnamed = file();
        unnamed[4].attributes.clear();
        assert_eq!(read_all(&unnamed), Err("res/xml/roles.xml line 5: a role without a name".to_owned()));
        assert_eq!(read_all(&[]), Ok(Vec::new()));
    }
}
