//! An older report as the baseline of a newer one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Identity, TargetResult};
use crate::assess::{BaselineRef, KnownFailures};
use crate::check::Verdict;
use crate::profile;

/// The failures of an older report in JSON; `file` is its name, `only_new` says that what failed there does not count.
///
/// # Errors
/// In words: it is no report, or no target of it was judged.
pub fn known_failures(bytes: &[u8], file: &str, only_new: bool) -> Result<KnownFailures, String> {
    let run = super::parse(bytes)?;
    let several = run.targets.len() > 1;
    let mut targets: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    let mut as_of = None;
    for report in run.targets {
        let TargetResult::Judged { assessment, .. } = report.result else { continue };
        let mut target = report.target.name;
        if several && Identity::hides(&target) {
            // The place in another run says nothing: another phone's failures would excuse this one's.
            target.push_str(" of the older report");
        }
        let known = targets.entry(target).or_default();
        let failed = assessment.findings.into_iter().filter(|finding| finding.verdict == Verdict::Fail);
        known.extend(failed.map(|finding| (finding.rule, finding.subject)));
        as_of = as_of.or(Some(assessment.context.as_of));
    }
    let as_of = as_of.ok_or("no target of this report was judged: nothing to compare with")?;
    let report = BaselineRef { file: file.to_owned(), sha256: profile::sha256(bytes), as_of, only_new };
    Ok(KnownFailures { report, targets })
}
