//! Simulated phones behind the real ADB server.

use preloaded::adb::commands::{is_allowed, parts};
use preloaded::adb::wrapper::unwrap;
use preloaded::adb::{Attached, Patience, Phone, Server};

use super::adb_server::AdbServer;
use super::adbd::{Adbd, Profile, Script};

/// Phones behind a server. When it ends, every request that they were sent must be one of the table.
pub(crate) struct Bench {
    pub(crate) server: AdbServer,
    pub(crate) phones: Vec<Adbd>,
}

impl Bench {
    pub(crate) fn new(profiles: impl IntoIterator<Item = Profile>) -> Self {
        let phones: Vec<Adbd> = profiles.into_iter().map(Adbd::start).collect();
        Self { server: AdbServer::with(&phones.iter().collect::<Vec<_>>()), phones }
    }

    pub(crate) fn answering(scripts: impl IntoIterator<Item = Script>) -> Self {
        Self::new([Profile::answering(scripts)])
    }

    pub(crate) fn server(&self) -> Server {
        Server::new(self.server.address())
    }

    pub(crate) fn attached(&self, number: usize) -> Attached {
        let serial = self.phones[number].serial();
        let listing = self.server().devices().unwrap();
        let found = listing.attached.iter().find(|attached| attached.serial.as_ref() == Some(&serial));
        found.unwrap_or_else(|| panic!("{serial} is not in {listing:?}")).clone()
    }

    pub(crate) fn phone(&self) -> Phone {
        Phone::open(&self.server(), &self.attached(0)).unwrap()
    }

    pub(crate) fn impatient(&self, patience: Patience) -> Phone {
        Phone::open(&self.server().with_patience(patience), &self.attached(0)).unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for phone in &self.phones {
            asked(phone);
        }
    }
}

/// Every command that a phone was asked, in order; each is one of the table.
pub(crate) fn asked(phone: &Adbd) -> Vec<String> {
    let plain = |line: String| match parts(&line) {
        Some(parts) => parts.into_iter().map(str::to_owned).collect(),
        None => vec![line],
    };
    requests(phone).into_iter().flat_map(plain).collect()
}

/// Every request that a phone was sent, in order: one command of the table, or several.
pub(crate) fn requests(phone: &Adbd) -> Vec<String> {
    let line = |service: String| {
        if service.starts_with("sync: ") {
            assert!(is_allowed(&service), "not in the table: {service:?}");
            return service;
        }
        let request = service.strip_prefix("shell,v2,raw:").or_else(|| service.strip_prefix("shell:"));
        let line = request.and_then(unwrap).map(|(line, _)| line.to_owned());
        line.filter(|line| is_allowed(line)).unwrap_or_else(|| panic!("not in the table: {service:?}"))
    };
    // What is asked of the file service stands behind its opening.
    phone.services().into_iter().filter(|service| service != "sync:").map(line).collect()
}
