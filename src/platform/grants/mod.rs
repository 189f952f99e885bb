//! Who will hold which permission after the first start, for user 0, predicted from facts alone.
//!
//! [`predict`] is pure: an inventory in, answers out, each with the chain of reasons that led to it. Packages of a shared user
//! are judged together, since a grant to one is a grant to all. What vendors change in code can't be seen, so a refusal of a
//! runtime permission says "the user is asked, unless code of the vendor grants it".

mod answer;
mod app;
mod defaults;
mod device;
#[cfg(test)]
mod fixtures;
pub mod intents;
mod roles;
mod runtime;
mod signature;
mod words;

use std::collections::BTreeMap;

use crate::inventory::{
    Evidence, Fact, Gap, GapReason, Inventory, Outcome, PredictedGrant, Reason, ReasonCode, SourceId,
};
use crate::platform::permissions::{Definition, Lookup, Permissions};
use crate::platform::protection as p;
use answer::{Answer, reason};
use app::{App, Standing};
use device::Device;
use runtime::Granted;
pub use words::words;

/// Predictions by the name of the package.
pub type Predictions = BTreeMap<String, Fact<Vec<PredictedGrant>>>;

/// What stands in place of a permission's name where one is asked for because of the target alone.
pub const BY_TARGET: &str = "targetSdkVersion";
/// Permissions that came with a version of the platform, and the first target that has to ask for them itself
/// (AOSP `CompatibilityPermissionInfo`, and `POST_NOTIFICATIONS` since Android 13).
const BY_VERSION: [(&str, u32, u32); 3] = [
    ("android.permission.POST_NOTIFICATIONS", 33, 33),
    ("android.permission.WRITE_EXTERNAL_STORAGE", 4, 0),
    ("android.permission.READ_PHONE_STATE", 4, 0),
];

/// Predicts for every package of an inventory.
#[must_use]
pub fn predict(inventory: &Inventory) -> Predictions {
    let packages = inventory.packages.known().map(Vec::as_slice).unwrap_or_default();
    let Some(device) = Device::of(inventory) else {
        let made = || Gap::new("predicted grants", GapReason::NotObserved, "the API level of the device is not known");
        let gap = inventory.device.sdk.gap().cloned().unwrap_or_else(made);
        return packages.iter().map(|package| (package.name.clone(), Fact::Unknown(gap.clone()))).collect();
    };
    let everyone = Everyone::of(&device);
    packages.iter().map(|package| (package.name.clone(), everyone.predict(&package.name))).collect()
}

/// What is known of a permission on a device, for those who explain a prediction.
#[must_use]
pub fn definition<'a>(inventory: &'a Inventory, permission: &str) -> Option<Lookup<'a>> {
    Permissions::of_device(inventory).map(|permissions| permissions.get(permission))
}

