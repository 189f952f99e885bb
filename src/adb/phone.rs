//! A phone behind an ADB server.

use super::attached::Attached;
use super::runner::{self, Protocol};
use super::server::Server;
use super::{Answer, Batch, Command, Failure, Shell};

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
        let whole = match runner::run(&self.server, self.transport_id, self.protocol, batch.line(), limits) {
            Ok(whole) => whole,
            Err(failure) => return batch.commands().iter().map(|_| Err(failure.clone())).collect(),
        };
        match batch.split(&whole.stdout, whole.status) {
            Some(answers) => {
                let answer = |(stdout, status)| Ok(Answer { stdout, stderr: Vec::new(), status });
                answers.into_iter().map(answer).collect()
            }
            // One of them prints what looks like the mark between two: apart, each has a mark of its own.
            None => batch.commands().iter().map(|command| self.run(command)).collect(),
        }
    }
}
