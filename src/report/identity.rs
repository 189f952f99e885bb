//! Who a phone is in a report: nobody, unless somebody asked.
//!
//! A serial number leads to a person once a shop or an operator has it on a bill, so reports and saved inventories name
//! phones by their place in the run. An organisation that must recognise its devices again gives a key: a keyed hash
//! (HMAC-SHA-256, RFC 2104) links the reports of one device and tells nothing to whoever has no key. A plain hash would
//! not do: serial numbers are few enough to try.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Run, TargetReport, TargetResult};
use crate::inventory::{Gap, Inventory, Target, TargetKind};

/// What stands before a serial number in the name of a target: behind an ADB server, and on a cable without one.
const SERIAL: &str = "adb:";
const ON_CABLE: &str = "usb:";

/// Shorter serial numbers are not looked for in messages: they would be found in unrelated words.
const SHORTEST: usize = 5;

/// Shortest key in bytes: as many as can't be tried.
pub const SHORTEST_KEY: usize = 16;

/// Bytes of the hash that are shown: 128 bits, so that two devices never share one by chance.
const SHOWN: usize = 16;

/// How phones are named in what is written.
#[derive(Clone, PartialEq, Eq)]
pub enum Identity {
    /// `phone-1`: by the place among the targets of the run, from 1.
    Hidden,
    /// `adb:hmac-` and 32 hex digits: the keyed hash of the serial number.
    Keyed(Vec<u8>),
    /// `adb:SERIAL`.
    Plain,
}

/// A key does not belong into messages.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hidden => "Hidden",
            Self::Keyed(_) => "Keyed(..)",
            Self::Plain => "Plain",
        })
    }
}

impl Identity {
    /// The name of a target in what is written; `place` is its place among the targets, from 1.
    #[must_use]
    pub fn name(&self, target: &Target, place: usize) -> String {
        let name = &target.name;
        match (self, Self::serial(target)) {
            (Self::Plain, _) => name.clone(),
            (Self::Keyed(key), Some(serial)) => format!("{SERIAL}hmac-{}", keyed(key, serial)),
            (Self::Hidden, Some(_)) => format!("phone-{place}"),
            (Self::Hidden, None) if is_hidden(name) => format!("phone-{place}"),
            (_, None) => name.clone(),
        }
    }

    /// The serial number in a target's name, if it is one.
    #[must_use]
    pub fn serial(target: &Target) -> Option<&str> {
        let serial = target.name.strip_prefix(SERIAL).or_else(|| target.name.strip_prefix(ON_CABLE))?;
        (target.kind == TargetKind::Phone && !serial.is_empty() && !serial.starts_with("hmac-")).then_some(serial)
    }

    /// Whether a name hides who the phone is, so that it is another phone's in the next run.
    #[must_use]
    pub fn hides(name: &str) -> bool {
        is_hidden(name)
    }

    /// A message about a target, without its serial number unless that may be written.
    #[must_use]
    pub fn clean(&self, text: &str, target: &Target, place: usize) -> String {
        match Self::serial(target).filter(|_| *self != Self::Plain) {
            Some(serial) => without(text, serial, &self.name(target, place)),
            None => text.to_owned(),
        }
    }

    /// A run whose targets bear these names, each another one. Serial numbers in errors and gaps are replaced too.
    pub fn apply(&self, run: &mut Run) {
        let mut taken = std::collections::BTreeSet::new();
        for (index, report) in run.targets.iter_mut().enumerate() {
            let mut name = self.name(&report.target, index + 1);
            let first = name.clone();
            for number in 2.. {
                if taken.insert(name.clone()) {
                    break;
                }
                name = format!("{first} ({number})");
            }
            self.rename(report, name);
        }
    }

    /// An inventory of its own, named as the first target of a run.
    pub fn apply_to_inventory(&self, inventory: &mut Inventory) {
        self.apply_to_inventory_at(inventory, 1);
    }

    /// The same, named as the target of a run at that place, from 1.
    pub fn apply_to_inventory_at(&self, inventory: &mut Inventory, place: usize) {
        let name = self.name(&inventory.target, place);
        if let Some(serial) = Self::serial(&inventory.target).map(str::to_owned)
            && *self != Self::Plain
        {
            hide_in_gaps(inventory, &serial, &name);
        }
        inventory.target.name = name;
    }

    fn rename(&self, report: &mut TargetReport, name: String) {
        if let Some(serial) = Self::serial(&report.target).map(str::to_owned)
            && *self != Self::Plain
        {
            match &mut report.result {
                TargetResult::Unread { error, .. } => *error = without(error, &serial, &name),
                TargetResult::Judged { coverage, assessment, .. } => {
                    coverage.gaps.iter_mut().for_each(|gap| gap.hide(&serial, &name));
                    assessment.coverage_gaps.iter_mut().for_each(|gap| gap.hide(&serial, &name));
                    for finding in &mut assessment.findings {
                        let russian = finding.russian.iter_mut().flat_map(|russian| &mut russian.notes);
                        finding.notes.iter_mut().chain(russian).for_each(|note| *note = without(note, &serial, &name));
                    }
                }
            }
            if let Some(inventory) = &mut report.inventory {
                hide_in_gaps(inventory, &serial, &name);
            }
        }
        if let Some(inventory) = &mut report.inventory {
            inventory.target.name.clone_from(&name);
        }
        report.target.name = name;
    }
}

trait Hide {
    fn hide(&mut self, serial: &str, name: &str);
}

impl Hide for Gap {
    fn hide(&mut self, serial: &str, name: &str) {
        self.place = without(&self.place, serial, name);
        self.detail = without(&self.detail, serial, name);
    }
}

