//! A phone behind an ADB server, and what shows that it is still the same one.

use super::attached::Attached;
use super::runner::{self, Protocol};
use super::server::Server;
use super::{Answer, Command, Failure, Shell, commands};

/// One connection of a phone to an ADB server. When the phone is plugged in again it has another.
#[derive(Debug)]
pub struct Phone {
    server: Server,
    attached: Attached,
    transport_id: u32,
    protocol: Protocol,
}

impl Phone {
    /// The phone of a server's listing. Selected by the server's number for the connection, never by serial number.
    ///
    /// # Errors
    /// [`Failure::Disconnected`] with the server's words when the phone can't be used: offline, unauthorised, gone; the
    /// failures of [`Server::devices`].
    pub fn open(server: &Server, attached: &Attached) -> Result<Self, Failure> {
        let transport_id = attached.transport_id.ok_or_else(|| {
            Failure::Disconnected("the ADB server gives no transport id; platform-tools of 2018 or later do".to_owned())
        })?;
        let features = server.features(transport_id)?;
        let packets = features.iter().any(|name| name == "shell_v2");
        Ok(Self {
            server: server.clone(),
            attached: attached.clone(),
            transport_id,
            protocol: if packets { Protocol::Packets } else { Protocol::Terminal },
        })
    }

    /// How the server listed it when it was opened.
    #[must_use]
    pub fn attached(&self) -> &Attached {
        &self.attached
    }
}

impl Shell for Phone {
    fn run(&self, command: &Command) -> Result<Answer, Failure> {
        runner::run(&self.server, self.transport_id, self.protocol, command)
    }
}

/// What tells one phone, and one start of it, from another. Read before and after a collection: if both are not the
/// same, what came in between belongs to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneIdentity {
    /// Drawn by the kernel at each start; `None` where the shell may not read it.
    pub boot_id: Option<String>,
    /// `ro.serialno`.
    pub serial: Option<String>,
    /// `ro.build.fingerprint`.
    pub fingerprint: Option<String>,
}

/// Reads a phone's identity.
///
/// # Errors
/// As for [`Shell::run`], and [`Failure::Disconnected`] if nothing at all identifies the phone.
pub fn identity(shell: &dyn Shell) -> Result<PhoneIdentity, Failure> {
    let boot_id = shell.run(&commands::boot_id())?;
    let boot_id = Some(String::from_utf8_lossy(&boot_id.stdout).trim().to_owned())
        .filter(|id| boot_id.status == 0 && !id.is_empty());
    let properties = shell.run(&commands::properties())?;
    let properties = String::from_utf8_lossy(&properties.stdout);
    let property = |name: &str| {
        let start = format!("[{name}]: [");
        let value = properties.lines().find_map(|line| line.strip_prefix(&start)?.trim_end().strip_suffix(']'))?;
        Some(value.to_owned()).filter(|value| !value.is_empty())
    };
    let identity =
        PhoneIdentity { boot_id, serial: property("ro.serialno"), fingerprint: property("ro.build.fingerprint") };
    if identity == (PhoneIdentity { boot_id: None, serial: None, fingerprint: None }) {
        return Err(Failure::Disconnected("the phone tells nothing that identifies it".to_owned()));
    }
    Ok(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Canned {
        boot_id: (i32, &'static str),
        properties: &'static str,
    }

    impl Shell for Canned {
        fn run(&self, command: &Command) -> Result<Answer, Failure> {
            let (status, text) = match command.row().name {
                "boot-id" => self.boot_id,
                _ => (0, self.properties),
            };
            Ok(Answer { stdout: text.into(), stderr: Vec::new(), status })
        }
    }

    #[test]
    fn an_identity_is_start_serial_number_and_build() {
        let shell = Canned {
            boot_id: (0, "5cd0-11\n"),
            properties: "[ro.build.fingerprint]: [a/b:10/c]\n[ro.serialno]: [X1]\n[ro.z]: [1]\n",
        };
        let found = identity(&shell).unwrap();
        assert_eq!(
            found,
            PhoneIdentity {
                boot_id: Some("5cd0-11".into()),
                serial: Some("X1".into()),
                fingerprint: Some("a/b:10/c".into())
            }
        );
    }

    #[test]
    fn a_refused_boot_id_is_none_and_a_phone_that_tells_nothing_is_a_failure() {
        let shell = Canned { boot_id: (1, "cat: Permission denied\n"), properties: "[ro.serialno]: [X1]\n" };
        assert_eq!(identity(&shell).unwrap().boot_id, None);
        let shell = Canned { boot_id: (1, ""), properties: "[ro.serialno]: []\n" };
        assert!(matches!(identity(&shell), Err(Failure::Disconnected(_))));
    }
}
