//! What each Android version's forms become.

use preloaded::inventory::{
    CopyRole, DeviceKind, Enabled, Fact, GapReason, GrantKind, Hides, Inventory, OsFlavour, Package, SignerDepth,
};

use super::double::Phone;

fn package<'a>(inventory: &'a Inventory, name: &str) -> &'a Package {
    inventory.package(name).unwrap_or_else(|| panic!("{name} is not there"))
}

fn names(inventory: &Inventory) -> Vec<&str> {
    inventory.packages.known().unwrap().iter().map(|package| package.name.as_str()).collect()
}

fn reason<T>(fact: &Fact<T>) -> GapReason {
    fact.gap().expect("a gap").reason
}

#[test]
fn android_14_with_two_users_is_read_whole() {
    let inventory = Phone::fictional("android14").collect().unwrap();
    assert_eq!(inventory.gaps, []);
    assert_eq!(inventory.device.region.known().unwrap().as_deref(), Some("RU"));
    assert_eq!(inventory.device.build_date.known().unwrap(), "2024-03-31");
    let users: Vec<_> = inventory.users.known().unwrap().iter().map(|user| (user.id, user.running)).collect();
    assert_eq!(users, [(0, Some(true)), (10, Some(true))]);
    assert_eq!(
        names(&inventory),
        [
            "android",
            "com.fiction.browser",
            "com.fiction.dialer",
            "com.fiction.game",
            "com.fiction.notes",
            "com.fiction.overlay",
            "com.fiction.settings"
        ]
    );
    let dialer = package(&inventory, "com.fiction.dialer");
    let grants: Vec<_> = dialer.grants.known().unwrap().iter().collect();
    assert_eq!(grants.len(), 3);
    assert_eq!((grants[0].user, grants[0].kind, grants[0].granted), (None, GrantKind::Install, true));
    assert_eq!((grants[1].user, grants[1].granted), (Some(0), true));
    assert_eq!(grants[1].flags, ["SYSTEM_FIXED", "GRANTED_BY_DEFAULT"]);
    assert_eq!((grants[2].user, grants[2].granted), (Some(10), false));
    let copy = dialer.active().unwrap();
    assert_eq!(copy.path, "/product/priv-app/Dialer/Dialer.apk");
    assert_eq!(copy.launcher.known().unwrap(), &["com.fiction.dialer.Dial", "com.fiction.dialer.Log"]);
    assert_eq!(copy.code.known().unwrap().abis, ["arm64-v8a"]);
    assert_eq!(copy.declared_permissions.known().unwrap()[0].protection.as_deref(), Some("signature"));
    assert_eq!(reason(&copy.label), GapReason::NotObserved);
    let signer = &copy.signers.known().unwrap()[0];
    assert_eq!((signer.hash_code.as_str(), &signer.sha256, signer.depth), ("b4addb29", &None, SignerDepth::Device));
}

#[test]
fn an_updated_system_app_has_its_factory_copy_beside_it() {
    let inventory = Phone::fictional("android14").collect().unwrap();
    let browser = package(&inventory, "com.fiction.browser");
    let copies: Vec<_> = browser.copies.iter().map(|copy| (copy.role, copy.version_code.known().copied())).collect();
    assert_eq!(copies, [(CopyRole::Updated, Some(120)), (CopyRole::Factory, Some(100))]);
    assert_eq!(browser.copies[0].path, "/data/app/~~AAAA==/com.fiction.browser-BBBB==/base.apk");
    assert_eq!(browser.copies[1].path, "/product/app/Browser");
    assert_eq!(browser.copies[0].splits.known().unwrap().len(), 2);
    let asked = |at: usize| browser.copies[at].requested_permissions.known().unwrap().len();
    assert_eq!((asked(0), asked(1)), (1, 2), "the update asks for less than the factory copy");
    assert_eq!(browser.copies[0].signers.known().unwrap()[0].hash_code, "0fa41615");
    assert_eq!(reason(&browser.copies[1].launcher), GapReason::NotObserved);
}

