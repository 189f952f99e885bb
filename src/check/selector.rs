//! Which packages, and which of their copies, a rule is about.

use super::setting::{Setting, Shape, may};
use super::words::{Phrase, Say, Words, phrase, words};
use crate::inventory::{Fact, Gap, Inventory, Package, PackageCopy, Placement, Signer, SignerDepth};
use crate::platform::installer_agents::is_installer_agent;
use crate::platform::permissions::PLATFORM;
use crate::platform::signing::SYSTEM_USER;
use crate::profile::{Pattern, ProfileError, Settings};

/// Names of [`Placement::ALL`].
const PLACEMENT_NAMES: &[&str] =
    &["privileged", "system", "overlay", "framework", "removable-preload", "apex", "data", "unknown"];

/// Roles that a manifest shows a package to qualify for.
pub(super) const ROLES: &[&str] = &["launcher", "home", "dialer", "sms", "browser", "assistant"];

/// Kinds of package file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    App,
    Overlay,
    Framework,
    Apex,
}

const KINDS: [(&str, FileKind); 4] = [
    ("app", FileKind::App),
    ("overlay", FileKind::Overlay),
    ("framework", FileKind::Framework),
    ("apex", FileKind::Apex),
];

/// Keys of `select`. Everything that is set must fit.
pub(super) static SETTINGS: &[Setting] = &[
    may("packages", Shape::Names, "application ids"),
    may("except", Shape::Names, "application ids that are not meant"),
    may("signers", Shape::Digests, "signing certificates, one of which signed it"),
    may(
        "signed-as",
        Shape::OneOrMorePackages,
        "signed by the same as this package, as those that share this user id (`android.uid.shared`), as one of several",
    ),
    may("not-signed-as", Shape::OneOrMorePackages, "signed as none of them"),
    may("partitions", Shape::Texts, "partitions by Android's names"),
    may("placements", Shape::SomeOf(PLACEMENT_NAMES), "kinds of place"),
    may("privileged", Shape::Flag, "whether it lies in a privileged place"),
    may("roles", Shape::SomeOf(ROLES), "roles one of which it qualifies for"),
    may("kind", Shape::OneOf(&["app", "overlay", "framework", "apex"]), "kind of package file"),
    may("requests", Shape::Names, "permissions one of which its manifest asks for"),
    may("versions", Shape::Range, "versionCodes, both bounds included"),
    may("has-code", Shape::Flag, "whether it has code to run"),
    may("visible", Shape::Flag, "whether a launcher shows it"),
    may("except-roles", Shape::SomeOf(ROLES), "roles for which a package that qualifies is not meant"),
    may("installer-agents", Shape::Flag, "known programs that add apps after first start"),
];

/// Which packages a rule is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Selector {
    packages: Vec<Pattern>,
    except: Vec<Pattern>,
    signers: Vec<String>,
    signed_as: Vec<String>,
    not_signed_as: Vec<String>,
    partitions: Vec<String>,
    placements: Vec<Placement>,
    privileged: Option<bool>,
    roles: Vec<String>,
    kind: Option<FileKind>,
    requests: Vec<Pattern>,
    versions: Option<(u64, u64)>,
    has_code: Option<bool>,
    visible: Option<bool>,
    except_roles: Vec<String>,
    installer_agents: Option<bool>,
}

/// Copies of one package that a rule is about.
#[derive(Debug, Default)]
pub(super) struct Picked<'a> {
    /// Those that are.
    pub(super) copies: Vec<&'a PackageCopy>,
    /// Why it is not known of others, with the gap.
    pub(super) unknown: Vec<(&'a PackageCopy, Words, &'a Gap)>,
}

/// One condition's answer.
enum Fits<'a> {
    Yes,
    No,
    Unknown(Phrase, &'a Gap),
}

