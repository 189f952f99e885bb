//! What an expression sees: a stable view of the device and its packages. Names and meanings are public and stay; new ones
//! come. The page of the kind lists them from here.
//!
//! A text that is absent is empty, and nothing is `null`. A fact that is a gap is unknown, whatever is asked of it.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use super::super::Context;
use super::super::holding::{Holdings, Of as Grants};
use super::super::permission_ceiling::asked;
use super::super::selector::Picked;
use super::super::words::phrase;
use super::tree::Type;
use super::value::{List, Text, Unknown, Value, Why};
use super::{device_view, package_view};
use crate::inventory::{
    DeclaredPermission, Evidence, ExportedComponent, Fact, Inventory, LibraryFacts, Package, PackageCopy, SdkCount,
    SystemHook,
};

/// A record, by what it is of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Record<'a> {
    Package(Subject<'a>),
    Device,
    Component(&'a ExportedComponent),
    Hook(&'a SystemHook),
    Library(&'a LibraryFacts),
    Sdk(&'a SdkCount),
    Declared(&'a DeclaredPermission),
}

/// A package, as one of its copies has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) package: &'a Package,
    pub(super) copy: &'a PackageCopy,
}

impl<'a> Record<'a> {
    /// What tells it from others of its kind.
    pub(super) fn name(&self) -> &'a str {
        match self {
            Self::Package(subject) => &subject.package.name,
            Self::Device => "the device",
            Self::Component(component) => &component.name,
            Self::Hook(hook) => &hook.component,
            Self::Library(library) => &library.name,
            Self::Sdk(sdk) => &sdk.prefix,
            Self::Declared(permission) => &permission.name,
        }
    }
}

/// Kinds of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Package,
    Device,
    Component,
    Hook,
    Library,
    Sdk,
    Declared,
}

impl Kind {
    pub(super) const ALL: [Self; 7] =
        [Self::Device, Self::Package, Self::Component, Self::Declared, Self::Hook, Self::Library, Self::Sdk];

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Package => "a package",
            Self::Device => "the device",
            Self::Component => "a component",
            Self::Hook => "a hook",
            Self::Library => "a library",
            Self::Sdk => "an SDK",
            Self::Declared => "a declared permission",
        }
    }

    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Package => "packages",
            Self::Device => "devices",
            Self::Component => "components",
            Self::Hook => "hooks",
            Self::Library => "libraries",
            Self::Sdk => "SDKs",
            Self::Declared => "declared permissions",
        }
    }

    pub(super) fn fields(self) -> &'static [Field] {
        match self {
            Self::Package => package_view::FIELDS,
            Self::Device => device_view::FIELDS,
            Self::Component => COMPONENT,
            Self::Hook => HOOK,
            Self::Library => LIBRARY,
            Self::Sdk => SDK,
            Self::Declared => DECLARED,
        }
    }
}

/// A field of a record.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) of: Of,
    pub(super) meaning: &'static str,
    pub(super) read: Reader,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Flag,
    Number,
    Text,
    Texts,
    /// Texts by text.
    TextMap,
    Records(Kind),
}

impl Of {
    pub(super) fn of(self) -> Type {
        match self {
            Self::Flag => Type::Flag,
            Self::Number => Type::Number,
            Self::Text => Type::Text,
            Self::Texts => Type::list(Type::Text),
            Self::TextMap => Type::Map(Box::new(Type::Text), Box::new(Type::Text)),
            Self::Records(kind) => Type::list(Type::Record(kind)),
        }
    }
}

/// How a field is read, by the kind of record.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reader {
    Package(for<'a> fn(Subject<'a>, &World<'a>) -> Read<'a>),
    Device(for<'a> fn(&World<'a>) -> Read<'a>),
    Component(for<'a> fn(&'a ExportedComponent) -> Value<'a>),
    Hook(for<'a> fn(&'a SystemHook) -> Value<'a>),
    Library(for<'a> fn(&'a LibraryFacts) -> Value<'a>),
    Sdk(for<'a> fn(&'a SdkCount) -> Value<'a>),
    Declared(for<'a> fn(&'a DeclaredPermission) -> Result<Value<'a>, Why<'a>>),
}

/// What reading a field comes to.
pub(super) enum Read<'a> {
    /// A value, and where it was read; `None` for what the list of packages or whoever asked tells.
    Known(Value<'a>, Option<&'a Evidence>),
    Unknown(Why<'a>),
}

impl Field {
    pub(super) fn read<'a>(&'static self, record: Record<'a>, world: &World<'a>) -> Read<'a> {
        match (self.read, record) {
            (Reader::Package(read), Record::Package(subject)) => read(subject, world),
            (Reader::Device(read), Record::Device) => read(world),
            (Reader::Component(read), Record::Component(of)) => Read::Known(read(of), None),
            (Reader::Hook(read), Record::Hook(of)) => Read::Known(read(of), None),
            (Reader::Library(read), Record::Library(of)) => Read::Known(read(of), None),
            (Reader::Sdk(read), Record::Sdk(of)) => Read::Known(read(of), None),
            (Reader::Declared(read), Record::Declared(of)) => match read(of) {
                Ok(value) => Read::Known(value, None),
                Err(why) => Read::Unknown(why),
            },
            // Types are settled when the expression is read.
            _ => Read::Unknown(Why::Untold(phrase("it is a field of something else", "это поле чего-то другого"))),
        }
    }
}

