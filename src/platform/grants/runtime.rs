//! Permissions that the user grants, as far as Android grants them itself at first start
//! (AOSP `DefaultPermissionGrantPolicy`, `PermissionManagerService.restorePermissionState`).

use super::answer::{Answer, reason};
use super::app::{App, Standing};
use super::defaults::{RULES, Rule, Who};
use super::device::{Chosen, Device, same};
use super::roles;
use super::signature::is_signed_by;
use crate::inventory::{Evidence, Outcome, ReasonCode};
use crate::platform::protection as p;

/// First target with runtime permissions.
const RUNTIME: u32 = 23;
/// First version that grants notifications to apps with the platform's key.
const NOTIFICATIONS: u32 = 33;
/// First version with certificates in default grants.
const CERTIFICATES: u32 = 30;

/// What a member of an appId gets, and whether for good.
pub(super) struct Granted {
    pub(super) answer: Answer,
    pub(super) fixed: bool,
}

impl Granted {
    fn soft(answer: Answer) -> Self {
        Self { answer, fixed: false }
    }
}

/// Whether the app gets a runtime permission that it asks for.
pub(super) fn judge(device: &Device<'_>, app: &App<'_>, name: &str, level: u32) -> Granted {
    let Some(target) = app.target_sdk() else {
        return Granted::soft(Answer::unknown(reason(ReasonCode::FactUnknown).on("targetSdkVersion")));
    };
    if target < RUNTIME && level & p::RUNTIME_ONLY == 0 {
        return Granted::soft(Answer::yes(reason(ReasonCode::LegacyTarget).on(target.to_string())));
    }
    match app.standing() {
        Standing::System => {}
        Standing::Unknown => return Granted::soft(Answer::unknown(reason(ReasonCode::FactUnknown).on("place"))),
        Standing::Added | Standing::NotLoaded => return Granted::soft(Answer::no(reason(ReasonCode::AsksUser))),
    }
    if app.is_system_component(device.sdk) {
        let about = app.shared_user(device.sdk).flatten().unwrap_or(app.name());
        let evidence = app.package.shared_user.evidence().or_else(|| app.package.uid.evidence());
        let answer = Answer::yes(reason(ReasonCode::SystemComponent).on(about).at(evidence));
        return Granted { answer, fixed: true };
    }
    let platform = has_platform_key(device, app);
    if app.is_privileged() && app.is_persistent() && platform.outcome == Outcome::Granted {
        let answer = Answer::yes(reason(ReasonCode::PersistentPlatformApp).at(app.factory.flags.evidence()));
        return Granted { answer, fixed: true };
    }
    let mut answers = Vec::new();
    if device.sdk >= NOTIFICATIONS && name == "android.permission.POST_NOTIFICATIONS" {
        if platform.outcome == Outcome::Granted {
            let answer = Answer::yes(reason(ReasonCode::PlatformApp).at(app.factory.signers.evidence()));
            return Granted { answer, fixed: true };
        }
        if platform.outcome == Outcome::Unknown {
            answers.push(platform.clone());
        }
    }
    if app.is_privileged() && app.is_persistent() && platform.outcome == Outcome::Unknown {
        answers.push(platform);
    }
    let mut fixed = None;
    for rule in RULES.iter().filter(|rule| (rule.since..=rule.until).contains(&device.sdk)) {
        if !gives(device, rule, name, target) {
            continue;
        }
        let answer = handler(device, app, rule);
        if answer.outcome == Outcome::Granted {
            // Granted by two rules, the weaker form stays.
            fixed = Some(fixed.unwrap_or(true) && rule.fixed);
        }
        answers.push(answer);
    }
    // Where the roles of the device were not read, its defaults for tasks above stand for them.
    if let Some(answer) = roles::judge(device, app, name, level).filter(|answer| answer.outcome != Outcome::Refused) {
        if answer.outcome == Outcome::Granted {
            // The user may take it back.
            fixed = Some(false);
        }
        answers.push(answer);
    }
    let (exception, exception_fixed) = exception(device, app, name, target);
    if exception.outcome == Outcome::Granted {
        fixed = Some(fixed.unwrap_or(exception_fixed) && exception_fixed);
    }
    answers.push(exception);
    let answer = Answer::any(answers);
    match answer.outcome {
        Outcome::Granted => Granted { answer, fixed: fixed.unwrap_or(false) },
        Outcome::Unknown => Granted::soft(answer),
        Outcome::Refused => {
            let mut reasons = answer.reasons;
            reasons.push(reason(ReasonCode::AsksUser));
            Granted::soft(Answer { outcome: Outcome::Refused, reasons })
        }
    }
}

