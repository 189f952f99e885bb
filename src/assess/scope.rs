//! Whether a rule concerns a device on a day.

use jiff::civil::Date;

use super::Governing;
use crate::check::words::words;
use crate::check::{Context, Reason, Words};
use crate::inventory::Inventory;
use crate::profile::{Basis, Rule, Window};

/// A rule's dates, applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Timing {
    /// In force or not; `None` where the readings of the law disagree and none was chosen.
    pub(super) in_force: Option<bool>,
    /// What decided; `None` for a rule without dates.
    pub(super) governing: Option<Governing>,
    /// Days that may govern, for what else depends on them.
    pub(super) days: Vec<Date>,
    /// What a reader must know about the choice.
    pub(super) notes: Vec<Words>,
}

/// One window with the day that it is held against.
struct Reading<'a> {
    window: &'a Window,
    day: Date,
    /// The basis as printed: `as-of` where the day judged on stands for a day that was not given.
    basis: &'static str,
}

impl Reading<'_> {
    fn holds(&self) -> bool {
        self.window.contains(self.day)
    }

    fn governing(&self) -> Governing {
        Governing {
            basis: self.basis.to_owned(),
            date: Some(self.day.to_string()),
            from: self.window.from.map(|day| day.to_string()),
            until: self.window.until.map(|day| day.to_string()),
        }
    }

    fn describe(&self) -> Words {
        let what = match self.window.basis {
            Basis::Made => words!("the day of making", "дате изготовления"),
            Basis::Sold => words!("the day of sale", "дате продажи"),
            Basis::AsOf => words!("the day judged on", "дате проверки"),
        };
        let whose = self
            .window
            .held_by
            .as_ref()
            .map_or_else(Words::default, |who| words!(", as {who} reads it", " (толкование: {who})", who));
        let holds = if self.holds() {
            words!("in force", "действует")
        } else {
            words!("not in force", "не действует")
        };
        words!(
            "By {what}{whose}: {holds} on {day}.",
            "По {what} {day}{whose} правило {holds}.",
            what,
            whose,
            holds,
            day = self.day
        )
    }
}

/// Applies a rule's dates. A day that was not given is the day judged on: a device on the shelf is sold then at the
/// earliest, and was made then at the latest.
pub(super) fn timing(rule: &Rule, context: &Context) -> Timing {
    let (made, made_basis) = day(Basis::Made, context);
    if let Some(first) = rule.made_from.filter(|first| made < *first) {
        let governing = Governing {
            basis: made_basis.to_owned(),
            date: Some(made.to_string()),
            from: Some(first.to_string()),
            until: None,
        };
        let notes = vec![words!(
            "Devices made before {first} are outside the rule.",
            "Устройства, изготовленные до {first}, под правило не подпадают.",
            first
        )];
        return Timing { in_force: Some(false), governing: Some(governing), days: vec![made], notes };
    }

    let readings = readings(rule, context);
    let mut notes = Vec::new();
    let needs = |basis| readings.iter().any(|reading| reading.window.basis == basis);
    if context.made.is_none() && (rule.made_from.is_some() || needs(Basis::Made)) {
        notes.push(words!(
            "The day of making was not given: {day} stands for it.",
            "Дата изготовления не указана; принята дата {day}.",
            day = context.as_of
        ));
    }
    if context.sold.is_none() && needs(Basis::Sold) {
        notes.push(words!(
            "The day of sale was not given: {day} stands for it, the earliest for a device not sold yet.",
            "Дата продажи не указана; принята дата {day}, самая ранняя из возможных для ещё не проданного устройства.",
            day = context.as_of
        ));
    }

    // What somebody stated tells more than what the day judged on stands for.
    let shown = readings.iter().find(|reading| reading.basis != Basis::AsOf.as_str()).or(readings.first());
    let days = if readings.is_empty() { vec![context.as_of] } else { readings.iter().map(|r| r.day).collect() };
    let Some(shown) = shown else {
        let governing = rule.made_from.map(|first| Governing {
            basis: made_basis.to_owned(),
            date: Some(made.to_string()),
            from: Some(first.to_string()),
            until: None,
        });
        return Timing { in_force: Some(true), governing, days, notes };
    };
    let agreed = readings.iter().all(|reading| reading.holds() == shown.holds());
    if agreed {
        return Timing { in_force: Some(shown.holds()), governing: Some(shown.governing()), days, notes };
    }
    notes.extend(readings.iter().map(Reading::describe));
    notes.push(words!(
        "Which date governs is disputed; `--governing made` or `--governing sold` chooses.",
        "Какая из дат определяющая, спорно; её задаёт параметр `--governing made` или `--governing sold`."
    ));
    let governing = Governing { basis: "disputed".to_owned(), date: None, ..shown.governing() };
    Timing { in_force: None, governing: Some(governing), days, notes }
}

/// The windows that count: all of them, or the chosen one where the rule has it.
fn readings<'a>(rule: &'a Rule, context: &Context) -> Vec<Reading<'a>> {
    let chosen = context.governing.filter(|basis| rule.effective.iter().any(|window| window.basis == *basis));
    rule.effective
        .iter()
        .filter(|window| chosen.is_none_or(|basis| basis == window.basis))
        .map(|window| {
            let (day, basis) = day(window.basis, context);
            Reading { window, day, basis }
        })
        .collect()
}

