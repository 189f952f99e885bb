//! What an ADB server lists: `host:devices-l`, line by line.
//!
//! ```text
//! SERIAL STATE [usb:PATH] [product:P] [model:M] [device:D] transport_id:N
//! ```
//!
//! The serial number is padded to 22 columns and may hold spaces (names from mDNS), or be `(no serial number)`. The
//! state may be a sentence (`no permissions (...); see [...]`). The last three names come from the phone, which may put
//! anything into them; the server's own number comes last, and the last one counts. Servers differ in what else they
//! add. One phone that is listed in an unknown way must not hide the others: a line that is not understood is kept.

use std::fmt;

/// What a server lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Phones, in the server's order.
    pub attached: Vec<Attached>,
    /// Lines that were not understood.
    pub unknown: Vec<String>,
}

/// A phone as its ADB server sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Serial number, or network address, or name from mDNS; `None` for `(no serial number)`. Several phones may have
    /// the same, and nothing vouches for it.
    pub serial: Option<String>,
    /// What the server can do with it.
    pub state: State,
    /// The server's number for this connection, new after each reconnection; servers before 2018 give none.
    pub transport_id: Option<u32>,
    /// The USB port, `usb:1-4.2`.
    pub usb: Option<String>,
    /// `ro.product.name`.
    pub product: Option<String>,
    /// `ro.product.model`, with every character other than letters and digits as `_`.
    pub model: Option<String>,
    /// `ro.product.device`.
    pub device: Option<String>,
}

/// A phone's state in its server's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// `device`: Android runs and the phone trusts this computer.
    Device,
    /// `recovery`: a shell may answer.
    Recovery,
    /// `offline`: does not answer.
    Offline,
    /// `unauthorized`: the dialog on the phone was not accepted.
    Unauthorized,
    /// `no permissions`: this computer's user may not open the USB device; with the server's explanation.
    NoPermissions(String),
    /// Any other: `authorizing`, `connecting`, `sideload`, `rescue`, `bootloader`, `host`, `detached` ...
    Other(String),
}

/// Words that servers use; the rest is recognised by place.
const WORDS: [&str; 16] = [
    "device",
    "recovery",
    "offline",
    "unauthorized",
    "authorizing",
    "connecting",
    "sideload",
    "rescue",
    "bootloader",
    "host",
    "detached",
    "unknown",
    "fastbootd",
    "no permissions",
    "no device",
    "disconnect",
];

impl State {
    /// Whether asking a shell can succeed.
    #[must_use]
    pub fn may_answer(&self) -> bool {
        matches!(self, Self::Device | Self::Recovery)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device => f.write_str("device"),
            Self::Recovery => f.write_str("recovery"),
            Self::Offline => f.write_str("offline"),
            Self::Unauthorized => f.write_str("unauthorized"),
            Self::NoPermissions(words) | Self::Other(words) => f.write_str(words),
        }
    }
}

impl Attached {
    /// The most telling name there is: serial number, USB port, server's number.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.serial, &self.usb, self.transport_id) {
            (Some(serial), _, _) => serial.clone(),
            (None, Some(usb), _) => usb.clone(),
            (None, None, Some(id)) => format!("transport {id}"),
            (None, None, None) => "a phone without a name".to_owned(),
        }
    }
}

/// Reads the answer to `host:devices-l`.
#[must_use]
pub fn parse_listing(text: &str) -> Listing {
    let mut listing = Listing::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match parse_line(line) {
            Some(attached) => listing.attached.push(attached),
            None => listing.unknown.push(line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()),
        }
    }
    listing
}

fn parse_line(line: &str) -> Option<Attached> {
    let line = line.trim().replace('\t', " ");
    let (described, transport_id) = match line.rsplit_once(" transport_id:") {
        Some((described, rest)) => (described, Some(rest.split(' ').next()?.parse().ok()?)),
        None => (line.as_str(), None),
    };
    let (serial, state, rest) = split_state(described).or_else(|| {
        // A state of a later server, one word, in a line that can only be a phone's.
        let (serial, rest) = described.split_once(' ')?;
        let rest = rest.trim_start();
        let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let named = transport_id.is_some() && !word.is_empty() && !word.contains(':');
        named.then(|| (serial.trim_end(), State::Other(word.to_owned()), rest))
    })?;
    if serial.is_empty() {
        return None;
    }
    let mut attached = Attached {
        serial: (serial != "(no serial number)").then(|| serial.to_owned()),
        state,
        transport_id,
        usb: None,
        product: None,
        model: None,
        device: None,
    };
    for word in rest.split(' ') {
        let Some((key, value)) = word.split_once(':') else { continue };
        let (slot, value) = match key {
            "usb" => (&mut attached.usb, word),
            "product" => (&mut attached.product, value),
            "model" => (&mut attached.model, value),
            "device" => (&mut attached.device, value),
            _ => continue,
        };
        slot.get_or_insert_with(|| value.to_owned());
    }
    Some(attached)
}

