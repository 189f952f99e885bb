//! Which permissions a package holds: as a phone tells it or, of an image, as it is predicted for the time after the first
//! boot. A prediction follows AOSP and the image's control files; whoever judges by one says so.

use std::cell::OnceCell;

use super::Proof;
use super::words::{Phrase, Words, phrase, words};
use crate::inventory::{Evidence, Fact, Gap, Grant, GrantKind, Inventory, Outcome, Package, PredictedGrant};
use crate::platform::grants;
use crate::platform::permissions::{Lookup, Permissions};
use crate::platform::protection::DANGEROUS;

/// What a finding says that rests on a prediction.
pub(super) const PREDICTED: Phrase = phrase(
    "Predicted from the image for the first boot, by AOSP's own rules and the image's control files; \
     code of the vendor may grant more. `preloaded why` prints the reasons to file and line.",
    "Предсказано по образу для первого запуска: по правилам самого AOSP и управляющим файлам образа; код изготовителя может \
     выдать больше. `preloaded why` печатает причины с файлом и строкой.",
);

/// What stands behind an answer that rests on a prediction.
pub(super) fn as_predicted(predicted: bool) -> Words {
    if predicted { words!(" (predicted)", " (по предсказанию)") } else { Words::default() }
}

/// First target with permissions at run time: what older apps ask for they are granted without a question.
const RUNTIME: u32 = 23;

/// Which permissions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Requested,
    Granted,
    GrantedByDefault,
    Fixed,
}

impl Of {
    /// Values of the setting `of`.
    pub(super) const NAMES: [(&'static str, Self); 4] = [
        ("requested", Self::Requested),
        ("granted", Self::Granted),
        ("granted-by-default", Self::GrantedByDefault),
        ("fixed", Self::Fixed),
    ];

    pub(super) fn verb(self) -> Phrase {
        match self {
            Self::Requested => phrase("ask for", "запрашивается"),
            Self::Granted => phrase("hold", "выдано"),
            Self::GrantedByDefault => phrase("are granted at first boot", "выдаётся при первом запуске"),
            Self::Fixed => phrase("are granted for good", "выдаётся без возможности отозвать"),
        }
    }

    /// Whether a grant counts; `None` where a capture does not tell how it was granted.
    fn counts(self, grant: &Grant, package: &Package) -> Option<bool> {
        let flagged = |names: &[&str]| grant.flags.iter().any(|flag| names.contains(&flag.as_str()));
        if !grant.granted {
            return Some(false);
        }
        match self {
            Self::Requested | Self::Granted => Some(true),
            _ if grant.kind == GrantKind::Untold => None,
            Self::GrantedByDefault => Some(
                flagged(&["GRANTED_BY_DEFAULT"])
                    || (grant.kind == GrantKind::Runtime && is_old(package) && !flagged(&["USER_SET", "USER_FIXED"])),
            ),
            Self::Fixed => Some(flagged(&["SYSTEM_FIXED", "POLICY_FIXED"])),
        }
    }
}

fn is_old(package: &Package) -> bool {
    package.active().and_then(|copy| copy.target_sdk.known()).is_some_and(|target| *target < RUNTIME)
}

/// A permission that a package holds, or may hold.
pub(super) struct Held<'a> {
    pub(super) permission: &'a str,
    /// The user of a phone who granted it; `None` for all, and in a prediction.
    pub(super) user: Option<u32>,
    evidence: &'a Evidence,
    says: Words,
}

impl Held<'_> {
    pub(super) fn proof(&self) -> Proof {
        Proof::new(self.evidence, self.says.clone())
    }

    /// Whether the owner of the device has it.
    pub(super) fn is_owners(&self) -> bool {
        self.user.is_none_or(|user| user == 0)
    }
}

/// What is known of one package.
pub(super) struct Holding<'a> {
    /// Permissions that count, by name.
    pub(super) held: Vec<Held<'a>>,
    /// Those of which it can't be told, by name.
    pub(super) open: Vec<Held<'a>>,
    /// What all of it rests on.
    pub(super) evidence: &'a Evidence,
    /// Whether it is a prediction.
    pub(super) predicted: bool,
}

/// What packages of one device hold.
pub(super) struct Holdings<'a> {
    inventory: &'a Inventory,
    of: Of,
    /// Levels of permissions, looked up where a prediction asks for them.
    permissions: OnceCell<Option<Permissions<'a>>>,
}

