//! `preloaded apk`.

mod answer;
mod apex;
mod native;
mod text;
mod verification;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;

use answer::{Field, Fields, answer};

use super::exit::{Exit, usage};
use super::terminal;
use crate::apk::{self, Certificate, Framework, KnownCertificates, Locale, Opened, Options, SdkRange};
use crate::bytes::{Budget, FileBytes, Limits, ParseError, SharedBytes};
use crate::firmware;
use crate::report::printable;

/// Say what package files hold: manifest, components, signers, code
///
/// Certificates are those that the file claims, or with --verify those that hold. With --format json each file is one line and one object; a file that
/// can't be read is an object with `file` and `error`. Exits 4 when none could be read.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n    preloaded apk app.apk --format json | jq .hooks

Exits 0 done, 2 wrong usage, 4 a file can't be read.")]
pub(super) struct Arguments {
    /// Package files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Locales of labels beside the default, such as `ru`, `pt-BR`, `zh-Hant`
    #[arg(long, value_name = "LOCALE", value_delimiter = ',', default_value = "en,ru")]
    locales: Vec<Locale>,

    /// A device's framework-res.apk, into which package files refer; may be repeated for those of its maker
    #[arg(long, value_name = "PATH")]
    framework: Vec<PathBuf>,

    /// More certificates whose keys are public: a line each with SHA-256, name, kind and source, tabs between
    #[arg(long, value_name = "PATH")]
    known_certificates: Option<PathBuf>,

    /// Count the classes of the DEX files, and those of known SDKs
    #[arg(long)]
    classes: bool,

    /// Read every native library: its hardening, the libraries that it needs, its JNI functions
    #[arg(long)]
    native: bool,

    /// Verify the signatures over the contents, every byte
    #[arg(long)]
    verify: bool,

    /// File of the v4 signature; by default FILE.idsig where that is there
    #[arg(long, value_name = "PATH", requires = "verify")]
    v4_signature_file: Option<PathBuf>,

    /// First API level that --verify decides for; by default the file's own minSdkVersion
    #[arg(long, value_name = "N", requires = "verify")]
    min_sdk: Option<u32>,

    /// Last API level that --verify decides for; by default all that come
    #[arg(long, value_name = "N", requires = "verify")]
    max_sdk: Option<u32>,

    /// Form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    /// Read and write only these facts, by their names in JSON, such as `package,version_code,permissions,signers`
    ///
    /// `file`, `unresolved` and `problems` are always written: they say of which file the facts are, and which of them could not be read. What
    /// is not asked for is not read where it stands apart: signatures, code, labels in other languages, the network configuration.
    #[arg(long, value_enum, value_name = "FIELD", value_delimiter = ',', hide_possible_values = true)]
    fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object per line and file
    Json,
}

/// A certificate; its fields are `null` where the bytes are no X.509 certificate.
#[derive(Debug, Default, Serialize)]
struct Signer {
    sha256: String,
    scheme: &'static str,
    subject: Option<String>,
    issuer: Option<String>,
    serial: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
    key_algorithm: Option<String>,
    key_bits: Option<usize>,
    signature_algorithm: Option<String>,
    /// The number that `dumpsys package` prints: it links, it proves nothing.
    hash_code: String,
    /// `verified` over the contents, or only `claimed` by the file.
    depth: &'static str,
    /// `null` unless its private key is known to be public.
    known: Option<apk::Known>,
}

/// What files are read with.
struct Aids {
    framework: Framework,
    known: KnownCertificates,
    /// Signers that were described, by the bytes of their certificates: many packages of a device have the same.
    described: RefCell<BTreeMap<Vec<u8>, Vec<Rc<Signer>>>>,
}

/// Bytes of answers that are written at once.
const BUFFER: usize = 64 << 10;
/// Certificates that are kept.
const MAX_DESCRIBED: usize = 256;

