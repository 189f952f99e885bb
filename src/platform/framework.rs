//! The platform's own package, on whose signer and configuration conclusions about others hang.
//!
//! Where it is missing, all of them are unknown for one reason, and that is told once: they share one gap, which names
//! what hangs on it.

use crate::inventory::{Fact, Gap, GapReason, Inventory, Role};

/// Where it lies.
pub const PATH: &str = "/system/framework/framework-res.apk";

/// Whether it is among the packages that were read, with its configuration.
pub(super) fn was_read(inventory: &Inventory) -> bool {
    inventory.package("android").is_some_and(|package| {
        package.active().is_some_and(|copy| copy.version_code.known().is_some())
            && inventory.configuration.known().is_some()
    })
}

/// Why what hangs on it is not known: the gap that its reading left, where there is one.
pub(super) fn missing(inventory: &Inventory) -> Gap {
    let own = inventory.gaps.iter().filter(|gap| gap.place == PATH);
    // A damaged file leaves a gap of its own beside the one for what is missing.
    if let Some(gap) = own.min_by_key(|gap| gap.reason != GapReason::Missing) {
        return gap.clone();
    }
    if inventory.target.kind.has_run() {
        let words = "neither the platform's own package nor one of the system's user tells it";
        return Gap::new("signer of the platform", GapReason::Missing, words);
    }
    Gap::new(PATH, GapReason::Missing, "the platform's own package was not read")
}

/// What is not known for want of it.
#[derive(Debug)]
pub(super) struct Hanging {
    /// The gap that all of it shares.
    shared: Gap,
    roles: Vec<Role>,
    removability: u64,
    presence: u64,
}

impl Hanging {
    pub(super) fn on(inventory: &Inventory) -> Self {
        Self { shared: missing(inventory), roles: Vec::new(), removability: 0, presence: 0 }
    }

    /// Takes a role whose holder is unknown for it; any other gap comes back.
    pub(super) fn role(&mut self, role: Role, gap: Gap) -> Option<(Role, Gap)> {
        if gap == self.shared {
            self.roles.push(role);
            return None;
        }
        Some((role, gap))
    }

    /// Counts what is unknown of one package for it.
    pub(super) fn count<R, P>(&mut self, removability: Option<&Fact<R>>, presence: Option<&Fact<P>>) {
        self.removability += u64::from(self.is_reason(removability));
        self.presence += u64::from(self.is_reason(presence));
    }

    fn is_reason<T>(&self, fact: Option<&Fact<T>>) -> bool {
        fact.and_then(Fact::gap) == Some(&self.shared)
    }

    /// Makes the gap name all of it: in the inventory's list, and in its packages. One that the inventory does not have yet
    /// is entered where roles hang on it, since no fact of the inventory shows them.
    pub(super) fn tell(self, inventory: &mut Inventory) {
        let mut parts = Vec::new();
        if !self.roles.is_empty() {
            let names: Vec<&str> = self.roles.iter().map(Role::as_str).collect();
            parts.push(format!("default roles ({})", names.join(", ")));
        }
        let packages = |count| if count == 1 { "1 package".to_owned() } else { format!("{count} packages") };
        for (what, count) in [("removability", self.removability), ("presence", self.presence)] {
            if count > 0 {
                parts.push(format!("{what} of {}", packages(count)));
            }
        }
        if parts.is_empty() {
            return;
        }
        let detail = format!("{}; unknown for want of it: {}", self.shared.detail, parts.join(", "));
        let named = Gap { detail, ..self.shared.clone() };
        let before = inventory.gaps.len();
        inventory.gaps.retain(|gap| *gap != self.shared);
        if inventory.gaps.len() < before || !self.roles.is_empty() {
            inventory.gaps.push(named.clone());
        }
        let Fact::Known { value: packages, .. } = &mut inventory.packages else { return };
        for package in packages {
            rename(&mut package.removability, &self.shared, &named);
            rename(&mut package.presence, &self.shared, &named);
        }
    }
}

fn rename<T>(fact: &mut Fact<T>, from: &Gap, to: &Gap) {
    if let Fact::Unknown(gap) = fact
        && gap == from
    {
        gap.clone_from(to);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, phone, phone_app, with};
    use super::super::{conclusions, default_roles};
    use super::*;
    use crate::inventory::Package;

    fn unconcluded(mut package: Package) -> Package {
        package.removability = Fact::not_asked();
        package.presence = Fact::not_asked();
        package
    }

    /// An image of two plain apps whose framework was not read, as a collector tells it.
    fn without_framework() -> Inventory {
        let mut inventory = with(image(), ["com.a", "com.b"].map(|name| unconcluded(app(name))));
        inventory.role_holders = Fact::not_asked();
        inventory.configuration = known(Vec::new());
        inventory.preinstalls = known(Vec::new());
        inventory.gaps = vec![Gap::new(PATH, GapReason::Missing, "framework-res.apk was not read")];
        inventory
    }

    #[test]
    fn one_gap_names_all_that_hangs_on_the_platform_and_each_of_it_stays_unknown() {
        let mut inventory = without_framework();
        conclusions::complete(&mut inventory);
        let gaps: Vec<&Gap> = inventory.gaps.iter().filter(|gap| gap.place == PATH).collect();
        let [gap] = gaps[..] else { panic!("{gaps:?}") };
        let words = "framework-res.apk was not read; unknown for want of it: default roles (browser, dialer, sms, assistant, \
                     call-screening, call-redirection, wallet, notes), removability of 2 packages";
        assert_eq!(gap.detail, words);
        assert!(!inventory.gaps.iter().any(|gap| gap.place.starts_with("role")), "{:?}", inventory.gaps);
        for package in inventory.packages.known().unwrap() {
            assert_eq!(package.removability.gap(), Some(gap));
            assert!(package.presence.known().is_some());
        }
        for role in [Role::Browser, Role::Dialer, Role::Assistant] {
            assert_eq!(default_roles::holders(&inventory, &role).gap(), Some(gap));
        }
        // What does not need it is known, here that nobody is the home screen.
        assert_eq!(default_roles::holders(&inventory, &Role::Home).known(), Some(&Vec::new()));
        let found = inventory.all_gaps().unwrap();
        assert_eq!(found.iter().filter(|found| found.place == PATH).count(), 1);
        let before = inventory.clone();
        conclusions::complete(&mut inventory);
        assert_eq!(inventory, before, "what is concluded stays");
    }

    #[test]
    fn a_platform_that_was_read_leaves_no_such_gap() {
        let mut inventory = without_framework();
        inventory.gaps.clear();
        let mut inventory = with(inventory, [unconcluded(app("android"))]);
        conclusions::complete(&mut inventory);
        assert!(inventory.gaps.iter().all(|gap| gap.place != PATH), "{:?}", inventory.gaps);
        assert!(inventory.package("com.a").unwrap().removability.known().is_some());
        assert_eq!(default_roles::holders(&inventory, &Role::Browser).known(), Some(&Vec::new()));
    }

    #[test]
    fn a_phone_that_does_not_tell_the_platforms_signer_has_one_gap_for_all_packages() {
        let mut inventory = with(phone(), ["com.a", "com.b"].map(|name| unconcluded(phone_app(name))));
        conclusions::complete(&mut inventory);
        let gaps: Vec<&Gap> =
            inventory.packages.known().unwrap().iter().map(|package| package.removability.gap().unwrap()).collect();
        assert_eq!(gaps[0], gaps[1]);
        assert!(gaps[0].place == "signer of the platform" && gaps[0].detail.ends_with("removability of 2 packages"));
    }
}
