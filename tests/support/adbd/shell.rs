//! The phone's shell: scripted answers in three styles of delivery.

use std::thread::sleep;
use std::time::Duration;

use super::{Fault, Gone, Result, Script, Stream};

/// How output is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `shell,v2`: packets of kind, length, payload.
    Packets,
    /// `shell`: merged, each line feed with a carriage return.
    Terminal,
    /// `exec`: merged, unchanged.
    Raw,
}

const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const EXIT: u8 = 3;

pub(super) fn serve(stream: &mut Stream, request: &str, style: Style) -> Result<()> {
    sleep(stream.profile().latency);
    let wrapped = unwrap(request);
    let line = wrapped.map_or(request, |(line, _)| line);
    // Several commands in one request: `A 2>&1;echo __next:$?;B 2>&1`.
    let parts: Vec<&str> = match wrapped {
        Some(_) => line.split(";echo __next:$?;").collect(),
        None => vec![line],
    };
    let several = parts.len() > 1 || line.ends_with(" 2>&1");
    let mut status = 0;
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            deliver(stream, style, STDOUT, format!("__next:{status}\n").as_bytes())?;
        }
        let part = if several { part.strip_suffix(" 2>&1").unwrap_or(part) } else { part };
        match command(stream, part, style, wrapped.is_some(), several)? {
            Some(exit) => status = exit,
            None => return Ok(()),
        }
    }
    let status = match wrapped {
        Some((_, mark)) => {
            deliver(stream, style, STDOUT, format!("{mark}:{status}\n").as_bytes())?;
            0
        }
        None => status,
    };
    if style == Style::Packets {
        stream.write(&[EXIT, 1, 0, 0, 0, status])?;
    }
    Ok(())
}

/// Runs one command and gives its status; `None` where the stream ends early.
fn command(stream: &mut Stream, line: &str, style: Style, wrapped: bool, merged: bool) -> Result<Option<u8>> {
    let script = stream.profile().scripts.iter().find(|script| script.answers(line)).cloned().unwrap_or_else(|| {
        let word = line.split(' ').next().unwrap_or_default();
        Script::new(line, "").stderr(&format!("/system/bin/sh: {word}: inaccessible or not found\n")).status(127)
    });
    if script.reads_input && !wrapped {
        return Err(stream.hang());
    }
    sleep(script.delay);
    deliver(stream, style, if merged { STDOUT } else { STDERR }, &script.stderr)?;
    let end = script.fault.map_or(script.stdout.len(), |(after, _)| after.min(script.stdout.len()));
    let pace = script.rate.map(|rate| (rate / 20).max(1) as usize);
    for piece in script.stdout[..end].chunks(pace.unwrap_or(1 << 18)) {
        deliver(stream, style, STDOUT, piece)?;
        if pace.is_some() {
            sleep(Duration::from_millis(50));
        }
    }
    match script.fault {
        Some((_, Fault::Hang)) => Err(stream.hang()),
        Some((_, Fault::Close)) => Ok(None),
        Some((_, Fault::Drop)) => {
            stream.connection.drop_link();
            Err(Gone)
        }
        None => Ok(Some(script.status)),
    }
}

fn deliver(stream: &mut Stream, style: Style, kind: u8, bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    match style {
        Style::Packets => {
            let mut packet = vec![kind];
            packet.extend_from_slice(&u32::try_from(bytes.len()).map_err(|_| Gone)?.to_le_bytes());
            packet.extend_from_slice(bytes);
            stream.write(&packet)
        }
        Style::Terminal => {
            let mut lines = Vec::with_capacity(bytes.len());
            for byte in bytes {
                if *byte == b'\n' {
                    lines.push(b'\r');
                }
                lines.push(*byte);
            }
            stream.write(&lines)
        }
        Style::Raw => stream.write(bytes),
    }
}

/// The command within a guarded request and the text that marks its end: what a real shell makes of
/// `( COMMAND\n)</dev/null;echo "MARK:$?"`.
fn unwrap(request: &str) -> Option<(&str, &str)> {
    let (line, rest) = request.strip_prefix("( ")?.split_once("\n)</dev/null;echo \"")?;
    Some((line, rest.strip_suffix(":$?\"")?))
}