impl Aids {
    fn read(arguments: &Arguments) -> anyhow::Result<Self> {
        let mut framework = Framework::default();
        for path in &arguments.framework {
            let added = FileBytes::open(path).and_then(|file| framework.add(&(Arc::new(file) as SharedBytes)));
            added.map_err(|error| usage(format!("--framework {}: {error}", path.display())))?;
        }
        let known = known_certificates(arguments.known_certificates.as_deref())?;
        Ok(Self { framework, known, described: RefCell::default() })
    }

    fn signer(&self, certificate: &Certificate, depth: &'static str) -> Rc<Signer> {
        let mut described = self.described.borrow_mut();
        let kept = described.get(&certificate.der).map(Vec::as_slice).unwrap_or_default();
        let found = kept.iter().find(|signer| signer.scheme == certificate.scheme && signer.depth == depth);
        if let Some(found) = found {
            return found.clone();
        }
        let sha256 = certificate.sha256();
        let known = self.known.find(&sha256).cloned();
        let (scheme, hash_code) = (certificate.scheme, certificate.hash_code());
        let mut signer = Signer { sha256, scheme, hash_code, depth, known, ..Signer::default() };
        if let Some(facts) = certificate.facts() {
            signer.not_before = time(facts.not_before);
            signer.not_after = time(facts.not_after);
            signer.subject = Some(facts.subject);
            signer.issuer = Some(facts.issuer);
            signer.serial = Some(facts.serial);
            signer.key_algorithm = Some(facts.key_algorithm);
            signer.key_bits = facts.key_bits;
            signer.signature_algorithm = Some(facts.signature_algorithm);
        }
        if described.len() >= MAX_DESCRIBED {
            described.clear();
        }
        let signer = Rc::new(signer);
        described.entry(certificate.der.clone()).or_default().push(signer.clone());
        signer
    }
}

