//! Serial numbers, IMEIs and apps that people installed, taken out of files that were written before.
//!
//! It works on JSON of any version, so that old files need not be understood to be cleaned. What is taken out leaves a
//! mark: `phone-1` for a serial number, `[imei]` for an IMEI, a higher `omitted_packages` for an app.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::inventory::Inventory;
use crate::report::Run;

/// Shortest serial number that is replaced inside other text; a shorter one would hit words by chance.
const SHORTEST: usize = 5;
/// Digits of an IMEI.
const IMEI: usize = 15;
/// How a phone is named by its serial number.
const PREFIX: &str = "adb:";

/// What was taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Places where a serial number stood.
    pub serials: usize,
    /// Places where an IMEI stood.
    pub imeis: usize,
    /// Apps that somebody installed.
    pub packages: usize,
}

/// Takes out of an inventory or report, as JSON, what points to a person. `serials` are replaced beside those that the
/// file's own targets name.
pub fn redact(value: &mut Value, serials: &[String]) -> Taken {
    let mut found: BTreeSet<String> = serials.iter().cloned().collect();
    names(value, &mut found);
    // The longest first: one may be part of another.
    let mut order: Vec<String> = found.into_iter().filter(|serial| serial.chars().count() >= SHORTEST).collect();
    order.sort_by_key(|serial| (std::cmp::Reverse(serial.len()), serial.clone()));
    let aliases: Vec<(String, String)> =
        order.into_iter().enumerate().map(|(index, serial)| (serial, format!("phone-{}", index + 1))).collect();
    let mut taken = Taken::default();
    drop_added(value, &mut taken);
    replace(value, &aliases, &mut taken);
    taken
}

/// The text of a file that was redacted. An inventory or report of this version has its fields in the usual order; any other
/// has its version first, by which it is known, and the rest by name.
///
/// # Errors
/// Never in practice: JSON that can't be written as JSON.
pub fn text(value: Value) -> serde_json::Result<Vec<u8>> {
    let mut text = if let Ok(inventory) = serde_json::from_value::<Inventory>(value.clone()) {
        serde_json::to_vec_pretty(&inventory)?
    } else if let Ok(run) = serde_json::from_value::<Run>(value.clone()) {
        serde_json::to_vec_pretty(&run)?
    } else {
        serde_json::to_vec_pretty(&VersionFirst(&value))?
    };
    text.push(b'\n');
    Ok(text)
}

/// JSON with `schema_version` before every other field of the outermost object.
struct VersionFirst<'a>(&'a Value);

impl Serialize for VersionFirst<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const VERSION: &str = "schema_version";
        let Value::Object(fields) = self.0 else { return self.0.serialize(serializer) };
        let version = fields.get_key_value(VERSION).into_iter();
        serializer.collect_map(version.chain(fields.iter().filter(|(name, _)| *name != VERSION)))
    }
}

/// Serial numbers by which targets are named, at any depth.
fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Object(target)) = fields.get("target")
                && let Some(Value::String(name)) = target.get("name")
                && let Some(serial) = name.strip_prefix(PREFIX)
            {
                found.insert(serial.to_owned());
            }
            fields.values().for_each(|value| names(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| names(value, found)),
        _ => {}
    }
}

/// Drops packages of which every copy was added later, and counts them among the omitted.
fn drop_added(value: &mut Value, taken: &mut Taken) {
    match value {
        Value::Object(fields) => {
            let mut dropped = 0;
            let packages = fields.get_mut("packages").and_then(|packages| packages.get_mut("value"));
            if let Some(list) = packages.and_then(Value::as_array_mut) {
                let before = list.len();
                list.retain(|package| !is_added(package));
                dropped = before - list.len();
            }
            if dropped > 0 {
                taken.packages += dropped;
                let omitted = fields.get_mut("omitted_packages").and_then(|omitted| omitted.get_mut("value"));
                if let Some(omitted) = omitted
                    && let Some(count) = omitted.as_u64()
                {
                    *omitted = Value::from(count + dropped as u64);
                }
            }
            fields.values_mut().for_each(|value| drop_added(value, taken));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| drop_added(value, taken)),
        _ => {}
    }
}

/// Whether every copy of a package was added later.
fn is_added(package: &Value) -> bool {
    let Some(copies) = package.get("copies").and_then(Value::as_array) else { return false };
    !copies.is_empty() && copies.iter().all(|copy| copy.get("role").and_then(Value::as_str) == Some("added"))
}

