//! Ids of the platform's attributes (AOSP `core/res/res/values/public-final.xml`; they never change).

/// Declares the ids with the names that they have.
macro_rules! ids {
    ($($constant:ident = $id:literal, $name:literal;)*) => {
        $(pub(super) const $constant: u32 = $id;)*

        /// The attribute's name; empty for an id that is not read.
        pub(super) fn name(id: u32) -> &'static str {
            match id {
                $($id => $name,)*
                _ => "",
            }
        }
    };
}

ids! {
    LABEL = 0x0101_0001, "label";
    NAME = 0x0101_0003, "name";
    PERMISSION = 0x0101_0006, "permission";
    READ_PERMISSION = 0x0101_0007, "readPermission";
    WRITE_PERMISSION = 0x0101_0008, "writePermission";
    PROTECTION_LEVEL = 0x0101_0009, "protectionLevel";
    PERMISSION_GROUP = 0x0101_000a, "permissionGroup";
    SHARED_USER_ID = 0x0101_000b, "sharedUserId";
    HAS_CODE = 0x0101_000c, "hasCode";
    PERSISTENT = 0x0101_000d, "persistent";
    ENABLED = 0x0101_000e, "enabled";
    DEBUGGABLE = 0x0101_000f, "debuggable";
    EXPORTED = 0x0101_0010, "exported";
    PROCESS = 0x0101_0011, "process";
    AUTHORITIES = 0x0101_0018, "authorities";
    GRANT_URI_PERMISSIONS = 0x0101_001b, "grantUriPermissions";
    PRIORITY = 0x0101_001c, "priority";
    TARGET_PACKAGE = 0x0101_0021, "targetPackage";
    VALUE = 0x0101_0024, "value";
    RESOURCE = 0x0101_0025, "resource";
    MIME_TYPE = 0x0101_0026, "mimeType";
    SCHEME = 0x0101_0027, "scheme";
    HOST = 0x0101_0028, "host";
    TARGET_ACTIVITY = 0x0101_0202, "targetActivity";
    MIN_SDK = 0x0101_020c, "minSdkVersion";
    VERSION_CODE = 0x0101_021b, "versionCode";
    VERSION_NAME = 0x0101_021c, "versionName";
    TARGET_SDK = 0x0101_0270, "targetSdkVersion";
    MAX_SDK = 0x0101_0271, "maxSdkVersion";
    TEST_ONLY = 0x0101_0272, "testOnly";
    BACKUP_AGENT = 0x0101_027f, "backupAgent";
    ALLOW_BACKUP = 0x0101_0280, "allowBackup";
    GL_ES_VERSION = 0x0101_0281, "glEsVersion";
    REQUIRED = 0x0101_028e, "required";
    INSTALL_LOCATION = 0x0101_02b7, "installLocation";
    SCREEN_SIZE = 0x0101_02ca, "screenSize";
    SCREEN_DENSITY = 0x0101_02cb, "screenDensity";
    PERMISSION_FLAGS = 0x0101_03c7, "permissionFlags";
    CATEGORY = 0x0101_03e8, "category";
    TARGET_NAME = 0x0101_044d, "targetName";
    USES_CLEARTEXT_TRAFFIC = 0x0101_04ec, "usesCleartextTraffic";
    DIRECT_BOOT_AWARE = 0x0101_0505, "directBootAware";
    VERSION = 0x0101_0519, "version";
    NETWORK_SECURITY_CONFIG = 0x0101_0527, "networkSecurityConfig";
    IS_STATIC = 0x0101_055a, "isStatic";
    IS_FEATURE_SPLIT = 0x0101_055b, "isFeatureSplit";
    VERSION_CODE_MAJOR = 0x0101_0576, "versionCodeMajor";
    VERSION_MAJOR = 0x0101_0577, "versionMajor";
    USES_PERMISSION_FLAGS = 0x0101_0644, "usesPermissionFlags";
    SHARED_USER_MAX_SDK = 0x0101_064d, "sharedUserMaxSdkVersion";
}

/// Flags that say something of an app's trust: their names are known by id, so that a changed name hides none.
pub(super) const FLAGS: [(u32, &str); 5] = [
    (HAS_CODE, "hasCode"),
    (PERSISTENT, "persistent"),
    (DEBUGGABLE, "debuggable"),
    (TEST_ONLY, "testOnly"),
    (ALLOW_BACKUP, "allowBackup"),
];
