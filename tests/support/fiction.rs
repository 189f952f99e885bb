//! Phones that do not exist, answering as Android prints. Written by hand from the forms of its sources; no real device's
//! output is in here.

use std::collections::BTreeMap;
use std::fmt::Write;

use preloaded::adb::commands;

use super::adbd::{Profile, Script};

/// Apps of the Russian list for phones made in 2026, one id each.
pub(crate) const MANDATED: [&str; 19] = [
    "com.kms.free",
    "com.ncloudtech.cloudoffice",
    "com.vkontakte.android",
    "com.yandex.browser",
    "com.yandex.searchapp",
    "ru.crptech.mark",
    "ru.dublgis.dgismobile",
    "ru.litres.android",
    "ru.mail.mailapp",
    "ru.mail.search.electroscope",
    "ru.nspk.mirpay",
    "ru.ok.android",
    "ru.oneme.app",
    "ru.rostel",
    "ru.rutube.app",
    "ru.vk.store",
    "ru.yandex.disk",
    "ru.yandex.yandexmaps",
    "ru.zen.android",
];

/// A user whom the package manager's lists refuse, as Samsung's Secure Folder and work profiles do.
pub(crate) const REFUSED: &str = "\nException occurred while executing 'list':\njava.lang.SecurityException: Shell does \
                                  not have permission to access user 10\n\tat com.android.server.pm.PackageManager\n";

/// A phone: the platform, a settings app that shares its user, and apps of the firmware that a launcher shows.
#[derive(Debug, Clone)]
pub(crate) struct Fiction {
    pub(crate) sdk: u32,
    pub(crate) serial: &'static str,
    pub(crate) apps: Vec<String>,
    pub(crate) users: Vec<u32>,
    /// Further packages of the firmware: name and path of the base APK.
    pub(crate) firmware: Vec<(String, String)>,
    /// Scripts that answer before its own.
    pub(crate) scripts: Vec<Script>,
    /// Numbers of signers by package, of those that have one of their own.
    pub(crate) numbers: BTreeMap<String, String>,
}

impl Default for Fiction {
    /// Android 14 with all mandated apps and a work profile.
    fn default() -> Self {
        let apps = MANDATED.map(str::to_owned).into();
        Self {
            sdk: 34,
            serial: "FICTION1",
            apps,
            users: vec![0, 10],
            firmware: Vec::new(),
            scripts: Vec::new(),
            numbers: BTreeMap::new(),
        }
    }
}

impl Fiction {
    /// A phone with this many packages beside its own.
    pub(crate) fn of(packages: usize) -> Self {
        let named = |number| format!("com.fiction.many{number}");
        let firmware = (0..packages).map(named).map(|name| (name.clone(), format!("/product/app/{name}/{name}.apk")));
        Self { users: vec![0], firmware: firmware.collect(), ..Self::default() }
    }

    pub(crate) fn without(mut self, app: &str) -> Self {
        assert!(self.apps.iter().any(|name| name == app), "{app}");
        self.apps.retain(|name| name != app);
        self
    }

    /// The same phone, answering one line otherwise.
    pub(crate) fn answering(mut self, script: Script) -> Self {
        self.scripts.insert(0, script);
        self
    }

    /// The phone's answer to a line, to be spoiled.
    pub(crate) fn script(&self, line: &str) -> Script {
        let mut scripts = self.scripts.iter().cloned().chain(self.own_scripts());
        let found = scripts.find(|script| script.answers(line));
        found.unwrap_or_else(|| panic!("no answer to {line:?}"))
    }

    pub(crate) fn profile(&self) -> Profile {
        let mut profile = Profile::answering(self.scripts.iter().cloned().chain(self.own_scripts()));
        if self.sdk < 24 {
            profile = profile.legacy();
        }
        profile
    }

