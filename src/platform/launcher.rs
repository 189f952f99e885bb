//! Where an app's icon stands before the user moves it.
//!
//! AOSP's launcher takes the first layout that it finds: of the package that answers Play's action for automatic installs,
//! of a partner's package, its own (`ModelDbController.loadDefaultFavoritesIfNecessary`); a vendor's launcher reads the
//! vendor's file. Which of several sizes of a layout is taken depends on the screen, so an app's place is the worst that
//! any of them gives it. An app without an icon in the layout is in the list of all apps; a launcher without such a list
//! shows it behind the last page instead.

use crate::inventory::{
    Evidence, Fact, Gap, GapReason, Inventory, LauncherPlace, Layout, LayoutItem, LayoutItemKind, LayoutOrigin, Role,
};

use super::default_roles;

/// The place of an app's icon, whether the app is among the packages or arrives later.
#[must_use]
pub fn place(inventory: &Inventory, name: &str) -> Fact<LauncherPlace> {
    if let Some(copy) = inventory.package(name).and_then(|package| package.active()) {
        match &copy.launcher {
            Fact::Known { value, evidence } if value.is_empty() => return Fact::new(LauncherPlace::NONE, evidence),
            Fact::Known { .. } => {}
            Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
        }
    }
    let layouts = match &inventory.layouts {
        Fact::Known { value, .. } => value,
        Fact::Unknown(gap) => return Fact::Unknown(gap.clone()),
    };
    let taken = taken(inventory, layouts);
    let worst = taken.iter().map(|layout| in_layout(inventory, layout, name)).min_by(|a, b| a.0.cmp(&b.0));
    match worst {
        Some((place, evidence)) => Fact::new(place, &evidence),
        None => {
            let words = "no layout of the home screen was found";
            Fact::Unknown(Gap::new("layouts of the home screen", GapReason::NotObserved, words))
        }
    }
}

/// The layouts among which the launcher chooses by the screen's size.
fn taken<'a>(inventory: &Inventory, layouts: &'a [Layout]) -> Vec<&'a Layout> {
    let with = |origin| -> Vec<&Layout> {
        layouts.iter().filter(|layout| layout.origin == origin && !layout.items.is_empty()).collect()
    };
    let order = [LayoutOrigin::Vendor, LayoutOrigin::PlayAutoInstall, LayoutOrigin::Partner, LayoutOrigin::Launcher];
    for origin in order {
        let found = with(origin);
        if found.is_empty() {
            continue;
        }
        if origin == LayoutOrigin::Launcher
            && let Fact::Known { value: home, .. } = default_roles::holders(inventory, &Role::Home)
        {
            let own: Vec<&Layout> = found.iter().copied().filter(|layout| home.contains(&layout.provider)).collect();
            if !own.is_empty() {
                return own;
            }
        }
        return found;
    }
    Vec::new()
}

fn in_layout(inventory: &Inventory, layout: &Layout, name: &str) -> (LauncherPlace, Evidence) {
    let mut best: Option<&LayoutItem> = None;
    let mut groups: Vec<u32> = Vec::new();
    for item in &layout.items {
        if let Some(group) = item.group {
            if groups.contains(&group) {
                continue;
            }
            let there = item.package.as_deref().is_some_and(|package| inventory.package(package).is_some());
            if !there {
                continue;
            }
            groups.push(group);
        }
        let shows = matches!(item.kind, LayoutItemKind::App | LayoutItemKind::AutoInstall | LayoutItemKind::Link);
        if shows && item.package.as_deref() == Some(name) && best.is_none_or(|best| item.place > best.place) {
            best = Some(item);
        }
    }
    match best {
        Some(item) => (item.place, item.evidence.clone()),
        None => (LauncherPlace::ALL_APPS, layout.evidence.clone()),
    }
}
