//! The ADB server that the environment names, started where that was asked for, and how long phones are waited for.

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
        let silence = self.patience.unwrap_or(Duration::MAX);
        Ok(Server::new(address).with_patience(Patience { silence, ..Patience::default() }))
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

/// Said where a phone is needed and there is none.
pub(super) const NO_PHONE: &str = "no phone is attached: connect one and switch on USB debugging";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_a_number_of_seconds_above_zero() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("60"), Ok(Duration::from_secs(60)));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "5s", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
