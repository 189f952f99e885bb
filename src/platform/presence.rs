//! In which way an app is there for the owner of the device.
//!
//! Of an image before its first boot: by where its files lie, and by what vendors' lists, scripts and layouts say. Sources
//! of the rules: Xiaomi installs from `/cust/app` only what the lists of the device's variant name
//! (`MiuiBusinessPreinstallConfig`), Huawei from its regional folders only what its lists name (`HwPreAppManager`),
//! Samsung everything below its folders for preloads (`PrePackageInstallerBase`); AOSP leaves packages out for types of
//! user (`UserSystemPackageInstaller`, since Android 11) and unpacks compressed full forms beside placeholders.

use std::collections::BTreeSet;

use super::default_roles::{self, USER_TYPE_MODE};
use super::framework;
use super::home_layout::is_application_id;
use super::statements;
use crate::inventory::{
    Arrival, CopyRole, Evidence, Fact, Gap, GapReason, Ground, Inventory, LayoutItem, LayoutItemKind, Package,
    PackageCopy, Placement, Preinstall, PreinstallAction, PreinstallSubject, Presence, PresenceCode, PresenceState,
    StubReason,
};

/// Grounds that one answer names.
const MAX_GROUNDS: usize = 8;
/// First version that leaves packages out by the type of user.
const USER_TYPES_SINCE: u32 = 30;
/// Types that user 0 is of, on a device whose system user is a person.
const OWNER_TYPES: [&str; 3] = ["user type SYSTEM", "user type FULL", "user type android.os.usertype.full.SYSTEM"];
/// The bit of the mode that makes Android leave packages out.
const ENFORCED: u32 = 1;

type Reason = Ground<PresenceCode>;

/// The presence of a package of the inventory.
#[must_use]
pub fn of_package(inventory: &Inventory, package: &Package) -> Fact<Presence> {
    let Some(listed) = inventory.packages.evidence() else {
        return Fact::Unknown(gap(&package.name, GapReason::Missing, "the list of packages is not known"));
    };
    let mut case = Case { inventory, package, listed, grounds: Vec::new() };
    let state = if inventory.target.kind.has_run() { case.of_phone() } else { case.of_image() };
    match state {
        Ok(state) => known(state, case.grounds, listed),
        Err(gap) => Fact::Unknown(gap),
    }
}

/// The presence of any app: of the inventory's packages, of what arrives, else its absence where no gap may hide it.
#[must_use]
pub fn of(inventory: &Inventory, name: &str) -> Fact<Presence> {
    if let Some(package) = inventory.package(name) {
        return match &package.presence {
            fact if fact.was_not_asked() => of_package(inventory, package),
            fact => fact.clone(),
        };
    }
    if let Some(arrival) = arrival(inventory, name) {
        let first = arrival.grounds.first().map(|ground| ground.evidence.clone());
        return match first {
            Some(evidence) => Fact::new(arrival, &evidence),
            None => Fact::Unknown(gap(name, GapReason::Missing, "nothing says how it arrives")),
        };
    }
    match (inventory.gaps_hiding_packages().next(), inventory.packages.evidence()) {
        (Some(gap), _) => Fact::Unknown(gap.clone()),
        (None, Some(listed)) => known(PresenceState::Absent, Vec::new(), listed),
        (None, None) => Fact::Unknown(gap(name, GapReason::Missing, "the list of packages is not known")),
    }
}

/// Every app that is not among the packages, and yet shows or arrives, by package.
#[must_use]
pub fn arrivals(inventory: &Inventory) -> Fact<Vec<Arrival>> {
    let (Fact::Known { evidence, .. }, Fact::Known { .. }) = (&inventory.preinstalls, &inventory.layouts) else {
        let unknown = inventory.preinstalls.gap().or(inventory.layouts.gap()).cloned();
        return Fact::Unknown(unknown.unwrap_or_else(|| gap("apps", GapReason::Missing, "nothing was read")));
    };
    let mut names: BTreeSet<String> = fetched(inventory).filter_map(subject).collect();
    names.extend(icons(inventory).filter_map(|item| item.package.clone()));
    let outside = names.into_iter().filter(|name| inventory.package(name).is_none());
    let found = outside.filter_map(|name| Some(Arrival { presence: arrival(inventory, &name)?, package: name }));
    Fact::new(found.collect(), evidence)
}

fn gap(name: &str, reason: GapReason, words: impl Into<String>) -> Gap {
    Gap::new(format!("presence of {name}"), reason, words)
}

fn known(state: PresenceState, mut grounds: Vec<Reason>, listed: &Evidence) -> Fact<Presence> {
    grounds.truncate(MAX_GROUNDS);
    let evidence = grounds.first().map_or_else(|| listed.clone(), |ground| ground.evidence.clone());
    Fact::new(Presence { state, grounds }, &evidence)
}

