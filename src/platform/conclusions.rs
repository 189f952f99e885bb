//! Fills in what follows from the facts of an inventory: who holds which role, in which way each app is there, whether the
//! user can be rid of it, where its icon stands.

use super::removability::Context;
use super::{default_roles, launcher, presence};
use crate::inventory::{Fact, Inventory};

/// Concludes what was not asked, and leaves every other fact as it is: of an inventory that a collector just filled as of
/// one that an older version saved. The inventory must be in its documented order.
pub fn complete(inventory: &mut Inventory) {
    if inventory.role_holders.was_not_asked() && !inventory.target.kind.has_run() {
        let (holders, gaps) = default_roles::of_image(inventory);
        inventory.role_holders = holders;
        inventory.gaps.extend(gaps);
        inventory.gaps.sort();
        inventory.gaps.dedup();
    }
    if inventory.arrivals.was_not_asked() {
        inventory.arrivals = presence::arrivals(inventory);
    }
    let context = Context::new(inventory);
    let packages = inventory.packages.known().map(Vec::as_slice).unwrap_or_default();
    let concluded: Vec<_> = packages
        .iter()
        .map(|package| {
            let presence = package.presence.was_not_asked().then(|| presence::of_package(inventory, package));
            let removability = package.removability.was_not_asked().then(|| context.removability(package));
            let place = package.launcher_place.was_not_asked().then(|| launcher::place(inventory, &package.name));
            (presence, removability, place)
        })
        .collect();
    let Fact::Known { value: packages, .. } = &mut inventory.packages else { return };
    for (package, (presence, removability, place)) in packages.iter_mut().zip(concluded) {
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
}