#[test]
fn a_package_that_a_store_installed_is_counted_and_not_named() {
    let phone = Phone::fictional("android14");
    let inventory = phone.collect().unwrap();
    assert_eq!(inventory.omitted_packages.known(), Some(&1));
    let json = serde_json::to_string(&inventory).unwrap();
    assert!(!json.contains("com.fiction.chat"), "not even in a gap");
    assert!(!json.contains("FICTION0001"), "nor the serial number");
    let named = phone.collect_also(&["com.fiction.chat"]).unwrap();
    assert_eq!(named.omitted_packages.known(), Some(&0));
    assert_eq!(package(&named, "com.fiction.chat").active().unwrap().role, CopyRole::Added);
    assert_eq!(package(&inventory, "com.fiction.notes").active().unwrap().role, CopyRole::Added);
}

#[test]
fn a_shared_users_permissions_belong_to_each_member() {
    let inventory = Phone::fictional("android14").collect().unwrap();
    let settings = package(&inventory, "com.fiction.settings");
    assert_eq!(settings.shared_user.known().unwrap().as_deref(), Some("android.uid.system"));
    assert_eq!(settings.grants, package(&inventory, "android").grants);
    assert_eq!(settings.grants.known().unwrap().len(), 4);
    let source = inventory.origin(settings.grants.evidence().unwrap()).unwrap();
    assert_eq!(source.name, "dumpsys -t 60 package shared-users");
    assert_eq!(settings.grants.evidence().unwrap().at.as_deref(), Some("line 2"));
}

#[test]
fn state_is_told_for_each_user_and_a_disabled_package_has_no_known_icon() {
    let inventory = Phone::fictional("android14").collect().unwrap();
    let overlay = package(&inventory, "com.fiction.overlay");
    let states = overlay.users.known().unwrap();
    assert_eq!((states[0].enabled, states[1].enabled), (Enabled::DisabledByUser, Enabled::Default));
    assert_eq!(states[0].last_disabled_caller.as_deref(), Some("shell:2000"));
    assert_eq!(overlay.active().unwrap().launcher.known().unwrap(), &Vec::<String>::new(), "enabled for user 10");
    assert_eq!(reason(&overlay.active().unwrap().requested_permissions), GapReason::NotObserved);
    let game = package(&inventory, "com.fiction.game");
    assert_eq!(game.users.known().unwrap().iter().map(|state| state.installed).collect::<Vec<_>>(), [false, true]);
    assert_eq!(reason(&game.active().unwrap().launcher), GapReason::NotObserved);
    assert_eq!(game.active().unwrap().version_name.known(), Some(&None));
}

#[test]
fn android_5_is_asked_in_its_own_forms() {
    let phone = Phone::fictional("android5");
    let inventory = phone.collect().unwrap();
    assert_eq!(inventory.gaps, []);
    assert!(phone.log.borrow().iter().all(|line| !line.contains(" -t ") && !line.contains("query-activities")));
    let mail = package(&inventory, "com.fiction.mail");
    let copy = mail.active().unwrap();
    assert_eq!((copy.version_code.known(), copy.target_sdk.known()), (Some(&5), Some(&22)));
    assert_eq!(reason(&copy.min_sdk), GapReason::Missing);
    assert_eq!(copy.signers.known().unwrap()[0].hash_code, "01a2b3c4");
    assert_eq!(reason(&copy.requested_permissions), GapReason::Unsupported);
    let grants: Vec<_> = mail.grants.known().unwrap().iter().map(|grant| (grant.kind, grant.granted)).collect();
    assert_eq!(grants, [(GrantKind::Install, true); 2]);
    let state = &mail.users.known().unwrap()[0];
    assert_eq!((state.enabled, state.installed, state.suspended), (Enabled::Disabled, true, false));
    assert_eq!(state.last_disabled_caller.as_deref(), Some("com.fiction.settings"));
    let phone_app = package(&inventory, "com.fiction.phone");
    assert_eq!(phone_app.grants.known().unwrap()[0].permission, "android.permission.CALL_PHONE");
    assert_eq!(inventory.device.kind.known(), Some(&DeviceKind::Tablet));
    assert_eq!(mail.uid.known(), Some(&10031));
}

