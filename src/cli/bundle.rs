//! `--bundle`: the evidence of a run in one signed file.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::exit::usage;
use super::scan::write_whole;
use crate::check::Context;
use crate::collect::record::Recorded;
use crate::evidence::archive::Files;
use crate::evidence::bundle::{self, Material};
use crate::evidence::key::{FILE_LIMIT, PrivateKey};
use crate::evidence::redaction::redact;
use crate::inventory::Inventory;
use crate::profile::Profile;
use crate::report::Run;

/// Where the evidence goes, and whose it is.
#[derive(Debug, Args)]
pub(super) struct BundleArguments {
    /// Write inventory, report, profile and raw evidence as one signed file, to be checked by `preloaded verify`
    #[arg(long, value_name = "FILE", requires = "sign_key", help_heading = "Evidence")]
    bundle: Option<PathBuf>,

    /// The private key that signs the bundle, as `preloaded key new` writes it
    #[arg(long, value_name = "KEY", env = "PRELOADED_SIGN_KEY", help_heading = "Evidence")]
    sign_key: Option<PathBuf>,

    /// Keep serial numbers in the bundle; without it phones are named by their order, and raw answers that hold a serial number
    /// are left out and named
    #[arg(long, requires = "bundle", help_heading = "Evidence")]
    with_serials: bool,
}

/// A bundle to be written.
pub(super) struct Bundle<'a> {
    path: &'a Path,
    key: PrivateKey,
    with_serials: bool,
}

impl BundleArguments {
    /// The key, before any phone is touched; `None` if no bundle is asked for.
    ///
    /// # Errors
    /// The key can't be used.
    pub(super) fn open(&self) -> anyhow::Result<Option<Bundle<'_>>> {
        let (Some(path), Some(key)) = (&self.bundle, &self.sign_key) else { return Ok(None) };
        Ok(Some(Bundle { path, key: private_key(key)?, with_serials: self.with_serials }))
    }
}

impl Bundle<'_> {
    /// Writes the bundle, whole or not at all. `targets` are in the order of the report's.
    ///
    /// # Errors
    /// The file can't be written.
    pub(super) fn write(
        &self,
        run: &Run,
        targets: &[Option<(Inventory, Recorded)>],
        profile: &Profile,
        context: &Context,
    ) -> anyhow::Result<()> {
        let mut run = run.clone();
        let mut targets = targets.to_vec();
        let serials: Vec<String> =
            run.targets.iter().filter_map(|report| report.target.name.strip_prefix("adb:").map(str::to_owned)).collect();
        let mut secret = Vec::new();
        if !self.with_serials {
            secret = serials.clone();
            for piece in targets.iter().flatten().flat_map(|(_, recorded)| &recorded.pieces) {
                secret.extend(serials_of(&String::from_utf8_lossy(&piece.bytes)));
            }
            run = cleaned(&run, &serials)?;
            for (inventory, _) in targets.iter_mut().flatten() {
                *inventory = cleaned(inventory, &serials)?;
            }
        }
        let material = Material {
            run: &run,
            targets: targets.iter().map(|target| target.as_ref().map(|(inventory, raw)| (inventory, raw))).collect(),
            profile,
            context,
            overlays: Files::new(),
            secret,
            created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            tool_sha256: std::env::current_exe().and_then(fs::read).ok().map(|program| bundle::sha256(&program)),
        };
        let bytes = bundle::make(&material, &self.key)?;
        write_whole(self.path, &bytes).with_context(|| self.path.display().to_string())
    }
}

/// Serial numbers and IMEIs that properties tell: `[ro.serialno]: [X]`, `[ro.ril.oem.imei]: [X]`.
fn serials_of(answer: &str) -> Vec<String> {
    let property = |line: &str| {
        let (name, value) = line.strip_prefix('[')?.split_once("]: [")?;
        let name = name.to_ascii_lowercase();
        let personal = ["serialno", "imei", "meid"].iter().any(|word| name.contains(word));
        Some(value.trim_end().trim_end_matches(']').to_owned()).filter(|value| personal && value.len() > 3)
    };
    answer.lines().filter_map(property).collect()
}

/// The same without serial numbers. Every inventory gets the same names as the report.
fn cleaned<T: Serialize + DeserializeOwned>(value: &T, serials: &[String]) -> anyhow::Result<T> {
    let mut json = serde_json::to_value(value)?;
    redact(&mut json, serials);
    Ok(serde_json::from_value(json)?)
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

#[cfg(test)]
mod tests {
    use super::serials_of;

    #[test]
    fn properties_that_point_to_one_phone_are_secret_and_others_are_not() {
        let answer = "[ro.serialno]: [R58M12ABCDE]\n[ro.product.model]: [SM-A022F]\n[ril.IMEI]: [490154203237518]\n\
                      [ro.boot.serialno]: []\n";
        assert_eq!(serials_of(answer), ["R58M12ABCDE", "490154203237518"]);
    }
}
