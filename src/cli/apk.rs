//! `preloaded apk`.

mod apex;
mod native;
mod verification;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::exit::Exit;
use super::terminal;
use crate::apk::{self, Apk, Certificate, SdkRange};
use crate::bytes::{FileBytes, ParseError, SharedBytes};
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

    /// Languages of labels, two letters each, beside the default
    #[arg(long, value_name = "LANGUAGE", value_delimiter = ',', default_value = "en,ru", value_parser = language)]
    languages: Vec<[u8; 2]>,

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

fn language(text: &str) -> Result<[u8; 2], String> {
    let letters = <[u8; 2]>::try_from(text.as_bytes()).ok().filter(|two| two.iter().all(u8::is_ascii_lowercase));
    letters.ok_or_else(|| "expected two lower-case letters, as in \"ru\"".to_owned())
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
    declared_permissions: &'a [apk::DeclaredPermission],
    permission_groups: &'a [String],
    permission_trees: &'a [String],
    signers: Vec<Signer>,
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
    /// Parts of the file that could not be read, in words; facts that stand there are absent above.
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Signer {
    sha256: String,
    hash_code: String,
    scheme: &'static str,
    /// `verified` over the contents, or only `claimed` by the file.
    depth: &'static str,
    /// `null` where the bytes are no X.509 certificate.
    certificate: Option<apk::CertificateFacts>,
    /// `null` unless its private key is known to be public.
    known: Option<apk::Known>,
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

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut read = 0_usize;
    for path in &arguments.files {
        let file = path.to_string_lossy();
        let result = read_file(path, arguments);
        read += usize::from(result.is_ok());
        match (result, arguments.format) {
            (Ok(read), Format::Json) => {
                serde_json::to_writer(&mut out, &answer(&file, &read))?;
                out.write_all(b"\n")?;
            }
            (Ok(read), Format::Text) => write_text(&answer(&file, &read), &mut out)?,
            (Err(error), Format::Json) => {
                serde_json::to_writer(&mut out, &serde_json::json!({ "file": file, "error": error.to_string() }))?;
                out.write_all(b"\n")?;
            }
            (Err(error), Format::Text) => {
                out.flush()?;
                terminal::complain(&format!("{file}: {error}"));
            }
        }
    }
    out.flush()?;
    Ok(if read == 0 { Exit::Unreadable } else { Exit::Compliant })
}

/// What was read of a file; parts that were not asked for are `None`.
struct Read {
    apk: Apk,
    dex: Option<Result<apk::Dex, ParseError>>,
    native: Option<Result<Vec<apk::NativeLibrary>, ParseError>>,
    apex: Result<Option<apk::Apex>, ParseError>,
    verification: Option<apk::Verification>,
}

fn read_file(path: &Path, arguments: &Arguments) -> Result<Read, ParseError> {
    let source: SharedBytes = Arc::new(FileBytes::open(path)?);
    let apk = apk::open_in(&source, &arguments.languages)?;
    Ok(Read {
        apk,
        dex: arguments.classes.then(|| apk::dex(&source)),
        native: arguments.native.then(|| apk::native(&source)),
        apex: apk::apex(&source),
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

fn answer<'a>(file: &'a str, read: &'a Read) -> Answer<'a> {
    let Read { apk, dex, native, apex, verification } = read;
    let verified = verification.as_ref().map(verification::signers).unwrap_or_default();
    let signers = if verified.is_empty() {
        apk.signers.iter().flatten().map(|certificate| signer(certificate, "claimed")).collect()
    } else {
        verified.iter().map(|certificate| signer(certificate, "verified")).collect()
    };
    let manifest = &apk.manifest;
    let failed = [
        apk.resources.as_ref().err(),
        apk.network.as_ref().and_then(|network| network.as_ref().err()),
        apk.signers.as_ref().err(),
        dex.as_ref().and_then(|dex| dex.as_ref().err()),
        native.as_ref().and_then(|native| native.as_ref().err()),
        apex.as_ref().err(),
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
        declared_permissions: &manifest.declared_permissions,
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
        problems: failed.into_iter().flatten().map(ToString::to_string).collect(),
    }
}

fn signer(certificate: &Certificate, depth: &'static str) -> Signer {
    Signer {
        sha256: certificate.sha256(),
        hash_code: certificate.hash_code(),
        scheme: certificate.scheme,
        depth,
        certificate: certificate.facts(),
        known: certificate.known(),
    }
}

fn first_library(native: &apk::NativeAbi) -> Native<'_> {
    let apk::NativeAbi { abi, library, matches, load_alignment } = native;
    Native { abi, library, matches: *matches, load_alignment: *load_alignment }
}

/// What people ask first: a line per fact, lists indented below their names.
fn write_text(answer: &Answer<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", printable(answer.file))?;
    let mut line = |name: &str, value: &str| {
        if value.is_empty() { Ok(()) } else { writeln!(out, "  {name:<12} {}", printable(value)) }
    };
    line("package", answer.package)?;
    line("version", &format!("{} ({})", answer.version_name.unwrap_or_default(), answer.version_code))?;
    line("SDK", &format!("{} to target {}", answer.min_sdk, answer.target_sdk))?;
    line("split", answer.split.unwrap_or_default())?;
    line("label", answer.label.unwrap_or_default())?;
    for label in answer.labels.iter().filter(|label| Some(label.text.as_str()) != answer.label) {
        line(&format!("label {}", label.language), &label.text)?;
    }
    line("launcher", &answer.launcher.join(", "))?;
    line("shared user", answer.shared_user.unwrap_or_default())?;
    line("flags", &answer.flags.join(", "))?;
    let roles: Vec<_> = answer.roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
    line("may become", &roles.join(", "))?;
    if let Some(overlay) = answer.overlay {
        line("overlays", overlay.target.as_deref().unwrap_or_default())?;
    }
    for signer in &answer.signers {
        let subject = signer.certificate.as_ref().map_or("not an X.509 certificate", |facts| facts.subject.as_str());
        line("signer", &format!("{} {} {subject} ({})", signer.scheme, signer.sha256, signer.depth))?;
        if let Some(facts) = &signer.certificate {
            let bits = facts.key_bits.map(|bits| format!(" {bits} bits")).unwrap_or_default();
            let span = format!("{} to {}", day(facts.not_before), day(facts.not_after));
            line("", &format!("{}{bits}, {span}", facts.key_algorithm))?;
        }
        if let Some(known) = signer.known {
            line("", &format!("its private key is public: {}, {}", known.name, known.source))?;
        }
    }
    for (name, value) in answer.verification.iter().flat_map(verification::Verification::lines) {
        line(name, &value)?;
    }
    for (name, list) in [("asks for", &answer.permissions), ("and thereby", &answer.implied_permissions)] {
        for permission in list {
            line(name, permission)?;
        }
    }
    for hook in &answer.hooks {
        line(hook.kind, &hook.component)?;
    }
    let exported = answer.components.iter().filter(|component| component.exported && component.enabled).count();
    line("components", &format!("{}, {exported} of them open to other apps", answer.components.len()))?;
    line("code", &format!("{} DEX files of {} bytes", answer.code.dex_files, answer.code.dex_bytes))?;
    for native in &answer.code.native {
        line("native", native.abi)?;
    }
    if let Some(dex) = answer.classes {
        line("classes", &dex.classes.to_string())?;
        for sdk in &dex.sdks {
            line("SDK", &format!("{} ({}): {} classes", sdk.name, sdk.kind, sdk.classes))?;
        }
        for prefix in dex.prefixes.iter().take(20) {
            line("", &format!("{} {}", prefix.classes, prefix.prefix))?;
        }
    }
    if let Some(apex) = &answer.apex {
        apex::write_text(apex, out)?;
    }
    native::write_text(answer.native_libraries.as_deref().unwrap_or_default(), out)?;
    for problem in &answer.problems {
        writeln!(out, "  {:<12} {}", "unread", printable(problem))?;
    }
    Ok(())
}

fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}
