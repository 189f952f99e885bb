//! Ids of the platform's attributes (AOSP `core/res/res/values/public-final.xml`; they never change).

pub(super) const LABEL: u32 = 0x0101_0001;
pub(super) const NAME: u32 = 0x0101_0003;
pub(super) const PERMISSION: u32 = 0x0101_0006;
pub(super) const READ_PERMISSION: u32 = 0x0101_0007;
pub(super) const WRITE_PERMISSION: u32 = 0x0101_0008;
pub(super) const PROTECTION_LEVEL: u32 = 0x0101_0009;
pub(super) const PERMISSION_GROUP: u32 = 0x0101_000a;
pub(super) const SHARED_USER_ID: u32 = 0x0101_000b;
pub(super) const HAS_CODE: u32 = 0x0101_000c;
pub(super) const PERSISTENT: u32 = 0x0101_000d;
pub(super) const ENABLED: u32 = 0x0101_000e;
pub(super) const DEBUGGABLE: u32 = 0x0101_000f;
pub(super) const EXPORTED: u32 = 0x0101_0010;
pub(super) const PROCESS: u32 = 0x0101_0011;
pub(super) const AUTHORITIES: u32 = 0x0101_0018;
pub(super) const GRANT_URI_PERMISSIONS: u32 = 0x0101_001b;
pub(super) const PRIORITY: u32 = 0x0101_001c;
pub(super) const TARGET_PACKAGE: u32 = 0x0101_0021;
pub(super) const VALUE: u32 = 0x0101_0024;
pub(super) const RESOURCE: u32 = 0x0101_0025;
pub(super) const MIME_TYPE: u32 = 0x0101_0026;
pub(super) const SCHEME: u32 = 0x0101_0027;
pub(super) const HOST: u32 = 0x0101_0028;
pub(super) const TARGET_ACTIVITY: u32 = 0x0101_0202;
pub(super) const MIN_SDK: u32 = 0x0101_020c;
pub(super) const VERSION_CODE: u32 = 0x0101_021b;
pub(super) const VERSION_NAME: u32 = 0x0101_021c;
pub(super) const TARGET_SDK: u32 = 0x0101_0270;
pub(super) const MAX_SDK: u32 = 0x0101_0271;
pub(super) const TEST_ONLY: u32 = 0x0101_0272;
pub(super) const BACKUP_AGENT: u32 = 0x0101_027f;
pub(super) const ALLOW_BACKUP: u32 = 0x0101_0280;
pub(super) const GL_ES_VERSION: u32 = 0x0101_0281;
pub(super) const REQUIRED: u32 = 0x0101_028e;
pub(super) const INSTALL_LOCATION: u32 = 0x0101_02b7;
pub(super) const SCREEN_SIZE: u32 = 0x0101_02ca;
pub(super) const SCREEN_DENSITY: u32 = 0x0101_02cb;
pub(super) const PERMISSION_FLAGS: u32 = 0x0101_03c7;
pub(super) const CATEGORY: u32 = 0x0101_03e8;
pub(super) const TARGET_NAME: u32 = 0x0101_044d;
pub(super) const USES_CLEARTEXT_TRAFFIC: u32 = 0x0101_04ec;
pub(super) const DIRECT_BOOT_AWARE: u32 = 0x0101_0505;
pub(super) const VERSION: u32 = 0x0101_0519;
pub(super) const NETWORK_SECURITY_CONFIG: u32 = 0x0101_0527;
pub(super) const IS_STATIC: u32 = 0x0101_055a;
pub(super) const IS_FEATURE_SPLIT: u32 = 0x0101_055b;
pub(super) const VERSION_CODE_MAJOR: u32 = 0x0101_0576;
pub(super) const VERSION_MAJOR: u32 = 0x0101_0577;
pub(super) const USES_PERMISSION_FLAGS: u32 = 0x0101_0644;
pub(super) const SHARED_USER_MAX_SDK: u32 = 0x0101_064d;

/// Flags that say something of an app's trust: their names are known by id, so that a changed name hides none.
pub(super) const FLAGS: [(u32, &str); 5] = [
    (HAS_CODE, "hasCode"),
    (PERSISTENT, "persistent"),
    (DEBUGGABLE, "debuggable"),
    (TEST_ONLY, "testOnly"),
    (ALLOW_BACKUP, "allowBackup"),
];
