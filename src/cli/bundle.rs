//! `--bundle`: the evidence of a run in one signed file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use tempfile::NamedTempFile;

use super::exit::usage;
use super::output::{persist, temporary};
use crate::check::Context;
use crate::collect::record::Recorded;
use crate::evidence::archive::Files;
use crate::evidence::bundle::{self, Material};
use crate::evidence::key::{FILE_LIMIT, PrivateKey};
use crate::inventory::Inventory;
use crate::profile::Profile;
use crate::report::{Identity, Run};

/// Where the evidence goes, and whose it is.
#[derive(Debug, Args)]
pub(super) struct BundleArguments {
    /// Write inventory, report, profile and raw evidence as one signed file, to be checked by `preloaded verify`; phones are
    /// named as --id says, and without `--id plain` raw answers that lead to a person are left out and named
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    bundle: Option<PathBuf>,

    /// The private key that signs the bundle, as `preloaded key new` writes it
    #[arg(long, value_name = "KEY", env = "PRELOADED_SIGN_KEY", help_heading = "Evidence")]
    sign_key: Option<PathBuf>,
}

/// A bundle to be written.
pub(super) struct Bundle<'a> {
    path: &'a Path,
    file: NamedTempFile,
    key: PrivateKey,
}

impl BundleArguments {
    /// The key and the file, before any phone is touched; `None` if no bundle is asked for.
    ///
    /// # Errors
    /// The key can't be used, or the folder can't be written.
    pub(super) fn open(&self) -> anyhow::Result<Option<Bundle<'_>>> {
        let Some(path) = &self.bundle else { return Ok(None) };
        let key =
            self.sign_key.as_ref().ok_or_else(|| usage("--bundle needs the key that signs it: --sign-key KEY"))?;
        let key = private_key(key)?;
        let file = temporary(path).map_err(|error| usage(format!("{}: {error}", path.display())))?;
        Ok(Some(Bundle { path, file, key }))
    }
}

impl Bundle<'_> {
    /// Writes the bundle, whole or not at all. `targets` are by their place in the report, from 0; `laid_over` are files by
    /// their names in the bundle. Phones are named as `identity` says, and raw answers that lead to a person are left out
    /// unless it is plain.
    ///
    /// # Errors
    /// A file can't be read or written.
    pub(super) fn write(
        mut self,
        run: &Run,
        mut targets: BTreeMap<usize, (Inventory, Recorded)>,
        profile: &Profile,
        context: &Context,
        identity: &Identity,
        laid_over: &[(&str, &Option<PathBuf>)],
    ) -> anyhow::Result<()> {
        let serials =
            run.targets.iter().filter_map(|report| Identity::serial(&report.target)).map(str::to_owned).collect();
        // The inventories ride in the report while phones get their names, so that both get the same.
        let mut run = run.clone();
        let mut raw = BTreeMap::new();
        for (index, report) in run.targets.iter_mut().enumerate() {
            report.inventory = targets.remove(&index).map(|(inventory, recorded)| {
                raw.insert(index, recorded);
                Box::new(inventory)
            });
        }
        identity.apply(&mut run);
        let inventories: Vec<Option<Box<Inventory>>> =
            run.targets.iter_mut().map(|report| report.inventory.take()).collect();
        let mut overlays = Files::new();
        for (name, path) in laid_over {
            if let Some(path) = path {
                let bytes = fs::read(path).with_context(|| path.display().to_string())?;
                overlays.insert((*name).to_owned(), bytes);
            }
        }
        let mut pairs = Vec::new();
        for (index, inventory) in inventories.iter().enumerate() {
            pairs.push(inventory.as_deref().zip(raw.get(&index)));
        }
        let material = Material {
            run: &run,
            targets: pairs,
            profile,
            context,
            overlays,
            serials,
            plain: *identity == Identity::Plain,
            created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            tool_sha256: std::env::current_exe().and_then(fs::read).ok().map(|program| bundle::sha256(&program)),
        };
        let bytes = bundle::make(&material, &self.key)?;
        let written = self.file.write_all(&bytes).and_then(|()| self.file.as_file().sync_all());
        written.and_then(|()| persist(self.file, self.path)).with_context(|| self.path.display().to_string())
    }
}

/// The private key of a file that nobody else can read.
///
/// # Errors
/// Exit code 2 with what is wrong with it.
pub(super) fn private_key(path: &Path) -> anyhow::Result<PrivateKey> {
    let wrong = |why: String| usage(format!("{}: {why}", path.display()));
    let file = fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(|error| wrong(error.to_string()))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(wrong(format!("others may read this private key (mode {:o}): chmod 600 it", mode & 0o777)));
        }
    }
    let mut text = String::new();
    file.take(FILE_LIMIT).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
    let text = zeroize::Zeroizing::new(text);
    PrivateKey::from_pem(&text).map_err(|error| wrong(error.to_string()))
}
