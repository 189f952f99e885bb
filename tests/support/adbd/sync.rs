//! The phone's file service, old form, reading only: `STAT`, `LIST`, `RECV`, `QUIT`. Sizes are 32 bits there, and what
//! does not exist has mode 0. Source: AOSP `packages/modules/adb/SYNC.TXT`.

use super::{Fault, Gone, Result, Stream};

const REGULAR: u32 = 0o100_644;
const DIRECTORY: u32 = 0o040_755;
const TIME: u32 = 1_230_768_000;

pub(super) fn serve(stream: &mut Stream) -> Result<()> {
    loop {
        let header = stream.read(8)?;
        let (request, length) = (&header[..4], word(&header[4..]));
        let path = match request {
            b"QUIT" => return Ok(()),
            _ => stream.read(length.min(1024) as usize)?,
        };
        let path = String::from_utf8_lossy(&path).into_owned();
        let asked = format!("sync: {} {path}", String::from_utf8_lossy(request));
        stream.connection.shared.services.lock().unwrap().push(asked);
        match request {
            b"STAT" => {
                let (mode, size) = stat(stream, &path);
                stream.write(&[*b"STAT", mode.to_le_bytes(), size.to_le_bytes(), time(mode)].concat())?;
            }
            b"LIST" => list(stream, &path)?,
            b"RECV" => match stream.profile().files.get(&path).cloned() {
                Some(file) => {
                    let trouble = stream.trouble();
                    let mut answer = Vec::new();
                    for piece in file.chunks(64 << 10) {
                        answer.extend_from_slice(b"DATA");
                        answer.extend_from_slice(&u32::try_from(piece.len()).map_err(|_| Gone)?.to_le_bytes());
                        answer.extend_from_slice(piece);
                    }
                    answer.extend_from_slice(b"DONE\0\0\0\0");
                    match trouble {
                        None => stream.write(&answer)?,
                        Some(fault) => {
                            stream.write(&answer[..answer.len() / 2])?;
                            match fault {
                                Fault::Hang => return Err(stream.hang()),
                                Fault::Close => return Ok(()),
                                Fault::Drop => {
                                    stream.connection.drop_link();
                                    return Err(Gone);
                                }
                            }
                        }
                    }
                }
                None => fail(stream, "No such file or directory")?,
            },
            b"SEND" => {
                fail(stream, "Read-only file system")?;
                return Ok(());
            }
            _ => {
                fail(stream, "unknown command")?;
                return Ok(());
            }
        }
    }
}

fn list(stream: &mut Stream, path: &str) -> Result<()> {
    let folder = format!("{}/", path.trim_end_matches('/'));
    let profile = stream.profile();
    let mut names: Vec<String> = (profile.files.keys())
        .filter_map(|file| file.strip_prefix(&folder)?.split('/').next().map(str::to_owned))
        .collect();
    names.dedup();
    let mut answer = Vec::new();
    for name in names {
        let (mode, size) = stat(stream, &format!("{folder}{name}"));
        let length = u32::try_from(name.len()).map_err(|_| Gone)?.to_le_bytes();
        answer.extend([*b"DENT", mode.to_le_bytes(), size.to_le_bytes(), time(mode), length].concat());
        answer.extend(name.as_bytes());
    }
    answer.extend_from_slice(b"DONE");
    answer.extend_from_slice(&[0; 16]);
    stream.write(&answer)
}

/// Mode and size; both 0 for what does not exist.
fn stat(stream: &Stream, path: &str) -> (u32, u32) {
    let profile = stream.profile();
    let files = &profile.files;
    let folder = format!("{}/", path.trim_end_matches('/'));
    match files.get(path) {
        Some(file) => (REGULAR, u32::try_from(file.len()).unwrap_or(u32::MAX)),
        None if files.keys().any(|file| file.starts_with(&folder)) => (DIRECTORY, 4096),
        None => (0, 0),
    }
}

fn time(mode: u32) -> [u8; 4] {
    if mode == 0 { [0; 4] } else { TIME.to_le_bytes() }
}

fn fail(stream: &mut Stream, words: &str) -> Result<()> {
    let length = u32::try_from(words.len()).map_err(|_| Gone)?.to_le_bytes();
    stream.write(&[b"FAIL".as_slice(), &length, words.as_bytes()].concat())
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().unwrap())
}