impl Selector {
    /// The selector at `select` of a rule's settings; every package where there is none.
    ///
    /// # Errors
    /// A key or value that is none, and conditions that nothing can meet.
    pub(super) fn of(settings: &Settings<'_>) -> Result<Self, ProfileError> {
        let Some(table) = settings.table("select")? else { return Ok(Self::default()) };
        let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
        table.only(&keys)?;
        let texts = |key: &str| -> Result<Vec<String>, ProfileError> {
            Ok(table.texts(key)?.unwrap_or_default().iter().map(|word| word.text.to_owned()).collect())
        };
        let selector = Self {
            packages: table.patterns("packages")?.unwrap_or_default(),
            except: table.patterns("except")?.unwrap_or_default(),
            signers: table.digests("signers")?.unwrap_or_default(),
            signed_as: table.one_or_more_packages("signed-as")?.unwrap_or_default(),
            not_signed_as: table.one_or_more_packages("not-signed-as")?.unwrap_or_default(),
            partitions: texts("partitions")?,
            placements: table
                .choices("placements", &Placement::ALL.map(|place| (place.as_str(), place)))?
                .unwrap_or_default(),
            privileged: table.maybe_flag("privileged")?,
            roles: role_names(&table, "roles")?,
            kind: table.choice("kind", &KINDS)?,
            requests: table.patterns("requests")?.unwrap_or_default(),
            versions: table.range("versions")?,
            has_code: table.maybe_flag("has-code")?,
            visible: table.maybe_flag("visible")?,
            except_roles: role_names(&table, "except-roles")?,
            installer_agents: table.maybe_flag("installer-agents")?,
        };
        let vacuous = |pattern: &Pattern| {
            pattern.exact().is_some_and(|name| selector.except.iter().any(|except| except.matches(name)))
        };
        if !selector.packages.is_empty() && selector.packages.iter().all(vacuous) {
            return Err(
                table.error("except", "`except` takes away every package of `packages`, expected one to be left")
            );
        }
        let privileged = [Placement::Privileged];
        if selector.privileged == Some(true) && !selector.placements.is_empty() && selector.placements != privileged {
            return Err(table.error("privileged", "`privileged` contradicts `placements`, expected one of the two"));
        }
        Ok(selector)
    }

    /// The selector of one package.
    pub(super) fn one(package: &str) -> Self {
        Self { packages: Pattern::new(package).into_iter().collect(), ..Self::default() }
    }

    /// Only versions within bounds.
    pub(super) fn within(&mut self, versions: (u64, u64)) {
        self.versions = Some(versions);
    }

    /// Ids that it names, so that a collector can be asked to look them up.
    pub(super) fn names(&self) -> Vec<String> {
        self.packages.iter().filter_map(Pattern::exact).map(str::to_owned).collect()
    }

    /// In words: `com.a, com.b`, or `pre-installed packages`.
    pub(super) fn words(&self) -> Words {
        if self.packages.is_empty() {
            return words!("packages that the rule is about", "пакеты, к которым относится правило");
        }
        Words::plain(self.packages.iter().map(Pattern::as_str).collect::<Vec<_>>().join(", "))
    }

    /// Whether a gap that hides packages may hide one that is meant beside those found.
    pub(super) fn may_miss(&self, inventory: &Inventory) -> bool {
        let found = |pattern: &Pattern| pattern.exact().is_some_and(|name| inventory.package(name).is_some());
        self.packages.is_empty() || !self.packages.iter().all(found)
    }

    /// The selector for one inventory: what it compares with is looked up once.
    pub(super) fn on<'a>(&'a self, inventory: &'a Inventory) -> Aim<'a> {
        let resolve = |names: &[String]| names.iter().map(|name| Reference::of(name, inventory)).collect();
        Aim { selector: self, signed_as: resolve(&self.signed_as), not_signed_as: resolve(&self.not_signed_as) }
    }
}

/// A [`Selector`] for one inventory.
pub(super) struct Aim<'a> {
    selector: &'a Selector,
    signed_as: Vec<Reference<'a>>,
    not_signed_as: Vec<Reference<'a>>,
}