fn fetched(inventory: &Inventory) -> impl Iterator<Item = &Preinstall> {
    let all = inventory.preinstalls.known().into_iter().flatten();
    all.filter(|statement| statement.action == PreinstallAction::Download && statement.may_hold())
}

/// Icons by which an app that is not there can come.
fn icons(inventory: &Inventory) -> impl Iterator<Item = &LayoutItem> {
    let all = inventory.layouts.known().into_iter().flatten().flat_map(|layout| &layout.items);
    all.filter(|item| matches!(item.kind, LayoutItemKind::AutoInstall | LayoutItemKind::Link))
}

/// The application id that a statement about what is fetched names.
fn subject(statement: &Preinstall) -> Option<String> {
    match statement.names {
        PreinstallSubject::Package => Some(statement.subject.clone()),
        PreinstallSubject::FileName => {
            statement.subject.strip_suffix(".apk").filter(|stem| is_application_id(stem)).map(str::to_owned)
        }
        PreinstallSubject::Path | PreinstallSubject::Folder => None,
    }
}

/// How an app that is not among the packages arrives, if it does.
fn arrival(inventory: &Inventory, name: &str) -> Option<Presence> {
    let mut grounds: Vec<Reason> = Vec::new();
    for statement in fetched(inventory).filter(|statement| subject(statement).as_deref() == Some(name)) {
        let says = format!("{} is fetched at set-up{}", statement.subject, condition(statement));
        grounds.push(Ground { code: PresenceCode::AutoInstallList, evidence: statement.evidence.clone(), says });
    }
    let mut links = Vec::new();
    for item in icons(inventory).filter(|item| item.package.as_deref() == Some(name)) {
        let place = item.place.describe();
        let (code, says) = match item.kind {
            LayoutItemKind::AutoInstall => {
                (PresenceCode::AutoInstallList, format!("a layout has {name} fetched at set-up, its icon on {place}"))
            }
            _ => {
                let uri = item.uri.as_deref().unwrap_or_default();
                (PresenceCode::LayoutIcon, format!("an icon on {place} leads to {uri}"))
            }
        };
        let ground = Ground { code, evidence: item.evidence.clone(), says };
        if code == PresenceCode::AutoInstallList { grounds.push(ground) } else { links.push(ground) }
    }
    let state = match (grounds.is_empty(), links.is_empty()) {
        (true, true) => return None,
        (true, false) => PresenceState::Icon,
        (false, _) => PresenceState::AutoInstall,
    };
    grounds.extend(links);
    grounds.truncate(MAX_GROUNDS);
    Some(Presence { state, grounds })
}

fn condition(statement: &Preinstall) -> String {
    let words = statement.condition.as_ref().map(|condition| match condition.holds {
        Some(true) => format!(" ({})", condition.says),
        _ => format!(" (where this holds: {})", condition.says),
    });
    words.unwrap_or_default()
}

struct Case<'a> {
    inventory: &'a Inventory,
    package: &'a Package,
    listed: &'a Evidence,
    grounds: Vec<Reason>,
}

impl<'a> Case<'a> {
    fn add(&mut self, code: PresenceCode, evidence: Option<&Evidence>, says: impl Into<String>) {
        let evidence = evidence.unwrap_or(self.listed).clone();
        self.grounds.push(Ground { code, evidence, says: says.into() });
    }

