//! Small devices, one for each way to a permission, and the wrong neighbour of each.

use crate::inventory::{
    Allowlist, Controls, CopyRole, DeclaredPermission, DefaultGrant, DefaultGrants, Evidence, Fact, Gap, GapReason,
    IntentAnswer, Inventory, ListedPermission, ManifestFacts, Outcome, Package, PastSigner, ReasonCode as Code,
    SourceId, SplitPermission,
};
use crate::platform::placement;
use crate::platform::sample::{app, image, known, requests, signer, with};

use Outcome::{Granted, Refused, Unknown};

const P: &str = "x.permission.P";

fn at(line: u32) -> Evidence {
    Evidence { source: SourceId(0), at: Some(format!("line {line}")) }
}

fn controls(enforcement: Option<&str>) -> Controls {
    Controls {
        enforcement: known(enforcement.map(str::to_owned)),
        privileged: Vec::new(),
        signature: Vec::new(),
        oem: Vec::new(),
        default_grants: Vec::new(),
        split_permissions: Vec::new(),
        unread: Vec::new(),
    }
}

fn list(partition: &str, package: &str, permission: &str) -> Allowlist {
    Allowlist {
        partition: partition.to_owned(),
        package: package.to_owned(),
        evidence: at(1),
        sku: None,
        permissions: vec![ListedPermission { name: permission.to_owned(), line: 2, denied: false }],
    }
}

fn declare(package: &mut Package, permissions: &[(&str, &str)]) {
    let declared = permissions.iter().map(|(name, level)| DeclaredPermission {
        name: (*name).to_owned(),
        package: package.name.clone(),
        protection: Some((*level).to_owned()),
        group: None,
        known_certificates: Vec::new(),
    });
    package.copies[0].declared_permissions = known(declared.collect());
}

/// A package in a place, with a key and requests; made for the newest version, answering nothing.
fn package(name: &str, path: &str, key: char, asks: &[&str]) -> Package {
    let mut package = app(name);
    let (partition, place) = placement::classify(path);
    for copy in &mut package.copies {
        copy.path = path.to_owned();
        copy.partition = known(partition.clone());
        copy.placement = known(place);
        copy.signers = known(vec![signer(key)]);
        copy.requested_permissions = requests(asks);
        copy.answers = known(Vec::new());
        copy.manifest = known(ManifestFacts::default());
    }
    package
}

/// The platform, which declares a permission, and one app that asks for it, on Android 14 without lists.
struct Bench {
    sdk: u32,
    level: &'static str,
    app: Package,
    more: Vec<Package>,
    controls: Controls,
}

impl Bench {
    fn new(level: &'static str, path: &str) -> Self {
        let app = package("x.app", path, 'a', &[P]);
        Self { sdk: 34, level, app, more: Vec::new(), controls: controls(None) }
    }

    fn inventory(&self) -> Inventory {
        let mut platform = package("android", "/system/framework/framework-res.apk", 'f', &[]);
        declare(&mut platform, &[(P, self.level)]);
        let mut inventory = with(image(), self.more.iter().cloned().chain([platform, self.app.clone()]));
        inventory.device.sdk = known(self.sdk);
        inventory.controls = known(self.controls.clone());
        inventory
    }

    fn answer(&self) -> (Outcome, Vec<Code>) {
        answer(&self.inventory(), "x.app", P)
    }

    #[track_caller]
    fn expect(&self, outcome: Outcome, code: Code) {
        let (found, codes) = self.answer();
        assert_eq!(found, outcome, "{codes:?}");
        assert!(codes.contains(&code), "{codes:?}");
    }

    fn key(mut self, key: char) -> Self {
        self.app.copies[0].signers = known(vec![signer(key)]);
        self
    }

    fn target(mut self, sdk: u32) -> Self {
        self.app.copies[0].target_sdk = known(sdk);
        self
    }

    fn answering(mut self, intent: &str) -> Self {
        self.app.copies[0].answers = known(vec![IntentAnswer {
            intent: intent.to_owned(),
            component: "x.app.C".to_owned(),
            priority: 0,
            default: true,
        }]);
        self
    }

    fn on(mut self, sdk: u32) -> Self {
        self.sdk = sdk;
        self
    }
}