impl<'a> Holdings<'a> {
    pub(super) fn new(inventory: &'a Inventory, of: Of) -> Self {
        Self { inventory, of, permissions: OnceCell::new() }
    }

    /// Whether packages without known grants are judged by a prediction.
    pub(super) fn predicts(&self) -> bool {
        self.of != Of::Requested && !self.inventory.target.kind.has_run()
    }

    /// # Errors
    /// The gap of a package of which it is not known.
    pub(super) fn of<'p>(&self, package: &'p Package) -> Result<Holding<'p>, &'p Gap> {
        let gap = match &package.grants {
            Fact::Known { value, evidence } => return Ok(self.told(package, value, evidence)),
            Fact::Unknown(gap) => gap,
        };
        match &package.predicted_grants {
            Fact::Known { value, evidence } if self.predicts() => Ok(self.predicted(value, evidence)),
            Fact::Unknown(why) if self.predicts() && !package.predicted_grants.was_not_asked() => Err(why),
            _ => Err(gap),
        }
    }

    fn told<'p>(&self, package: &Package, grants: &'p [Grant], evidence: &'p Evidence) -> Holding<'p> {
        let mut holding = Holding { held: Vec::new(), open: Vec::new(), evidence, predicted: false };
        for grant in grants {
            let list = match self.of.counts(grant, package) {
                Some(true) => &mut holding.held,
                Some(false) => continue,
                None => &mut holding.open,
            };
            let whom = grant.user.map_or_else(
                || words!("all users", "всех пользователей"),
                |user| words!("user {user}", "пользователя {user}", user),
            );
            let permission = &grant.permission;
            let says = match grant.kind {
                GrantKind::Untold => {
                    words!(
                        "{permission} granted, how is not told",
                        "{permission} выдано, основание не указано",
                        permission
                    )
                }
                _ => {
                    let flags =
                        if grant.flags.is_empty() { String::new() } else { format!(" {}", grant.flags.join("|")) };
                    words!(
                        "{permission} granted for {whom}{flags}",
                        "{permission} выдано для {whom}{flags}",
                        permission,
                        whom,
                        flags
                    )
                }
            };
            list.push(Held { permission: &grant.permission, user: grant.user, evidence, says });
        }
        holding
    }

    fn predicted<'p>(&self, grants: &'p [PredictedGrant], evidence: &'p Evidence) -> Holding<'p> {
        let mut holding = Holding { held: Vec::new(), open: Vec::new(), evidence, predicted: true };
        for grant in grants {
            let list = match (grant.outcome, self.of) {
                (Outcome::Refused, _) => continue,
                (Outcome::Granted, Of::Granted | Of::Requested) => &mut holding.held,
                (Outcome::Granted, Of::Fixed) if !grant.fixed => continue,
                (Outcome::Granted, Of::Fixed) => &mut holding.held,
                (Outcome::Granted, Of::GrantedByDefault) => match self.is_runtime(&grant.permission) {
                    Some(true) => &mut holding.held,
                    Some(false) => continue,
                    None => &mut holding.open,
                },
                (Outcome::Unknown, Of::Granted | Of::Requested) => &mut holding.open,
                (Outcome::Unknown, _) if self.is_runtime(&grant.permission) == Some(false) => continue,
                (Outcome::Unknown, _) => &mut holding.open,
            };
            let at = grant.reasons.iter().find_map(|reason| reason.evidence.as_ref());
            list.push(Held {
                permission: &grant.permission,
                user: None,
                evidence: at.unwrap_or(evidence),
                says: foretold(grant),
            });
        }
        holding
    }

    /// Whether users grant a permission; `None` where its level is not known.
    fn is_runtime(&self, permission: &str) -> Option<bool> {
        let permissions = self.permissions.get_or_init(|| Permissions::of_device(self.inventory)).as_ref()?;
        let runtime = |level: Option<u32>| level.map(|level| level & 0xF == DANGEROUS);
        match permissions.get(permission) {
            Lookup::One(definition) => runtime(definition.level),
            Lookup::Several(definitions) => {
                let mut answers = definitions.iter().map(|definition| runtime(definition.level));
                let first = answers.next()??;
                answers.all(|answer| answer == Some(first)).then_some(first)
            }
            Lookup::Undefined => Some(false),
            Lookup::NotKnown => None,
        }
    }
}