fn day(basis: Basis, context: &Context) -> (Date, &'static str) {
    let given = match basis {
        Basis::Made => context.made,
        Basis::Sold => context.sold,
        Basis::AsOf => None,
    };
    match given {
        Some(day) => (day, basis.as_str()),
        None => (context.as_of, Basis::AsOf.as_str()),
    }
}

/// Whether a rule concerns a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Concern {
    /// It does.
    Yes,
    /// It does not, for the reason, in words.
    No(Reason, Words),
    /// Not known, in words.
    Unknown(Words),
}

/// Whether the rule is for this kind of device and this operating system.
pub(super) fn concern(rule: &Rule, inventory: &Inventory, context: &Context) -> Concern {
    let kind = context.kind.or(inventory.device.kind.known().copied());
    let flavour = context.os_flavour.or(inventory.device.os_flavour.known().copied());
    if let (Some(kinds), Some(kind)) = (&rule.device_kinds, kind)
        && !kinds.contains(&kind)
    {
        let words = words!(
            "the rule is for {kinds}, the device is a {kind}",
            "правило для {kinds}, а устройство — {kind}",
            kinds = names(kinds, |k| k.as_str()),
            kind = kind.as_str()
        );
        return Concern::No(Reason::OtherDeviceKind, words);
    }
    if let (Some(flavours), Some(flavour)) = (&rule.os_flavours, flavour)
        && !flavours.contains(&flavour)
    {
        let words = words!(
            "the rule is for {flavours}, the device runs {flavour}",
            "правило для {flavours}, а на устройстве {flavour}",
            flavours = names(flavours, |f| f.as_str()),
            flavour = flavour.as_str()
        );
        return Concern::No(Reason::OtherOsFlavour, words);
    }
    let market = market(rule, inventory, context);
    if let Concern::No(..) = market {
        return market;
    }
    let sdk = inventory.device.sdk.known().copied();
    if let (Some((from, until)), Some(sdk)) = (rule.sdk, sdk)
        && !(from..=until).contains(&sdk)
    {
        let words = words!(
            "the rule is for {levels}, the device has {sdk}",
            "правило для {levels}, а у устройства {sdk}",
            levels = levels(from, until),
            sdk
        );
        return Concern::No(Reason::OtherSdk, words);
    }
    match (&rule.device_kinds, kind, &rule.os_flavours, flavour) {
        (Some(kinds), None, _, _) => Concern::Unknown(words!(
            "the kind of device is unknown, and the rule is for {kinds}",
            "вид устройства неизвестен, а правило для {kinds}",
            kinds = names(kinds, |k| k.as_str())
        )),
        (_, _, Some(flavours), None) => Concern::Unknown(words!(
            "the operating system is unknown, and the rule is for {flavours}",
            "операционная система неизвестна, а правило для {flavours}",
            flavours = names(flavours, |f| f.as_str())
        )),
        _ => match (rule.sdk, sdk) {
            (Some((from, until)), None) => Concern::Unknown(words!(
                "the API level is unknown, and the rule is for {levels}",
                "уровень API неизвестен, а правило для {levels}",
                levels = levels(from, until)
            )),
            _ => market,
        },
    }
}

/// Bounds in words, either of which may be left out in a profile.
fn levels(from: u32, until: u32) -> Words {
    match (from, until) {
        (from, u32::MAX) => words!("API levels from {from}", "уровней API от {from}", from),
        (0, until) => words!("API levels up to {until}", "уровней API до {until}", until),
        (from, until) => words!("API levels {from} to {until}", "уровней API от {from} до {until}", from, until),
    }
}

/// A market that somebody named decides. A vendor's own region code decides only where it is the rule's market: codes of
/// vendors are no ISO codes, so another one proves nothing.
fn market(rule: &Rule, inventory: &Inventory, context: &Context) -> Concern {
    let Some(markets) = &rule.markets else { return Concern::Yes };
    let list = markets.join(", ");
    match &context.market {
        Some(market) if markets.contains(market) => Concern::Yes,
        Some(market) => {
            let words = words!(
                "the rule is for {list}, the device is for {market}",
                "правило для {list}, а устройство для {market}",
                list,
                market
            );
            Concern::No(Reason::OtherMarket, words)
        }
        None => {
            let region = inventory.device.region.known().and_then(Option::as_deref);
            if region.is_some_and(|region| markets.iter().any(|market| market.eq_ignore_ascii_case(region))) {
                return Concern::Yes;
            }
            let region = region.map_or_else(Words::default, |region| {
                let region = format!("{region:?}");
                words!(", its region is {region}", "; регион устройства — {region}", region)
            });
            Concern::Unknown(words!(
                "the market is unknown, and the rule is for {list}{region}; `--market` says it",
                "рынок неизвестен, а правило для {list}{region}; рынок задаёт параметр `--market`",
                list,
                region
            ))
        }
    }
}

fn names<T: Copy>(list: &[T], name: impl Fn(T) -> &'static str) -> String {
    list.iter().map(|item| name(*item)).collect::<Vec<_>>().join(", ")
}
