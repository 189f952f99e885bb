//! Whether one phone answered from the first command to the last.
//!
//! A serial number may be shared, a hub may put another phone on a slot, a phone may restart. So its boot id, serial
//! number and fingerprint are read before and after. None of it enters the inventory here.

use super::asking::Asker;
use crate::adb::commands;
use crate::dump::getprop::{self, Getprop};
use crate::inventory::{Gap, GapReason, Hides};

/// What tells phones apart, and one start of a phone from the next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pin {
    boot_id: Option<String>,
    serial: Option<String>,
    fingerprint: Option<String>,
}

impl Pin {
    /// Reads the boot id; the other two are in the properties. Gaps are the caller's to enter.
    pub(super) fn read(asker: &mut Asker<'_>) -> (Self, Option<Gap>) {
        match asker.text(&commands::boot_id()) {
            Ok(text) => {
                let id = String::from_utf8_lossy(&text).trim().to_owned();
                (Self { boot_id: Some(id), ..Self::default() }, None)
            }
            Err(gap) => (Self::default(), Some(gap)),
        }
    }

    pub(super) fn with(mut self, properties: &Getprop) -> Self {
        let value = |name: &str| {
            let entry =
                properties.entries.iter().find(|entry| entry.value.name == name && !entry.value.value.is_empty());
            entry.map(|entry| entry.value.value.clone())
        };
        self.serial = value("ro.serialno").or_else(|| value("ro.boot.serialno"));
        self.fingerprint = value("ro.build.fingerprint");
        self
    }

    /// Reads it again and compares.
    ///
    /// # Errors
    /// Another phone, another start of the same one, or none at all.
    pub(super) fn hold(&self, asker: &mut Asker<'_>) -> Result<(), String> {
        let (now, gap) = Self::read(asker);
        let command = commands::properties();
        let (now, gap) = match asker.text(&command) {
            Ok(text) => {
                let properties = getprop::parse(&String::from_utf8_lossy(&text));
                let cut = || Gap::new(command.line(), GapReason::Truncated, "the list of properties ends early");
                let gap = gap.or_else(|| properties.truncated.then(cut));
                (now.with(&properties), gap)
            }
            Err(other) => (now, gap.or(Some(other))),
        };
        let differs = |then: &Option<String>, now: &Option<String>| match (then, now) {
            (Some(then), Some(now)) => then != now,
            _ => false,
        };
        if differs(&self.serial, &now.serial) || differs(&self.fingerprint, &now.fingerprint) {
            return Err("another phone answered before the reading was over".to_owned());
        }
        if differs(&self.boot_id, &now.boot_id) {
            return Err("another phone answered, or the phone restarted, before the reading was over".to_owned());
        }
        let silent = gap.is_none();
        match gap {
            Some(gap) if gap.reason == GapReason::Disconnected => {
                return Err(format!("the connection was lost while the phone was read: {}", gap.detail));
            }
            // What could be read neither before nor after was told before.
            Some(gap) if now.boot_id.is_none() && self.boot_id.is_none() && now.serial == self.serial => drop(gap),
            Some(gap) => asker.note(unproven(&gap.place, gap.reason, &gap.detail)),
            None => {}
        }
        let gone = |then: &Option<String>, now: &Option<String>| then.is_some() && now.is_none();
        if silent && (gone(&self.serial, &now.serial) || gone(&self.fingerprint, &now.fingerprint)) {
            asker.note(unproven(command.line(), GapReason::Missing, "the second answer lacks what the first had"));
        }
        if now.serial.is_none() && now.boot_id.is_none() {
            asker.note(unproven("identity", GapReason::Missing, "the phone tells neither boot id nor serial number"));
        }
        Ok(())
    }
}

fn unproven(place: &str, reason: GapReason, detail: &str) -> Gap {
    let words = format!("it is not proven that one phone answered throughout: {detail}");
    Gap::new(place, reason, words).hiding(Hides::Packages)
}