/// A prediction in words, with its reasons.
fn foretold(grant: &PredictedGrant) -> Words {
    let what = match grant.outcome {
        Outcome::Granted if grant.fixed => phrase(
            "will be granted at first boot, for good",
            "будет выдано при первом запуске, без возможности отозвать",
        ),
        Outcome::Granted => phrase("will be granted at first boot", "будет выдано при первом запуске"),
        Outcome::Refused => phrase("will not be granted at first boot", "не будет выдано при первом запуске"),
        Outcome::Unknown => phrase("can't be foretold", "предсказать нельзя"),
    };
    let reasons: Vec<String> = grant.reasons.iter().map(grants::words).collect();
    let because = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
    words!("{name} {what}{because}", "{name} {what}{because}", name = grant.permission, what, because)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{app, image, known, phone_app, with};
    use super::*;
    use crate::inventory::{Reason, ReasonCode};

    fn predicted(permission: &str, outcome: Outcome, fixed: bool) -> PredictedGrant {
        let reason = Reason { code: ReasonCode::DefaultGrant, about: None, evidence: None };
        PredictedGrant { permission: permission.to_owned(), outcome, fixed, implied_by: None, reasons: vec![reason] }
    }

    fn names(of: Of, list: Vec<PredictedGrant>) -> (Vec<String>, Vec<String>) {
        let mut package = app("com.a");
        package.predicted_grants = known(list);
        let inventory = with(image(), [package]);
        let holdings = Holdings::new(&inventory, of);
        let holding = holdings.of(inventory.package("com.a").unwrap()).unwrap();
        assert!(holding.predicted);
        let list = |held: &[Held<'_>]| {
            held.iter().map(|held| held.permission.rsplit('.').next().unwrap().to_owned()).collect()
        };
        (list(&holding.held), list(&holding.open))
    }

    #[test]
    fn of_predictions_those_count_that_the_setting_means_and_unknown_ones_stay_open() {
        let all = || {
            vec![
                predicted("android.permission.CAMERA", Outcome::Granted, true),
                predicted("android.permission.INTERNET", Outcome::Granted, false),
                predicted("android.permission.READ_CONTACTS", Outcome::Granted, false),
                predicted("android.permission.READ_SMS", Outcome::Unknown, false),
                predicted("android.permission.REBOOT", Outcome::Unknown, false),
                predicted("android.permission.RECORD_AUDIO", Outcome::Refused, false),
                predicted("com.nobody.DECLARES", Outcome::Unknown, false),
            ]
        };
        let words = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let granted = (words(&["CAMERA", "INTERNET", "READ_CONTACTS"]), words(&["READ_SMS", "REBOOT", "DECLARES"]));
        assert_eq!(names(Of::Granted, all()), granted);
        // REBOOT is no permission that users grant; of one that nobody declares it is not known.
        let by_default = (words(&["CAMERA", "READ_CONTACTS"]), words(&["READ_SMS", "DECLARES"]));
        assert_eq!(names(Of::GrantedByDefault, all()), by_default);
        assert_eq!(names(Of::Fixed, all()), (words(&["CAMERA"]), words(&["READ_SMS", "DECLARES"])));
    }

    #[test]
    fn what_an_old_app_of_a_phone_holds_was_granted_without_a_question_unless_the_user_chose() {
        let grant = |flags: &[&str]| Grant {
            user: Some(0),
            permission: "android.permission.CAMERA".to_owned(),
            kind: GrantKind::Runtime,
            granted: true,
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        };
        let mut package = phone_app("com.a");
        assert_eq!(Of::GrantedByDefault.counts(&grant(&[]), &package), Some(false));
        package.copies[0].target_sdk = known(22);
        assert_eq!(Of::GrantedByDefault.counts(&grant(&[]), &package), Some(true));
        assert_eq!(Of::GrantedByDefault.counts(&grant(&["USER_SET"]), &package), Some(false));
    }

    #[test]
    fn a_grant_of_which_a_capture_does_not_tell_how_is_open_and_no_pass() {
        let grant = Grant {
            user: Some(0),
            permission: "android.permission.CAMERA".to_owned(),
            kind: GrantKind::Untold,
            granted: true,
            flags: Vec::new(),
        };
        let package = phone_app("com.a");
        for of in [Of::GrantedByDefault, Of::Fixed] {
            assert_eq!(of.counts(&grant, &package), None);
            assert_eq!(of.counts(&Grant { granted: false, ..grant.clone() }, &package), Some(false));
        }
        assert_eq!(Of::Granted.counts(&grant, &package), Some(true));
    }
}
