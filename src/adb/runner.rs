//! One command on one phone: sent in its wrapper, read with a cap and two deadlines, believed only with its end mark.
//!
//! No thread: the connection is our own, so a wait that lasts too long ends by closing it.
//!
//! The `shell,v2` service sends packets: kind (1 byte), length (4 bytes, little-endian), payload. Kinds read here:
//! 1 standard output, 2 standard error, 3 exit status (1 byte, last). Source: AOSP `packages/modules/adb/shell_protocol.h`.
//! Phones before Android 7 know only `shell`, where both outputs come merged through a terminal.

use std::time::Duration;

use super::commands::{LINE_LIMIT, SHORT_LINE_LIMIT};
use super::conversation::Conversation;
use super::server::Server;
use super::wrapper::{nonce, take_status, without_carriage_returns, wrap};
use super::{Answer, Batch, Failure, Shell};

/// Most bytes of standard error: messages, never data.
const STDERR_CAP: u64 = 1 << 20;

/// Room for the end mark beside the answer.
const MARK_ROOM: u64 = 128;

const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const EXIT: u8 = 3;

/// How a phone's shell is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `shell,v2`: outputs apart, nothing changed.
    Packets,
    /// `shell`: one stream through a terminal.
    Terminal,
}

impl Protocol {
    /// Longest line that such a phone can be sent, without the wrapper.
    pub(super) fn line_limit(self) -> usize {
        match self {
            Self::Packets => LINE_LIMIT,
            Self::Terminal => SHORT_LINE_LIMIT,
        }
    }
}

pub(super) fn run(
    server: &Server,
    transport_id: u32,
    protocol: Protocol,
    line: &str,
    (silence, deadline, cap): (Duration, Duration, u64),
) -> Result<Answer, Failure> {
    let nonce = nonce();
    let request = wrap(line, &nonce);
    let service = match protocol {
        Protocol::Packets => format!("shell,v2,raw:{request}"),
        Protocol::Terminal => format!("shell:{request}"),
    };
    let mut conversation = server.service(transport_id, &service, silence, deadline, cap)?;
    let mut stdout = Vec::new();
    let mut stderr = Vec::new();
    let read = match protocol {
        Protocol::Packets => read_packets(&mut conversation, &mut stdout, &mut stderr),
        Protocol::Terminal => read_terminal(&mut conversation, &mut stdout),
    };
    let received = stdout.len() as u64;
    read.map_err(|failure| match failure {
        Failure::Truncated { .. } => Failure::Truncated { received },
        Failure::TimedOut { seconds, .. } => Failure::TimedOut { seconds, received },
        other => other,
    })?;
    if protocol == Protocol::Terminal {
        stdout = without_carriage_returns(&stdout);
    }
    let status = take_status(&mut stdout, &nonce).ok_or(Failure::Truncated { received })?;
    let cap = conversation.cap();
    if stdout.len() as u64 > cap {
        return Err(Failure::TooLarge { cap });
    }
    Ok(Answer { stdout, stderr, status })
}

/// The answer in a stream that was read to its end.
pub(super) fn of_stream(stream: &[u8], protocol: Protocol, nonce: &str, cap: u64) -> Result<Answer, Failure> {
    let mut stdout = Vec::new();
    let mut stderr = Vec::new();
    match protocol {
        Protocol::Terminal => stdout.extend_from_slice(&without_carriage_returns(stream)),
        Protocol::Packets => {
            let mut rest = stream;
            while let Some((header, after)) = rest.split_first_chunk::<5>() {
                let [kind, a, b, c, d] = *header;
                let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                let Some((payload, next)) = after.split_at_checked(length) else { break };
                match kind {
                    STDOUT => stdout.extend_from_slice(payload),
                    STDERR => keep(&mut stderr, payload, STDERR_CAP, 0)?,
                    EXIT => break,
                    _ => {
                        let words = format!("the phone's shell sent a packet of unknown kind {kind}");
                        return Err(Failure::Disconnected(words));
                    }
                }
                rest = next;
            }
        }
    }
    let received = stdout.len() as u64;
    let status = take_status(&mut stdout, nonce).ok_or(Failure::Truncated { received })?;
    if stdout.len() as u64 > cap {
        return Err(Failure::TooLarge { cap });
    }
    Ok(Answer { stdout, stderr, status })
}

/// The answers to the commands of one request.
pub(super) fn apart(shell: &dyn Shell, batch: &Batch, whole: Result<Answer, Failure>) -> Vec<Result<Answer, Failure>> {
    let whole = match whole {
        Ok(whole) => whole,
        Err(failure) => return batch.commands().iter().map(|_| Err(failure.clone())).collect(),
    };
    match batch.split(&whole.stdout, whole.status) {
        Some(answers) => {
            let answer = |(stdout, status)| Ok(Answer { stdout, stderr: Vec::new(), status });
            answers.into_iter().map(answer).collect()
        }
        // One of them prints what looks like the mark between two: apart, each has a mark of its own.
        None => batch.commands().iter().map(|command| shell.run(command)).collect(),
    }
}

fn read_packets(conversation: &mut Conversation, stdout: &mut Vec<u8>, stderr: &mut Vec<u8>) -> Result<(), Failure> {
    let cap = conversation.cap();
    loop {
        let [kind, a, b, c, d] = conversation.array()?;
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        match kind {
            STDOUT => conversation.take(length, |piece| keep(stdout, piece, cap, MARK_ROOM))?,
            STDERR => conversation.take(length, |piece| keep(stderr, piece, STDERR_CAP, 0))?,
            // The wrapper's own status; the command's is in the mark.
            EXIT => return Ok(()),
            _ => {
                return Err(Failure::Disconnected(format!("the phone's shell sent a packet of unknown kind {kind}")));
            }
        }
    }
}

fn read_terminal(conversation: &mut Conversation, stdout: &mut Vec<u8>) -> Result<(), Failure> {
    let cap = conversation.cap();
    conversation.take_all(|piece| keep(stdout, piece, cap, MARK_ROOM))
}

fn keep(kept: &mut Vec<u8>, piece: &[u8], cap: u64, room: u64) -> Result<(), Failure> {
    if kept.len() as u64 + piece.len() as u64 > cap.saturating_add(room) {
        return Err(Failure::TooLarge { cap });
    }
    kept.extend_from_slice(piece);
    Ok(())
}