fn replace(value: &mut Value, aliases: &[(String, String)], taken: &mut Taken) {
    match value {
        Value::String(text) => {
            if let Some(clean) = cleaned(text, aliases, taken) {
                *text = clean;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, aliases, taken)),
        Value::Object(fields) => {
            // A name of a field may hold one as well.
            let renamed: BTreeMap<String, String> = fields
                .keys()
                .filter_map(|name| cleaned(name, aliases, taken).map(|clean| (name.clone(), clean)))
                .collect();
            for (old, new) in renamed {
                if let Some(value) = fields.remove(&old) {
                    fields.insert(new, value);
                }
            }
            fields.values_mut().for_each(|value| replace(value, aliases, taken));
        }
        _ => {}
    }
}

/// The text without serial numbers and IMEIs; `None` where it has none.
fn cleaned(text: &str, aliases: &[(String, String)], taken: &mut Taken) -> Option<String> {
    let mut clean = text.to_owned();
    for (serial, alias) in aliases {
        let hits = clean.matches(serial.as_str()).count();
        if hits > 0 {
            taken.serials += hits;
            clean = clean.replace(&format!("{PREFIX}{serial}"), alias).replace(serial.as_str(), alias);
        }
    }
    let mut out = String::with_capacity(clean.len());
    let mut rest = clean.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let (before, word) = rest.split_at(at);
        out.push_str(before);
        let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
        let (word, later) = word.split_at(end);
        if is_imei(word) {
            taken.imeis += 1;
            out.push_str("[imei]");
        } else {
            out.push_str(word);
        }
        rest = later;
    }
    out.push_str(rest);
    (out != text).then_some(out)
}

/// 15 digits of which the last is the check digit of the others (ISO/IEC 7812-1, annex B; 3GPP TS 23.003, 6.2.1).
fn is_imei(word: &str) -> bool {
    if word.len() != IMEI || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = word
        .bytes()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0');
            let weighed = if index % 2 == 1 { digit * 2 } else { digit };
            weighed / 10 + weighed % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn serials_of_targets_and_imeis_are_replaced_wherever_they_stand() {
        let mut file = json!({
            "target": {"kind": "phone", "name": "adb:ORION000001"},
            "gaps": [{"detail": "device 'ORION000001' offline"}, {"detail": "IMEI 490154203237518, 490154203237519"}],
            "sources": [{"sha256": "490154203237518490154203237518490154203237518490154203237518ffff"}],
        });
        let taken = redact(&mut file, &[]);
        assert_eq!(file["target"]["name"], "phone-1");
        assert_eq!(file["gaps"][0]["detail"], "device 'phone-1' offline");
        // The first is 3GPP's own example; the second has a wrong check digit.
        assert_eq!(file["gaps"][1]["detail"], "IMEI [imei], 490154203237519");
        assert!(file["sources"][0]["sha256"].as_str().unwrap().len() == 64);
        assert_eq!(taken, Taken { serials: 2, imeis: 1, packages: 0 });
    }

    #[test]
    fn apps_that_somebody_installed_are_dropped_and_counted() {
        let package = |name: &str, role: &str| json!({"name": name, "copies": [{"role": role}]});
        let mut file = json!({
            "packages": {"value": [package("a", "factory"), package("b", "added"), package("c", "updated")]},
            "omitted_packages": {"value": 3},
        });
        assert_eq!(redact(&mut file, &[]).packages, 1);
        let names: Vec<_> = file["packages"]["value"].as_array().unwrap().iter().map(|p| p["name"].clone()).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(file["omitted_packages"]["value"], 4);
    }

    #[test]
    fn a_file_without_any_stays_as_it_is() {
        let mut file = json!({"target": {"name": "firmware.zip"}, "text": "123456789012345"});
        let before = file.clone();
        assert_eq!((redact(&mut file, &[]), file), (Taken::default(), before));
    }

    #[test]
    fn a_file_of_an_unknown_version_keeps_its_version_first() {
        let text = text(json!({"a": 1, "schema_version": "0.1", "z": {"schema_version": "2", "b": 1}})).unwrap();
        let text: String = String::from_utf8(text).unwrap().split_whitespace().collect();
        assert_eq!(text, r#"{"schema_version":"0.1","a":1,"z":{"b":1,"schema_version":"2"}}"#);
    }

    #[test]
    fn a_serial_that_is_part_of_another_does_not_break_it() {
        let mut file = json!([{"target": {"name": "adb:ABCDE"}}, {"target": {"name": "adb:ABCDEF"}}]);
        redact(&mut file, &[]);
        assert_eq!(file, json!([{"target": {"name": "phone-2"}}, {"target": {"name": "phone-1"}}]));
    }
}
