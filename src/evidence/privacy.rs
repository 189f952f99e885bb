//! Which raw material may leave with a bundle: answers of a phone hold more than the inventory takes from them.
//!
//! | what an answer holds | kept |
//! |---|---|
//! | a serial number, IMEI, address of a radio | only where the phone is named plainly |
//! | names of the phone's users, the owner's settings | only where the phone is named plainly |
//! | an app that somebody installed | never: such apps are counted, and not collected |

use std::collections::BTreeSet;

use crate::collect::record::{Piece, Recorded};

/// Words in names of properties whose values lead to one phone or its owner.
const PERSONAL: [&str; 9] = ["serialno", "imei", "meid", "iccid", "imsi", "msisdn", "bdaddr", "macaddr", "mac_addr"];
/// Shortest value of such a property that is looked for: `none` and `0` stand in any answer.
const SHORTEST: usize = 5;
/// Commands whose answers hold what an owner wrote or set: names of users, the name and ids of the phone.
const OWNERS: [&str; 2] = ["pm list users", "settings "];

/// What must not be shown of one target.
pub(super) struct Privacy<'a> {
    serials: BTreeSet<String>,
    private: &'a BTreeSet<String>,
    plain: bool,
}

impl<'a> Privacy<'a> {
    /// `names` are serial numbers by which phones were asked for; `plain` says that phones may be known by them.
    pub(super) fn of(names: &[String], recorded: &'a Recorded, plain: bool) -> Self {
        let mut serials: BTreeSet<String> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
        for piece in &recorded.pieces {
            serials.extend(serials_of(&String::from_utf8_lossy(&piece.bytes)));
        }
        Self { serials, private: &recorded.private, plain }
    }

    /// Why a piece is not shown; `None` for one that may be.
    pub(super) fn why_not(&self, piece: &Piece) -> Option<&'static str> {
        if names_one_of(&piece.bytes, self.private) {
            return Some("it names an app that somebody installed");
        }
        if self.plain {
            return None;
        }
        let asked = piece.part.as_deref().unwrap_or(&piece.name);
        if OWNERS.iter().any(|command| asked.starts_with(command)) {
            return Some("it holds what the phone's owner wrote or set");
        }
        let has_serial = self.serials.iter().any(|serial| holds(&piece.bytes, serial.as_bytes()));
        has_serial.then_some("it holds a serial number")
    }
}

/// Serial numbers, IMEIs and the like that properties tell: `[ro.serialno]: [X]`.
fn serials_of(answer: &str) -> Vec<String> {
    let property = |line: &str| {
        let (name, value) = line.trim().strip_prefix('[')?.split_once("]: [")?;
        let name = name.to_ascii_lowercase();
        let value = value.trim_end().trim_end_matches(']');
        let leads_to_one = PERSONAL.iter().any(|word| name.contains(word));
        let is_one = value.len() >= SHORTEST && value.bytes().any(|byte| byte.is_ascii_digit());
        (leads_to_one && is_one).then(|| value.to_owned())
    };
    answer.lines().filter_map(property).collect()
}

/// Whether a name of these stands in the bytes as a word of its own; `com.a` does not stand in `com.a.b`.
fn names_one_of(bytes: &[u8], names: &BTreeSet<String>) -> bool {
    if names.is_empty() {
        return false;
    }
    let part_of_a_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    let words = bytes.split(|byte| !part_of_a_name(byte)).filter_map(|word| std::str::from_utf8(word).ok());
    words.map(|word| word.trim_matches('.')).any(|word| names.contains(word))
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    !word.is_empty() && bytes.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(name: &str, text: &str) -> Piece {
        Piece { name: name.to_owned(), part: None, bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn properties_that_point_to_one_phone_are_found_and_others_are_not() {
        let answer = "[ro.serialno]: [R58M12ABCDE]\n[ro.product.model]: [SM-A022F]\n[ril.IMEI]: [490154203237518]\n\
                      [ro.boot.serialno]: []\n[persist.imei.state]: [ready]\n";
        assert_eq!(serials_of(answer), ["R58M12ABCDE", "490154203237518"]);
    }

    #[test]
    fn answers_that_lead_to_a_person_are_not_shown_unless_the_phone_is_named_plainly() {
        let recorded = Recorded {
            pieces: vec![
                piece("getprop", "[ro.serialno]: [R58M12ABCDE]\n"),
                piece("pm list users", "UserInfo{0:Anna:13} running"),
                piece("dumpsys package packages", "Package [a.b] (1a2b3c):"),
            ],
            ..Recorded::default()
        };
        let shown = |plain| {
            let privacy = Privacy::of(&[], &recorded, plain);
            recorded.pieces.iter().map(|piece| privacy.why_not(piece).is_none()).collect::<Vec<_>>()
        };
        assert_eq!(shown(false), [false, false, true]);
        assert_eq!(shown(true), [true, true, true]);
    }

    #[test]
    fn an_app_that_somebody_installed_is_never_shown() {
        let recorded = Recorded { private: BTreeSet::from(["com.dating".to_owned()]), ..Recorded::default() };
        let privacy = Privacy::of(&[], &recorded, true);
        for text in ["Package [com.dating] (1):", "package:/data/app/~~x==/com.dating-q==/base.apk=com.dating"] {
            assert!(privacy.why_not(&piece("dumpsys package packages", text)).is_some(), "{text}");
        }
        assert!(privacy.why_not(&piece("dumpsys package packages", "Package [com.dating.platform] (1):")).is_none());
    }
}