fn answer(inventory: &Inventory, package: &str, permission: &str) -> (Outcome, Vec<Code>) {
    let predictions = super::predict(inventory);
    let grants = predictions[package].known().unwrap();
    let grant = grants.iter().find(|grant| grant.permission == permission).unwrap();
    (grant.outcome, grant.reasons.iter().map(|reason| reason.code).collect())
}

const PRIVILEGED: &str = "/system/priv-app/X/X.apk";
const PLAIN: &str = "/system/app/X/X.apk";

#[test]
fn normal_is_for_all_and_an_undeclared_name_is_nothing() {
    Bench::new("normal", PLAIN).expect(Granted, Code::Normal);
    let mut bench = Bench::new("normal", PLAIN);
    bench.app.copies[0].requested_permissions = requests(&["x.permission.P1"]);
    assert_eq!(answer(&bench.inventory(), "x.app", "x.permission.P1"), (Refused, vec![Code::Undefined]));
}

#[test]
fn signature_is_for_the_platforms_key_and_the_declarers() {
    Bench::new("signature", PLAIN).expect(Refused, Code::OtherSigner);
    Bench::new("signature", PLAIN).key('f').expect(Granted, Code::PlatformSigner);
    let mut bench = Bench::new("normal", PLAIN);
    let mut other = package("x.other", "/product/app/O/O.apk", 'o', &[]);
    declare(&mut other, &[("x.permission.O", "signature")]);
    bench.more.push(other);
    bench.app.copies[0].requested_permissions = requests(&["x.permission.O"]);
    let of = |bench: &Bench| answer(&bench.inventory(), "x.app", "x.permission.O");
    assert_eq!(of(&bench), (Refused, vec![Code::OtherSigner]));
    assert_eq!(of(&bench.key('o')), (Granted, vec![Code::DeclarerSigner]));
}

#[test]
fn a_replaced_key_counts_as_far_as_the_proof_of_rotation_goes() {
    let mut newer = signer('n');
    newer.past = vec![PastSigner { sha256: "f".repeat(64), permission: true }];
    let mut bench = Bench::new("signature", PLAIN);
    bench.app.copies[0].signers = known(vec![newer.clone()]);
    bench.expect(Granted, Code::FormerSigner);
    newer.past[0].sha256 = "e".repeat(64);
    bench.app.copies[0].signers = known(vec![newer]);
    bench.expect(Refused, Code::OtherSigner);
    // The platform replaced its key, and trusts the former one with permissions, or not.
    for (permission, outcome) in [(true, Granted), (false, Refused)] {
        let bench = Bench::new("signature", PLAIN);
        let mut inventory = bench.inventory();
        let Fact::Known { value, .. } = &mut inventory.packages else { panic!() };
        let platform = value.iter_mut().find(|package| package.name == "android").unwrap();
        let mut key = signer('f');
        key.past = vec![PastSigner { sha256: "a".repeat(64), permission }];
        platform.copies[0].signers = known(vec![key]);
        assert_eq!(answer(&inventory, "x.app", P).0, outcome, "{permission}");
    }
}

#[test]
fn the_platforms_key_is_that_of_its_shared_user_where_its_own_file_was_not_read() {
    let mut bench = Bench::new("signature", PLAIN).key('s').on(29);
    let name = "android.permission.DEVICE_POWER";
    bench.app.copies[0].requested_permissions = requests(&[name]);
    let mut settings = package("x.settings", "/system/priv-app/S/S.apk", 's', &[]);
    settings.shared_user = known(Some("android.uid.system".to_owned()));
    bench.more.push(settings);
    let mut inventory = bench.inventory();
    let Fact::Known { value, .. } = &mut inventory.packages else { panic!() };
    value.retain(|package| package.name != "android");
    assert_eq!(answer(&inventory, "x.app", name), (Granted, vec![Code::PlatformSigner]));
    let Fact::Known { value, .. } = &mut inventory.packages else { panic!() };
    value.retain(|package| package.name != "x.settings");
    assert_eq!(answer(&inventory, "x.app", name), (Unknown, vec![Code::SignerUnknown]));
}