/// Splits a line at the first state word: serial number, state, rest.
fn split_state(line: &str) -> Option<(&str, State, &str)> {
    let (at, word) = WORDS
        .iter()
        .flat_map(|word| line.match_indices(word).map(|(at, _)| (at, *word)))
        .filter(|(at, word)| {
            let before = line.get(..*at).unwrap_or_default();
            let after = line.get(at + word.len()..).unwrap_or_default();
            before.ends_with(' ') && (after.is_empty() || after.starts_with(' '))
        })
        .min_by_key(|(at, _)| *at)?;
    let serial = line.get(..at)?.trim_end();
    let after = line.get(at + word.len()..)?;
    let (state, rest) = match word {
        "device" => (State::Device, after),
        "recovery" => (State::Recovery, after),
        "offline" => (State::Offline, after),
        "unauthorized" => (State::Unauthorized, after),
        "no permissions" => {
            let end = after.rfind(']').or_else(|| after.rfind(')')).map_or(0, |end| end + 1);
            let words = line.get(at..at + word.len() + end)?;
            (State::NoPermissions(words.to_owned()), after.get(end..)?)
        }
        word => (State::Other(word.to_owned()), after),
    };
    Some((serial, state, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(line: &str) -> Attached {
        let mut listing = parse_listing(line);
        assert_eq!((listing.attached.len(), &listing.unknown), (1, &Vec::new()), "{line:?}");
        listing.attached.remove(0)
    }

    #[test]
    fn every_field_of_a_phone_is_read() {
        let phone = only(
            "HT7160200123           device usb:1-4.2 product:sailfish model:Pixel_7 device:sailfish transport_id:12\n",
        );
        assert_eq!(
            phone,
            Attached {
                serial: Some("HT7160200123".into()),
                state: State::Device,
                transport_id: Some(12),
                usb: Some("usb:1-4.2".into()),
                product: Some("sailfish".into()),
                model: Some("Pixel_7".into()),
                device: Some("sailfish".into()),
            }
        );
    }

    #[test]
    fn a_phone_without_permissions_is_listed_with_the_servers_explanation() {
        for words in [
            "no permissions (user in plugdev group; are your udev rules wrong?); see [http://developer.android.com/tools/device.html]",
            "no permissions (user alice is not in the plugdev group); see [http://developer.android.com/tools/device.html]",
            "no permissions (missing udev rules? user is in the plugdev group)",
            "no permissions",
        ] {
            let phone = only(&format!("0123456789ABCDEF       {words} usb:3-1 transport_id:5"));
            assert_eq!(phone.state, State::NoPermissions(words.into()));
            assert_eq!((phone.usb.as_deref(), phone.transport_id), (Some("usb:3-1"), Some(5)));
        }
    }

    #[test]
    fn states_that_are_no_device_are_told_apart() {
        for (word, state) in [
            ("offline", State::Offline),
            ("unauthorized", State::Unauthorized),
            ("recovery", State::Recovery),
            ("authorizing", State::Other("authorizing".into())),
            ("state-of-a-later-server", State::Other("state-of-a-later-server".into())),
        ] {
            let phone = only(&format!("emulator-5554          {word} transport_id:1"));
            assert_eq!((phone.state.clone(), phone.serial.as_deref()), (state, Some("emulator-5554")));
            assert_eq!(phone.state.to_string(), word);
        }
    }

    #[test]
    fn serial_numbers_may_be_missing_or_hold_spaces() {
        assert_eq!(only("(no serial number)     device usb:1-1 transport_id:2").serial, None);
        assert_eq!(only("(no serial number)     device usb:1-1 transport_id:2").name(), "usb:1-1");
        let phone = only("adb-1A2B-xyz (2)._adb-tls-connect._tcp device product:p model:m device:d transport_id:7");
        assert_eq!(phone.serial.as_deref(), Some("adb-1A2B-xyz (2)._adb-tls-connect._tcp"));
        assert_eq!(phone.state, State::Device);
        let phone = only("device-1               offline transport_id:7");
        assert_eq!((phone.serial.as_deref(), phone.state), (Some("device-1"), State::Offline));
    }

    #[test]
    fn the_last_transport_id_counts_whatever_the_phone_calls_itself() {
        let phone = only("s                      device product:x transport_id:1 model:y device:z transport_id:2");
        assert_eq!(phone.transport_id, Some(2));
        assert_eq!(phone.product.as_deref(), Some("x"));
    }

    #[test]
    fn further_words_are_skipped_and_short_lists_are_read() {
        let phone = only("s device usb:1-1 product:p speed:480 model:m device:d features:x,y transport_id:3 link:usb");
        assert_eq!((phone.transport_id, phone.device.as_deref()), (Some(3), Some("d")));
        let phone = only("0123\tdevice");
        assert_eq!((phone.serial.as_deref(), phone.transport_id), (Some("0123"), None));
    }

    #[test]
    fn a_line_that_is_not_understood_is_kept_and_hides_nothing() {
        let listing = parse_listing("* daemon says hello\n\ngood device transport_id:1\nbad device transport_id:-1\n");
        assert_eq!(listing.attached.len(), 1);
        assert_eq!(listing.unknown, ["* daemon says hello", "bad device transport_id:-1"]);
        assert_eq!(parse_listing(""), Listing::default());
    }
}