/// All packages with what they ask for.
struct Everyone<'d, 'a> {
    device: &'d Device<'a>,
    /// What each asks for, by permission, with what it is implied by. Of the copy that most likely runs.
    asks: BTreeMap<&'a str, BTreeMap<String, Option<String>>>,
    /// Packages by shared user.
    shared: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'d, 'a> Everyone<'d, 'a> {
    fn of(device: &'d Device<'a>) -> Self {
        let mut everyone = Self { device, asks: BTreeMap::new(), shared: BTreeMap::new() };
        for (name, copies) in &device.apps {
            let Some(app) = copies.first() else { continue };
            if let Some(asks) = asks(device, app) {
                everyone.asks.insert(name, asks);
            }
            if let (Some(shared), Standing::System) = (app.shared_user(device.sdk).flatten(), app.standing()) {
                everyone.shared.entry(shared).or_default().push(name);
            }
        }
        everyone
    }

    fn predict(&self, name: &str) -> Fact<Vec<PredictedGrant>> {
        let place = || format!("predicted grants of {name}");
        let Some(copies) = self.device.apps.get(name) else {
            return Fact::Unknown(Gap::new(place(), GapReason::Missing, "the package has no copy"));
        };
        let Some(first) = copies.first() else {
            return Fact::Unknown(Gap::new(place(), GapReason::Missing, "the package has no copy"));
        };
        let Some(asks_first) = self.asks.get(name) else {
            let made = || Gap::new(place(), GapReason::Missing, "what it asks for is not known");
            return Fact::Unknown(first.copy.requested_permissions.gap().cloned().unwrap_or_else(made));
        };
        let mut grants = self.of_copy(first, asks_first);
        for other in copies.iter().skip(1) {
            let asked = asks(self.device, other);
            let others = asked.map(|asks| self.of_copy(other, &asks));
            for grant in &mut grants {
                let same = others.as_ref().and_then(|list| list.iter().find(|o| o.permission == grant.permission));
                if same.is_none_or(|same| same.outcome != grant.outcome) {
                    grant.outcome = Outcome::Unknown;
                    grant.reasons.push(reason(ReasonCode::SeveralCopies).on(other.copy.path.clone()));
                }
            }
        }
        let whole = Evidence { source: SourceId(0), at: None };
        let evidence = first.requests_evidence().cloned().unwrap_or(whole);
        Fact::Known { value: grants, evidence }
    }

    fn of_copy(&self, app: &App<'a>, asks: &BTreeMap<String, Option<String>>) -> Vec<PredictedGrant> {
        let grant = |(permission, implied_by): (&String, &Option<String>)| {
            let Granted { answer, fixed } = self.of_permission(app, permission, implied_by.as_deref());
            PredictedGrant {
                permission: permission.clone(),
                outcome: answer.outcome,
                fixed,
                implied_by: implied_by.clone(),
                reasons: answer.reasons,
            }
        };
        asks.iter().map(grant).collect()
    }

    fn of_permission(&self, app: &App<'a>, permission: &str, implied_by: Option<&str>) -> Granted {
        let soft = |answer| Granted { answer, fixed: false };
        match app.standing() {
            Standing::NotLoaded => {
                let why = reason(ReasonCode::NotLoaded).on(app.factory.path.clone());
                return soft(Answer::unknown(why.at(app.factory.placement.evidence())));
            }
            Standing::Unknown => return soft(Answer::unknown(reason(ReasonCode::FactUnknown).on("place"))),
            Standing::System | Standing::Added => {}
        }
        match self.device.permissions.get(permission) {
            Lookup::Undefined => soft(Answer::no(reason(ReasonCode::Undefined))),
            Lookup::NotKnown => soft(Answer::unknown(reason(ReasonCode::DeclarerUnknown))),
            Lookup::One(definition) => self.by_definition(app, permission, implied_by, &definition),
            Lookup::Several(definitions) => {
                let names: Vec<&str> = definitions.iter().map(|definition| definition.package).collect();
                let mut answers =
                    definitions.iter().map(|definition| self.by_definition(app, permission, implied_by, definition));
                let first = answers.next().unwrap_or_else(|| soft(Answer::quiet_no()));
                if answers.all(|other| other.answer.outcome == first.answer.outcome) {
                    return first;
                }
                soft(Answer::unknown(reason(ReasonCode::SeveralDeclarers).on(names.join(", "))))
            }
        }
    }

    fn by_definition(
        &self,
        app: &App<'a>,
        permission: &str,
        implied_by: Option<&str>,
        definition: &Definition<'_>,
    ) -> Granted {
        let soft = |answer| Granted { answer, fixed: false };
        let Some(level) = definition.level else {
            return soft(Answer::unknown(reason(ReasonCode::LevelUnknown).on(definition.package)));
        };
        match level & 0xF {
            p::NORMAL => soft(Answer::yes(reason(ReasonCode::Normal))),
            p::DANGEROUS => self.runtime(app, permission, implied_by, level),
            p::SIGNATURE | p::INTERNAL => soft(self.by_key(app, permission, definition, level)),
            _ => soft(Answer::unknown(reason(ReasonCode::LevelUnknown).on(definition.package))),
        }
    }

    fn by_key(&self, app: &App<'a>, permission: &str, definition: &Definition<'_>, level: u32) -> Answer {
        let judge = |members: &[App<'a>]| signature::judge(self.device, members, permission, definition, level);
        let own = judge(&[*app]);
        if own.outcome == Outcome::Granted {
            return own;
        }
        let others = self.others(app, permission);
        if others.is_empty() {
            return own;
        }
        if let Some((other, answer)) =
            others.iter().map(|other| (other, judge(&[*other]))).find(|(_, answer)| answer.outcome == Outcome::Granted)
        {
            return shared(other.name(), answer);
        }
        let all: Vec<App<'a>> = std::iter::once(*app).chain(others.iter().copied()).collect();
        let pooled = judge(&all);
        match pooled.outcome {
            Outcome::Granted => {
                let names: Vec<&str> = others.iter().map(App::name).collect();
                shared(&names.join(", "), pooled)
            }
            Outcome::Unknown => pooled,
            Outcome::Refused => own,
        }
    }

    fn runtime(&self, app: &App<'a>, permission: &str, implied_by: Option<&str>, level: u32) -> Granted {
        let mut own = runtime::judge(self.device, app, permission, level);
        if own.answer.outcome == Outcome::Granted {
            return own;
        }
        if let Some(answer) = implied_by.and_then(|source| self.comes_with(app, source)) {
            own = Granted { answer: Answer::any([answer, own.answer]), fixed: false };
            if own.answer.outcome == Outcome::Granted {
                return own;
            }
        }
        for other in self.others(app, permission) {
            let theirs = runtime::judge(self.device, &other, permission, level);
            match theirs.answer.outcome {
                Outcome::Granted => {
                    return Granted { answer: shared(other.name(), theirs.answer), fixed: theirs.fixed };
                }
                Outcome::Unknown => own = Granted { answer: theirs.answer, fixed: false },
                Outcome::Refused => {}
            }
        }
        own
    }

    /// A runtime permission that comes with one that is granted at installation.
    fn comes_with(&self, app: &App<'a>, source: &str) -> Option<Answer> {
        let Lookup::One(definition) = self.device.permissions.get(source) else { return None };
        let level = definition.level.filter(|level| level & 0xF != p::DANGEROUS)?;
        let answer = match level & 0xF {
            p::NORMAL => Answer::quiet_yes(),
            _ => self.by_key(app, source, &definition, level),
        };
        Some(match answer.outcome {
            Outcome::Granted => Answer::yes(reason(ReasonCode::ComesWith).on(source)),
            Outcome::Unknown => answer,
            Outcome::Refused => Answer::quiet_no(),
        })
    }

    /// Other members of the shared user that ask for the permission.
    fn others(&self, app: &App<'a>, permission: &str) -> Vec<App<'a>> {
        let Some(shared) = app.shared_user(self.device.sdk).flatten() else { return Vec::new() };
        if app.standing() != Standing::System {
            return Vec::new();
        }
        let members = self.shared.get(shared).into_iter().flatten();
        members
            .filter(|name| **name != app.name())
            .filter(|name| self.asks.get(**name).is_some_and(|asks| asks.contains_key(permission)))
            .filter_map(|name| self.device.apps.get(name)?.first().copied())
            .collect()
    }
}

fn shared(other: &str, answer: Answer) -> Answer {
    let mut reasons: Vec<Reason> = vec![reason(ReasonCode::SharedUser).on(other)];
    reasons.extend(answer.reasons);
    Answer { outcome: answer.outcome, reasons }
}

/// What a copy asks for, with what is implied. `None` where it is not known.
fn asks(device: &Device<'_>, app: &App<'_>) -> Option<BTreeMap<String, Option<String>>> {
    let requests = app.requests(device.sdk)?;
    let mut asks: BTreeMap<String, Option<String>> =
        requests.iter().map(|request| (request.name.clone(), None)).collect();
    let Some(target) = app.target_sdk() else { return Some(asks) };
    let imply = |asks: &mut BTreeMap<String, Option<String>>, name: &str, by: &str| {
        let defined = !matches!(device.permissions.get(name), Lookup::Undefined | Lookup::NotKnown);
        if defined && !asks.contains_key(name) {
            asks.insert(name.to_owned(), Some(by.to_owned()));
        }
    };
    for (name, until, since) in BY_VERSION {
        if target < until && device.sdk >= since {
            imply(&mut asks, name, BY_TARGET);
        }
    }
    // One split may lead to another; there are no more steps than splits.
    for _ in 0..device.splits.len() {
        let before = asks.len();
        for split in &device.splits {
            if split.target_sdk.is_none_or(|limit| target < limit) && asks.contains_key(&split.permission) {
                for new in &split.new {
                    imply(&mut asks, new, &split.permission);
                }
            }
        }
        if asks.len() == before {
            break;
        }
    }
    Some(asks)
}
