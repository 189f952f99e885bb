//! Whether the user can be rid of a pre-installed app.
//!
//! Android removes no app of a system partition: its settings offer to disable it, unless it has the platform's signer,
//! can be the home screen, or is kept by its name or role (AOSP `AppButtonsPreferenceController.handleDisableable`,
//! `Utils.isSystemPackage`, `ApplicationFeatureProvider.getKeepEnabledPackages`). Vendors keep apps that may be removed in
//! places of their own, or list them: MediaTek takes its lists only with `persist.vendor.pms_removable=1`
//! (`PmsExtImpl`). What a vendor's code forbids beside its files does not show.

use std::collections::BTreeMap;

use super::default_roles::{self, PROVISIONING};
use super::framework;
use super::placement;
use super::signing::PlatformSigner;
use super::statements;
use crate::inventory::{
    AdministratorKind, CopyRole, Enabled, Evidence, Fact, Gap, GapReason, Ground, Inventory, Package, PackageCopy,
    Placement, PreinstallAction, Removability, RemovabilityCode, RemovabilityGrade, Role, StubReason,
};

/// Packages that AOSP's settings keep enabled by name: the print spooler, the permission controller, the packages of the
/// libraries that system services share.
const KEPT: [&str; 7] = [
    "com.android.printspooler",
    "com.android.permissioncontroller",
    "com.google.android.permissioncontroller",
    "android.ext.services",
    "android.ext.shared",
    "com.google.android.ext.services",
    "com.google.android.ext.shared",
];
/// Roles whose holder the settings keep enabled.
const REQUIRED: [Role; 2] = [Role::Dialer, Role::Sms];

type Reason = Ground<RemovabilityCode>;

/// What grades depend on beside the package itself, looked up once.
pub struct Context<'a> {
    inventory: &'a Inventory,
    platform: Option<PlatformSigner>,
    /// Packages that are kept for one of these reasons.
    kept: BTreeMap<String, Vec<Reason>>,
}

impl<'a> Context<'a> {
    /// For the packages of an inventory.
    #[must_use]
    pub fn new(inventory: &'a Inventory) -> Self {
        let mut kept: BTreeMap<String, Vec<Reason>> = BTreeMap::new();
        let mut keep = |package: String, code, evidence: &Evidence, says: String| {
            kept.entry(package).or_default().push(Ground { code, evidence: evidence.clone(), says });
        };
        for role in REQUIRED {
            if let Fact::Known { value, evidence } = default_roles::holders(inventory, &role) {
                for package in value {
                    let says = format!("it is the default {}", role.as_str());
                    keep(package, RemovabilityCode::RequiredRole, &evidence, says);
                }
            }
        }
        if let Fact::Known { value, evidence } = default_roles::holders(inventory, &Role::Home) {
            for package in value {
                keep(package, RemovabilityCode::Home, &evidence, "it is the default home screen".to_owned());
            }
        }
        if let Some(value) = default_roles::value(inventory, PROVISIONING).filter(|value| !value.value.is_empty()) {
            let says = format!("{PROVISIONING} names it");
            keep(value.value.clone(), RemovabilityCode::Kept, &value.evidence, says);
        }
        if let Fact::Known { value, evidence } = &inventory.state.administrators {
            // Whoever only administers can be deactivated by the user; an owner can't.
            let owners = value.iter().filter(|admin| admin.kind != AdministratorKind::Administrator);
            for owner in owners.filter(|owner| owner.user.is_none_or(|user| user == 0)) {
                let package = owner.component.split('/').next().unwrap_or_default().to_owned();
                let says = format!("{} owns the device or its first user", owner.component);
                keep(package, RemovabilityCode::DeviceOwner, evidence, says);
            }
        }
        if let Some(evidence) = inventory.packages.evidence() {
            for name in KEPT {
                let says = "Android's settings keep this package enabled".to_owned();
                keep(name.to_owned(), RemovabilityCode::Kept, evidence, says);
            }
        }
        Self { inventory, platform: PlatformSigner::of(inventory), kept }
    }

