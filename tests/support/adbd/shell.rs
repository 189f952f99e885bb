//! The phone's shell: scripted answers in three styles of delivery.

use std::thread::sleep;
use std::time::Duration;

use super::{Fault, Gone, Profile, Result, Script, Stream};

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
    let scripted = stream.profile().scripts_first && stream.profile().scripts.iter().any(|script| script.answers(line));
    if let Some((bytes, status)) = of_files(&stream.profile(), line).filter(|_| !scripted) {
        deliver(stream, style, STDOUT, &bytes)?;
        return Ok(Some(status));
    }
    let script = stream.profile().scripts.iter().find(|script| script.answers(line)).cloned().unwrap_or_else(|| {
        let word = line.split(' ').next().unwrap_or_default();
        Script::new(line, "").stderr(&format!("/system/bin/sh: {word}: inaccessible or not found\n")).status(127)
    });
    if script.reads_input && !wrapped {
        return Err(stream.hang());
    }
    let script = match stream.trouble() {
        Some(fault) => Script { fault: Some((script.stdout.len() / 2, fault)), ..script },
        None => script,
    };
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

/// What the tools that read files print for one that is there, by POSIX, toybox and toolbox. `None` where it is not, or the
/// tool is not.
fn of_files(profile: &Profile, line: &str) -> Option<(Vec<u8>, u8)> {
    let words: Vec<&str> = line.split(' ').collect();
    let has = |tool: &str| !profile.lacks.contains(&tool);
    let file = |path: &str| profile.files.get(path);
    match words.as_slice() {
        ["stat", "-c", "%s", path] if has("stat") => Some((format!("{}\n", file(path)?.len()).into_bytes(), 0)),
        ["ls", "-l", path] if has("ls") => {
            let (len, name) = (file(path)?.len(), path.rsplit('/').next()?);
            let line = if has("stat") {
                format!("-rw-r--r-- 1 root root {len} 2009-01-01 00:00 {path}\n")
            } else {
                format!("-rw-r--r-- root     root     {len:8} 2009-01-01 00:00 {name}\n")
            };
            Some((line.into_bytes(), 0))
        }
        ["dd", rest @ ..] if has("dd") => {
            let value = |key: &str| rest.iter().find_map(|word| word.strip_prefix(key));
            let number = |key: &str| value(key)?.parse::<usize>().ok();
            let file = file(value("if=")?)?;
            let start = (number("skip=")? * number("bs=")?).min(file.len());
            let end = (start + number("count=")? * number("bs=")?).min(file.len());
            Some((file[start..end].to_vec(), 0))
        }
        // The status is that of the last in the pipe.
        ["tail", "-c", start, path, "2>/dev/null|head", "-c", count, "2>/dev/null"] if has("head") => {
            let file = match file(path) {
                Some(file) if has("tail") => file,
                _ => return Some((Vec::new(), 0)),
            };
            let start = (start.strip_prefix('+')?.parse::<usize>().ok()? - 1).min(file.len());
            let end = (start + count.parse::<usize>().ok()?).min(file.len());
            Some((file[start..end].to_vec(), 0))
        }
        _ => None,
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