impl<'a> Aim<'a> {
    /// The copies of a package that the rule is about.
    pub(super) fn pick(&self, package: &'a Package) -> Picked<'a> {
        let mut picked = Picked::default();
        let Selector { packages, except, installer_agents, .. } = self.selector;
        let name = package.name.as_str();
        let named = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
        let agent = installer_agents.is_none_or(|wanted| wanted == is_installer_agent(name));
        if !agent || (!packages.is_empty() && !named(packages)) || named(except) {
            return picked;
        }
        for copy in &package.copies {
            match self.fits(copy) {
                Fits::Yes => picked.copies.push(copy),
                Fits::No => {}
                Fits::Unknown(what, gap) => {
                    let open = words!(
                        "whether the rule is about {path}: {what} is unknown",
                        "относится ли правило к {path} (неизвестно: {what})",
                        path = copy.path,
                        what
                    );
                    picked.unknown.push((copy, open, gap));
                }
            }
        }
        picked
    }

    fn fits(&self, copy: &'a PackageCopy) -> Fits<'a> {
        let mut unknown = None;
        for answer in self.selector.conditions(copy).into_iter().chain(self.signatures(copy)) {
            match answer {
                Fits::Yes => {}
                // One condition that is not met settles it, whatever else is unknown.
                Fits::No => return Fits::No,
                Fits::Unknown(what, gap) => unknown = unknown.or(Some((what, gap))),
            }
        }
        unknown.map_or(Fits::Yes, |(what, gap)| Fits::Unknown(what, gap))
    }

    fn signatures(&self, copy: &'a PackageCopy) -> impl Iterator<Item = Fits<'a>> {
        [(&self.signed_as, true), (&self.not_signed_as, false)]
            .into_iter()
            .filter(|(references, _)| !references.is_empty())
            .map(|(references, wanted)| signed_as(copy, references, wanted))
    }
}

impl Selector {
    fn conditions<'a>(&self, copy: &'a PackageCopy) -> Vec<Fits<'a>> {
        let mut answers = Vec::new();
        if !self.partitions.is_empty() {
            answers.push(hold(&copy.partition, phrase("its partition", "раздел"), |name| {
                self.partitions.contains(name)
            }));
        }
        if !self.placements.is_empty() {
            answers.push(hold(&copy.placement, phrase("its place", "место"), |place| {
                self.placements.contains(place)
            }));
        }
        if let Some(wanted) = self.privileged {
            answers.push(hold(&copy.placement, phrase("its place", "место"), |place| {
                (*place == Placement::Privileged) == wanted
            }));
        }
        if let Some((from, until)) = self.versions {
            answers.push(hold(&copy.version_code, phrase("its version", "версия"), |version| {
                (from..=until).contains(version)
            }));
        }
        if let Some(wanted) = self.has_code {
            answers.push(hold(&copy.code, phrase("its code", "наличие кода"), |code| {
                (code.present || !code.abis.is_empty()) == wanted
            }));
        }
        if let Some(wanted) = self.visible {
            answers.push(hold(
                &copy.launcher,
                phrase("whether a launcher shows it", "показ в лаунчере"),
                |list| list.is_empty() != wanted,
            ));
        }
        if !self.except_roles.is_empty() {
            let spared = |roles: &[String]| roles.iter().any(|role| self.except_roles.contains(role));
            answers.push(hold(&copy.manifest, phrase("its role", "роль"), |facts| !spared(&facts.roles)));
        }
        if let Some(kind) = self.kind {
            answers.push(kind_of(copy, kind));
        }
        if !self.roles.is_empty() {
            let wanted = |roles: &[String]| roles.iter().any(|role| self.roles.contains(role));
            answers.push(hold(&copy.manifest, phrase("its role", "роль"), |facts| wanted(&facts.roles)));
        }
        if !self.requests.is_empty() {
            let wanted = |name: &str| self.requests.iter().any(|pattern| pattern.matches(name));
            answers.push(hold(
                &copy.requested_permissions,
                phrase("what it asks for", "запрошенное"),
                |list| list.iter().any(|permission| wanted(&permission.name)),
            ));
        }
        if !self.signers.is_empty() {
            answers.push(hold(&copy.signers, phrase("its signer", "ключ подписи"), |signers| {
                signers.iter().any(|signer| signer.sha256.as_ref().is_some_and(|digest| self.signers.contains(digest)))
            }));
        }
        answers
    }
}

/// Roles by name; one that no package can qualify for is refused.
pub(super) fn role_names(settings: &Settings<'_>, key: &str) -> Result<Vec<String>, ProfileError> {
    let known: Vec<(&str, &str)> = ROLES.iter().map(|role| (*role, *role)).collect();
    Ok(settings.choices(key, &known)?.unwrap_or_default().into_iter().map(str::to_owned).collect())
}

fn hold<'a, T>(fact: &'a Fact<T>, what: Phrase, holds: impl FnOnce(&T) -> bool) -> Fits<'a> {
    match fact {
        Fact::Known { value, .. } if holds(value) => Fits::Yes,
        Fact::Known { .. } => Fits::No,
        Fact::Unknown(gap) => Fits::Unknown(what, gap),
    }
}

