//! Phones that are read without an ADB server: `tcp:HOST:PORT`, and, with the feature `usb`, those on a cable.

use std::net::{SocketAddr, ToSocketAddrs as _};

#[cfg(not(feature = "usb"))]
use super::exit::usage;
#[cfg(feature = "usb")]
use crate::adb::usb::{self, OnCable};
use crate::adb::{Direct, Failure, Keys, Patience, Shell};

const TCP: &str = "tcp:";
const USB: &str = "usb:";

/// A phone that is there.
pub(super) enum Reach {
    /// On the network.
    Address(SocketAddr),
    /// On a cable, with its name.
    #[cfg(feature = "usb")]
    Cable(OnCable, String),
}

/// Whether a target is a phone, whichever way it is read.
pub(super) fn is_phone(name: &str) -> bool {
    name == "adb" || ["adb:", TCP, USB].iter().any(|start| name.starts_with(start))
}

/// The user's keys, where `adb` has them.
pub(super) fn keys() -> Keys {
    Keys::at(std::env::var_os("ADB_VENDOR_KEYS").as_deref(), std::env::home_dir().as_deref())
}

/// The phones that a target names, or why it names none; `None` for a target of another kind.
///
/// # Errors
/// This program was built without USB.
pub(super) fn reach(name: &str) -> anyhow::Result<Option<Vec<Result<Reach, String>>>> {
    if let Some(address) = name.strip_prefix(TCP) {
        let found = address.to_socket_addrs().ok().and_then(|mut found| found.next());
        let reach = found.map(Reach::Address).ok_or_else(|| "no such address: expected HOST:PORT".to_owned());
        return Ok(Some(vec![reach]));
    }
    name.strip_prefix(USB).map(cables).transpose()
}

#[cfg(not(feature = "usb"))]
fn cables(asked: &str) -> anyhow::Result<Vec<Result<Reach, String>>> {
    let through = if asked.is_empty() { "adb".to_owned() } else { format!("adb:{asked} or adb:usb:{asked}") };
    Err(usage(format!(
        "this program was built without USB of its own (cargo build --features usb): name {through}, which an ADB server \
         reads"
    )))
}

#[cfg(feature = "usb")]
fn cables(asked: &str) -> anyhow::Result<Vec<Result<Reach, String>>> {
    let all = match usb::attached() {
        Ok(all) => all,
        Err(failure) => return Ok(vec![Err(failure.to_string())]),
    };
    let named = |phone: &OnCable| Ok(Reach::Cable(phone.clone(), phone.name(&all)));
    if all.is_empty() {
        return Ok(vec![Err("no phone with USB debugging on is on a cable of this computer".to_owned())]);
    }
    if asked.is_empty() {
        return Ok(all.iter().map(named).collect());
    }
    // A port is one place's name; a serial number may read like one.
    let at_port = all.iter().find(|phone| phone.port == asked);
    let matching: Vec<&OnCable> =
        at_port.map_or_else(|| all.iter().filter(|phone| phone.answers_to(asked)).collect(), |phone| vec![phone]);
    let ports = |phones: &[&OnCable]| -> String {
        phones.iter().map(|phone| format!("{USB}{}", phone.port)).collect::<Vec<_>>().join(", ")
    };
    let found = match matching.as_slice() {
        [only] => Ok(Reach::Cable((*only).clone(), format!("{USB}{asked}"))),
        [] => {
            let all: Vec<&OnCable> = all.iter().collect();
            Err(format!("no phone with this serial number or port is on a cable; there are {}", ports(&all)))
        }
        several => Err(format!(
            "{} phones with this serial number are on cables: name one of {}",
            several.len(),
            ports(several)
        )),
    };
    Ok(vec![found])
}

impl Reach {
    /// Its name as a target.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Address(address) => format!("{TCP}{address}"),
            #[cfg(feature = "usb")]
            Self::Cable(_, name) => name.clone(),
        }
    }

    /// The phone, ready to be asked.
    ///
    /// # Errors
    /// Why it can't be asked now.
    pub(super) fn open(&self, patience: Patience, keys: &Keys) -> Result<Box<dyn Shell>, Failure> {
        match self {
            Self::Address(address) => Ok(Box::new(Direct::open(*address, patience, keys.clone())?)),
            #[cfg(feature = "usb")]
            Self::Cable(phone, _) => Ok(Box::new(phone.open(patience, keys.clone())?)),
        }
    }
}
