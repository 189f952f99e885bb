//! Control files of permissions in all partitions and APEXes (AOSP `SystemConfig.readAllPermissions`).
//!
//! Android reads `etc/sysconfig` and `etc/permissions` of its partitions, with folders `sku_*` for variants of the hardware,
//! and `etc/permissions` of APEXes; files that do not end in `.xml` are none. Tags that it does not honour in a partition
//! are left out.

use super::reason;
use crate::bytes::{ParseError, read_vec_at};
use crate::dump::control_file::{self, Exception, FILE_BYTES, ListKind, SystemConfig};
use crate::filesystem::File;
use crate::firmware::{Image, Mounted};
use crate::inventory::{
    Allowlist, Controls, DefaultGrant, DefaultGrants, Evidence, Fact, Gap, ListedPermission, Origin, OriginKind,
    Origins, SplitPermission,
};
use crate::platform::identity::Properties;
use crate::platform::placement;

/// The property that turns the lists of privileged permissions on.
const ENFORCEMENT: &str = "ro.control_privapp_permissions";
/// Partitions whose lists of `signature|privileged` permissions AOSP takes; those of vendors are taken, too.
const NO_PRIVILEGED: [&str; 1] = ["oem"];
/// Partitions where permissions may be split.
const SPLITTING: [&str; 4] = ["system", "system_ext", "product", "product_services"];

/// Which of the folders a file stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folder {
    SystemConfig,
    DefaultPermissions,
}

/// A control file by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    folder: Folder,
    /// Android's name; `apex/<name>` for an APEX.
    partition: String,
    sku: Option<String>,
}

/// Reads them all. `whole` is the evidence for what no file says.
pub(super) fn read(image: &Image, properties: &Properties, whole: &Evidence, origins: &mut Origins) -> Controls {
    let enforcement = match properties.get(ENFORCEMENT) {
        Some(property) => Fact::new(Some(property.value.clone()), &property.evidence),
        None => Fact::new(None, whole),
    };
    let mut controls = Controls {
        enforcement,
        privileged: Vec::new(),
        signature: Vec::new(),
        oem: Vec::new(),
        default_grants: Vec::new(),
        split_permissions: Vec::new(),
        unread: Vec::new(),
    };
    for mounted in image.volumes() {
        for file in &mounted.files {
            let path = mounted.device_path(&file.path);
            let Some(place) = Place::of(&path) else { continue };
            if let Err(error) = add(&mut controls, mounted, file, &path, &place, origins) {
                controls.unread.push(Gap::new(path, reason(&error), error.to_string()));
            }
        }
    }
    controls
}

fn add(
    controls: &mut Controls,
    mounted: &Mounted,
    file: &File,
    path: &str,
    place: &Place,
    origins: &mut Origins,
) -> Result<(), ParseError> {
    let content = mounted.filesystem.open(file.node)?;
    let bytes = read_vec_at(content.as_ref(), 0, content.len(), "length of a control file", FILE_BYTES)?;
    let mut evidence = || {
        let origin =
            Origin { kind: OriginKind::File, name: path.to_owned(), length: Some(bytes.len() as u64), sha256: None };
        origins.evidence(origin)
    };
    match place.folder {
        Folder::SystemConfig => {
            let config = control_file::system_config(&bytes)?;
            if !config.lists.is_empty() || !config.splits.is_empty() {
                lists(controls, config, place, &evidence());
            }
        }
        Folder::DefaultPermissions => {
            let exceptions = control_file::default_permissions(&bytes)?;
            if !exceptions.is_empty() {
                let evidence = evidence();
                let grants = exceptions.into_iter().map(|exception| grants(exception, place, &evidence));
                controls.default_grants.extend(grants);
            }
        }
    }
    Ok(())
}

