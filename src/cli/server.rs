//! The ADB server that the environment names, started where that was asked for, and how long phones are waited for.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use super::exit::usage;
use crate::adb::{self, Attached, Failure, Listing, Patience, Phone, Server, starter};

/// How the ADB server is reached. Shared by every command that looks for phones.
#[derive(Debug, Args)]
pub(super) struct ServerArguments {
    /// Start an ADB server if none answers, as `adb start-server` does; it stays when this program ends
    #[arg(long)]
    start_server: bool,

    /// Give up a command when the phone is silent for so long, if its own limit (10 to 65) is not shorter
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    patience: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let told = || "expected a number of seconds from 0.001 to 3600".to_owned();
    let number: f64 = text.parse().map_err(|_| told())?;
    let range = 0.001..=3600.0;
    if range.contains(&number) { Duration::try_from_secs_f64(number).map_err(|_| told()) } else { Err(told()) }
}

impl ServerArguments {
    /// The server where `adb` itself would look for it.
    ///
    /// # Errors
    /// What is wrong with the environment.
    pub(super) fn server(&self) -> anyhow::Result<Server> {
        let variable = |name: &str| std::env::var(name).ok();
        let socket = variable("ADB_SERVER_SOCKET");
        let port = variable("ANDROID_ADB_SERVER_PORT");
        let address = adb::server::address(socket.as_deref(), port.as_deref()).map_err(usage)?;
        Ok(Server::new(address).with_patience(self.patience()))
    }

    /// How long phones are waited for.
    pub(super) fn patience(&self) -> Patience {
        Patience { silence: self.patience.unwrap_or(Duration::MAX), ..Patience::default() }
    }

    /// What a process that reads one phone for this one has to be told beside its environment, as arguments.
    pub(super) fn of_job(&self) -> Vec<OsString> {
        let patience = self.patience.map(|patience| ["--patience".into(), patience.as_secs_f64().to_string().into()]);
        patience.into_iter().flatten().collect()
    }

    /// What the server has attached, by name.
    ///
    /// # Errors
    /// Why there is no list, for a person.
    pub(super) fn listing(&self, server: &Server) -> Result<Listing, String> {
        let mut listing = match server.devices() {
            Err(Failure::NoServer { address }) if self.start_server => {
                starter::start(address).map_err(|error| error.to_string())?;
                server.devices().map_err(|failure| failure.to_string())?
            }
            Err(failure @ Failure::NoServer { .. }) => return Err(format!("{failure} or with --start-server")),
            Err(failure) => return Err(failure.to_string()),
            Ok(listing) => listing,
        };
        listing.attached.sort_by_key(|attached| (attached.name(), attached.transport_id));
        Ok(listing)
    }
}

/// A phone that was listed, ready to be asked.
///
/// # Errors
/// Why it can't be asked now, for a person.
pub(super) fn open(server: &Server, attached: &Attached) -> Result<Phone, String> {
    Phone::open(server, attached).map_err(|failure| failure.to_string())
}

/// Names of phones: the serial number, and the USB port or the server's number behind it where several have the same.
pub(super) fn names(attached: &[Attached]) -> Vec<String> {
    let same = |name: &str| attached.iter().filter(|other| other.name() == name).count();
    let name = |phone: &Attached| {
        let plain = phone.name();
        match (same(&plain), &phone.usb, phone.transport_id) {
            (0 | 1, _, _) => format!("adb:{plain}"),
            (_, Some(usb), _) => format!("adb:{plain}@{usb}"),
            (_, None, Some(id)) => format!("adb:{plain}@transport:{id}"),
            (_, None, None) => format!("adb:{plain}"),
        }
    };
    attached.iter().map(name).collect()
}

/// Whether a phone is the one that a user names: by serial number, USB port (`usb:1-4.2`) or the server's number
/// (`transport:7`).
pub(super) fn answers_to(phone: &Attached, asked: &str) -> bool {
    phone.serial.as_deref() == Some(asked)
        || phone.usb.as_deref() == Some(asked)
        || phone.transport_id.is_some_and(|id| asked.strip_prefix("transport:") == Some(id.to_string().as_str()))
}

/// Whether a name looks like `HOST:PORT`.
pub(super) fn is_address(name: &str) -> bool {
    let Some((host, port)) = name.rsplit_once(':') else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    !matches!(host, "usb" | "transport")
        && !host.is_empty()
        && host.chars().all(plain)
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Said where a phone is needed and there is none.
pub(super) const NO_PHONE: &str = "no phone is attached: connect one and switch on USB debugging";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_of_one_serial_number_are_told_apart_by_their_port() {
        let text = "0123456789ABCDEF device usb:1-1 transport_id:1\n0123456789ABCDEF device usb:1-2 transport_id:2\n\
            other device transport_id:3\n(no serial number) device transport_id:4\n";
        let attached = adb::attached::parse_listing(text).attached;
        assert_eq!(
            names(&attached),
            ["adb:0123456789ABCDEF@usb:1-1", "adb:0123456789ABCDEF@usb:1-2", "adb:other", "adb:transport 4"]
        );
        let asked = |name| attached.iter().filter(|phone| answers_to(phone, name)).count();
        assert_eq!((asked("usb:1-2"), asked("transport:3"), asked("0123456789ABCDEF"), asked("usb:1")), (1, 1, 2, 0));
        for (name, expected) in [
            ("192.0.2.1:5555", true),
            ("host.lan:5555", true),
            ("ABC", false),
            ("usb:1", false),
            ("a b:5", false),
            ("x:0", false),
        ] {
            assert_eq!(is_address(name), expected, "{name}");
        }
    }

    #[test]
    fn patience_is_a_number_of_seconds_above_zero() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("60"), Ok(Duration::from_secs(60)));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "5s", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
