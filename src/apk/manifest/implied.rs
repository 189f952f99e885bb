//! Permissions that Android adds for apps made for older versions, as `aapt dump badging` lists them
//! (AOSP `PackageParser.NEW_PERMISSIONS`, `split-permission` of `data/etc/platform.xml`).

use serde::Serialize;

use super::Manifest;

/// A permission that is not in the manifest and yet asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImpliedPermission {
    /// Its name.
    pub name: &'static str,
    /// Why it is there.
    pub reason: &'static str,
}

const READ_STORAGE: &str = "android.permission.READ_EXTERNAL_STORAGE";
const WRITE_STORAGE: &str = "android.permission.WRITE_EXTERNAL_STORAGE";
const READ_PHONE_STATE: &str = "android.permission.READ_PHONE_STATE";

impl Manifest {
    /// Permissions that follow from the target and from others, in the order of the tool.
    #[must_use]
    pub fn implied_permissions(&self) -> Vec<ImpliedPermission> {
        let has = |name: &str| self.requested_permissions.iter().any(|found| !found.sdk_23 && found.name == name);
        let mut implied = Vec::new();
        let mut add = |name, reason| implied.push(ImpliedPermission { name, reason });
        let mut writes = has(WRITE_STORAGE);
        if self.target_sdk < 4 {
            if !writes {
                add(WRITE_STORAGE, "targetSdkVersion < 4");
                writes = true;
            }
            if !has(READ_PHONE_STATE) {
                add(READ_PHONE_STATE, "targetSdkVersion < 4");
            }
        }
        if writes && !has(READ_STORAGE) {
            add(READ_STORAGE, "requested WRITE_EXTERNAL_STORAGE");
        }
        if self.target_sdk < 16 {
            for (contacts, log, reason) in [
                (
                    "android.permission.READ_CONTACTS",
                    "android.permission.READ_CALL_LOG",
                    "targetSdkVersion < 16 and requested READ_CONTACTS",
                ),
                (
                    "android.permission.WRITE_CONTACTS",
                    "android.permission.WRITE_CALL_LOG",
                    "targetSdkVersion < 16 and requested WRITE_CONTACTS",
                ),
            ] {
                if has(contacts) && !has(log) {
                    add(log, reason);
                }
            }
        }
        implied
    }
}