    fn statements(&self, action: PreinstallAction) -> Vec<&'a Preinstall> {
        statements::about(self.inventory, self.package, action).collect()
    }

    fn of_phone(&mut self) -> Result<PresenceState, Gap> {
        let (states, evidence) = match &self.package.users {
            Fact::Known { value, evidence } => (value, evidence),
            Fact::Unknown(gap) => return Err(gap.clone()),
        };
        let Some(owner) = states.iter().find(|state| state.user == 0) else {
            return Err(gap(&self.package.name, GapReason::Missing, "its state for user 0 is not told"));
        };
        if !owner.installed {
            self.add(PresenceCode::NotInstalled, Some(evidence), "installed=false for user 0");
            return Ok(PresenceState::Absent);
        }
        let Some(copy) = self.package.active() else {
            return Err(gap(&self.package.name, GapReason::Missing, "no copy of it was read"));
        };
        let code = match &copy.code {
            Fact::Known { value, .. } => value.present,
            Fact::Unknown(gap) => return Err(gap.clone()),
        };
        self.add(PresenceCode::Installed, Some(evidence), "installed=true for user 0");
        // Resources, libraries and settings are whole without code; what a launcher shows is not.
        let shown = copy.launcher.known().is_some_and(|launcher| !launcher.is_empty());
        if !code && shown {
            self.grounds.clear();
            self.add(PresenceCode::Placeholder, copy.code.evidence(), "a launcher shows it, and it has no code");
            return Ok(PresenceState::Stub);
        }
        Ok(PresenceState::Full)
    }

    fn of_image(&mut self) -> Result<PresenceState, Gap> {
        for statement in self.statements(PreinstallAction::Skip) {
            if statement.holds() {
                self.grounds.clear();
                let says = format!("a list leaves it out{}", condition(statement));
                self.add(PresenceCode::SkipList, Some(&statement.evidence), says);
                return Ok(PresenceState::Absent);
            }
        }
        if self.is_for_other_users()? {
            return Ok(PresenceState::Absent);
        }
        let state = self.by_place()?;
        for statement in self.statements(PreinstallAction::Skip).into_iter().filter(|statement| statement.may_hold()) {
            let says = format!("a list leaves it out{}", condition(statement));
            self.add(PresenceCode::SkipList, Some(&statement.evidence), says);
        }
        Ok(state)
    }

    /// Whether Android installs it for other types of user only.
    fn is_for_other_users(&mut self) -> Result<bool, Gap> {
        if self.inventory.device.sdk.known().is_none_or(|sdk| *sdk < USER_TYPES_SINCE) {
            return Ok(false);
        }
        let owner = |statement: &&&Preinstall| {
            statement.condition.as_ref().is_some_and(|condition| OWNER_TYPES.contains(&condition.says.as_str()))
        };
        let (included, excluded) =
            (self.statements(PreinstallAction::InstallIn), self.statements(PreinstallAction::NotInstallIn));
        let deciding = if let Some(excluded) = excluded.iter().find(owner) {
            *excluded
        } else if let Some(first) = included.first().filter(|_| !included.iter().any(|statement| owner(&statement))) {
            *first
        } else {
            return Ok(false);
        };
        let mode = default_roles::value(self.inventory, USER_TYPE_MODE).map(|value| value.value.parse::<u32>());
        match mode {
            Some(Ok(mode)) if mode & ENFORCED == 0 => Ok(false),
            Some(Ok(_)) => {
                let says = "it is installed for other types of user than the owner's";
                self.add(PresenceCode::OtherUserTypes, Some(&deciding.evidence), says);
                Ok(true)
            }
            None if !framework::was_read(self.inventory) => Err(framework::missing(self.inventory)),
            Some(Err(_)) | None => {
                let words = format!("a list installs it for other types of user only; {USER_TYPE_MODE} is not known");
                Err(gap(&self.package.name, GapReason::Missing, words))
            }
        }
    }

    fn by_place(&mut self) -> Result<PresenceState, Gap> {
        let package = self.package;
        let find = |wanted: &[Placement]| {
            package.copies.iter().find(|copy| copy.placement.known().is_some_and(|placed| wanted.contains(placed)))
        };
        let loaded =
            [Placement::Privileged, Placement::System, Placement::Overlay, Placement::Framework, Placement::Apex];
        if let Some(copy) = find(&loaded) {
            return self.loaded(copy);
        }
        if let Some(copy) = package.copies.iter().find(|copy| copy.role == CopyRole::Added) {
            let says = format!("{}: installed in the image's own /data", copy.path);
            self.add(PresenceCode::PackageFile, copy.placement.evidence(), says);
            return Ok(PresenceState::Full);
        }
        let preload = find(&[Placement::RemovablePreload]);
        let listed = self.installed_by_list();
        if let Some(copy) = preload {
            if !listed && statements::is_governed(self.inventory, copy) {
                let says = format!("{}: the lists that decide what is installed from there do not name it", copy.path);
                self.add(PresenceCode::NotListed, copy.placement.evidence(), says);
                return Ok(PresenceState::Absent);
            }
            let says = format!("{}: the vendor's services install from there at first boot", copy.path);
            self.add(PresenceCode::VendorPlace, copy.placement.evidence(), says);
            return self.first_boot(copy);
        }
        let first = package.active();
        if let Some(unknown) = first.and_then(|copy| copy.placement.gap()) {
            return Err(unknown.clone());
        }
        match first {
            Some(copy) if listed => self.first_boot(copy),
            _ => {
                let place = first.map_or("", |copy| copy.path.as_str());
                let words =
                    format!("{place}: Android loads nothing from there by itself, and no list or script names it");
                Err(gap(&package.name, GapReason::NotObserved, words))
            }
        }
    }

    /// Adds the lists and scripts that install it at first boot. Whether there are any that may hold.
    fn installed_by_list(&mut self) -> bool {
        let found: Vec<&Preinstall> =
            self.statements(PreinstallAction::Install).into_iter().filter(|statement| statement.may_hold()).collect();
        for statement in &found {
            let says = format!("{} is installed at first boot{}", statement.subject, condition(statement));
            self.add(PresenceCode::InstallList, Some(&statement.evidence), says);
        }
        !found.is_empty()
    }

    fn first_boot(&mut self, copy: &PackageCopy) -> Result<PresenceState, Gap> {
        match &copy.code {
            Fact::Unknown(gap) => Err(gap.clone()),
            Fact::Known { value, evidence } => Ok(match value.stub {
                None => PresenceState::FirstBoot,
                Some(reason) => {
                    self.placeholder(reason, evidence, &copy.path);
                    PresenceState::Stub
                }
            }),
        }
    }

    fn loaded(&mut self, copy: &PackageCopy) -> Result<PresenceState, Gap> {
        let (code, evidence) = match &copy.code {
            Fact::Known { value, evidence } => (value, evidence),
            Fact::Unknown(gap) => return Err(gap.clone()),
        };
        let full_form = self
            .statements(PreinstallAction::Install)
            .into_iter()
            .find(|statement| statements::is_full_form(&statement.subject, &copy.path));
        if let Some(statement) = full_form {
            let says = format!("{} is its full form, which Android installs at first boot", statement.subject);
            self.add(PresenceCode::FullForm, Some(&statement.evidence), says);
            self.placeholder(code.stub.unwrap_or(StubReason::StubFolder), evidence, &copy.path);
            return Ok(PresenceState::FirstBoot);
        }
        if let Some(reason) = code.stub {
            self.placeholder(reason, evidence, &copy.path);
            return Ok(PresenceState::Stub);
        }
        self.add(PresenceCode::PackageFile, copy.placement.evidence(), format!("{}: Android loads it", copy.path));
        Ok(PresenceState::Full)
    }

    /// The deciding ground, before those that are there.
    fn placeholder(&mut self, reason: StubReason, evidence: &Evidence, path: &str) {
        let says = format!("{path} is a placeholder ({})", reason.as_str());
        let ground = Ground { code: PresenceCode::Placeholder, evidence: evidence.clone(), says };
        let behind = self.grounds.iter().take_while(|ground| ground.code == PresenceCode::FullForm).count();
        self.grounds.insert(behind, ground);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{
        app, hollow, image, known, phone, phone_app, state, unknown, with, with_hidden_partition,
    };
    use super::*;

    fn state_of(inventory: &Inventory, name: &str) -> Result<PresenceState, GapReason> {
        match of(inventory, name) {
            Fact::Known { value, .. } => Ok(value.state),
            Fact::Unknown(gap) => Err(gap.reason),
        }
    }

    fn concluded(mut inventory: Inventory) -> Inventory {
        if let Fact::Known { value, .. } = &mut inventory.packages {
            value.iter_mut().for_each(|package| package.presence = Fact::not_asked());
        }
        inventory
    }

    #[test]
    fn a_phone_has_what_is_installed_for_its_owner() {
        let with_app = |package| concluded(with(phone(), [package]));
        assert_eq!(state_of(&with_app(phone_app("com.a")), "com.a"), Ok(PresenceState::Full));
        let mut gone = phone_app("com.a");
        gone.users = known(vec![UserOff::zero(), state(10)]);
        assert_eq!(state_of(&with_app(gone), "com.a"), Ok(PresenceState::Absent));
        let mut untold = phone_app("com.a");
        untold.users = unknown();
        assert_eq!(state_of(&with_app(untold), "com.a"), Err(GapReason::NotObserved));
        let mut empty = hollow(phone_app("com.a"));
        empty.copies[0].launcher = known(vec!["com.a.Main".to_owned()]);
        assert_eq!(state_of(&with_app(empty), "com.a"), Ok(PresenceState::Stub));
        assert_eq!(state_of(&with_app(hollow(phone_app("com.a"))), "com.a"), Ok(PresenceState::Full), "resources");
    }

    /// A state for user 0 of a package that was uninstalled.
    struct UserOff;
    impl UserOff {
        fn zero() -> crate::inventory::UserState {
            crate::inventory::UserState { installed: false, ..state(0) }
        }
    }

    #[test]
    fn an_absence_is_known_only_where_no_gap_may_hide_the_app() {
        let inventory = concluded(with(image(), [app("com.a")]));
        assert_eq!(state_of(&inventory, "com.a"), Ok(PresenceState::Full));
        assert_eq!(state_of(&inventory, "com.b"), Ok(PresenceState::Absent));
        assert_eq!(state_of(&with_hidden_partition(inventory), "com.b"), Err(GapReason::Damaged));
        let mut nothing = image();
        nothing.packages = unknown();
        assert_eq!(state_of(&nothing, "com.b"), Err(GapReason::NotObserved));
    }
}
