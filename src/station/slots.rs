//! Who is plugged in where, by listings of the ADB server.
//!
//! A slot is a USB port, or the serial number of a phone that has none (network). What tells one plugging from the next is
//! the server's transport id: each is read once.

use std::collections::BTreeMap;

use crate::adb::{Attached, State};

/// A place for a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The phone in it, as it is listed.
    pub phone: Attached,
    /// How far it is.
    pub phase: Phase,
}

/// How far a phone is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It can't be read yet, with the server's word.
    NotReady(String),
    /// It waits for its turn, or is being read.
    Reading,
    /// It was read: the verdict stands until it is unplugged.
    Judged,
}

/// Something that a listing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A phone to be read, in the slot.
    Read(String),
    /// A phone that can't be read yet.
    Waits(String, String),
    /// A phone left its slot.
    Gone(String),
}

/// All slots, by name.
#[derive(Debug, Default)]
pub struct Slots {
    slots: BTreeMap<String, Slot>,
}

impl Slots {
    /// Takes a listing, and tells what it changed, by slot.
    pub fn update(&mut self, listed: &[Attached]) -> Vec<Change> {
        let mut changes = Vec::new();
        let now: BTreeMap<String, &Attached> = listed.iter().map(|phone| (name(phone), phone)).collect();
        let left: Vec<String> = self
            .slots
            .iter()
            .filter(|(name, slot)| now.get(*name).is_none_or(|phone| phone.transport_id != slot.phone.transport_id))
            .map(|(name, _)| name.clone())
            .collect();
        for name in left {
            self.slots.remove(&name);
            changes.push(Change::Gone(name));
        }
        for (name, phone) in now {
            let ready = phone.state == State::Device;
            let slot = self
                .slots
                .entry(name.clone())
                .or_insert_with(|| Slot { phone: phone.clone(), phase: Phase::NotReady(String::new()) });
            slot.phone = phone.clone();
            match &slot.phase {
                Phase::NotReady(_) if ready => {
                    slot.phase = Phase::Reading;
                    changes.push(Change::Read(name));
                }
                Phase::NotReady(before) if *before != phone.state.to_string() => {
                    slot.phase = Phase::NotReady(phone.state.to_string());
                    changes.push(Change::Waits(name, phone.state.to_string()));
                }
                _ => {}
            }
        }
        changes
    }

    /// A slot by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Slot> {
        self.slots.get(name)
    }

    /// A phone was read: by the transport id, since its slot may have another by now.
    pub fn judged(&mut self, name: &str, transport_id: Option<u32>) {
        if let Some(slot) = self.slots.get_mut(name).filter(|slot| slot.phone.transport_id == transport_id) {
            slot.phase = Phase::Judged;
        }
    }

    /// A phone could not be read and may be later: it is tried again when the server lists it anew, or now if it is there.
    pub fn again(&mut self, name: &str, transport_id: Option<u32>) {
        if let Some(slot) = self.slots.get_mut(name).filter(|slot| slot.phone.transport_id == transport_id) {
            slot.phase = Phase::NotReady("again".to_owned());
        }
    }
}

fn name(phone: &Attached) -> String {
    phone.usb.clone().unwrap_or_else(|| phone.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adb::attached::parse_listing;

    fn listing(text: &str) -> Vec<Attached> {
        parse_listing(text).attached
    }

    #[test]
    fn a_phone_is_read_once_for_each_time_that_it_is_plugged_in() {
        let mut slots = Slots::default();
        let first = listing("S device usb:1-1 transport_id:1\n");
        assert_eq!(slots.update(&first), [Change::Read("usb:1-1".into())]);
        assert_eq!(slots.update(&first), []);
        slots.judged("usb:1-1", Some(1));
        assert_eq!(slots.update(&first), []);
        assert_eq!(slots.get("usb:1-1").unwrap().phase, Phase::Judged);
        // Another phone in the same slot, with the same serial number, within one listing.
        let next = listing("S device usb:1-1 transport_id:2\n");
        assert_eq!(slots.update(&next), [Change::Gone("usb:1-1".into()), Change::Read("usb:1-1".into())]);
        // The first one's result comes too late to be shown for the second.
        slots.judged("usb:1-1", Some(1));
        assert_eq!(slots.get("usb:1-1").unwrap().phase, Phase::Reading);
        assert_eq!(slots.update(&[]), [Change::Gone("usb:1-1".into())]);
    }

    #[test]
    fn phones_of_one_serial_number_have_slots_of_their_own_and_wait_until_they_are_ready() {
        let mut slots = Slots::default();
        let both = listing("S unauthorized usb:1-1 transport_id:1\nS device usb:1-2 transport_id:2\n");
        assert_eq!(
            slots.update(&both),
            [Change::Waits("usb:1-1".into(), "unauthorized".into()), Change::Read("usb:1-2".into())]
        );
        assert_eq!(slots.update(&both), []);
        let accepted = listing("S device usb:1-1 transport_id:1\nS device usb:1-2 transport_id:2\n");
        assert_eq!(slots.update(&accepted), [Change::Read("usb:1-1".into())]);
        slots.again("usb:1-2", Some(2));
        assert_eq!(slots.update(&accepted), [Change::Read("usb:1-2".into())]);
    }
}