#[test]
fn privileged_is_for_priv_app_and_not_for_its_neighbours() {
    let level = "signature|privileged";
    Bench::new(level, PRIVILEGED).expect(Granted, Code::PrivilegedPlace);
    Bench::new(level, "/system/priv-apps/X/X.apk").expect(Unknown, Code::NotLoaded);
    Bench::new(level, PLAIN).expect(Refused, Code::NotPrivileged);
    Bench::new(level, "/data/app/x/base.apk").expect(Refused, Code::NotPrivileged);
    Bench::new(level, "/product/data-app/X/X.apk").expect(Refused, Code::NotPrivileged);
    Bench::new("signature|system", PRIVILEGED).expect(Granted, Code::PrivilegedPlace);
    Bench::new("signatureOrSystem", PRIVILEGED).expect(Granted, Code::PrivilegedPlace);
}

#[test]
fn vendors_privileged_apps_need_a_flag_of_their_own() {
    Bench::new("signature|privileged", "/vendor/priv-app/X/X.apk").expect(Refused, Code::NotForVendor);
    Bench::new("signature|privileged", "/odm/priv-app/X/X.apk").expect(Refused, Code::NotForVendor);
    Bench::new("signature|privileged|vendorPrivileged", "/vendor/priv-app/X/X.apk")
        .expect(Granted, Code::PrivilegedPlace);
    Bench::new("signature|privileged", "/product/priv-app/X/X.apk").expect(Granted, Code::PrivilegedPlace);
}

#[test]
fn an_enforced_list_must_have_the_package_and_the_permission_in_the_right_partition() {
    let bench = |lists: Vec<Allowlist>| {
        let mut bench = Bench::new("signature|privileged", "/product/priv-app/X/X.apk");
        bench.controls = controls(Some("enforce"));
        bench.controls.privileged = lists;
        bench
    };
    bench(vec![list("product", "x.app", P)]).expect(Granted, Code::Allowlisted);
    bench(Vec::new()).expect(Refused, Code::NotAllowlisted);
    for neighbour in
        [list("system", "x.app", P), list("product", "x.app1", P), list("product", "x.app", "x.permission.p")]
    {
        bench(vec![neighbour.clone()]).expect(Refused, Code::NotAllowlisted);
    }
    let mut denied = list("product", "x.app", P);
    denied.permissions[0].denied = true;
    bench(vec![denied]).expect(Refused, Code::DeniedByList);
    let mut variant = list("product", "x.app", P);
    variant.sku = Some("nfc".to_owned());
    bench(vec![variant]).expect(Unknown, Code::AllowlistedForVariant);
    let mut unread = bench(Vec::new());
    unread.controls.unread.push(Gap::new("/product/etc/permissions/x.xml", GapReason::Damaged, "XML"));
    unread.expect(Unknown, Code::ListUnread);
    // Not even the platform's key helps against a list, and a list does not help without the place.
    bench(Vec::new()).key('f').expect(Refused, Code::NotAllowlisted);
    let mut plain = bench(vec![list("product", "x.app", P)]);
    plain.app = package("x.app", "/product/app/X/X.apk", 'a', &[P]);
    plain.expect(Refused, Code::NotPrivileged);
}

#[test]
fn only_two_settings_turn_lists_on_and_one_of_them_only_warns() {
    for (setting, outcome) in [
        (Some("enforce"), Refused),
        (Some("ENFORCE"), Refused),
        (Some("log"), Granted),
        (Some("enforced"), Granted),
        (Some("disable"), Granted),
        (None, Granted),
    ] {
        let mut bench = Bench::new("signature|privileged", PRIVILEGED);
        bench.controls = controls(setting);
        assert_eq!(bench.answer().0, outcome, "{setting:?}");
    }
    let mut bench = Bench::new("signature|privileged", PRIVILEGED);
    bench.controls.enforcement = Fact::Unknown(Gap::new("build.prop", GapReason::Damaged, "x"));
    bench.expect(Unknown, Code::ListUnread);
}

#[test]
fn lists_are_only_for_permissions_of_the_platform_and_before_android_9_one_holds_for_all_partitions() {
    let mut bench = Bench::new("normal", PRIVILEGED);
    bench.controls = controls(Some("enforce"));
    let mut other = package("x.other", PLAIN, 'o', &[]);
    declare(&mut other, &[("x.permission.O", "signature|privileged")]);
    bench.more.push(other);
    bench.app.copies[0].requested_permissions = requests(&["x.permission.O"]);
    let found = answer(&bench.inventory(), "x.app", "x.permission.O");
    assert_eq!(found, (Granted, vec![Code::PrivilegedPlace, Code::ListNotNeeded]));
    for (sdk, outcome) in [(27, Granted), (28, Refused)] {
        let mut bench = Bench::new("signature|privileged", "/product/priv-app/X/X.apk").on(sdk);
        bench.controls = controls(Some("enforce"));
        bench.controls.privileged = vec![list("system", "x.app", P)];
        assert_eq!(bench.answer().0, outcome, "{sdk}");
    }
}