    fn own_scripts(&self) -> Vec<Script> {
        let sdk = self.sdk;
        let mut scripts = vec![
            Script::new(commands::boot_id().line(), "0b7f0f2e-6a55-4d0c-8d8e-0f6a2f6d1c11\n"),
            Script::new(commands::properties().line(), self.properties()),
            Script::new(commands::users().line(), self.user_list()),
            Script::new(commands::packages(sdk).line(), self.packages(false)),
            Script::new(commands::shared_users(sdk).line(), self.shared_users()),
            Script::new(commands::permissions(sdk).line(), PERMISSIONS),
        ];
        let requested = commands::requested(sdk, ["x.y"], commands::LINE_LIMIT);
        let requested = requested.commands[0].line().strip_suffix("x.y").unwrap();
        scripts.push(Script::starting_with(requested, self.packages(true)));
        for user in &self.users {
            scripts.push(Script::new(commands::list(sdk, *user).line(), self.list()));
            if sdk >= 24 {
                scripts.push(Script::new(commands::launcher(*user).line(), self.launcher()));
                scripts.push(Script::new(commands::settings(*user).line(), SETTINGS));
                scripts.push(Script::new(commands::home(*user).line(), HOME));
            }
        }
        for (service, answer) in [
            ("role", ROLES),
            ("device_policy", POLICY),
            ("accessibility", ACCESSIBILITY),
            ("appops", APP_OPS),
            ("overlay", OVERLAYS),
        ] {
            scripts.push(Script::new(commands::service(sdk, service).unwrap().line(), answer));
        }
        scripts.push(Script::new(commands::features().line(), "feature:android.hardware.camera\n"));
        scripts.push(Script::new(
            commands::modules().line(),
            "package:/system/apex/com.android.tzdata.apex=com.android.tzdata versionCode:340000000\n",
        ));
        scripts
    }

    fn properties(&self) -> String {
        let Self { sdk, serial, .. } = self;
        format!(
            "[ro.build.characteristics]: [nosdcard]\n[ro.build.date.utc]: [1767225600]\n\
             [ro.build.display.id]: [F.1]\n[ro.build.tags]: [release-keys]\n[ro.build.type]: [user]\n\
             [ro.build.version.security_patch]: [2026-01-05]\n\
             [ro.build.fingerprint]: [fiction/f1/f1:{sdk}/F.1/{serial}:user/release-keys]\n\
             [ro.build.version.release]: [14]\n[ro.build.version.sdk]: [{sdk}]\n[ro.product.brand]: [Fiction]\n\
             [ro.product.device]: [f1]\n[ro.product.manufacturer]: [Fiction]\n[ro.product.model]: [F1]\n\
             [ro.product.name]: [f1]\n[ro.serialno]: [{serial}]\n"
        )
    }

    fn user_list(&self) -> String {
        let mut out = String::from("Users:\n");
        for user in &self.users {
            let _ = writeln!(out, "\tUserInfo{{{user}:User:13}} running");
        }
        out
    }

    /// Name, path, path of the base APK, uid, flags of each package.
    fn all(&self) -> Vec<[String; 5]> {
        let platform = "SYSTEM HAS_CODE PERSISTENT".to_owned();
        let framework = "/system/framework/framework-res.apk".to_owned();
        let mut all = vec![
            ["android".to_owned(), framework.clone(), framework, "1000".to_owned(), platform.clone()],
            [
                "com.fiction.settings".to_owned(),
                "/system/priv-app/Settings".to_owned(),
                "/system/priv-app/Settings/Settings.apk".to_owned(),
                "1000".to_owned(),
                platform,
            ],
        ];
        for (number, app) in self.apps.iter().enumerate() {
            let folder = format!("/system/app/{app}");
            let flags = "SYSTEM HAS_CODE ALLOW_CLEAR_USER_DATA".to_owned();
            all.push([
                app.clone(),
                folder.clone(),
                format!("{folder}/{app}.apk"),
                format!("{}", 10_100 + number),
                flags,
            ]);
        }
        for (number, (name, path)) in self.firmware.iter().enumerate() {
            let folder = path.rsplit_once('/').unwrap().0.to_owned();
            all.push([
                name.clone(),
                folder,
                path.clone(),
                format!("{}", 20_000 + number),
                "SYSTEM HAS_CODE".to_owned(),
            ]);
        }
        all
    }

    /// What `dumpsys package NAME` prints of any of its packages.
    pub(crate) fn one_package(&self) -> String {
        let whole = self.packages(true);
        let (_, rest) = whole.split_once("  Package [ru.oneme.app]").unwrap();
        let entry = rest.split("  Package [").next().unwrap();
        format!("Packages:\n  Package [ru.oneme.app]{entry}")
    }

