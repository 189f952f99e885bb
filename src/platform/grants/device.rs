//! What the grant rules need to know of a device as a whole.

use std::collections::BTreeMap;

use super::app::App;
use super::{intents, roles};
use crate::inventory::{Controls, IntentAnswer, Inventory, Package, Signer, SplitPermission, TargetKind};
use crate::platform::permissions::{self, Permissions};

/// Members of it are signed with the platform's key, or Android would not load them.
const SYSTEM_USER: &str = "android.uid.system";

/// A device, with its packages in the order of their names.
pub(super) struct Device<'a> {
    pub(super) sdk: u32,
    pub(super) kind: TargetKind,
    pub(super) controls: Option<&'a Controls>,
    pub(super) permissions: Permissions<'a>,
    pub(super) splits: Vec<SplitPermission>,
    /// Possible copies of every package, the most likely first; never empty.
    pub(super) apps: BTreeMap<&'a str, Vec<App<'a>>>,
    /// Signers of the platform, where they are known.
    pub(super) platform: Option<Vec<&'a Signer>>,
    /// The package that tells them: `android`, or a member of its shared user.
    pub(super) platform_by: &'a str,
    /// Roles with their holders, where they were read.
    pub(super) roles: Option<Vec<roles::Held<'a>>>,
    /// Whether packages may be hidden: then the only one of its kind may not be the only one.
    pub(super) incomplete: bool,
    answers: BTreeMap<String, Vec<(&'a str, &'a IntentAnswer)>>,
    /// Pre-installed packages of which it is not known what they answer.
    silent: Vec<&'a str>,
}