#[test]
fn apps_of_an_apex_have_its_list_and_the_systems_since_android_13() {
    for (partition, sdk, outcome) in [
        ("apex/x.apex", 33, Granted),
        ("system", 33, Granted),
        ("apex/x.apexes", 33, Refused),
        ("apex/x.apex", 32, Refused),
    ] {
        let mut bench = Bench::new("signature|privileged", "/apex/x.apex/priv-app/X/X.apk").on(sdk);
        bench.controls = controls(Some("enforce"));
        bench.controls.privileged = vec![list(partition, "x.app", P)];
        assert_eq!(bench.answer().0, outcome, "{partition} {sdk}");
    }
}

#[test]
fn oem_is_for_apps_of_oem_that_its_list_names() {
    let bench = |path: &str, lists: Vec<Allowlist>| {
        let mut bench = Bench::new("signature|oem", path);
        bench.controls.oem = lists;
        bench
    };
    let path = "/oem/app/X/X.apk";
    bench(path, vec![list("oem", "x.app", P)]).expect(Granted, Code::OemListed);
    bench(path, Vec::new()).expect(Refused, Code::OemNotListed);
    bench(path, vec![list("oem", "x.ap", P)]).expect(Refused, Code::OemNotListed);
    bench("/product/app/X/X.apk", vec![list("oem", "x.app", P)]).expect(Refused, Code::OtherSigner);
    let mut denied = list("oem", "x.app", P);
    denied.permissions[0].denied = true;
    bench(path, vec![denied]).expect(Refused, Code::OemDenied);
}

#[test]
fn preinstalled_is_for_every_part_of_the_system() {
    Bench::new("signature|preinstalled", PLAIN).expect(Granted, Code::Preinstalled);
    Bench::new("signature|preinstalled", "/data/app/x/base.apk").expect(Refused, Code::NotSystem);
    Bench::new("signature|preinstalled", "/product/data-app/X/X.apk").expect(Refused, Code::NotSystem);
}

#[test]
fn pre23_is_for_targets_before_23() {
    Bench::new("signature|pre23", PLAIN).target(22).expect(Granted, Code::MadeBefore23);
    Bench::new("signature|pre23", PLAIN).target(23).expect(Refused, Code::OtherSigner);
}

#[test]
fn flags_for_one_package_are_for_the_one_that_answers_its_intent() {
    for (level, intent) in [
        ("signature|installer", "install-package"),
        ("signature|installer", "manage-permissions"),
        ("signature|verifier", "needs-verification"),
        ("signature|setup", "setup-wizard"),
        ("signature|documenter", "open-document"),
        ("internal|installer", "install-package"),
    ] {
        Bench::new(level, PLAIN).answering(intent).expect(Granted, Code::KnownPackage);
        Bench::new(level, PLAIN).answering("dial").expect(Refused, Code::NotKnownPackage);
        Bench::new(level, "/data/app/x/base.apk").answering(intent).expect(Refused, Code::NotKnownPackage);
    }
    // Two set-up wizards are none.
    let mut bench = Bench::new("signature|setup", PLAIN).answering("setup-wizard");
    let mut second = bench.app.clone();
    second.name = "x.second".to_owned();
    bench.more.push(second);
    bench.expect(Refused, Code::NotKnownPackage);
}

#[test]
fn flags_for_a_package_that_the_platform_names_in_a_string_are_not_known_from_an_image() {
    for (level, about) in crate::platform::protection::NAMED {
        let words: &'static str = Box::leak(crate::platform::protection::words(2 | level).into_boxed_str());
        Bench::new(words, PLAIN).expect(Unknown, Code::HolderUnknown);
        Bench::new(words, PLAIN).key('f').expect(Granted, Code::PlatformSigner);
        Bench::new(words, "/data/app/x/base.apk").expect(Refused, Code::NotKnownPackage);
        assert!(words.ends_with(about));
    }
    Bench::new("signature|role", PLAIN).expect(Unknown, Code::RoleOnly);
    Bench::new("signature|role", "/data/app/x/base.apk").expect(Refused, Code::RoleOnly);
}