/// A name that an expression may use.
#[derive(Debug, Clone)]
pub(super) struct Root {
    pub(super) name: &'static str,
    of: Type,
    pub(super) meaning: &'static str,
}

impl Root {
    pub(super) fn new(name: &'static str, of: Type, meaning: &'static str) -> Self {
        Self { name, of, meaning }
    }

    pub(super) fn of(&self) -> Type {
        self.of.clone()
    }
}

/// Places in [`roots`].
pub(super) const PKG: usize = 0;
pub(super) const PACKAGES: usize = 1;
pub(super) const SELECTED: usize = 2;
pub(super) const DEVICE: usize = 3;
pub(super) const AS_OF: usize = 4;

/// Every name.
pub(super) fn roots() -> Vec<Root> {
    let packages = || Type::list(Type::Record(Kind::Package));
    vec![
        Root::new(
            "pkg",
            Type::Record(Kind::Package),
            "the package; an expression that uses it is asked of every copy of every package that `select` picks",
        ),
        Root::new("packages", packages(), "every pre-installed package, each as the copy that Android runs"),
        Root::new("selected", packages(), "copies that `select` picks"),
        Root::new("device", Type::Record(Kind::Device), "the device"),
        Root::new("as_of", Type::Text, "the day judged on, `2026-01-31`; days compare as texts"),
    ]
}

/// One inventory, as expressions see it.
pub(super) struct World<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) context: &'a Context,
    granted: [Holdings<'a>; 3],
    packages: OnceCell<Value<'a>>,
    /// What `select` picks.
    pub(super) selected: OnceCell<Value<'a>>,
    /// Whether a prediction was read.
    pub(super) predicted: Cell<bool>,
}

impl<'a> World<'a> {
    pub(super) fn new(inventory: &'a Inventory, context: &'a Context) -> Self {
        let granted = [Grants::Granted, Grants::GrantedByDefault, Grants::Fixed];
        Self {
            inventory,
            context,
            granted: granted.map(|of| Holdings::new(inventory, of)),
            packages: OnceCell::new(),
            selected: OnceCell::new(),
            predicted: Cell::new(false),
        }
    }

    /// Every package.
    pub(super) fn packages(&self) -> Value<'a> {
        let all = || {
            self.listed("packages", true, |package, list| {
                list.items
                    .extend(package.active().map(|copy| Value::Record(Record::Package(Subject { package, copy }))));
            })
        };
        self.packages.get_or_init(all).clone()
    }

    /// The copies that a selector picks; `may_miss` tells whether a gap may hide some.
    pub(super) fn pick(&self, may_miss: bool, pick: impl Fn(&'a Package) -> Picked<'a>) -> Value<'a> {
        self.listed("selected", may_miss, |package, list| {
            let picked = pick(package);
            let record = |copy| Value::Record(Record::Package(Subject { package, copy }));
            list.items.extend(picked.copies.iter().map(|copy| record(copy)));
            // Those of which it is not known are told apart from those that are picked, and from those that are not.
            list.perhaps.extend(
                picked
                    .unknown
                    .iter()
                    .map(|(copy, _, gap)| (record(copy), Unknown::one("selected", &package.name, Why::Gap(gap)))),
            );
        })
    }

    fn listed(&self, name: &'static str, may_miss: bool, add: impl Fn(&'a Package, &mut List<'a>)) -> Value<'a> {
        let packages = match &self.inventory.packages {
            Fact::Known { value, .. } => value,
            Fact::Unknown(gap) => return Value::Unknown(Unknown::one(name, "", Why::Gap(gap))),
        };
        let mut list = List::default();
        packages.iter().for_each(|package| add(package, &mut list));
        let hiding = self.inventory.gaps_hiding_packages().map(|gap| Unknown::one(name, "", Why::Gap(gap)));
        list.rest = hiding.reduce(|one, other| one.and(&other)).filter(|_| may_miss);
        Value::List(Arc::new(list))
    }
}

pub(super) fn text(text: &str) -> Value<'_> {
    Value::Text(Text::Lent(text))
}

/// An absent text is empty.
pub(super) fn maybe(value: Option<&String>) -> Value<'_> {
    text(value.map_or("", String::as_str))
}

pub(super) fn texts<'a>(list: impl IntoIterator<Item = &'a String>) -> Value<'a> {
    Value::list(list.into_iter().map(|item| text(item)).collect())
}

pub(super) fn number(number: impl Into<i64>) -> Value<'static> {
    Value::Number(number.into())
}

/// The value of a fact.
pub(super) fn told<'a, T>(fact: &'a Fact<T>, value: impl FnOnce(&'a T) -> Value<'a>) -> Read<'a> {
    told_or(fact, |fact| Ok(value(fact)))
}