/// Takes a serial number out of every gap of an inventory, those of single facts too.
fn hide_in_gaps(inventory: &mut Inventory, serial: &str, name: &str) {
    inventory.gaps.iter_mut().for_each(|gap| gap.hide(serial, name));
    // Facts stand at any depth, and few of them are ever unknown for a reason that names the phone.
    if !names_in_gaps(inventory, serial) {
        return;
    }
    if let Ok(mut value) = serde_json::to_value(&*inventory) {
        hide_in_values(&mut value, serial, name);
        if let Ok(clean) = serde_json::from_value(value) {
            *inventory = clean;
        }
    }
}

fn names_in_gaps(inventory: &Inventory, serial: &str) -> bool {
    inventory
        .all_gaps()
        .is_ok_and(|gaps| gaps.iter().any(|gap| gap.place.contains(serial) || gap.detail.contains(serial)))
}

/// Gaps in the JSON form of anything: what has a place, a reason and a detail.
fn hide_in_values(value: &mut serde_json::Value, serial: &str, name: &str) {
    match value {
        serde_json::Value::Object(fields) => {
            if fields.contains_key("reason") {
                for key in ["place", "detail"] {
                    if let Some(serde_json::Value::String(text)) = fields.get_mut(key) {
                        *text = without(text, serial, name);
                    }
                }
            }
            fields.values_mut().for_each(|value| hide_in_values(value, serial, name));
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| hide_in_values(value, serial, name)),
        _ => {}
    }
}

fn is_hidden(name: &str) -> bool {
    name.strip_prefix("phone-").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A message without the serial number, where that stands as a word of its own.
fn without(text: &str, serial: &str, name: &str) -> String {
    let named = text.replace(&format!("{SERIAL}{serial}"), name).replace(&format!("{ON_CABLE}{serial}"), name);
    if serial.len() < SHORTEST {
        return named;
    }
    let mut out = String::with_capacity(named.len());
    let mut rest = named.as_str();
    while let Some(at) = rest.find(serial) {
        let (before, found) = rest.split_at(at);
        let after = found.get(serial.len()..).unwrap_or_default();
        let inside = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
        let part_of_a_word = inside(before.chars().next_back()) || inside(after.chars().next());
        out.push_str(before);
        out.push_str(if part_of_a_word { serial } else { name });
        rest = after;
    }
    out.push_str(rest);
    out
}

fn keyed(key: &[u8], serial: &str) -> String {
    // The constructor takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(serial.as_bytes());
    let hash = mac.finalize().into_bytes();
    hash.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(kind: TargetKind, name: &str) -> Target {
        Target { kind, name: name.to_owned(), collected_at: None, layers: Vec::new() }
    }

    #[test]
    fn a_phone_is_named_by_its_place_unless_somebody_asks() {
        let phone = target(TargetKind::Phone, "adb:ABC12345");
        assert_eq!(Identity::Hidden.name(&phone, 3), "phone-3");
        assert_eq!(Identity::Plain.name(&phone, 3), "adb:ABC12345");
        let on_cable = target(TargetKind::Phone, "usb:ABC12345");
        assert_eq!(Identity::Hidden.name(&on_cable, 3), "phone-3");
        assert_eq!(
            Identity::Hidden.clean("usb:ABC12345 is gone, adb:ABC12345 too", &on_cable, 3),
            "phone-3 is gone, phone-3 too"
        );
        let keyed = Identity::Keyed(b"0123456789abcdef".to_vec());
        assert_eq!(keyed.name(&on_cable, 3), keyed.name(&phone, 3), "one device is one, however it was read");
        assert_eq!(Identity::Hidden.name(&target(TargetKind::Phone, "phone-1"), 2), "phone-2");
        assert_eq!(Identity::Hidden.name(&target(TargetKind::Firmware, "build.zip"), 2), "build.zip");
        assert_eq!(Identity::Hidden.name(&target(TargetKind::Firmware, "adb:build.zip"), 2), "adb:build.zip");
    }

    #[test]
    fn a_keyed_name_is_the_beginning_of_the_hmac_and_no_hash_of_a_hash() {
        // RFC 4231, test case 2: key "Jefe", data "what do ya want for nothing?".
        let key = Identity::Keyed(b"Jefe".to_vec());
        let phone = target(TargetKind::Phone, "adb:what do ya want for nothing?");
        let name = key.name(&phone, 1);
        assert_eq!(name, "adb:hmac-5bdcc146bf60754e6a042426089575c7");
        assert_eq!(key.name(&target(TargetKind::Phone, &name), 1), name);
        assert!(!format!("{key:?}").contains("Jefe"));
    }

    #[test]
    fn a_serial_number_goes_from_the_gaps_of_single_facts_too() {
        let gap = Gap::new("getprop", crate::inventory::GapReason::Failed, "device 'ABC12345' not found");
        let mut inventory = Inventory::unknown(target(TargetKind::Phone, "adb:ABC12345"), &gap);
        inventory.gaps.push(gap);
        Identity::Hidden.apply_to_inventory(&mut inventory);
        let text = serde_json::to_string(&inventory).unwrap();
        assert!(!text.contains("ABC12345") && text.contains("device 'phone-1' not found"), "{text}");
    }

    #[test]
    fn a_serial_number_in_a_message_goes_where_it_is_a_word_of_its_own() {
        let clean = |text| without(text, "ABC12345", "phone-1");
        assert_eq!(clean("device 'ABC12345' not found"), "device 'phone-1' not found");
        assert_eq!(clean("adb:ABC12345: lost"), "phone-1: lost");
        assert_eq!(clean("XABC12345, ABC123456"), "XABC12345, ABC123456");
        assert_eq!(without("line 12 of adb:12", "12", "phone-1"), "line 12 of phone-1");
    }
}