#[test]
fn development_is_for_developers_and_internal_for_nobody_by_itself() {
    Bench::new("signature|development", PLAIN).expect(Refused, Code::DeveloperOnly);
    Bench::new("internal", PLAIN).key('f').expect(Refused, Code::NoFlagFits);
    Bench::new("internal|preinstalled", PLAIN).expect(Granted, Code::Preinstalled);
    Bench::new("signature|appop", PLAIN).expect(Refused, Code::OtherSigner);
    Bench::new("signature|appop", PLAIN).key('f').expect(Granted, Code::PlatformSigner);
}

#[test]
fn module_is_for_apps_of_an_apex_since_android_13() {
    let path = "/apex/x.apex/app/X/X.apk";
    Bench::new("signature|module", path).on(33).expect(Granted, Code::Module);
    Bench::new("signature|module", path).on(32).expect(Refused, Code::OtherSigner);
    Bench::new("signature|module", PLAIN).on(33).expect(Refused, Code::OtherSigner);
}

#[test]
fn known_signer_is_for_the_certificates_that_the_permission_names() {
    let answered = |certificate: Option<char>| {
        let mut inventory = Bench::new("signature|knownSigner", PLAIN).inventory();
        let Fact::Known { value, .. } = &mut inventory.packages else { panic!() };
        let platform = value.iter_mut().find(|package| package.name == "android").unwrap();
        let Fact::Known { value, .. } = &mut platform.copies[0].declared_permissions else { panic!() };
        value[0].known_certificates = certificate.map(|digit| String::from(digit).repeat(64)).into_iter().collect();
        answer(&inventory, "x.app", P).0
    };
    assert_eq!((answered(Some('a')), answered(Some('b')), answered(None)), (Granted, Refused, Unknown));
}

#[test]
fn members_of_a_shared_user_hold_what_one_of_them_gets() {
    let mut bench = Bench::new("signature|privileged", PLAIN);
    let mut other = package("x.other", PRIVILEGED, 'a', &[P]);
    for member in [&mut bench.app, &mut other] {
        member.shared_user = known(Some("x.shared".to_owned()));
    }
    bench.more.push(other);
    bench.expect(Granted, Code::SharedUser);
    // Another name, or a member that does not ask, gives nothing.
    bench.more[0].shared_user = known(Some("x.share".to_owned()));
    bench.expect(Refused, Code::NotPrivileged);
    bench.more[0].shared_user = known(Some("x.shared".to_owned()));
    bench.more[0].copies[0].requested_permissions = requests(&[]);
    bench.expect(Refused, Code::NotPrivileged);
}

#[test]
fn a_package_leaves_its_shared_user_with_the_version_that_it_names_since_android_13() {
    for (max, sdk, outcome) in [(32, 33, Refused), (33, 33, Granted), (31, 32, Granted)] {
        let mut bench = Bench::new("signature|privileged", PLAIN).on(sdk);
        let mut other = package("x.other", PRIVILEGED, 'a', &[P]);
        for member in [&mut bench.app, &mut other] {
            member.shared_user = known(Some("x.shared".to_owned()));
        }
        bench.app.copies[0].manifest =
            known(ManifestFacts { shared_user_max_sdk: Some(max), ..ManifestFacts::default() });
        bench.more.push(other);
        assert_eq!(bench.answer().0, outcome, "{max} {sdk}");
    }
}