fn lists(controls: &mut Controls, config: SystemConfig, place: &Place, file: &Evidence) {
    let partition = place.partition.as_str();
    for list in config.lists {
        let target = match list.kind {
            ListKind::Privileged if !NO_PRIVILEGED.contains(&partition) => &mut controls.privileged,
            ListKind::Signature if !NO_PRIVILEGED.contains(&partition) => &mut controls.signature,
            ListKind::Oem if ["oem", "system", "system_ext"].contains(&partition) => &mut controls.oem,
            _ => continue,
        };
        let entry =
            |entry: control_file::Entry| ListedPermission { name: entry.name, line: entry.line, denied: entry.denied };
        target.push(Allowlist {
            partition: place.partition.clone(),
            package: list.package,
            evidence: file.at(format!("line {}", list.line)),
            sku: place.sku.clone(),
            permissions: list.entries.into_iter().map(entry).collect(),
        });
    }
    if SPLITTING.contains(&partition) {
        let split = |split: control_file::Split| SplitPermission {
            permission: split.permission,
            target_sdk: split.target_sdk,
            new: split.new,
            evidence: file.at(format!("line {}", split.line)),
        };
        controls.split_permissions.extend(config.splits.into_iter().map(split));
    }
}

fn grants(exception: Exception, place: &Place, file: &Evidence) -> DefaultGrants {
    let permission =
        |granted: control_file::Granted| DefaultGrant { name: granted.name, line: granted.line, fixed: granted.fixed };
    DefaultGrants {
        package: exception.package,
        certificate: exception.certificate,
        partition: place.partition.clone(),
        evidence: file.at(format!("line {}", exception.line)),
        permissions: exception.permissions.into_iter().map(permission).collect(),
    }
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        if !path.ends_with(".xml") {
            return None;
        }
        let at = path.find("/etc/")?;
        let (root, rest) = path.split_at_checked(at)?;
        let rest = rest.strip_prefix("/etc/")?;
        let is_apex = root.starts_with("/apex/");
        let partition = if is_apex {
            // Only the root of an APEX counts.
            root.strip_prefix("/apex/").filter(|name| !name.contains('/')).map(|name| format!("apex/{name}"))?
        } else {
            let (partition, _) = placement::classify(&format!("{root}/app/x.apk"));
            // The partition's own folder, wherever it stands, and no other folder of that name within it.
            let own = root.trim_start_matches('/').split('/').collect::<Vec<_>>();
            if own.last() != Some(&partition.as_str()) || own.len() > 3 {
                return None;
            }
            partition
        };
        let names: Vec<&str> = rest.split('/').collect();
        let (folder, sku) = match names[..] {
            ["default-permissions", _] if !is_apex => (Folder::DefaultPermissions, None),
            ["permissions", _] => (Folder::SystemConfig, None),
            ["sysconfig", _] if !is_apex => (Folder::SystemConfig, None),
            ["permissions" | "sysconfig", sku, _] if !is_apex => {
                (Folder::SystemConfig, Some(sku.strip_prefix("sku_")?.to_owned()))
            }
            _ => return None,
        };
        Some(Self { folder, partition, sku })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_file_is_known_by_its_folder_and_belongs_to_the_partition_that_the_folder_stands_for() {
        let place = |path: &str| Place::of(path).map(|place| (place.folder, place.partition, place.sku));
        let config = |partition: &str| Some((Folder::SystemConfig, partition.to_owned(), None));
        assert_eq!(place("/system/etc/permissions/platform.xml"), config("system"));
        assert_eq!(place("/system/product/etc/permissions/x.xml"), config("product"));
        assert_eq!(place("/system/system_ext/etc/sysconfig/x.xml"), config("system_ext"));
        assert_eq!(place("/vendor/odm/etc/permissions/x.xml"), config("odm"));
        assert_eq!(place("/system/vendor/odm/etc/permissions/x.xml"), config("odm"));
        assert_eq!(place("/apex/com.android.wifi/etc/permissions/x.xml"), config("apex/com.android.wifi"));
        let defaults = Some((Folder::DefaultPermissions, "product".to_owned(), None));
        assert_eq!(place("/product/etc/default-permissions/x.xml"), defaults);
        let variant = Some((Folder::SystemConfig, "vendor".to_owned(), Some("nfc".to_owned())));
        assert_eq!(place("/vendor/etc/permissions/sku_nfc/x.xml"), variant);
    }

    #[test]
    fn the_neighbours_of_a_control_file_are_none() {
        for path in [
            "/system/etc/permissions/platform.xml.bak",
            "/system/etc/permission/platform.xml",
            "/system/etc/permissions/deep/platform.xml",
            "/system/app/etc/permissions/x.xml",
            "/apex/com.android.wifi/etc/sysconfig/x.xml",
            "/apex/com.android.wifi/inner/etc/permissions/x.xml",
            "/etc/permissions/x.xml",
        ] {
            assert_eq!(Place::of(path), None, "{path}");
        }
    }
}
