//! `preloaded apk`.

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

use super::exit::{Exit, usage};
use super::terminal;
use crate::apk::{self, Apk, Certificate, Framework, KnownCertificates, Locale, Options, SdkRange};
use crate::bytes::{Budget, FileBytes, Limits, ParseError, SharedBytes};
use crate::firmware;
use crate::platform::protection;
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object per line and file
    Json,
}

/// A file that was read.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    file: &'a str,
    package: &'a str,
    version_code: u64,
    version_name: Option<&'a str>,
    min_sdk: u32,
    target_sdk: u32,
    split: Option<&'a str>,
    is_feature_split: bool,
    label: Option<&'a str>,
    labels: &'a [apk::Label],
    launcher: &'a [String],
    roles: Vec<apk::Role>,
    /// As written, doubles and all.
    permissions: Vec<&'a str>,
    implied_permissions: Vec<&'static str>,
    requested_permissions: &'a [apk::RequestedPermission],
    declared_permissions: Vec<Declared<'a>>,
    permission_groups: &'a [String],
    permission_trees: &'a [String],
    signers: Vec<Rc<Signer>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<verification::Verification>,
    shared_user: Option<&'a str>,
    shared_user_max_sdk: Option<u32>,
    flags: &'a [String],
    has_code: bool,
    enabled: bool,
    allow_backup: bool,
    uses_cleartext_traffic: Option<bool>,
    network: Option<&'a apk::NetworkConfig>,
    /// Whether there is one that can't be read.
    #[serde(skip)]
    network_unread: bool,
    install_location: Option<u32>,
    hooks: Vec<apk::Hook>,
    components: &'a [apk::Component],
    libraries: &'a [apk::Library],
    features: &'a [apk::Feature],
    compatible_screens: &'a [apk::Screen],
    instrumentations: &'a [apk::Instrumentation],
    uses_splits: &'a [String],
    queries: &'a apk::Queries,
    original_packages: &'a [String],
    overlay: Option<&'a apk::Overlay>,
    meta_data: &'a [apk::MetaData],
    code: Code<'a>,
    /// Why it is no full app; `null` for one that is.
    stub: Option<apk::Stub>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<&'a apk::Dex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    native_libraries: Option<Vec<native::Library<'a>>>,
    /// Only for an APEX or CAPEX.
    #[serde(skip_serializing_if = "Option::is_none")]
    apex: Option<apex::Apex<'a>>,
    /// Paths on a device of the package files in an APEX's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    inner_packages: Option<&'a [String]>,
    /// Values that are resources of a package that was not at hand; they are absent above.
    unresolved: &'a [apk::Unresolved],
    /// Parts of the file that could not be read, in words; facts that stand there are absent above.
    problems: Vec<String>,
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

/// A declared permission, its protection level also in words.
#[derive(Debug, Serialize)]
struct Declared<'a> {
    #[serde(flatten)]
    permission: &'a apk::DeclaredPermission,
    /// As `signature|privileged`; `null` where the level was not resolved.
    protection: Option<String>,
}

#[derive(Debug, Serialize)]
struct Code<'a> {
    dex_files: u32,
    dex_bytes: u64,
    /// `null` where the header of one can't be read.
    classes: Option<u64>,
    /// Whether there is native code, and none of it for 64 bits.
    only_32_bit: bool,
    native: Vec<Native<'a>>,
}

#[derive(Debug, Serialize)]
struct Native<'a> {
    abi: &'a str,
    library: &'a str,
    matches: bool,
    load_alignment: Option<u64>,
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
    let aids = Aids::read(arguments)?;
    let mut out = io::BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let mut read = 0_usize;
    for path in &arguments.files {
        let file = path.to_string_lossy();
        let result = read_file(path, arguments, &aids.framework);
        read += usize::from(result.is_ok());
        match (result, arguments.format) {
            (Ok(read), Format::Json) => {
                serde_json::to_writer(&mut out, &answer(&file, &read, &aids))?;
                out.write_all(b"\n")?;
            }
            (Ok(read), Format::Text) => text::write(&answer(&file, &read, &aids), &mut out)?,
            (Err(error), Format::Json) => {
                serde_json::to_writer(
                    &mut out,
                    &serde_json::json!({ "file": file, "error": explained(path, &error) }),
                )?;
                out.write_all(b"\n")?;
            }
            (Err(error), Format::Text) => {
                out.flush()?;
                terminal::complain(&format!("{file}: {}", explained(path, &error)));
            }
        }
    }
    out.flush()?;
    Ok(if read == 0 { Exit::Unreadable } else { Exit::Compliant })
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

/// What was read of a file; parts that were not asked for are `None`.
struct Read {
    apk: Apk,
    dex: Option<Result<apk::Dex, ParseError>>,
    native: Option<Result<Vec<apk::NativeLibrary>, ParseError>>,
    apex: Result<Option<apk::Apex>, ParseError>,
    /// Package files in the image of an APEX.
    inner: Option<Result<Vec<String>, ParseError>>,
    verification: Option<apk::Verification>,
}