/// Whether a rule is about the permission: itself, or what comes with one of its own for older targets.
fn gives(device: &Device<'_>, rule: &Rule, name: &str, target: u32) -> bool {
    let has = |permission: &str| rule.sets.iter().any(|set| set.has(permission, device.sdk));
    has(name)
        || device.splits.iter().any(|split| {
            split.target_sdk.is_none_or(|limit| target < limit)
                && split.new.iter().any(|new| new == name)
                && has(&split.permission)
        })
}

fn has_platform_key(device: &Device<'_>, app: &App<'_>) -> Answer {
    match (app.signers(device.sdk), &device.platform) {
        (Some(own), Some(platform)) if same(&own, platform) => Answer::quiet_yes(),
        (Some(_), Some(_)) => Answer::quiet_no(),
        (None, _) => Answer::unknown(reason(ReasonCode::SignerUnknown).on(app.name())),
        (_, None) => Answer::unknown(reason(ReasonCode::SignerUnknown).on(crate::platform::permissions::PLATFORM)),
    }
}

fn handler(device: &Device<'_>, app: &App<'_>, rule: &Rule) -> Answer {
    let (code, chosen) = match rule.who {
        Who::Activity(code) => (code.to_owned(), device.activity(code)),
        Who::Service(code) => (code.to_owned(), device.service(code)),
        Who::Only(code) => (code.to_owned(), device.only(code)),
        Who::Provider(name) => (format!("provider:{name}"), device.provider(name)),
        Who::Package(name) if name == app.name() => {
            return Answer::yes(reason(ReasonCode::DefaultHandler).on(name).at(app.requests_evidence()));
        }
        Who::Package(_) => return Answer::quiet_no(),
        Who::Candidate(code) => {
            let answers = device.candidates(code).contains(&app.name()) || device.is_silent(app.name());
            // Android means sync adapters without an icon.
            let shown = app.copy.launcher.known().is_some_and(|launcher| !launcher.is_empty());
            if !answers || (code == "sync-adapter" && shown) {
                return Answer::quiet_no();
            }
            return Answer::unknown(reason(ReasonCode::DefaultHandlerUnknown).on(code));
        }
    };
    match chosen {
        Chosen::One(name) if name == app.name() => {
            Answer::yes(reason(ReasonCode::DefaultHandler).on(code).at(app.copy.answers.evidence()))
        }
        Chosen::Unclear(names) if names.contains(&app.name()) => {
            Answer::unknown(reason(ReasonCode::DefaultHandlerUnknown).on(code))
        }
        Chosen::One(_) | Chosen::Nobody | Chosen::Unclear(_) => Answer::quiet_no(),
    }
}

/// What the files of default grants say, and whether for good.
fn exception(device: &Device<'_>, app: &App<'_>, name: &str, target: u32) -> (Answer, bool) {
    let Some(controls) = device.controls else { return (Answer::quiet_no(), false) };
    let mut answers = Vec::new();
    let mut fixed = true;
    for grants in controls.default_grants.iter().filter(|grants| grants.package == app.name()) {
        for entry in &grants.permissions {
            let itself = entry.name == name;
            let comes_with = || {
                device.splits.iter().any(|split| {
                    split.permission == entry.name
                        && split.target_sdk.is_none_or(|limit| target < limit)
                        && split.new.iter().any(|new| new == name)
                })
            };
            if !itself && !comes_with() {
                continue;
            }
            let at = Evidence { source: grants.evidence.source, at: Some(format!("line {}", entry.line)) };
            let named = reason(ReasonCode::DefaultGrant).at(Some(&at));
            let certificate = grants.certificate.as_deref().filter(|_| device.sdk >= CERTIFICATES);
            let signed = certificate.map_or(Some(true), |certificate| is_signed_by(device, app, certificate));
            answers.push(match signed {
                Some(true) => {
                    fixed &= entry.fixed;
                    Answer::yes(named)
                }
                Some(false) => Answer::no(reason(ReasonCode::DefaultGrantOtherSigner).at(Some(&at))),
                None => Answer::unknown(reason(ReasonCode::SignerUnknown).on(app.name()).at(Some(&at))),
            });
        }
    }
    if let Some(gap) = controls.unread.iter().find(|gap| gap.place.contains("/etc/default-permissions/")) {
        answers.push(Answer::unknown(reason(ReasonCode::ListUnread).on(gap.place.clone())));
    }
    (Answer::any(answers), fixed)
}