    /// The grade of a package.
    #[must_use]
    pub fn removability(&self, package: &Package) -> Fact<Removability> {
        let Some(listed) = self.inventory.packages.evidence() else {
            return Fact::Unknown(gap(package, GapReason::Missing, "the list of packages is not known"));
        };
        let mut case = Case { context: self, package, listed, grounds: Vec::new() };
        let grade = case.grade();
        match grade {
            Ok(grade) => {
                let grounds = case.settle(grade);
                let evidence = grounds.first().map_or_else(|| listed.clone(), |ground| ground.evidence.clone());
                Fact::new(Removability { grade, grounds }, &evidence)
            }
            Err(gap) => Fact::Unknown(gap),
        }
    }
}

fn gap(package: &Package, reason: GapReason, words: impl Into<String>) -> Gap {
    Gap::new(format!("removability of {}", package.name), reason, words)
}

struct Case<'a> {
    context: &'a Context<'a>,
    package: &'a Package,
    listed: &'a Evidence,
    grounds: Vec<Reason>,
}

impl Case<'_> {
    fn add(&mut self, code: RemovabilityCode, evidence: Option<&Evidence>, says: impl Into<String>) {
        let evidence = evidence.unwrap_or(self.listed).clone();
        self.grounds.push(Ground { code, evidence, says: says.into() });
    }

    fn grade(&mut self) -> Result<RemovabilityGrade, Gap> {
        let package = self.package;
        let kept = self.context.kept.get(&package.name).into_iter().flatten();
        if let Some(owner) = kept.into_iter().find(|ground| ground.code == RemovabilityCode::DeviceOwner) {
            self.grounds.push(owner.clone());
            return Ok(RemovabilityGrade::NotRemovable);
        }
        let of_firmware: Vec<&PackageCopy> =
            package.copies.iter().filter(|copy| copy.role == CopyRole::Factory).collect();
        let Some(first) = of_firmware.first() else {
            if package.copies.iter().any(|copy| copy.role == CopyRole::Updated) {
                // An update of a factory copy that the device does not list.
                return self.system_app(package.active());
            }
            let place = package.active().map_or("", |copy| copy.path.as_str());
            self.add(RemovabilityCode::UserSpace, None, format!("{place}: the firmware has no copy"));
            return Ok(RemovabilityGrade::UserRemovable);
        };
        let placed = |wanted: &dyn Fn(Placement) -> bool| {
            of_firmware.iter().copied().find(|copy| copy.placement.known().is_some_and(|placement| wanted(*placement)))
        };
        let loaded = |placement| {
            matches!(
                placement,
                Placement::Privileged | Placement::System | Placement::Overlay | Placement::Framework | Placement::Apex
            )
        };
        if let Some(copy) = placed(&loaded) {
            if placement::is_fixed(&copy.path) {
                let says = format!("{}: the vendor's place for apps that stay", copy.path);
                self.add(RemovabilityCode::FixedPlace, copy.placement.evidence(), says);
                return Ok(RemovabilityGrade::NotRemovable);
            }
            return self.system_app(Some(copy));
        }
        if let Some(copy) = placed(&|placement| placement == Placement::RemovablePreload) {
            let says = format!("{}: a place of the vendor for apps that the user may remove", copy.path);
            self.add(RemovabilityCode::VendorPlace, copy.placement.evidence(), says);
            self.removable_lists();
            return Ok(if placement::is_gone_for_good(&copy.path) {
                RemovabilityGrade::UserRemovable
            } else {
                RemovabilityGrade::ReturnsAfterReset
            });
        }
        if let Fact::Unknown(gap) = &first.placement {
            return Err(gap.clone());
        }
        if self.removable_lists() {
            return Ok(RemovabilityGrade::ReturnsAfterReset);
        }
        let mut installed = statements::about(self.context.inventory, package, PreinstallAction::Install);
        if let Some(statement) = installed.find(|statement| statement.may_hold()) {
            let says = "it is installed in /data at first boot".to_owned();
            let evidence = statement.evidence.clone();
            self.add(RemovabilityCode::UserSpace, Some(&evidence), says);
            return Ok(RemovabilityGrade::ReturnsAfterReset);
        }
        let words = format!("{}: Android loads nothing from there by itself, and no list names it", first.path);
        Err(gap(package, GapReason::NotObserved, words))
    }

    /// Adds the lists that name it as removable and hold. Whether there are any.
    fn removable_lists(&mut self) -> bool {
        let found: Vec<(Evidence, String)> =
            statements::about(self.context.inventory, self.package, PreinstallAction::Removable)
                .filter(|statement| statement.holds())
                .map(|statement| {
                    let condition = statement.condition.as_ref().map(|condition| format!(" ({})", condition.says));
                    let says = format!("a list names it as removable{}", condition.unwrap_or_default());
                    (statement.evidence.clone(), says)
                })
                .collect();
        for (evidence, says) in &found {
            self.add(RemovabilityCode::RemovableList, Some(evidence), says.clone());
        }
        !found.is_empty()
    }

    fn system_app(&mut self, copy: Option<&PackageCopy>) -> Result<RemovabilityGrade, Gap> {
        let package = self.package;
        let Some(copy) = copy else {
            return Err(gap(package, GapReason::Missing, "no copy of it was read"));
        };
        if self.removable_lists() {
            self.system(copy);
            return Ok(RemovabilityGrade::ReturnsAfterReset);
        }
        if package.name == "android" || copy.placement.known() == Some(&Placement::Framework) {
            self.add(RemovabilityCode::Platform, copy.placement.evidence(), format!("{} is the platform", copy.path));
        }
        let flag = |name: &str| copy.flags.known().is_some_and(|flags| flags.iter().any(|flag| flag == name));
        if flag("persistent") || flag("PERSISTENT") {
            let says = "android:persistent: Android starts it with the system and keeps it running";
            self.add(RemovabilityCode::Persistent, copy.flags.evidence(), says);
        }
        let roles = copy.manifest.known().map(|manifest| manifest.roles.as_slice()).unwrap_or_default();
        if roles.iter().any(|role| role == "home") {
            self.add(RemovabilityCode::Home, copy.manifest.evidence(), "it can be the home screen");
        }
        for ground in self.context.kept.get(&package.name).into_iter().flatten() {
            if !self.grounds.iter().any(|other| other.code == ground.code) {
                self.grounds.push(ground.clone());
            }
        }
        let platform_signed = self.context.platform.as_ref().and_then(|platform| platform.signed(copy));
        if let (Some(true), Some(platform)) = (platform_signed, &self.context.platform) {
            let says = format!("it has the signer of {}", platform.package);
            self.add(RemovabilityCode::PlatformSigned, copy.signers.evidence(), says);
        }
        if !self.grounds.is_empty() {
            self.system(copy);
            return Ok(RemovabilityGrade::NotRemovable);
        }
        if self.stub(copy) {
            self.system(copy);
            return Ok(RemovabilityGrade::StubUpdatesItself);
        }
        let disabled = self.was_disabled_by_user();
        if let Fact::Unknown(unknown) = &copy.flags
            && !disabled
        {
            return Err(unknown.clone());
        }
        match platform_signed {
            Some(_) => {}
            None if disabled => {}
            None => {
                let unknown = copy.signers.gap().cloned();
                return Err(unknown.unwrap_or_else(|| framework::missing(self.context.inventory)));
            }
        }
        self.system(copy);
        Ok(RemovabilityGrade::DisableOnly)
    }

    fn system(&mut self, copy: &PackageCopy) {
        let partition = copy.partition.known().map_or("a system partition", String::as_str);
        let says = format!("{}: part of {partition}", copy.path);
        self.add(RemovabilityCode::SystemApp, copy.partition.evidence(), says);
    }

    fn stub(&mut self, copy: &PackageCopy) -> bool {
        let placeholder = copy.code.known().is_some_and(|code| code.stub == Some(StubReason::StubFolder));
        let full_form = statements::about(self.context.inventory, self.package, PreinstallAction::Install)
            .find(|statement| statements::is_full_form(&statement.subject, &copy.path));
        let evidence = full_form.map(|statement| statement.evidence.clone());
        let says = match full_form {
            Some(statement) => format!("{} holds its full form, which Android installs in /data", statement.subject),
            None if placeholder => format!("{} is a placeholder", copy.path),
            None => return false,
        };
        self.add(RemovabilityCode::Stub, evidence.as_ref().or(copy.code.evidence()), says);
        true
    }

    fn was_disabled_by_user(&mut self) -> bool {
        let Fact::Known { value, evidence } = &self.package.users else { return false };
        let disabled = value.iter().any(|state| state.user == 0 && state.enabled == Enabled::DisabledByUser);
        if disabled {
            let evidence = evidence.clone();
            self.add(RemovabilityCode::State, Some(&evidence), "the user has disabled it");
        }
        disabled
    }

    /// The grounds, with what a phone says of its state.
    fn settle(mut self, grade: RemovabilityGrade) -> Vec<Reason> {
        if self.context.inventory.target.kind.has_run()
            && grade != RemovabilityGrade::UserRemovable
            && let Fact::Known { value, evidence } = &self.package.users
            && value.iter().any(|state| state.user == 0 && !state.installed)
        {
            let evidence = evidence.clone();
            self.add(RemovabilityCode::State, Some(&evidence), "it is uninstalled for user 0");
        }
        self.grounds
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, copy, image, known, phone, phone_app, signer, state, unknown, with};
    use super::*;
    use crate::inventory::{Administrator, RoleHolder};

    /// The grade and its grounds, or why there is none.
    fn grade(inventory: &Inventory, name: &str) -> Result<(RemovabilityGrade, Vec<RemovabilityCode>), GapReason> {
        let package = inventory.package(name).unwrap();
        match Context::new(inventory).removability(package) {
            Fact::Known { value, .. } => Ok((value.grade, value.grounds.iter().map(|ground| ground.code).collect())),
            Fact::Unknown(gap) => Err(gap.reason),
        }
    }

    /// The platform, signed with a key of its own.
    fn platform() -> Package {
        let mut platform = app("android");
        platform.copies[0].signers = known(vec![signer('f')]);
        platform.copies[0].placement = known(Placement::Framework);
        platform
    }

    #[test]
    fn an_app_of_the_system_can_be_disabled_unless_the_platform_signed_it() {
        use RemovabilityCode::{PlatformSigned, SystemApp};
        let mut signed = app("com.signed");
        signed.copies[0].signers = known(vec![signer('f')]);
        let inventory = with(image(), [platform(), app("com.plain"), signed]);
        assert_eq!(grade(&inventory, "com.plain"), Ok((RemovabilityGrade::DisableOnly, vec![SystemApp])));
        let not = RemovabilityGrade::NotRemovable;
        assert_eq!(grade(&inventory, "com.signed"), Ok((not, vec![PlatformSigned, SystemApp])));
    }

    #[test]
    fn without_the_platforms_signer_or_the_apps_own_nothing_is_said() {
        assert_eq!(grade(&with(image(), [app("com.plain")]), "com.plain"), Err(GapReason::Missing));
        let mut unread = app("com.unread");
        unread.copies[0].signers = unknown();
        assert_eq!(grade(&with(image(), [platform(), unread]), "com.unread"), Err(GapReason::NotObserved));
        // The system's shared user has the platform's signer, too.
        let mut shared = app("com.shared");
        shared.shared_user = known(Some("android.uid.system".to_owned()));
        shared.copies[0].signers = known(vec![signer('f')]);
        let inventory = with(image(), [shared, app("com.plain")]);
        assert_eq!(grade(&inventory, "com.plain").unwrap().0, RemovabilityGrade::DisableOnly);
        assert_eq!(grade(&inventory, "com.shared").unwrap().0, RemovabilityGrade::NotRemovable);
    }

    #[test]
    fn a_phone_tells_of_owners_holders_and_states() {
        let inventory = |change: &dyn Fn(&mut Inventory, &mut Package)| {
            let mut inventory = phone();
            let mut package = phone_app("com.app");
            change(&mut inventory, &mut package);
            let mut platform = platform();
            platform.users = known(vec![state(0)]);
            with(inventory, [platform, package])
        };
        let plain = inventory(&|_, _| {});
        assert_eq!(grade(&plain, "com.app").unwrap().0, RemovabilityGrade::DisableOnly);
        let owner = |kind, component: &str| {
            let component = component.to_owned();
            inventory(&move |inventory, _| {
                let owner = Administrator { user: Some(0), kind, component: component.clone() };
                inventory.state.administrators = known(vec![owner]);
            })
        };
        let owned = grade(&owner(AdministratorKind::DeviceOwner, "com.app/.Admin"), "com.app").unwrap();
        assert_eq!(owned, (RemovabilityGrade::NotRemovable, vec![RemovabilityCode::DeviceOwner]));
        for other in [
            owner(AdministratorKind::DeviceOwner, "com.app2/.Admin"),
            owner(AdministratorKind::Administrator, "com.app/.Admin"),
        ] {
            assert_eq!(grade(&other, "com.app").unwrap().0, RemovabilityGrade::DisableOnly);
        }
        let holder = |role: Role, user| {
            inventory(&move |inventory, _| {
                let holder = RoleHolder { role: role.clone(), package: "com.app".to_owned(), user };
                inventory.role_holders = known(vec![holder]);
            })
        };
        assert_eq!(grade(&holder(Role::Sms, Some(0)), "com.app").unwrap().1[0], RemovabilityCode::RequiredRole);
        assert_eq!(grade(&holder(Role::Sms, Some(10)), "com.app").unwrap().0, RemovabilityGrade::DisableOnly);
        assert_eq!(grade(&holder(Role::Browser, Some(0)), "com.app").unwrap().0, RemovabilityGrade::DisableOnly);
        let disabled = inventory(&|_, package| {
            let mut owner = state(0);
            owner.enabled = Enabled::DisabledByUser;
            package.users = known(vec![owner]);
            package.copies[0].signers = unknown();
        });
        let found = grade(&disabled, "com.app").unwrap();
        assert_eq!(found, (RemovabilityGrade::DisableOnly, vec![RemovabilityCode::State, RemovabilityCode::SystemApp]));
        let added = inventory(&|_, package| package.copies = vec![copy("com.app", CopyRole::Added)]);
        let found = grade(&added, "com.app").unwrap();
        assert_eq!(found, (RemovabilityGrade::UserRemovable, vec![RemovabilityCode::UserSpace]));
    }

    #[test]
    fn a_persistent_app_stays_whatever_its_signer() {
        for flag in ["persistent", "PERSISTENT"] {
            let mut package = app("com.app");
            package.copies[0].flags = known(vec![flag.to_owned()]);
            let found = grade(&with(image(), [platform(), package]), "com.app").unwrap();
            assert_eq!((found.0, found.1[0]), (RemovabilityGrade::NotRemovable, RemovabilityCode::Persistent));
        }
        let mut package = app("com.app");
        package.copies[0].flags = known(vec!["persistents".to_owned()]);
        let found = grade(&with(image(), [platform(), package]), "com.app").unwrap();
        assert_eq!(found.0, RemovabilityGrade::DisableOnly);
    }
}
