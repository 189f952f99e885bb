//! Fills in what follows from the facts of an inventory: who holds which role and which permission, in which way each app is there, whether the
//! user can be rid of it, where its icon stands.

use std::collections::BTreeMap;

use super::framework::Hanging;
use super::removability::Context;
use super::{default_roles, grants, launcher, presence};
use crate::inventory::{Fact, Inventory};

/// Concludes what was not asked, and leaves every other fact as it is: of an inventory that a collector just filled as of
/// one that an older version saved. The inventory must be in its documented order.
pub fn complete(inventory: &mut Inventory) {
    let mut hanging = Hanging::on(inventory);
    if inventory.role_holders.was_not_asked() && !inventory.target.kind.has_run() {
        let (holders, open) = default_roles::of_image(inventory);
        inventory.role_holders = holders;
        let others = open.into_iter().filter_map(|(role, gap)| hanging.role(role, gap)).collect();
        inventory.gaps.extend(default_roles::folded(others));
    }
    if inventory.arrivals.was_not_asked() {
        inventory.arrivals = presence::arrivals(inventory);
    }
    let mut predicted = BTreeMap::new();
    let known = inventory.packages.known().map(Vec::as_slice).unwrap_or_default();
    if known.iter().any(|package| package.predicted_grants.was_not_asked()) {
        predicted = grants::predict(inventory);
    }
    let context = Context::new(inventory);
    let packages = inventory.packages.known().map(Vec::as_slice).unwrap_or_default();
    let concluded: Vec<_> = packages
        .iter()
        .map(|package| {
            let presence = package.presence.was_not_asked().then(|| presence::of_package(inventory, package));
            let removability = package.removability.was_not_asked().then(|| context.removability(package));
            let place = package.launcher_place.was_not_asked().then(|| launcher::place(inventory, &package.name));
            hanging.count(removability.as_ref(), presence.as_ref());
            (presence, removability, place)
        })
        .collect();
    let packages = match &mut inventory.packages {
        Fact::Known { value, .. } => value.as_mut_slice(),
        Fact::Unknown(_) => &mut [],
    };
    for (package, (presence, removability, place)) in packages.iter_mut().zip(concluded) {
        if package.predicted_grants.was_not_asked()
            && let Some(grants) = predicted.remove(&package.name)
        {
            package.predicted_grants = grants;
        }
        if let Some(presence) = presence {
            package.presence = presence;
        }
        if let Some(removability) = removability {
            package.removability = removability;
        }
        if let Some(place) = place {
            package.launcher_place = place;
        }
    }
    hanging.tell(inventory);
    inventory.gaps.sort();
    inventory.gaps.dedup();
}