#[test]
fn a_runtime_permission_is_the_users_but_for_old_apps_and_parts_of_the_system() {
    let level = "dangerous";
    Bench::new(level, PRIVILEGED).expect(Refused, Code::AsksUser);
    Bench::new(level, PRIVILEGED).target(22).expect(Granted, Code::LegacyTarget);
    Bench::new(level, PRIVILEGED).target(23).expect(Refused, Code::AsksUser);
    Bench::new("dangerous|runtime", PRIVILEGED).target(22).expect(Refused, Code::AsksUser);
    let persistent = |key: char, path: &str| {
        let mut bench = Bench::new(level, path).key(key);
        bench.app.copies[0].flags = known(vec!["persistent".to_owned()]);
        bench
    };
    persistent('f', PRIVILEGED).expect(Granted, Code::PersistentPlatformApp);
    persistent('a', PRIVILEGED).expect(Refused, Code::AsksUser);
    persistent('f', PLAIN).expect(Refused, Code::AsksUser);
    for (shared, outcome) in [("android.uid.phone", Granted), ("android.uid.phones", Refused)] {
        let mut bench = Bench::new(level, PLAIN);
        bench.app.shared_user = known(Some(shared.to_owned()));
        assert_eq!(bench.answer().0, outcome, "{shared}");
    }
    let mut bench = Bench::new(level, PLAIN);
    bench.app.copies[0].target_sdk = Fact::Unknown(Gap::new("x", GapReason::Missing, "x"));
    bench.expect(Unknown, Code::FactUnknown);
}

#[test]
fn default_grants_name_package_permission_and_since_android_11_a_certificate() {
    let bench = |package: &str, permission: &str, certificate: Option<&str>, path: &str| {
        let mut bench = Bench::new("dangerous", path);
        bench.controls.default_grants = vec![DefaultGrants {
            package: package.to_owned(),
            certificate: certificate.map(str::to_owned),
            partition: "product".to_owned(),
            evidence: at(1),
            permissions: vec![DefaultGrant { name: permission.to_owned(), line: 2, fixed: true }],
        }];
        bench
    };
    let own = "a".repeat(64);
    bench("x.app", P, None, PLAIN).expect(Granted, Code::DefaultGrant);
    bench("x.app", P, Some(&own), PLAIN).expect(Granted, Code::DefaultGrant);
    bench("x.app", P, Some("platform"), PLAIN).expect(Refused, Code::DefaultGrantOtherSigner);
    bench("x.app", P, Some("platform"), PLAIN).key('f').expect(Granted, Code::DefaultGrant);
    bench("x.app", P, Some(&"b".repeat(64)), PLAIN).expect(Refused, Code::DefaultGrantOtherSigner);
    bench("x.app", P, Some(&"b".repeat(64)), PLAIN).on(29).expect(Granted, Code::DefaultGrant);
    bench("x.app2", P, None, PLAIN).expect(Refused, Code::AsksUser);
    bench("x.app", "x.permission.Q", None, PLAIN).expect(Refused, Code::AsksUser);
    bench("x.app", P, None, "/data/app/x/base.apk").expect(Refused, Code::AsksUser);
    let fixed = super::predict(&bench("x.app", P, None, PLAIN).inventory());
    assert!(fixed["x.app"].known().unwrap()[0].fixed);
}

/// A device with the real permission of a default, and one package that may be it.
fn handler(intent: &str, permission: &str, path: &str, sdk: u32) -> Bench {
    let mut bench = Bench::new("normal", path).answering(intent).on(sdk);
    bench.app.copies[0].requested_permissions = requests(&[permission]);
    let mut declaring = package("x.declaring", PLAIN, 'o', &[]);
    declare(&mut declaring, &[(permission, "dangerous")]);
    bench.more.push(declaring);
    bench
}

#[test]
fn the_one_default_for_a_task_gets_its_set_and_two_alike_get_none() {
    let call = "android.permission.CALL_PHONE";
    let of = |bench: &Bench| answer(&bench.inventory(), "x.app", call);
    let bench = handler("dial", call, PLAIN, 29);
    assert_eq!(of(&bench), (Granted, vec![Code::DefaultHandler]));
    assert_eq!(of(&handler("image-capture", call, PLAIN, 29)), (Refused, vec![Code::AsksUser]));
    assert_eq!(of(&handler("dial", call, "/data/app/x/base.apk", 29)), (Refused, vec![Code::AsksUser]));
    let mut two = handler("dial", call, PRIVILEGED, 29);
    let mut second = two.app.clone();
    second.name = "x.second".to_owned();
    two.more.push(second);
    assert_eq!(of(&two), (Refused, vec![Code::AsksUser]));
    // A privileged app may rise above the rest, another may not.
    for (path, outcome) in [(PRIVILEGED, Granted), (PLAIN, Refused)] {
        let mut two = handler("dial", call, path, 29);
        let mut second = two.app.clone();
        second.name = "x.second".to_owned();
        two.more.push(second);
        let Fact::Known { value, .. } = &mut two.app.copies[0].answers else { panic!() };
        value[0].priority = 5;
        assert_eq!(of(&two).0, outcome, "{path}");
    }
    // What another package answers is not known.
    let mut open = handler("dial", call, PLAIN, 29);
    open.more[0].copies[0].answers = Fact::Unknown(Gap::new("x", GapReason::Damaged, "x"));
    assert_eq!(of(&open), (Unknown, vec![Code::DefaultHandlerUnknown]));
}