/// The published ones, and those of a list.
pub(super) fn known_certificates(list: Option<&Path>) -> anyhow::Result<KnownCertificates> {
    let mut known = KnownCertificates::published().clone();
    if let Some(path) = list {
        let wrong = |what: String| usage(format!("--known-certificates {}: {what}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        known.extend(&text).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(known)
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let wanted = fields(arguments)?;
    let aids = Aids::read(arguments)?;
    let mut stdout = io::stdout().lock();
    // In memory, where a write of some bytes is cheap and cannot fail: a line has a thousand of them.
    let mut out = Vec::with_capacity(BUFFER);
    let mut read = 0_usize;
    for path in &arguments.files {
        let file = path.to_string_lossy();
        let result = read_file(path, arguments, wanted, &aids.framework);
        read += usize::from(result.is_ok());
        match (result, arguments.format) {
            (Ok(read), Format::Json) => {
                serde_json::to_writer(&mut out, &answer(&file, &read, &aids, wanted))?;
                out.push(b'\n');
            }
            (Ok(read), Format::Text) => text::write(&answer(&file, &read, &aids, wanted), &mut out)?,
            (Err(error), Format::Json) => {
                let failed = serde_json::json!({ "file": file, "error": explained(path, &error) });
                serde_json::to_writer(&mut out, &failed)?;
                out.push(b'\n');
            }
            (Err(error), Format::Text) => {
                hand_over(&mut stdout, &mut out)?;
                terminal::complain(&format!("{file}: {}", explained(path, &error)));
            }
        }
        if out.len() >= BUFFER {
            hand_over(&mut stdout, &mut out)?;
        }
    }
    hand_over(&mut stdout, &mut out)?;
    Ok(if read == 0 { Exit::Unreadable } else { Exit::Compliant })
}

fn hand_over(stdout: &mut impl Write, out: &mut Vec<u8>) -> io::Result<()> {
    stdout.write_all(out)?;
    stdout.flush()?;
    out.clear();
    Ok(())
}

/// Why a file could not be read, for whoever named it.
fn explained(path: &Path, error: &ParseError) -> String {
    if path.is_dir() {
        return "a folder, not a package file: `preloaded list` reads folders of firmware".to_owned();
    }
    let Ok(file) = FileBytes::open(path) else { return error.to_string() };
    let source: SharedBytes = Arc::new(file);
    if source.is_empty() {
        return "the file is empty".to_owned();
    }
    match apk::bundled(&source) {
        Ok(names) if !names.is_empty() => {
            let shown = names.iter().take(3).map(|name| printable(name)).collect::<Vec<_>>().join(", ");
            let more = if names.len() > 3 { " ..." } else { "" };
            format!("a set of {} package files ({shown}{more}), not one: unpack it and name them", names.len())
        }
        _ => error.to_string(),
    }
}

/// The facts that are asked for, each of which the other options let be read.
fn fields(arguments: &Arguments) -> anyhow::Result<Fields> {
    let named = &arguments.fields;
    if !named.is_empty() && arguments.format != Format::Json {
        return Err(usage("--fields needs --format json"));
    }
    let needs = [
        (Field::verification, arguments.verify, "--fields verification needs --verify"),
        (Field::classes, arguments.classes, "--fields classes needs --classes"),
        (Field::native_libraries, arguments.native, "--fields native_libraries needs --native"),
    ];
    match needs.into_iter().find(|(field, given, _)| named.contains(field) && !given) {
        Some((_, _, why)) => Err(usage(why)),
        None => Ok(Fields::of(named)),
    }
}

/// What was read of a file; parts that were not asked for are `None`.
struct Read {
    opened: Opened,
    network: Option<Result<apk::NetworkConfig, ParseError>>,
    signers: Option<Result<Vec<Certificate>, ParseError>>,
    code: Option<apk::Code>,
    dex: Option<Result<apk::Dex, ParseError>>,
    native: Option<Result<Vec<apk::NativeLibrary>, ParseError>>,
    apex: Result<Option<apk::Apex>, ParseError>,
    /// Package files in the image of an APEX.
    inner: Option<Result<Vec<String>, ParseError>>,
    verification: Option<apk::Verification>,
}

fn read_file(path: &Path, arguments: &Arguments, wanted: Fields, framework: &Framework) -> Result<Read, ParseError> {
    let source: SharedBytes = Arc::new(FileBytes::open(path)?);
    let locales = if wanted.has(Field::labels) { arguments.locales.as_slice() } else { &[] };
    let opened = Opened::read(&source, Options { locales, framework: Some(framework) })?;
    let either = |one, other| wanted.has(one) || wanted.has(other);
    let apex =
        if opened.is_apex() && either(Field::apex, Field::inner_packages) { apk::apex(&source) } else { Ok(None) };
    let inner = wanted.has(Field::inner_packages) && matches!(apex, Ok(Some(_)));
    Ok(Read {
        network: if wanted.has(Field::network) { opened.network() } else { None },
        signers: wanted.has(Field::signers).then(|| opened.signers()),
        code: either(Field::code, Field::stub).then(|| opened.code()),
        opened,
        dex: (arguments.classes && wanted.has(Field::classes)).then(|| apk::dex(&source)),
        native: (arguments.native && wanted.has(Field::native_libraries)).then(|| apk::native(&source)),
        apex,
        inner: inner.then(|| firmware::apex_packages(&source, &Budget::new(Limits::default()))),
        verification: if arguments.verify { Some(verify(path, &source, arguments)?) } else { None },
    })
}

fn verify(path: &Path, source: &SharedBytes, arguments: &Arguments) -> Result<apk::Verification, ParseError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".idsig");
    let beside = PathBuf::from(beside);
    let signature = arguments.v4_signature_file.as_ref().or_else(|| Some(&beside).filter(|path| path.is_file()));
    let signature = signature.map(|path| Ok(Arc::new(FileBytes::open(path)?) as SharedBytes)).transpose()?;
    let range = SdkRange { min: arguments.min_sdk, max: arguments.max_sdk };
    Ok(apk::verify_with(source, signature.as_ref(), range))
}

/// As RFC 3339 writes it; `None` for years that it does not know.
fn time(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}
