//! Which intents of the system a manifest's enabled components answer.

use crate::apk::{ComponentKind, Manifest};
use crate::inventory::IntentAnswer;
use crate::platform::grants::intents::{AUTHORITIES, DEFAULT, Filter, INTENTS, Kind};

pub(super) fn of(manifest: &Manifest) -> Vec<IntentAnswer> {
    let mut answers = Vec::new();
    for component in manifest.components.iter().filter(|component| component.enabled) {
        let kind = match component.kind {
            ComponentKind::Activity | ComponentKind::ActivityAlias => Kind::Activity,
            ComponentKind::Service => Kind::Service,
            ComponentKind::Receiver => Kind::Receiver,
            ComponentKind::Provider => {
                let known = component.authorities.iter().filter(|name| AUTHORITIES.contains(&name.as_str()));
                answers.extend(known.map(|name| IntentAnswer {
                    intent: format!("provider:{name}"),
                    component: component.name.clone(),
                    priority: 0,
                    default: false,
                }));
                continue;
            }
        };
        for filter in &component.filters {
            let parts = Filter {
                actions: &filter.actions,
                categories: &filter.categories,
                schemes: &filter.schemes,
                hosts: &filter.hosts,
                mime_types: &filter.mime_types,
            };
            let matching = INTENTS.iter().filter(|intent| intent.kind == kind && intent.passes(&parts));
            answers.extend(matching.map(|intent| IntentAnswer {
                intent: intent.code.to_owned(),
                component: component.name.clone(),
                priority: filter.priority,
                default: filter.has_category(DEFAULT),
            }));
        }
    }
    answers
}