/// The value of a fact that may not say it.
pub(super) fn told_or<'a, T>(fact: &'a Fact<T>, value: impl FnOnce(&'a T) -> Result<Value<'a>, Why<'a>>) -> Read<'a> {
    match fact {
        Fact::Known { value: known, evidence } => match value(known) {
            Ok(value) => Read::Known(value, Some(evidence)),
            Err(why) => Read::Unknown(why),
        },
        Fact::Unknown(gap) => Read::Unknown(Why::Gap(gap)),
    }
}

/// A number that is larger than those of expressions is not one.
pub(super) fn large<'a>(value: u64) -> Result<Value<'a>, Why<'a>> {
    i64::try_from(value)
        .map(Value::Number)
        .map_err(|_| Why::Untold(phrase("the number is larger than those of CEL", "число больше, чем бывают в CEL")))
}

/// What a manifest asks for on this device.
pub(super) fn requested<'a>(subject: Subject<'a>, world: &World<'a>) -> Read<'a> {
    let sdk = world.inventory.device.sdk.known().copied();
    told(&subject.copy.requested_permissions, |list| Value::list(asked(list, sdk).map(text).collect()))
}

/// What a package is granted: [`World::granted`] by its place.
pub(super) fn granted<'a>(field: &'static str, place: usize, subject: Subject<'a>, world: &World<'a>) -> Read<'a> {
    let Some(holdings) = world.granted.get(place) else {
        return Read::Unknown(Why::Untold(phrase("there is no such list", "такого списка нет")));
    };
    let holding = match holdings.of(subject.package) {
        Ok(holding) => holding,
        Err(gap) => return Read::Unknown(Why::Gap(gap)),
    };
    if holding.predicted {
        world.predicted.set(true);
    }
    let name = subject.package.name.as_str();
    let mut held: Vec<&str> = holding.held.iter().map(|held| held.permission).collect();
    held.sort_unstable();
    held.dedup();
    let mut open: Vec<&str> = holding.open.iter().map(|open| open.permission).collect();
    open.sort_unstable();
    open.dedup();
    open.retain(|permission| held.binary_search(permission).is_err());
    let why = Why::Untold(phrase("a permission's grant can't be told", "выдано ли разрешение, сказать нельзя"));
    let perhaps = open.into_iter().map(|permission| (text(permission), Unknown::one(field, name, why)));
    let list = List { items: held.into_iter().map(text).collect(), perhaps: perhaps.collect(), rest: None };
    Read::Known(Value::List(Arc::new(list)), Some(holding.evidence))
}

const fn field(name: &'static str, of: Of, meaning: &'static str, read: Reader) -> Field {
    Field { name, of, meaning, read }
}

static COMPONENT: &[Field] = &[
    field(
        "kind",
        Of::Text,
        "`activity`, `activity-alias`, `service`, `receiver`, `provider`",
        Reader::Component(|of| text(&of.kind)),
    ),
    field("name", Of::Text, "full class name", Reader::Component(|of| text(&of.name))),
    field(
        "permission",
        Of::Text,
        "permission that a caller needs, of a provider to read; empty: open to every app",
        Reader::Component(|of| maybe(of.permission.as_ref())),
    ),
    field(
        "write_permission",
        Of::Text,
        "permission that a caller needs to write to a provider; may be empty",
        Reader::Component(|of| maybe(of.write_permission.as_ref())),
    ),
    field("authorities", Of::Texts, "authorities of a provider", Reader::Component(|of| texts(&of.authorities))),
];

static HOOK: &[Field] = &[
    field(
        "kind",
        Of::Text,
        "`device-admin`, `accessibility` ...: see `system-hooks`",
        Reader::Hook(|of| text(&of.kind)),
    ),
    field("component", Of::Text, "full class name", Reader::Hook(|of| text(&of.component))),
];

static LIBRARY: &[Field] = &[
    field(
        "kind",
        Of::Text,
        "the manifest's element: `library`, `uses-library` ...",
        Reader::Library(|of| text(&of.kind)),
    ),
    field("name", Of::Text, "its name", Reader::Library(|of| text(&of.name))),
];

static SDK: &[Field] = &[
    field("prefix", Of::Text, "the package that its classes live in", Reader::Sdk(|of| text(&of.prefix))),
    field("name", Of::Text, "name of the product", Reader::Sdk(|of| text(&of.name))),
    field(
        "kind",
        Of::Text,
        "what it is for: `ads`, `analytics` ...: see `contains-code`",
        Reader::Sdk(|of| text(&of.kind)),
    ),
    field(
        "classes",
        Of::Number,
        "number of its classes",
        Reader::Sdk(|of| number(i64::try_from(of.classes).unwrap_or(i64::MAX))),
    ),
];

static DECLARED: &[Field] = &[
    field("name", Of::Text, "the permission's name", Reader::Declared(|of| Ok(text(&of.name)))),
    field(
        "protection",
        Of::Text,
        "protection level in Android's words: `signature|privileged`",
        Reader::Declared(|of| match &of.protection {
            Some(protection) => Ok(text(protection)),
            None => {
                Err(Why::Untold(phrase("it is a reference that was not resolved", "это ссылка, которая не разрешена")))
            }
        }),
    ),
];