/// Which package is meant by an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chosen<'a> {
    /// This one.
    One(&'a str),
    /// None.
    Nobody,
    /// One of these, or of those that are not known.
    Unclear(Vec<&'a str>),
}

impl<'a> Device<'a> {
    /// `None` where the API level or the list of packages is not known.
    pub(super) fn of(inventory: &'a Inventory) -> Option<Self> {
        let sdk = *inventory.device.sdk.known()?;
        let packages: &'a [Package] = inventory.packages.known()?;
        let kind = inventory.target.kind;
        let mut apps = BTreeMap::new();
        for package in packages {
            let copies = App::of(package, kind);
            if !copies.is_empty() {
                apps.insert(package.name.as_str(), copies);
            }
        }
        let mut answers: BTreeMap<String, Vec<_>> = BTreeMap::new();
        let mut silent = Vec::new();
        for (name, copies) in &apps {
            let Some(app) = copies.first().filter(|app| app.is_system()) else { continue };
            match app.copy.answers.known() {
                None => silent.push(*name),
                Some(list) => {
                    for answer in list {
                        answers.entry(answer.intent.clone()).or_default().push((*name, answer));
                    }
                }
            }
        }
        let mut device = Self {
            sdk,
            kind,
            controls: inventory.controls.known(),
            permissions: Permissions::of(inventory, sdk),
            splits: permissions::splits(inventory, sdk),
            apps,
            platform: None,
            platform_by: permissions::PLATFORM,
            roles: roles::of(inventory),
            incomplete: inventory.gaps_hiding_packages().next().is_some(),
            answers,
            silent,
        };
        if let Some((name, signers)) = device.platform_signers() {
            (device.platform, device.platform_by) = (Some(signers), name);
        }
        Some(device)
    }

    /// The signers of `android` or, where that was not read, of the members of its shared user, if they agree.
    fn platform_signers(&self) -> Option<(&'a str, Vec<&'a Signer>)> {
        let first = |name: &str| self.apps.get(name).and_then(|copies| copies.first());
        if let Some(signers) = first(permissions::PLATFORM).and_then(|app| app.signers(self.sdk)) {
            return Some((permissions::PLATFORM, signers)).filter(|(_, signers)| !signers.is_empty());
        }
        let members = self.apps.values().filter_map(|copies| copies.first());
        let members = members.filter(|app| app.is_system() && app.shared_user(self.sdk) == Some(Some(SYSTEM_USER)));
        let mut found: Option<(&'a str, Vec<&'a Signer>)> = None;
        for app in members {
            let signers = app.signers(self.sdk)?;
            match &found {
                None => found = Some((app.name(), signers)),
                Some((_, before)) if same(before, &signers) => {}
                Some(_) => return None,
            }
        }
        found.filter(|(_, signers)| !signers.is_empty())
    }

    /// The signers of a package by its name, where they are known.
    pub(super) fn signers_of(&self, name: &str) -> Option<Vec<&'a Signer>> {
        if name == permissions::PLATFORM {
            return self.platform.clone();
        }
        self.apps.get(name)?.first()?.signers(self.sdk)
    }

    /// Packages that answer an intent, whether or not one of them is chosen.
    pub(super) fn candidates(&self, code: &str) -> Vec<&'a str> {
        let mut names: Vec<&str> = self.answers.get(code).into_iter().flatten().map(|(name, _)| *name).collect();
        names.dedup();
        names
    }

    /// Whether it is not known what a package answers.
    pub(super) fn is_silent(&self, name: &str) -> bool {
        self.silent.contains(&name)
    }

    /// The default activity for an intent (`chooseBestActivity` without preferences of a user).
    pub(super) fn activity(&self, code: &str) -> Chosen<'a> {
        let mut found: Vec<_> = self.answers.get(code).into_iter().flatten().collect();
        // Only privileged apps may rise above the rest.
        let rank = |(name, answer): &(&'a str, &'a IntentAnswer)| {
            let privileged = self.apps.get(name).and_then(|copies| copies.first()).is_some_and(App::is_privileged);
            (if privileged { answer.priority } else { answer.priority.min(0) }, answer.default)
        };
        found.sort_by_key(|entry| std::cmp::Reverse(rank(entry)));
        self.chosen(match found[..] {
            [] => Chosen::Nobody,
            [only] => Chosen::One(only.0),
            // Two that are alike: Android would ask the user, and grants neither.
            [first, second, ..] if rank(first) == rank(second) => Chosen::Nobody,
            [first, ..] => Chosen::One(first.0),
        })
    }

    /// The first package with a service; which one is first is told by its priority alone.
    pub(super) fn service(&self, code: &str) -> Chosen<'a> {
        let found = self.answers.get(code).map(Vec::as_slice).unwrap_or_default();
        let best = found.iter().map(|(_, answer)| answer.priority).max();
        let mut names: Vec<&str> =
            found.iter().filter(|(_, answer)| Some(answer.priority) == best).map(|(name, _)| *name).collect();
        names.dedup();
        self.chosen(match names[..] {
            [] => Chosen::Nobody,
            [one] => Chosen::One(one),
            _ => Chosen::Unclear(names),
        })
    }

    /// The only package that answers: of several, none is meant.
    pub(super) fn only(&self, code: &str) -> Chosen<'a> {
        let names = self.candidates(code);
        self.chosen(match names[..] {
            [] => Chosen::Nobody,
            [one] => Chosen::One(one),
            _ if code == "setup-wizard" => Chosen::Nobody,
            _ => Chosen::Unclear(names),
        })
    }

    /// The same, as long as nothing that is not known could change it.
    fn chosen(&self, chosen: Chosen<'a>) -> Chosen<'a> {
        if self.silent.is_empty() && !self.incomplete {
            return chosen;
        }
        let mut names = self.silent.clone();
        match chosen {
            // What answers now might be outdone by what was not read.
            Chosen::One(name) => names.push(name),
            Chosen::Unclear(more) => names.extend(more),
            Chosen::Nobody => {}
        }
        if names.is_empty() { Chosen::Nobody } else { Chosen::Unclear(names) }
    }

    /// The package with a provider.
    pub(super) fn provider(&self, authority: &str) -> Chosen<'a> {
        let names = self.candidates(&format!("provider:{authority}"));
        debug_assert!(intents::AUTHORITIES.contains(&authority), "{authority}");
        self.chosen(match names[..] {
            [] => Chosen::Nobody,
            [one] => Chosen::One(one),
            // The second is refused when it is scanned.
            _ => Chosen::Unclear(names),
        })
    }
}

/// Whether two packages have the same signers. Digests decide; the numbers that phones print do only where one side has no
/// digest.
pub(super) fn same(a: &[&Signer], b: &[&Signer]) -> bool {
    !a.is_empty() && a.len() == b.len() && a.iter().all(|one| b.iter().any(|other| is_same(one, other)))
}

pub(super) fn is_same(a: &Signer, b: &Signer) -> bool {
    match (&a.sha256, &b.sha256) {
        (Some(a), Some(b)) => a == b,
        _ => a.hash_code == b.hash_code,
    }
}
