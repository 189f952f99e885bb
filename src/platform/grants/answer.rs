//! Answers of single questions, and how they join: whoever needs one of several, or all of them.

use crate::inventory::{Evidence, Outcome, Reason, ReasonCode};

/// Yes, no or unknown, with the reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) reasons: Vec<Reason>,
}

/// A reason with nothing beside its code.
pub(super) fn reason(code: ReasonCode) -> Reason {
    Reason { code, about: None, evidence: None }
}

impl Reason {
    pub(super) fn on(self, about: impl Into<String>) -> Self {
        Self { about: Some(about.into()), ..self }
    }

    pub(super) fn at(self, evidence: Option<&Evidence>) -> Self {
        Self { evidence: evidence.cloned(), ..self }
    }
}

impl Answer {
    pub(super) fn yes(reason: Reason) -> Self {
        Self { outcome: Outcome::Granted, reasons: vec![reason] }
    }

    pub(super) fn no(reason: Reason) -> Self {
        Self { outcome: Outcome::Refused, reasons: vec![reason] }
    }

    pub(super) fn unknown(reason: Reason) -> Self {
        Self { outcome: Outcome::Unknown, reasons: vec![reason] }
    }

    /// Yes without anything to say about it.
    pub(super) fn quiet_yes() -> Self {
        Self { outcome: Outcome::Granted, reasons: Vec::new() }
    }

    /// No without anything to say about it.
    pub(super) fn quiet_no() -> Self {
        Self { outcome: Outcome::Refused, reasons: Vec::new() }
    }

    /// Yes if any is, with that one's reasons; unknown if one might be; else no, for all of their reasons.
    pub(super) fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let (mut refused, mut unknown) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer.outcome {
                Outcome::Granted => return answer,
                Outcome::Unknown => add(&mut unknown, answer.reasons),
                Outcome::Refused => add(&mut refused, answer.reasons),
            }
        }
        if unknown.is_empty() {
            Self { outcome: Outcome::Refused, reasons: refused }
        } else {
            Self { outcome: Outcome::Unknown, reasons: unknown }
        }
    }

    /// No if any is, for what was granted before it and its own reasons; unknown if one might be; else yes, for all of
    /// their reasons.
    pub(super) fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let (mut reasons, mut outcome) = (Vec::new(), Outcome::Granted);
        for answer in answers {
            add(&mut reasons, answer.reasons);
            match answer.outcome {
                Outcome::Refused => return Self { outcome: Outcome::Refused, reasons },
                Outcome::Unknown => outcome = Outcome::Unknown,
                Outcome::Granted => {}
            }
        }
        Self { outcome, reasons }
    }
}

fn add(reasons: &mut Vec<Reason>, more: Vec<Reason>) {
    for reason in more {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_neither_yes_nor_no() {
        let yes = || Answer::yes(reason(ReasonCode::Normal));
        let no = || Answer::no(reason(ReasonCode::NotPrivileged));
        let open = || Answer::unknown(reason(ReasonCode::SignerUnknown));
        assert_eq!(Answer::any([no(), open(), yes()]).outcome, Outcome::Granted);
        assert_eq!(Answer::any([no(), open()]).outcome, Outcome::Unknown);
        assert_eq!(Answer::any([no(), no()]).reasons.len(), 1);
        assert_eq!(Answer::all([yes(), open(), no()]).outcome, Outcome::Refused);
        assert_eq!(Answer::all([yes(), open()]).outcome, Outcome::Unknown);
        assert_eq!(Answer::all([yes(), Answer::quiet_yes()]).reasons.len(), 1);
    }
}
