//! `preloaded image cat`.

use std::io::{self, Write};

use clap::Args;

use super::{ImageArguments, complain_of};
use crate::bytes::SharedBytes;
use crate::cli::exit::{Exit, Failed};
use crate::filesystem::NodeKind;
use crate::firmware::{Image, Place};
use crate::report::printable;

/// Bytes that are read at once.
const PIECE: u64 = 1 << 20;

/// Write the content of a file of an image to standard output, byte for byte
///
/// Symbolic links are followed within the image, 40 at most. Exits 4, having written nothing or a part, when the file is not
/// there or can't be read.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n    preloaded image cat firmware.zip /system/build.prop\n    preloaded image cat super.img product:etc/build.prop"
)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    image: ImageArguments,

    /// Path on the running device, or `PARTITION:PATH`
    #[arg(value_name = "PATH")]
    path: String,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let (written, _) = arguments.image.visit(|image, _| -> anyhow::Result<()> {
        let content = match open(image, &arguments.path) {
            Ok(content) => content,
            Err(message) => {
                // What could not be read may be why it is not there.
                complain_of(image);
                return Err(Failed(Exit::Unreadable, message).into());
            }
        };
        let mut out = io::stdout().lock();
        let mut at = 0;
        while at < content.len() {
            let mut piece = vec![0; usize::try_from((content.len() - at).min(PIECE)).unwrap_or_default()];
            if let Err(error) = content.read_exact_at(at, &mut piece) {
                out.flush()?;
                let message = format!("{}: {error} (the first {at} bytes were written)", arguments.path);
                return Err(Failed(Exit::Unreadable, message).into());
            }
            out.write_all(&piece)?;
            at += piece.len() as u64;
        }
        Ok(out.flush()?)
    })?;
    written.map(|()| Exit::Compliant)
}

fn open(image: &Image, path: &str) -> Result<SharedBytes, String> {
    match image.find(path, true).map_err(|error| error.to_string())? {
        Place::Node { mounted, node, metadata, path } => match metadata.kind {
            NodeKind::File => mounted.filesystem.open(node).map_err(|error| format!("{path}: {error}")),
            NodeKind::Directory => Err(format!("{path} is a folder: image ls lists it")),
            NodeKind::Symlink | NodeKind::Special => {
                Err(format!("{path} is a device, pipe or socket, without content"))
            }
        },
        Place::Above(path) => Err(format!("{} is a folder: image ls lists it", printable(&path))),
    }
}
