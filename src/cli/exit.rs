//! Exit codes: an interface that scripts, schedulers and tests rely on. They do not change.

use std::fmt;

use crate::assess::Overall;
use crate::report::{TargetReport, TargetResult};

/// Exit codes by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Something was judged, and nothing failed or stayed open. For other commands: done.
    Compliant = 0,
    /// A rule failed.
    NotCompliant = 1,
    /// Wrong usage, or a profile that can't be used: nothing was judged.
    Usage = 2,
    /// No rule failed, but a mandatory one could not be settled, or the inventory has gaps.
    Inconclusive = 3,
    /// The input can't be read, now or later, or a report can't be written.
    Unreadable = 4,
    /// A signature, or something that it covers, is wrong, or a signature is missing where one was demanded.
    BadSignature = 5,
    /// The same call may succeed later: phone offline, unauthorised, connection lost.
    Temporary = 75,
    /// Interrupted, or the reader of the output went away.
    Interrupted = 130,
}

/// Printed below `--help`.
pub(super) const HELP: &str = "\
Exit codes:
    0  compliant: something was judged, and nothing failed or stayed open (other commands: done)
    1  not compliant
    2  usage, profile or waiver error: nothing was judged
    3  inconclusive or incomplete: no rule failed, but a mandatory rule could not be settled
    4  the input can't be read, now or later, or a report can't be written
    5  a signature is wrong, or missing where one was demanded
   75  temporary: the same call may succeed later (phone offline, unauthorised, connection lost)
  130  interrupted
Of several targets the first of 2, 1, 3, 4, 75, 0 that occurs.";

/// An error that ends the program with a code of its own.
#[derive(Debug)]
pub(super) struct Failed(pub(super) Exit, pub(super) String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.1)
    }
}

impl std::error::Error for Failed {}

/// Wrong usage, in words.
pub(super) fn usage(message: impl Into<String>) -> anyhow::Error {
    Failed(Exit::Usage, message.into()).into()
}

impl Exit {
    /// The code of a single target.
    pub(super) fn of(report: &TargetReport) -> Self {
        match &report.result {
            TargetResult::Judged { assessment, .. } => match assessment.overall {
                Overall::Compliant => Self::Compliant,
                Overall::NotCompliant => Self::NotCompliant,
                Overall::Inconclusive => Self::Inconclusive,
            },
            TargetResult::Unread { temporary: true, .. } => Self::Temporary,
            TargetResult::Unread { temporary: false, .. } => Self::Unreadable,
        }
    }

    /// The code of several targets together. No target at all is not compliance.
    pub(super) fn of_all(codes: impl IntoIterator<Item = Self>) -> Self {
        const PRECEDENCE: [Exit; 6] =
            [Exit::Usage, Exit::NotCompliant, Exit::Inconclusive, Exit::Unreadable, Exit::Temporary, Exit::Compliant];
        let codes: Vec<Self> = codes.into_iter().collect();
        PRECEDENCE.into_iter().find(|code| codes.contains(code)).unwrap_or(Self::Inconclusive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_targets_the_worst_decides_in_the_published_order() {
        let order = [Exit::Usage, Exit::NotCompliant, Exit::Inconclusive, Exit::Unreadable, Exit::Temporary];
        for (index, worst) in order.iter().enumerate() {
            let later = order.iter().skip(index).copied().chain([Exit::Compliant]);
            assert_eq!(Exit::of_all(later), *worst);
        }
        assert_eq!(Exit::of_all([Exit::Compliant, Exit::Compliant]), Exit::Compliant);
    }

    #[test]
    fn no_target_at_all_is_not_compliance() {
        assert_eq!(Exit::of_all([]), Exit::Inconclusive);
    }

    #[test]
    fn the_codes_are_the_published_ones() {
        let codes = [
            (Exit::Compliant, 0),
            (Exit::NotCompliant, 1),
            (Exit::Usage, 2),
            (Exit::Inconclusive, 3),
            (Exit::Unreadable, 4),
            (Exit::BadSignature, 5),
            (Exit::Temporary, 75),
            (Exit::Interrupted, 130),
        ];
        for (exit, code) in codes {
            assert_eq!(exit as u8, code);
            assert!(HELP.contains(&format!("{code:>3}  ")), "{code} is missing in the help text");
        }
    }
}