#[test]
fn defaults_change_with_the_version() {
    let background = "android.permission.ACCESS_BACKGROUND_LOCATION";
    let of = |sdk| answer(&handler("app-browser", background, PLAIN, sdk).inventory(), "x.app", background).0;
    assert_eq!((of(29), of(30)), (Granted, Refused));
    let notify = "android.permission.POST_NOTIFICATIONS";
    let of = |sdk| answer(&handler("dial", notify, PLAIN, sdk).inventory(), "x.app", notify).0;
    assert_eq!((of(32), of(33)), (Refused, Granted));
}

#[test]
fn what_a_permission_was_split_into_comes_with_it_for_older_targets() {
    let (read, media) = ("android.permission.READ_EXTERNAL_STORAGE", "android.permission.ACCESS_MEDIA_LOCATION");
    let of = |target: u32| {
        let mut bench = handler("play-music", read, PLAIN, 29).target(target);
        declare(&mut bench.more[0], &[(read, "dangerous"), (media, "dangerous")]);
        let predictions = super::predict(&bench.inventory());
        let grants = predictions["x.app"].known().unwrap().clone();
        grants.into_iter().find(|grant| grant.permission == media).map(|grant| (grant.outcome, grant.implied_by))
    };
    assert_eq!(of(28), Some((Granted, Some(read.to_owned()))));
    assert_eq!(of(29), None);
    // One that comes with a permission of installation is granted with it.
    let mut bench = Bench::new("normal", PLAIN).target(30);
    bench.controls.split_permissions = vec![SplitPermission {
        permission: P.to_owned(),
        target_sdk: Some(31),
        new: vec!["x.permission.NEW".to_owned()],
        evidence: at(1),
    }];
    let mut declaring = package("x.declaring", PLAIN, 'o', &[]);
    declare(&mut declaring, &[("x.permission.NEW", "dangerous")]);
    bench.more.push(declaring);
    assert_eq!(answer(&bench.inventory(), "x.app", "x.permission.NEW"), (Granted, vec![Code::ComesWith]));
}

#[test]
fn a_request_ends_with_its_last_version() {
    let mut bench = Bench::new("normal", PLAIN);
    if let Fact::Known { value, .. } = &mut bench.app.copies[0].requested_permissions {
        value[0].max_sdk = Some(33);
    }
    assert!(super::predict(&bench.inventory())["x.app"].known().unwrap().is_empty());
    assert_eq!(bench.on(33).answer().0, Granted);
}

#[test]
fn copies_that_differ_leave_the_answer_open() {
    let mut bench = Bench::new("signature|privileged", PRIVILEGED);
    let mut second = bench.app.copies[0].clone();
    let (partition, place) = placement::classify("/product/app/X/X.apk");
    second.path = "/product/app/X/X.apk".to_owned();
    second.partition = known(partition);
    second.placement = known(place);
    second.role = CopyRole::Factory;
    bench.app.copies.push(second);
    bench.expect(Unknown, Code::SeveralCopies);
}

#[test]
fn without_an_api_level_nothing_is_predicted() {
    let mut inventory = Bench::new("normal", PLAIN).inventory();
    inventory.device.sdk = Fact::Unknown(Gap::new("sdk", GapReason::Missing, "x"));
    assert!(super::predict(&inventory).values().all(|fact| fact.known().is_none()));
}

#[test]
fn predictions_of_a_saved_inventory_are_those_of_the_first() {
    let mut inventory = Bench::new("signature|privileged", PRIVILEGED).inventory();
    crate::platform::conclusions::complete(&mut inventory);
    let text = serde_json::to_string(&inventory).unwrap();
    let saved: Inventory = serde_json::from_str(&text).unwrap();
    assert_eq!(saved, inventory);
    assert_eq!(super::predict(&saved), super::predict(&inventory));
}