#[test]
fn a_refused_list_of_a_user_is_a_gap_while_the_dump_tells_the_state() {
    let inventory = Phone::fictional("android9").collect().unwrap();
    let gaps: Vec<_> = inventory.gaps.iter().map(|gap| (gap.reason, gap.hides)).collect();
    assert_eq!(gaps, [(GapReason::Refused, Hides::Users)]);
    assert!(inventory.gaps[0].place.ends_with("--user 150"));
    assert_eq!(
        inventory.gaps[0].detail,
        "java.lang.SecurityException: Shell does not have permission to access user 150"
    );
    let camera = package(&inventory, "com.fiction.camera");
    let states = camera.users.known().unwrap();
    assert_eq!((states[1].user, states[1].installed, states[1].hidden), (150, false, true));
    assert_eq!(states[1].enabled, Enabled::Unrecognised);
    assert_eq!(camera.grants.known().unwrap().len(), 4);
    let copy = camera.active().unwrap();
    assert_eq!(copy.version_code.known(), Some(&4_294_967_301));
    assert_eq!(copy.version_name.known().unwrap().as_deref(), Some("9 build [1]: a=b"));
    assert_eq!(copy.signers.known().unwrap().len(), 2, "past certificates sign nothing");
    assert_eq!(copy.requested_permissions.known().unwrap().len(), 2);
    assert_eq!(inventory.device.region.known().unwrap().as_deref(), Some("SER"));
    let odd = inventory.permissions.known().unwrap().iter().find(|permission| permission.name == "vendor.ODD");
    assert_eq!(odd.unwrap().protection, None);
}

#[test]
fn android_16_words_and_kinds_of_package_are_read() {
    let inventory = Phone::fictional("android16").collect().unwrap();
    assert_eq!(inventory.gaps, []);
    assert_eq!(names(&inventory), ["com.fiction.apex", "com.fiction.bank", "com.fiction.lib"]);
    assert_eq!(inventory.device.os_flavour.known(), Some(&OsFlavour::HyperOs));
    let bank = package(&inventory, "com.fiction.bank");
    assert_eq!(bank.installer.known().unwrap().as_deref(), Some("com.fiction.store"), "kept: it is a system app");
    let state = &bank.users.known().unwrap()[0];
    assert_eq!((state.suspended, state.stopped, state.enabled), (true, true, Enabled::DisabledUntilUsed));
    assert_eq!(bank.copies[0].splits.known().unwrap()[0].name, "config.ru");
    let install = &bank.grants.known().unwrap()[0];
    assert_eq!((install.kind, install.granted), (GrantKind::Install, false));
    let apex = package(&inventory, "com.fiction.apex");
    assert_eq!(reason(&apex.uid), GapReason::Damaged);
    assert_eq!(reason(&apex.active().unwrap().signers), GapReason::Damaged, "no number is not the same as unsigned");
}

#[test]
fn without_a_dump_the_lists_give_names_and_paths_and_a_gap() {
    let inventory = Phone::fictional("android14").without("packages").collect().unwrap();
    let found = names(&inventory);
    assert!(found.contains(&"com.fiction.dialer") && !found.contains(&"com.fiction.chat"));
    let dialer = package(&inventory, "com.fiction.dialer");
    assert_eq!(dialer.active().unwrap().version_code.known(), Some(&50));
    assert_eq!(reason(&dialer.grants), GapReason::Failed);
    assert_eq!(inventory.omitted_packages.known(), Some(&2), "the updated browser can't be told from the chat");
    assert!(inventory.gaps_hiding_packages().count() > 0);
}

#[test]
fn without_dump_and_lists_packages_are_unknown_and_hidden() {
    let phone = Phone::fictional("android14").without("packages").without("list-0").without("list-10");
    let inventory = phone.collect().unwrap();
    assert_eq!(inventory.packages.gap().unwrap().hides, Hides::Packages);
    assert_eq!(inventory.device.brand.known().unwrap(), "Fiction");
}