fn kind_of(copy: &PackageCopy, wanted: FileKind) -> Fits<'_> {
    let place = match &copy.placement {
        Fact::Known { value, .. } => value,
        Fact::Unknown(gap) => return Fits::Unknown(phrase("its place", "место"), gap),
    };
    let kind = match place {
        Placement::Overlay => FileKind::Overlay,
        Placement::Framework => FileKind::Framework,
        // An app within an APEX is an app; the APEX itself has the ending.
        Placement::Apex if copy.path.ends_with(".apex") || copy.path.ends_with(".capex") => FileKind::Apex,
        _ => match &copy.manifest {
            Fact::Known { value, .. } if value.overlay.is_some() => FileKind::Overlay,
            _ => FileKind::App,
        },
    };
    if kind == wanted { Fits::Yes } else { Fits::No }
}

/// Whose signers a package's are compared with.
#[derive(Debug, Clone, Copy)]
enum Reference<'a> {
    /// They are known.
    Signers(&'a [Signer]),
    /// They are not.
    Unknown(&'a Gap),
    /// Nothing is called so, as far as the list goes: the gap behind which it may be.
    Absent(Option<&'a Gap>),
}

impl<'a> Reference<'a> {
    /// The signers of the package of that name, else of one that shares the user id of that name: Android takes only
    /// packages of one signer into it. The platform's are also those of what shares the system's user id.
    fn of(name: &str, inventory: &'a Inventory) -> Self {
        let listed = inventory.packages.known().map_or(&[][..], Vec::as_slice);
        let user = if name == PLATFORM { SYSTEM_USER } else { name };
        let shares = |package: &&Package| package.shared_user.known().is_some_and(|own| own.as_deref() == Some(user));
        let of_package = inventory.package(name).into_iter();
        let facts: Vec<&Fact<Vec<Signer>>> = of_package
            .chain(listed.iter().filter(shares))
            .filter_map(Package::active)
            .map(|copy| &copy.signers)
            .collect();
        let known = || facts.iter().filter_map(|fact| fact.known());
        if let Some(signers) = known().find(|signers| !signers.is_empty()).or(known().next()) {
            return Self::Signers(signers);
        }
        if let Some(gap) = facts.iter().find_map(|fact| fact.gap()) {
            return Self::Unknown(gap);
        }
        let hiding = inventory.gaps_hiding_packages().next();
        Self::Absent(hiding.or_else(|| listed.iter().find_map(|package| package.shared_user.gap())))
    }
}

fn signed_as<'a>(copy: &'a PackageCopy, references: &[Reference<'a>], wanted: bool) -> Fits<'a> {
    let own = match &copy.signers {
        Fact::Known { value, .. } => value,
        Fact::Unknown(gap) => return Fits::Unknown(phrase("its signer", "ключ подписи"), gap),
    };
    let mut unknown = None;
    for reference in references {
        match reference {
            Reference::Signers(signers) if same_signer(own, signers) == Some(true) => {
                return if wanted { Fits::Yes } else { Fits::No };
            }
            // Of two of which one is unsigned, neither is signed as the other.
            Reference::Signers(_) => {}
            Reference::Unknown(gap) => unknown = unknown.or(Some(*gap)),
            // Nothing is signed as what is not there; whether it is there is told by the list's gaps.
            Reference::Absent(gap) => unknown = unknown.or(gap.filter(|_| !wanted)),
        }
    }
    match unknown {
        Some(gap) => Fits::Unknown(phrase("the other package's signer", "ключ подписи другого пакета"), gap),
        None if wanted => Fits::No,
        None => Fits::Yes,
    }
}

/// Whether two packages have a signer in common: by digest, else by the 32-bit number that a device prints. `None` where
/// neither can be compared.
pub(super) fn same_signer(one: &[Signer], other: &[Signer]) -> Option<bool> {
    let digests = |list: &[Signer]| list.iter().filter_map(|signer| signer.sha256.clone()).collect::<Vec<_>>();
    let (left, right) = (digests(one), digests(other));
    if !left.is_empty() && !right.is_empty() {
        return Some(left.iter().any(|digest| right.contains(digest)));
    }
    if one.is_empty() || other.is_empty() {
        return None;
    }
    Some(one.iter().any(|signer| other.iter().any(|second| signer.hash_code == second.hash_code)))
}

/// Signers by their digests, else by their 32-bit numbers and what those lead to.
pub(super) fn names(signers: &[Signer]) -> Words {
    if signers.is_empty() {
        return words!("none", "нет");
    }
    let name = |signer: &Signer| match (&signer.sha256, &signer.linked) {
        (Some(digest), _) => Words::plain(digest.as_str()),
        (None, Some(link)) => words!(
            "of the number {number}, as {digest} in {path}",
            "с номером {number}, как {digest} в {path}",
            number = signer.hash_code,
            digest = link.sha256,
            path = link.path
        ),
        (None, None) => words!("of the number {number}", "с номером {number}", number = signer.hash_code),
    };
    Words::joined(signers.iter().map(name), ", ")
}

/// By whom a file is signed that should not be.
pub(super) fn is_signed_by(path: &str, signer: impl Say) -> Words {
    words!("{path} is signed by {signer}", "{path} подписан ключом {signer}", path, signer)
}

/// Who signed a file.
pub(super) fn signed_by(path: &str, signers: &[Signer]) -> Words {
    words!("{path}: signer {names}", "{path}: ключ подписи {names}", path, names = names(signers))
}

/// What is open where a device told no digest of a signer.
pub(super) fn unknown_digest(path: &str) -> Words {
    words!("the SHA-256 digest of the signer of {path} is unknown", "SHA-256 ключа подписи {path} неизвестен", path)
}

/// Whether a signature was verified, by us or by the device that runs it.
pub(super) fn is_verified(signer: &Signer) -> bool {
    signer.depth != SignerDepth::Claimed
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, signer, unknown, with, with_hidden_partition};
    use super::*;

    #[test]
    fn the_platforms_key_is_also_known_from_what_shares_the_systems_user() {
        let signed = |name: &str, digit| {
            let mut package = app(name);
            package.copies[0].signers = known(vec![signer(digit)]);
            package
        };
        let mut settings = signed("com.android.settings", 'f');
        settings.shared_user = known(Some("android.uid.system".to_owned()));
        let fits = |packages: Vec<Package>, wanted| {
            let inventory = with(image(), packages);
            let copy = &inventory.package("com.a").unwrap().copies[0];
            match signed_as(copy, &[Reference::of(PLATFORM, &inventory)], wanted) {
                Fits::Yes => Some(true),
                Fits::No => Some(false),
                Fits::Unknown(..) => None,
            }
        };
        for (digit, wanted, expected) in
            [('f', true, true), ('f', false, false), ('a', true, false), ('a', false, true)]
        {
            assert_eq!(fits(vec![settings.clone(), signed("com.a", digit)], wanted), Some(expected));
        }
        let mut unread = signed("android", 'f');
        unread.copies[0].signers = unknown();
        assert_eq!(fits(vec![unread.clone(), settings, signed("com.a", 'f')], true), Some(true));
        assert_eq!(fits(vec![unread, signed("com.a", 'f')], true), None);
    }

    #[test]
    fn names_of_places_are_those_of_the_inventory() {
        assert_eq!(Placement::ALL.map(Placement::as_str).to_vec(), PLACEMENT_NAMES);
    }

    #[test]
    fn a_shared_user_id_stands_for_the_key_that_its_packages_have() {
        let signed = |name: &str, digit, user: Option<&str>| {
            let mut package = app(name);
            package.copies[0].signers = known(vec![signer(digit)]);
            package.shared_user = known(user.map(str::to_owned));
            package
        };
        let platform = signed("android", 'f', None);
        let contacts = signed("com.android.providers.contacts", 'c', Some("android.uid.shared"));
        let names = [PLATFORM, "android.uid.shared"];
        let fits = |inventory: &Inventory, wanted| {
            let references = names.map(|name| Reference::of(name, inventory));
            match signed_as(&inventory.package("com.a").unwrap().copies[0], &references, wanted) {
                Fits::Yes => Some(true),
                Fits::No => Some(false),
                Fits::Unknown(..) => None,
            }
        };
        for (digit, own) in [('f', true), ('c', true), ('a', false)] {
            let inventory = with(image(), [platform.clone(), contacts.clone(), signed("com.a", digit, None)]);
            assert_eq!((fits(&inventory, true), fits(&inventory, false)), (Some(own), Some(!own)), "{digit}");
        }
        // Without the provider nothing has that key, unless it may be behind a gap or is of an unknown user.
        let mut rest = vec![platform, signed("com.a", 'a', None)];
        assert_eq!(fits(&with(image(), rest.clone()), false), Some(true));
        assert_eq!(fits(&with_hidden_partition(with(image(), rest.clone())), false), None);
        rest[1].shared_user = unknown();
        assert_eq!(fits(&with(image(), rest), false), None);
    }
}