fn read_file(path: &Path, arguments: &Arguments, framework: &Framework) -> Result<Read, ParseError> {
    let source: SharedBytes = Arc::new(FileBytes::open(path)?);
    let apk = apk::open_with(&source, Options { locales: &arguments.locales, framework: Some(framework) })?;
    let apex = if apk.is_apex { apk::apex(&source) } else { Ok(None) };
    let is_apex = matches!(apex, Ok(Some(_)));
    Ok(Read {
        apk,
        dex: arguments.classes.then(|| apk::dex(&source)),
        native: arguments.native.then(|| apk::native(&source)),
        apex,
        inner: is_apex.then(|| firmware::apex_packages(&source, &Budget::new(Limits::default()))),
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

fn answer<'a>(file: &'a str, read: &'a Read, aids: &'a Aids) -> Answer<'a> {
    let Read { apk, dex, native, apex, inner, verification } = read;
    let verified = verification.as_ref().map(verification::signers).unwrap_or_default();
    let signers = if verified.is_empty() {
        apk.signers.iter().flatten().map(|certificate| aids.signer(certificate, "claimed")).collect()
    } else {
        verified.iter().map(|certificate| aids.signer(certificate, "verified")).collect()
    };
    let manifest = &apk.manifest;
    let failed = [
        apk.resources.as_ref().err(),
        apk.network.as_ref().and_then(|network| network.as_ref().err()),
        apk.signers.as_ref().err(),
        dex.as_ref().and_then(|dex| dex.as_ref().err()),
        native.as_ref().and_then(|native| native.as_ref().err()),
        apex.as_ref().err(),
        inner.as_ref().and_then(|inner| inner.as_ref().err()),
    ];
    Answer {
        file,
        package: &manifest.package,
        version_code: manifest.version_code,
        version_name: manifest.version_name.as_deref(),
        min_sdk: manifest.min_sdk,
        target_sdk: manifest.target_sdk,
        split: manifest.split.as_deref(),
        is_feature_split: manifest.is_feature_split,
        label: manifest.label.as_deref(),
        labels: &manifest.labels,
        launcher: &manifest.launcher,
        roles: manifest.roles(),
        permissions: manifest.requested_permissions.iter().map(|permission| permission.name.as_str()).collect(),
        implied_permissions: manifest.implied_permissions().iter().map(|permission| permission.name).collect(),
        requested_permissions: &manifest.requested_permissions,
        declared_permissions: manifest.declared_permissions.iter().map(declared).collect(),
        permission_groups: &manifest.permission_groups,
        permission_trees: &manifest.permission_trees,
        signers,
        verification: verification.as_ref().map(verification::Verification::from),
        shared_user: manifest.shared_user.as_deref(),
        shared_user_max_sdk: manifest.shared_user_max_sdk,
        flags: &manifest.flags,
        has_code: manifest.has_code,
        enabled: manifest.enabled,
        allow_backup: manifest.allow_backup,
        uses_cleartext_traffic: manifest.uses_cleartext_traffic,
        network: apk.network.as_ref().and_then(|network| network.as_ref().ok()),
        network_unread: matches!(apk.network, Some(Err(_))),
        install_location: manifest.install_location,
        hooks: manifest.hooks(),
        components: &manifest.components,
        libraries: &manifest.libraries,
        features: &manifest.features,
        compatible_screens: &manifest.compatible_screens,
        instrumentations: &manifest.instrumentations,
        uses_splits: &manifest.uses_splits,
        queries: &manifest.queries,
        original_packages: &manifest.original_packages,
        overlay: manifest.overlay.as_ref(),
        meta_data: &manifest.meta_data,
        code: Code {
            dex_files: apk.code.dex_files,
            dex_bytes: apk.code.dex_bytes,
            classes: apk.code.classes,
            only_32_bit: apk.code.is_32_bit_only(),
            native: apk.code.native.iter().map(first_library).collect(),
        },
        stub: apk.stub(),
        classes: dex.as_ref().and_then(|dex| dex.as_ref().ok()),
        native_libraries: native
            .as_ref()
            .and_then(|native| native.as_ref().ok())
            .map(|libraries| libraries.iter().map(native::Library::from).collect()),
        apex: apex.as_ref().ok().and_then(Option::as_ref).map(apex::Apex::from),
        inner_packages: inner.as_ref().and_then(|inner| inner.as_deref().ok()),
        unresolved: &manifest.unresolved,
        problems: failed.into_iter().flatten().map(ToString::to_string).collect(),
    }
}

fn declared(permission: &apk::DeclaredPermission) -> Declared<'_> {
    Declared { permission, protection: permission.protection_level.map(protection::words) }
}

fn first_library(native: &apk::NativeAbi) -> Native<'_> {
    let apk::NativeAbi { abi, library, matches, load_alignment } = native;
    Native { abi, library, matches: *matches, load_alignment: *load_alignment }
}

/// As RFC 3339 writes it; `None` for years that it does not know.
fn time(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}