#[test]
fn a_phone_that_does_not_know_the_option_is_asked_in_the_older_form() {
    let phone = Phone::fictional("android14");
    let words = b"Error: Unknown option: -t".to_vec();
    let mut old = Phone { answers: phone.answers.clone(), ..Phone::default() };
    old.sabotage = Some((
        3,
        super::double::Sabotage::Says(preloaded::adb::Answer { stdout: Vec::new(), stderr: words, status: 255 }),
    ));
    let inventory = old.collect().unwrap();
    let log = old.log.borrow();
    assert_eq!((log[3].as_str(), log[4].as_str()), ("dumpsys -t 60 package packages", "dumpsys package packages"));
    assert_eq!(names(&inventory).len(), 7);
    assert_eq!(inventory.gaps.iter().map(|gap| gap.reason).collect::<Vec<_>>(), [GapReason::Failed]);
}

#[test]
fn a_package_that_only_one_of_dump_and_list_has_is_a_contradiction() {
    let line =
        "package:/product/app/Ghost/Ghost.apk=com.fiction.ghost versionCode:1  installer=null uid:10999\npackage:";
    let more =
        Phone::fictional("android14").edit("list-0", "package:/product/app/Game", &format!("{line}/product/app/Game"));
    let inventory = more.collect().unwrap();
    let gap = &inventory.gaps[0];
    assert_eq!((gap.reason, gap.hides), (GapReason::Contradiction, Hides::Packages));
    assert!(gap.detail.contains("com.fiction.ghost"));

    let less = Phone::fictional("android14").edit("list-10", "=com.fiction.dialer ", "=com.fiction.other ");
    let inventory = less.collect().unwrap();
    let hidden: Vec<_> = inventory.gaps.iter().map(|gap| (gap.reason, gap.hides)).collect();
    assert!(hidden.contains(&(GapReason::Contradiction, Hides::Users)), "{hidden:?}");

    let private = Phone::fictional("android14").edit("list-0", "=com.fiction.chat ", "=com.fiction.secret ");
    let json = serde_json::to_string(&private.collect().unwrap()).unwrap();
    assert!(
        json.contains("contradiction") && !json.contains("com.fiction.secret") && !json.contains("com.fiction.chat")
    );
}

#[test]
fn a_dump_stopped_by_the_phone_keeps_what_is_whole_and_hides_packages() {
    let phone = Phone::fictional("android14");
    let text = String::from_utf8(phone.answers["packages"].clone()).unwrap();
    let cut = text.find("    install permissions:").unwrap();
    let stopped = format!("{}*** SERVICE 'package' DUMP TIMEOUT (60000ms) EXPIRED ***\n", &text[..cut]);
    let inventory = phone.answer("packages", stopped).collect().unwrap();
    let last = package(&inventory, "com.fiction.dialer");
    assert_eq!(reason(&last.grants), GapReason::Truncated);
    assert_eq!(reason(&last.users), GapReason::Truncated);
    assert_eq!(last.active().unwrap().version_code.known(), Some(&50));
    assert!(inventory.gaps_hiding_packages().any(|gap| gap.reason == GapReason::Truncated));
    assert_eq!(reason(&inventory.omitted_packages), GapReason::Truncated);
}

#[test]
fn an_unreadable_grant_is_never_a_refusal() {
    let from = "CALL_PHONE: granted=false, flags";
    let runtime = Phone::fictional("android14").edit("packages", from, "CALL_PHONE: granted=X, flags");
    let inventory = runtime.collect().unwrap();
    assert_eq!(reason(&package(&inventory, "com.fiction.dialer").grants), GapReason::Damaged);

    let install =
        Phone::fictional("android14").edit("shared-users", "MANAGE_USERS: granted=true", "MANAGE_USERS: granted=X");
    let inventory = install.collect().unwrap();
    let grants = package(&inventory, "com.fiction.settings").grants.known().unwrap();
    assert!(grants.iter().any(|grant| grant.permission.ends_with("MANAGE_USERS") && grant.granted));
    assert_eq!(inventory.gaps[0].reason, GapReason::Damaged);
}

#[test]
fn the_same_phone_gives_the_same_bytes() {
    let json = || serde_json::to_string(&Phone::fictional("android14").collect().unwrap()).unwrap();
    assert_eq!(json(), json());
}
