//! `preloaded profile sign` and `verify`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::super::exit::{Exit, Failed, usage};
use super::super::output::write_whole;
use super::load;
use crate::assess::ProfileSignature;
use crate::evidence::minisign::{SigningKey, Verified, VerifyingKey, verify};
use crate::profile::Profile;
use crate::report::printable;

/// Largest file of a key or signature, in bytes.
const FILE_LIMIT: u64 = 1 << 16;

/// Sign a profile, as minisign does: FILE.minisig beside it
#[derive(Debug, Args)]
pub(super) struct SignArguments {
    /// The profile's TOML file
    #[arg(value_name = "FILE")]
    profile: PathBuf,

    /// The secret key: of minisign without a password, or ed25519 in PEM
    #[arg(long, short = 'k', value_name = "FILE")]
    key: PathBuf,

    /// The signature [default: FILE.minisig]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Verify the signature of a profile
///
/// Exits 0 where it fits, 5 where it does not or there is none.
#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// The profile's TOML file
    #[arg(value_name = "FILE")]
    profile: PathBuf,

    /// A public key that may have signed: of minisign, or ed25519 in PEM; may be repeated
    #[arg(long, short = 'k', value_name = "FILE", required = true)]
    key: Vec<PathBuf>,

    /// The signature [default: FILE.minisig]
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
}

pub(super) fn sign(arguments: &SignArguments) -> anyhow::Result<Exit> {
    let path = &arguments.profile;
    // What can't be used is not signed.
    let profile = load(&path.display().to_string())?;
    let key = SigningKey::parse(&small(&arguments.key)?)
        .map_err(|error| usage(format!("{}: {error}", arguments.key.display())))?;
    let comment = format!("profile {} {}, sha256 {}", profile.id, profile.version, profile.sha256);
    let signature = key.sign(profile.text().as_bytes(), &comment).map_err(|error| usage(error.to_string()))?;
    let output = arguments.output.clone().unwrap_or_else(|| beside(path));
    write_whole(&output, signature.as_bytes()).with_context(|| format!("{}", output.display()))?;
    Ok(Exit::Compliant)
}

pub(super) fn verify_file(arguments: &VerifyArguments, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let keys = keys(&arguments.key)?;
    let path = &arguments.profile;
    let content = fs::read(path).map_err(|error| usage(format!("{}: can't be read: {error}", path.display())))?;
    let signature = arguments.signature.clone().unwrap_or_else(|| beside(path));
    let verified = verified(&keys, path, &content, &signature)?;
    let key = verified.key;
    writeln!(out, "{}: signed with the key {}", path.display(), key.id())?;
    writeln!(out, "{}", printable(&verified.trusted_comment))?;
    Ok(Exit::Compliant)
}

/// Public keys of files.
pub(in crate::cli) fn keys(paths: &[PathBuf]) -> anyhow::Result<Vec<VerifyingKey>> {
    let key = |path: &PathBuf| {
        VerifyingKey::parse(&small(path)?).map_err(|error| usage(format!("{}: {error}", path.display())))
    };
    paths.iter().map(key).collect()
}

/// Verifies every file that a profile was read from with the signature beside it. Profiles that come with the program
/// need none: they are part of it. The signature of the profile's own file; `None` for a built-in one, and for one without
/// a signature unless it is `required`.
pub(in crate::cli) fn verified_profile(
    keys: &[VerifyingKey],
    profile: &Profile,
    required: bool,
) -> anyhow::Result<Option<ProfileSignature>> {
    let mut own = None;
    for (file, text) in profile.files() {
        let path = Path::new(file);
        if !required && !beside(path).exists() {
            continue;
        }
        let verified = verified(keys, path, text.as_bytes(), &beside(path))?;
        if file == profile.file() {
            own = Some(ProfileSignature {
                key_id: verified.key.id(),
                public_key: verified.key.key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
                trusted_comment: verified.trusted_comment,
            });
        }
    }
    Ok(own)
}

fn verified(keys: &[VerifyingKey], path: &Path, content: &[u8], signature: &Path) -> anyhow::Result<Verified> {
    let wrong =
        |why: String| -> anyhow::Error { Failed(Exit::BadSignature, format!("{}: {why}", path.display())).into() };
    let text = match fs::metadata(signature) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(wrong(format!("not signed: there is no {}", signature.display())));
        }
        _ => small(signature).map_err(|error| wrong(error.to_string()))?,
    };
    verify(keys, content, &text).map_err(|error| wrong(format!("{}: {error}", signature.display())))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".minisig");
    PathBuf::from(name)
}

fn small(path: &Path) -> anyhow::Result<String> {
    let wrong = |why: String| usage(format!("{}: {why}", path.display()));
    let length = fs::metadata(path).map_err(|error| wrong(format!("can't be read: {error}")))?.len();
    if length > FILE_LIMIT {
        return Err(wrong(format!("{length} bytes are too many for a key or signature, at most {FILE_LIMIT}")));
    }
    fs::read_to_string(path).map_err(|error| wrong(format!("can't be read: {error}")))
}