    fn packages(&self, requested: bool) -> String {
        let mut out = String::from("Packages:\n");
        for [name, path, _, uid, flags] in self.all() {
            let number = self.numbers.get(&name).map_or("5eed5eed", String::as_str);
            let id = if self.sdk >= 34 { "appId" } else { "userId" };
            let _ = write!(out, "  Package [{name}] (1a2b3c):\n    {id}={uid}\n");
            if uid == "1000" {
                let _ = writeln!(out, "    sharedUser=SharedUserSetting{{7fb54b1 android.uid.system/1000}}");
            }
            let _ = write!(
                out,
                "    pkg=Package{{29ffc8b {name}}}\n    codePath={path}\n    resourcePath={path}\n    \
                 primaryCpuAbi=null\n    secondaryCpuAbi=null\n    versionCode=7 minSdk=21 targetSdk=23\n    \
                 versionName=7.0\n    splits=[base]\n    flags=[ {flags} ]\n    privateFlags=[ ]\n    \
                 installerPackageName=null\n    signatures=PackageSignatures{{9965eb0 version:3, \
                 signatures:[{number}], past signatures:[]}}\n    pkgFlags=[ {flags} ]\n"
            );
            if name == "android" {
                out.push_str("    declared permissions:\n      android.permission.INTERNET: prot=normal\n");
            }
            if requested {
                out.push_str("    requested permissions:\n      android.permission.INTERNET\n");
            }
            if uid != "1000" {
                out.push_str("    install permissions:\n      android.permission.INTERNET: granted=true\n");
            }
            for user in &self.users {
                let _ = writeln!(
                    out,
                    "    User {user}: ceDataInode=1 installed=true hidden=false suspended=false stopped=false \
                     notLaunched=false enabled=0"
                );
            }
        }
        out
    }

    fn shared_users(&self) -> String {
        let mut out = String::from(
            "Shared users:\n  SharedUser [android.uid.system] (81c08d6):\n    userId=1000\n    install permissions:\n      \
             android.permission.INTERNET: granted=true\n",
        );
        for user in &self.users {
            let _ = writeln!(out, "    User {user}: \n      gids=[3002]");
        }
        out
    }

    fn list(&self) -> String {
        let mut out = String::new();
        for [name, _, base, uid, _] in self.all() {
            let _ = match self.sdk {
                26.. => writeln!(out, "package:{base}={name} versionCode:7  installer=null uid:{uid}"),
                _ => writeln!(out, "package:{base}={name}  installer=null"),
            };
        }
        out
    }

    fn launcher(&self) -> String {
        let mut out = format!("{} activities found:\n", self.apps.len());
        for (number, app) in self.apps.iter().enumerate() {
            let _ = write!(
                out,
                "  Activity #{number}:\n    priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 \
                 isDefault=true\n    {app}/.Main\n"
            );
        }
        out
    }
}

const PERMISSIONS: &str = "Permissions:
  Permission [android.permission.INTERNET] (2988f05):
    sourcePackage=android
    uid=1000 gids=[3003] type=0 prot=normal
    perm=PermissionInfo{9669b5a android.permission.INTERNET}
    flags=0x0
";

const ROLES: &str = "ROLE MANAGER STATE (dumpsys role):
{
  user_states=[
    {
      user_id=0
      roles=[
        {
          name=android.app.role.HOME
          holders=com.fiction.settings
        }
      ]
    }
  ]
}
";

const POLICY: &str = "Current Device Policy Manager state:
  Enabled Device Admins (User 0, provisioningState: 0):
    mPasswordOwner=-1
";

const ACCESSIBILITY: &str = "ACCESSIBILITY MANAGER (dumpsys accessibility)

User state[attributes:{id=0, currentUser=true}
     Enabled services:{}
     Binding services:{}]
";

const APP_OPS: &str = "Current AppOps Service state:
  Uid 1000:
    state=pers
    Package android:
      VIBRATE (allow):
";

const OVERLAYS: &str = "com.fiction.settings:0 {
  mPackageName...........: com.fiction.settings
  mUserId................: 0
  mTargetPackageName.....: android
  mState.................: STATE_ENABLED
  mIsEnabled.............: true
}
";

const SETTINGS: &str = "accessibility_enabled=0\ndefault_input_method=com.fiction.settings/.Ime\n";

const HOME: &str =
    "priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=true\ncom.fiction.settings/.Home\n";
