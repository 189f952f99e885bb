//! A target's verdict in a word, for the lines that tell how far a run is.

use crate::assess::Overall;
use crate::report::{TargetReport, TargetResult};

/// The verdict in one word, or why there is none.
pub(super) fn word(report: &TargetReport) -> &'static str {
    match &report.result {
        TargetResult::Judged { assessment, .. } => match assessment.overall {
            Overall::Compliant => "COMPLIANT",
            Overall::NotCompliant => "NOT COMPLIANT",
            Overall::Inconclusive => "INCONCLUSIVE",
        },
        TargetResult::Unread { temporary: true, .. } => "TRY AGAIN",
        TargetResult::Unread { temporary: false, .. } => "UNREADABLE",
    }
}
