//! Which permissions a package holds, of its own or by its shared user.

use std::collections::BTreeMap;

use crate::dump::package::block::{Block, Body};
use crate::dump::package::facts;
use crate::inventory::{Evidence, Fact, Gap, GapReason, Grant, GrantKind};

/// Shared users of a dump, or why there are none.
pub(super) struct SharedUsers {
    pub(super) found: Result<(BTreeMap<String, Block>, Evidence), Gap>,
    /// The command that tells them.
    pub(super) command: String,
}

impl SharedUsers {
    /// What a member of `name` holds. `own` is what the package's entry itself says: a dump of one package has it there.
    pub(super) fn grants(&self, name: &str, own: &Block, own_evidence: &Evidence, place: &str) -> Found {
        match &self.found {
            Ok((blocks, evidence)) => match blocks.get(name) {
                Some(block) => of_block(block, evidence, &self.command),
                None if has_states(own) => of_block(own, own_evidence, place),
                None => Found::unknown(Gap::new(
                    self.command.clone(),
                    GapReason::Missing,
                    format!("the shared user {name} is not in the dump"),
                )),
            },
            Err(_) if has_states(own) => of_block(own, own_evidence, place),
            Err(gap) => Found::unknown(gap.clone()),
        }
    }
}

/// Grants, and what about them has to be told apart.
pub(super) struct Found {
    pub(super) grants: Fact<Vec<Grant>>,
    pub(super) gap: Option<Gap>,
}

impl Found {
    fn unknown(gap: Gap) -> Self {
        Self { grants: Fact::Unknown(gap), gap: None }
    }
}

fn has_states(block: &Block) -> bool {
    ["install permissions", "grantedPermissions"].iter().any(|title| block.body.list(title).is_some())
        || block.users.iter().any(|user| user.body.list("runtime permissions").is_some())
}

/// Everything that an entry says about permissions that are granted or refused.
pub(super) fn of_block(block: &Block, evidence: &Evidence, place: &str) -> Found {
    let place = format!("{place}: {}", block.name);
    if !block.complete {
        return Found::unknown(Gap::new(place, GapReason::Truncated, "the dump ends within this entry"));
    }
    let mut states = States { grants: Vec::new(), assumed: Vec::new(), flagless: Vec::new(), unreadable: None };
    // Android 5 has one list of what is granted, with no state.
    states.add(&block.body, "grantedPermissions", None, GrantKind::Install);
    states.add(&block.body, "install permissions", None, GrantKind::Install);
    for user in &block.users {
        states.add(&user.body, "runtime permissions", Some(user.id), GrantKind::Runtime);
    }
    if let Some(words) = states.unreadable {
        return Found::unknown(Gap::new(place, GapReason::Damaged, words));
    }
    let mut words = Vec::new();
    if !states.assumed.is_empty() {
        words.push(format!("not readable, taken as granted because listed: {}", states.assumed.join(", ")));
    }
    if !states.flagless.is_empty() {
        words.push(format!("flags not readable: {}", states.flagless.join(", ")));
    }
    let gap = (!words.is_empty()).then(|| Gap::new(place, GapReason::Damaged, words.join("; ")));
    Found { grants: Fact::new(states.grants, &evidence.at(format!("line {}", block.line))), gap }
}

struct States {
    grants: Vec<Grant>,
    assumed: Vec<String>,
    flagless: Vec<String>,
    unreadable: Option<String>,
}

impl States {
    fn add(&mut self, body: &Body, title: &str, user: Option<u32>, kind: GrantKind) {
        for item in body.list(title).into_iter().flat_map(|list| &list.value) {
            let state = facts::permission_state(&item.value);
            let granted = match state.granted {
                Some(granted) => granted,
                // Android forgets an install permission that is neither granted nor flagged, so a listed one without
                // flags is granted, whatever stands in place of the word (a redacted capture).
                None if kind == GrantKind::Install
                    && state.flags.is_empty()
                    && state.flags_readable
                    && item.value.contains(": granted=") =>
                {
                    self.assumed.push(format!("line {}: {}", item.line, item.value));
                    true
                }
                None => {
                    self.unreadable.get_or_insert_with(|| format!("line {}: {}", item.line, item.value));
                    continue;
                }
            };
            if !state.flags_readable {
                self.flagless.push(format!("line {}: {}", item.line, item.value));
            }
            self.grants.push(Grant { user, permission: state.name, kind, granted, flags: state.flags });
        }
    }
}
