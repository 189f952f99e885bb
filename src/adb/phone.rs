//! A phone behind an ADB server.

use super::attached::Attached;
use super::runner::{self, Protocol};
use super::server::Server;
use super::sync::{self, Arrival};
use super::{Answer, Batch, Command, Failure, Pull, Shell};

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
        let limits = (command.silence(), command.deadline(), command.cap());
        runner::run(&self.server, self.transport_id, self.protocol, command.line(), limits)
    }

    fn run_batch(&self, batch: &Batch) -> Vec<Result<Answer, Failure>> {
        let limits = (batch.silence(), batch.deadline(), batch.cap());
        let whole = runner::run(&self.server, self.transport_id, self.protocol, batch.line(), limits);
        runner::apart(self, batch, whole)
    }

    fn pull(
        &self,
        pull: &Pull,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Result<u64, String>, Failure> {
        let command = pull.command();
        let (silence, deadline, cap) = (command.silence(), command.deadline(), command.cap());
        let mut conversation = self.server.service(self.transport_id, "sync:", silence, deadline, cap)?;
        conversation.send(&sync::request(pull.path()))?;
        let mut arrival = Arrival::default();
        let cap = conversation.cap();
        conversation.take_all(|piece| arrival.take(piece, cap, each))?;
        arrival.finish()
    }

    fn line_limit(&self) -> usize {
        self.protocol.line_limit()
    }
}
