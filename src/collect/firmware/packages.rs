//! Package files of an image, and the packages that they make.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::extras::{self, Extras};
use super::native::libraries;
use super::{PackageReading, answers, manifest, reason};
use crate::apk::{self, Apk, Framework, KnownCertificates, Options};
use crate::bytes::{Budget, Limits, ParseError, SharedBytes, parallel};
use crate::collect::Progress;
use crate::container::{self, Part, PartSet, Probe};
use crate::filesystem::{self, File, NodeId};
use crate::firmware::{Image, Mounted, Visitor};
use crate::inventory::{
    ClassCounts, Code, CopyRole, DeclaredPermission, Evidence, Fact, Gap, GapReason, Hides, Origin, OriginKind,
    Origins, Package, PackageCopy, PastSigner, Placement, PrefixCount, RequestedPermission, SdkCount, Signer,
    SignerDepth, Split, SplitFile,
};
use crate::platform::{placement, protection};

/// Files shorter than this hold no manifest in a ZIP.
const SMALLEST_PACKAGE: u64 = 256;
/// End of the name of a package's full form beside its placeholder, which Android unpacks at first boot.
const COMPRESSED: &str = ".apk.gz";
/// Memory for unpacking one.
const UNPACKING_MEMORY: u64 = 16 << 20;
/// Most bytes that decoding one may put out: the largest apps have 300 MiB, and its directory lies at the end.
const UNPACKED_BYTES: u64 = 2 << 30;
/// Threads that read package files: disks and memory carry no more.
const THREADS: usize = 4;

/// Folders with tables of the platform, sorted by path: of a partition, and of a system partition that holds the root or
/// others.
const FRAMEWORK_FOLDERS: [&str; 6] = [
    "framework",
    "product/framework",
    "system/framework",
    "system/product/framework",
    "system/system_ext/framework",
    "system_ext/framework",
];

/// End of the name of a folder with a placeholder, whose full form lies compressed in the folder without it
/// (AOSP `PackageManagerService.STUB_SUFFIX`).
pub(super) const STUB_SUFFIX: &str = "-Stub";

/// What an image has.
pub(super) struct Found {
    pub(super) packages: Vec<Package>,
    pub(super) gaps: Vec<Gap>,
    /// Package files of each volume, in the image's order, unreadable ones among them.
    pub(super) counts: Vec<u64>,
    /// What stands in the resources of some packages: package, path and length of the file.
    pub(super) extras: Vec<(String, String, u64, Extras)>,
    /// Paths of full forms that stand compressed beside their own stubs.
    pub(super) full_forms: Vec<String>,
}

/// A package file that was read.
struct Read {
    apk: Apk,
    /// Its classes, where they are counted.
    dex: Option<Result<apk::Dex, ParseError>>,
    /// Its native libraries, where they are read.
    native: Option<Result<Vec<apk::NativeLibrary>, ParseError>>,
}

/// What one file turned out to be.
enum Content {
    Package(Box<Read>, Extras),
    /// Holds packages, or is a damaged one.
    Closed(ParseError),
    /// Taken out already.
    Taken,
}

struct Item {
    partition: usize,
    path: String,
    len: u64,
    /// Whether compiled code stands beside it.
    compiled: bool,
    content: Content,
}

/// Package files with one package name in one folder, by both.
type Clusters = BTreeMap<(String, String), Vec<(Item, Box<Read>)>>;

/// A copy, with the shared user that its manifest names.
struct Copy {
    copy: PackageCopy,
    shared_user: Fact<Option<String>>,
}

/// Reads every package file of the image; `ahead` has those that were read while it was listed.
pub(super) fn read(image: &Image, ahead: Ahead<'_>, origins: &mut Origins, progress: &dyn Progress) -> Found {
    let reading = ahead.reading;
    let mut found = Found {
        packages: Vec::new(),
        gaps: Vec::new(),
        counts: vec![0; image.volumes().count()],
        extras: Vec::new(),
        full_forms: Vec::new(),
    };
    let mut clusters = Clusters::new();
    for item in examine(image, ahead) {
        if let Some(count) = found.counts.get_mut(item.partition) {
            *count += 1;
        }
        match item.content {
            Content::Package(read, extras) => {
                if !extras.is_empty() {
                    found.extras.push((read.apk.manifest.package.clone(), item.path.clone(), item.len, extras));
                }
                if item.path.ends_with(COMPRESSED) {
                    found.full_forms.push(item.path.clone());
                }
                let folder = item.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
                let key = (read.apk.manifest.package.clone(), folder);
                clusters.entry(key).or_default().push((Item { content: Content::Taken, ..item }, read));
            }
            Content::Closed(error) => {
                found.gaps.push(Gap::new(item.path, reason(&error), error.to_string()).hiding(Hides::Packages));
            }
            Content::Taken => {}
        }
    }
    for (mounted, count) in image.volumes().zip(&found.counts) {
        progress.step(&format!("{}: {count} package files", mounted.name));
    }
    let mut packages: BTreeMap<String, Vec<Copy>> = BTreeMap::new();
    for ((name, folder), files) in clusters {
        let (bases, splits): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(_, read)| read.apk.manifest.split.is_none());
        let mut splits: Vec<Split> =
            splits.into_iter().map(|(item, read)| split(item, read.apk, &reading.known, origins)).collect();
        if bases.is_empty() {
            let copy = copy_without_base(&name, folder, splits, origins);
            packages.entry(name).or_default().push(copy);
            continue;
        }
        for (item, read) in bases {
            let copy = copy(item, *read, std::mem::take(&mut splits), &reading.known, origins);
            packages.entry(name.clone()).or_default().push(copy);
        }
    }
    found.packages = packages.into_iter().map(|(name, copies)| package(name, copies)).collect();
    found
}

/// Permissions that packages declare, each once: the platform's own declaration counts before another package's.
pub(super) fn permissions(packages: &[Package]) -> Vec<DeclaredPermission> {
    let mut by_name: BTreeMap<String, DeclaredPermission> = BTreeMap::new();
    let (platform, others): (Vec<_>, Vec<_>) = packages.iter().partition(|package| package.name == "android");
    for copy in platform.into_iter().chain(others).flat_map(|package| &package.copies) {
        for permission in copy.declared_permissions.known().into_iter().flatten() {
            by_name.entry(permission.name.clone()).or_insert_with(|| permission.clone());
        }
    }
    by_name.into_values().collect()
}

/// What every file is read with.
struct Reading<'a> {
    limits: &'a Limits,
    reading: &'a PackageReading,
    framework: Framework,
}

/// A file that holds tables of the platform: its volume and what opens it.
type Table<'a> = (&'a Mounted, NodeId);

/// The image's own tables of the platform. One that can't be read is a gap where it stands as a package; what refers into
/// it is not known then.
fn framework(tables: &[Table<'_>]) -> Framework {
    let mut framework = Framework::default();
    for (mounted, node) in tables {
        let _ = mounted.filesystem.open(*node).and_then(|bytes| framework.add(&bytes));
    }
    framework
}

/// Package files in a folder called `framework`, in the order of volumes and paths.
fn tables(image: &Image) -> Vec<Table<'_>> {
    let of = |mounted: &'_ Mounted, file: &File| {
        let path = mounted.device_path(&file.path);
        path.rsplit_once('/').is_some_and(|(folder, _)| path.ends_with(".apk") && folder.ends_with("/framework"))
    };
    let volumes = image.volumes();
    volumes
        .flat_map(|mounted| {
            mounted.files.iter().filter(move |file| of(mounted, file)).map(move |file| (mounted, file.node))
        })
        .collect()
}

/// Package files that are read while the image is listed. In an update whose operations have to be decoded, the block that
/// holds a folder mostly holds the end of the package before it: together they cost half.
pub(super) struct Ahead<'a> {
    limits: &'a Limits,
    reading: &'a PackageReading,
    /// What they are read with, and the files whose tables it has: volume and node.
    context: OnceLock<(Vec<(String, NodeId)>, Reading<'a>)>,
    /// By volume and path.
    found: Mutex<BTreeMap<String, BTreeMap<String, Content>>>,
}

impl<'a> Ahead<'a> {
    pub(super) fn new(limits: &'a Limits, reading: &'a PackageReading) -> Self {
        Self { limits, reading, context: OnceLock::new(), found: Mutex::default() }
    }

    /// What files are read with, and what was read with the very same: nothing, if the image turned out to have other tables
    /// of the platform than those in the usual places.
    fn finish(self, image: &Image) -> (Reading<'a>, BTreeMap<String, BTreeMap<String, Content>>) {
        let tables = tables(image);
        let named = tables.iter().map(|(mounted, node)| (&mounted.name, node));
        match self.context.into_inner() {
            Some((names, context)) if named.eq(names.iter().map(|(volume, node)| (volume, node))) => {
                (context, self.found.into_inner().unwrap_or_else(PoisonError::into_inner))
            }
            _ => {
                let (limits, reading, framework) = (self.limits, self.reading, framework(&tables));
                (Reading { limits, reading, framework }, BTreeMap::new())
            }
        }
    }
}

impl Visitor for Ahead<'_> {
    fn begin(&self, partitions: &[Mounted]) {
        let mut tables = Vec::new();
        for mounted in partitions {
            let filesystem = mounted.filesystem.as_ref();
            for folder in FRAMEWORK_FOLDERS {
                let found = filesystem::find(filesystem, mounted.root, folder).ok().flatten();
                let mut entries = found.and_then(|node| filesystem.read_dir(node).ok()).unwrap_or_default();
                entries.retain(|entry| entry.name.ends_with(".apk"));
                entries.sort_by(|a, b| a.name.cmp(&b.name));
                tables.extend(entries.into_iter().map(|entry| (mounted, entry.node)));
            }
        }
        let names = tables.iter().map(|(mounted, node)| (mounted.name.clone(), *node)).collect();
        let (limits, reading, framework) = (self.limits, self.reading, framework(&tables));
        let _ = self.context.set((names, Reading { limits, reading, framework }));
    }

    fn visit(&self, partition: &Mounted, file: &File) {
        let Some((_, context)) = self.context.get().filter(|_| is_named_package(&file.path)) else { return };
        if let Some(content) = content(partition, file, context) {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.entry(partition.name.clone()).or_default().insert(file.path.clone(), content);
        }
    }
}

/// Whether it has a package file's name.
fn is_named_package(path: &str) -> bool {
    let name = path.to_ascii_lowercase();
    name.ends_with(".apk") || name.ends_with(COMPRESSED)
}

/// Looks at all files, some at a time; the answers come in the order of partitions and paths.
fn examine(image: &Image, ahead: Ahead<'_>) -> Vec<Item> {
    let (context, read) = ahead.finish(image);
    let read = Mutex::new(read);
    let read_before = |mounted: &Mounted, file: &File| {
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        read.get_mut(&mounted.name)?.remove(&file.path)
    };
    let files: Vec<(usize, &Mounted, &File)> = image
        .volumes()
        .enumerate()
        .flat_map(|(index, mounted)| mounted.files.iter().map(move |file| (index, mounted, file)))
        .collect();
    let item = |(partition, mounted, file): &(usize, &Mounted, &File)| {
        // Its content is a volume of its own.
        let is_volume = image.apex_files.binary_search(&mounted.device_path(&file.path)).is_ok();
        let content = match read_before(mounted, file) {
            None if is_volume => None,
            None => content(mounted, file, &context),
            before => before,
        }?;
        let compiled = matches!(content, Content::Package(..)) && has_compiled_code(mounted, file);
        let path = mounted.device_path(&file.path);
        Some(Item { partition: *partition, path, len: file.len, compiled, content })
    };
    parallel::map(&files, parallel::cores().min(THREADS), item).into_iter().flatten().collect()
}

/// What a file is by its content, where that concerns packages. A name alone makes no package, but a file named as one that
/// is none hides what should be there.
fn content(mounted: &Mounted, file: &File, context: &Reading<'_>) -> Option<Content> {
    let name = file.path.to_ascii_lowercase();
    let named_package = is_named_package(&file.path);
    let named_apex = [".apex", ".capex"].iter().any(|end| name.ends_with(end));
    if !named_package && !named_apex && file.len < SMALLEST_PACKAGE {
        return None;
    }
    let opened = mounted.filesystem.open(file.node).and_then(|bytes| {
        let head = container::read_head_of(&bytes, 4)?;
        Ok((bytes, head))
    });
    let (bytes, head) = match opened {
        Ok(opened) => opened,
        // Whatever it is, it can't be ruled out to be a package.
        Err(error) => return Some(Content::Closed(error)),
    };
    if named_apex {
        return Some(Content::Closed(ParseError::unsupported(0, "an APEX outside of the folders of APEXes")));
    }
    if !named_package {
        if head != *b"PK\x03\x04" {
            return None;
        }
        match entries(&bytes, context.limits) {
            Ok(names) if names.iter().any(|name| name == "apex_payload.img" || name == "original_apex") => {
                return Some(Content::Closed(ParseError::unsupported(0, "an APEX outside of the folders of APEXes")));
            }
            Ok(names) if names.iter().any(|name| name == "AndroidManifest.xml") => {}
            // A ZIP of something else: a JAR, a theme, fonts.
            Ok(_) => return None,
            Err(error) => return Some(Content::Closed(error)),
        }
    }
    let options = Options { locales: &apk::LOCALES, framework: Some(&context.framework) };
    let unpacked = if name.ends_with(COMPRESSED) { unpacked(bytes, context.limits) } else { Ok(bytes) };
    let bytes = match unpacked {
        Ok(bytes) => bytes,
        Err(error) => return Some(Content::Closed(error)),
    };
    Some(match apk::open_with(&bytes, options) {
        Ok(apk) => {
            let dex = context.reading.classes.then(|| apk::dex(&bytes));
            let extras = extras::read(&bytes, &apk.manifest);
            let native = context.reading.native.then(|| apk::native(&bytes));
            Content::Package(Box::new(Read { apk, dex, native }), extras)
        }
        Err(error) => Content::Closed(error),
    })
}

/// The package in a compressed file.
fn unpacked(bytes: SharedBytes, limits: &Limits) -> Result<SharedBytes, ParseError> {
    let part = Part { name: String::new(), bytes };
    let head = container::read_head(&part.bytes)?;
    let format = container::recognize(&Probe { name: "", head: &head, len: part.bytes.len() });
    let format = format.filter(|format| format.name() == "gzip");
    let format = format.ok_or_else(|| ParseError::invalid(0, "magic", "another", "that of gzip"))?;
    let limits = Limits { memory: UNPACKING_MEMORY, decompressed: UNPACKED_BYTES, ..limits.clone() };
    let parts = format.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(limits))?;
    let only = parts.into_iter().next().map(|part| part.bytes);
    only.ok_or_else(|| ParseError::invalid(0, "gzip", "without content", "a package"))
}

/// Whether the file's folder has one for compiled code, `oat`.
fn has_compiled_code(mounted: &Mounted, file: &File) -> bool {
    let Some((folder, _)) = file.path.rsplit_once('/') else { return false };
    let start = format!("{folder}/oat/");
    let first = mounted.files.partition_point(|other| other.path < start);
    mounted.files.get(first).is_some_and(|other| other.path.starts_with(&start))
}

/// Names in a ZIP file.
fn entries(bytes: &SharedBytes, limits: &Limits) -> Result<Vec<String>, ParseError> {
    let part = Part { name: String::new(), bytes: bytes.clone() };
    let head = container::read_head(bytes)?;
    let probe = Probe { name: "", head: &head, len: bytes.len() };
    let Some(format) = container::recognize(&probe) else {
        return Ok(Vec::new());
    };
    let parts = format.open(&PartSet { part: &part, siblings: &[] }, &Budget::new(limits.clone()))?;
    Ok(parts.into_iter().map(|part| part.name).collect())
}

/// One package of all copies with its name, in the order of their folders.
fn package(name: String, copies: Vec<Copy>) -> Package {
    let unseen = |what: &str| {
        let detail = "an image that has not been started does not tell it";
        Gap::new(format!("{what} of {name}"), GapReason::NotObserved, detail)
    };
    let shared_user = copies.first().map(|copy| copy.shared_user.clone());
    Package {
        uid: Fact::Unknown(unseen("uid")),
        shared_user: shared_user.unwrap_or_else(|| Fact::Unknown(unseen("shared user"))),
        installer: Fact::Unknown(unseen("installer")),
        install: Fact::Unknown(unseen("installation")),
        users: Fact::Unknown(unseen("users").hiding(Hides::Users)),
        grants: Fact::Unknown(unseen("grants")),
        removability: Fact::not_asked(),
        presence: Fact::not_asked(),
        launcher_place: Fact::not_asked(),
        predicted_grants: Fact::not_asked(),
        copies: copies.into_iter().map(|copy| copy.copy).collect(),
        name,
    }
}

/// Split APKs whose base is not there: the package is known by name, and nothing else of it.
fn copy_without_base(name: &str, folder: String, splits: Vec<Split>, origins: &mut Origins) -> Copy {
    let detail = format!("split APKs of {name} are here, their base APK is not");
    let gap = Gap::new(folder.clone(), GapReason::Missing, detail);
    let listing = Origin { kind: OriginKind::Listing, name: folder.clone(), length: None, sha256: None };
    let evidence = origins.evidence(listing);
    let (partition, placed) = placement::classify(&format!("{folder}/base.apk"));
    let copy = PackageCopy {
        role: if placed == Placement::Data { CopyRole::Added } else { CopyRole::Factory },
        path: folder,
        partition: Fact::new(partition, &evidence),
        placement: Fact::new(placed, &evidence),
        splits: Fact::new(splits, &evidence),
        version_code: Fact::Unknown(gap.clone()),
        version_name: Fact::Unknown(gap.clone()),
        min_sdk: Fact::Unknown(gap.clone()),
        target_sdk: Fact::Unknown(gap.clone()),
        flags: Fact::Unknown(gap.clone()),
        requested_permissions: Fact::Unknown(gap.clone()),
        declared_permissions: Fact::Unknown(gap.clone()),
        signers: Fact::Unknown(gap.clone()),
        label: Fact::Unknown(gap.clone()),
        launcher: Fact::Unknown(gap.clone()),
        code: Fact::Unknown(gap.clone()),
        manifest: Fact::Unknown(gap.clone()),
        answers: Fact::Unknown(gap.clone()),
    };
    Copy { copy, shared_user: Fact::Unknown(gap) }
}

fn split(item: Item, apk: Apk, known: &KnownCertificates, origins: &mut Origins) -> Split {
    let origin = Origin { kind: OriginKind::File, name: item.path.clone(), length: Some(item.len), sha256: None };
    let file = origins.evidence(origin);
    let signers = signers(&item.path, apk.signers, known, &file);
    let manifest = apk.manifest;
    let content = SplitFile {
        version_code: manifest.version_code,
        // A split has no levels of its own as a rule, and then reads as the lowest.
        min_sdk: Some(manifest.min_sdk).filter(|sdk| *sdk > 1),
        target_sdk: Some(manifest.target_sdk).filter(|sdk| *sdk > 1),
        requested_permissions: requested(manifest.requested_permissions),
        signers,
    };
    Split {
        name: manifest.split.unwrap_or_default(),
        path: Some(item.path),
        file: Fact::new(content, &file.at("AndroidManifest.xml")),
    }
}

fn requested(list: Vec<apk::RequestedPermission>) -> Vec<RequestedPermission> {
    let fact = |permission: apk::RequestedPermission| RequestedPermission {
        name: permission.name,
        max_sdk: permission.max_sdk,
        sdk_23: permission.sdk_23,
    };
    list.into_iter().map(fact).collect()
}

fn signers(
    path: &str,
    claimed: Result<Vec<apk::Certificate>, ParseError>,
    known: &KnownCertificates,
    file: &Evidence,
) -> Fact<Vec<Signer>> {
    match claimed {
        Ok(certificates) => Fact::new(
            certificates.iter().map(|certificate| signer(certificate, known)).collect(),
            &file.at("signatures"),
        ),
        Err(error) => Fact::Unknown(Gap::new(path, reason(&error), error.to_string())),
    }
}

fn copy(item: Item, read: Read, splits: Vec<Split>, known: &KnownCertificates, origins: &mut Origins) -> Copy {
    let Read { apk, dex, native } = read;
    let manifest_facts = manifest::facts(&apk);
    let stub = manifest::stub(&apk, &item.path, item.compiled);
    let answers = answers::of(&apk.manifest);
    let Apk { manifest, resources, signers: claimed, code, network: _, is_apex: _ } = apk;
    let origin = Origin { kind: OriginKind::File, name: item.path.clone(), length: Some(item.len), sha256: None };
    let file = origins.evidence(origin);
    let evidence = file.at("AndroidManifest.xml");
    let placed_as = if item.path.ends_with(COMPRESSED) { item.path.trim_end_matches(".gz") } else { &item.path };
    let (partition, mut placed) = placement::classify(placed_as);
    if !placed_as.ends_with(".apk") {
        // Android loads no other names.
        placed = Placement::Unknown;
    }
    let declared = manifest.declared_permissions.iter().map(|permission| DeclaredPermission {
        name: permission.name.clone(),
        package: manifest.package.clone(),
        protection: permission.protection_level.map(protection::words),
        group: permission.group.clone(),
        known_certificates: permission.known_certificates.clone(),
    });
    let signers = signers(&item.path, claimed, known, &file);
    let code = Code {
        present: code.dex_files > 0,
        dex_files: Some(code.dex_files),
        dex_bytes: Some(code.dex_bytes),
        classes: code.classes,
        abis: code.abis,
        file_bytes: Some(item.len),
        stub,
        class_counts: dex.map(|dex| class_counts(&item.path, dex, &file)),
        libraries: native.map(|native| libraries(&item.path, native, &file)),
    };
    let gaps = Unread { path: &item.path, resources: resources.err(), manifest: &manifest };
    let label = gaps.fact("application", "label", manifest.label.clone(), &evidence);
    let version_name = gaps.fact("manifest", "versionName", manifest.version_name.clone(), &evidence);
    let min_sdk = gaps.fact("uses-sdk", "minSdkVersion", manifest.min_sdk, &evidence);
    let target_sdk = gaps.fact("uses-sdk", "targetSdkVersion", manifest.target_sdk, &evidence);
    let launcher = gaps.components(manifest.launcher.clone(), &evidence);
    let manifest_facts = gaps.components(manifest_facts, &evidence);
    let answered = gaps.components(answers, &evidence);
    let mut flags = manifest.flags;
    if manifest.has_code {
        flags.push("HAS_CODE".to_owned());
    }
    let copy = PackageCopy {
        // What lies in /data comes from no system partition, even in an image.
        role: if placed == Placement::Data { CopyRole::Added } else { CopyRole::Factory },
        path: item.path,
        partition: Fact::new(partition, &file),
        placement: Fact::new(placed, &file),
        splits: Fact::new(splits, &file),
        version_code: Fact::new(manifest.version_code, &evidence),
        version_name,
        min_sdk,
        target_sdk,
        flags: Fact::new(flags, &evidence),
        requested_permissions: Fact::new(requested(manifest.requested_permissions), &evidence),
        declared_permissions: Fact::new(declared.collect(), &evidence),
        signers,
        label,
        launcher,
        code: Fact::new(code, &file.at("directory")),
        manifest: manifest_facts,
        answers: answered,
    };
    Copy { copy, shared_user: Fact::new(manifest.shared_user, &evidence) }
}

fn signer(certificate: &apk::Certificate, known: &KnownCertificates) -> Signer {
    Signer {
        sha256: Some(certificate.sha256()),
        hash_code: certificate.hash_code(),
        scheme: Some(certificate.scheme.to_owned()),
        depth: SignerDepth::Claimed,
        published_key: known.get(certificate).map(|known| known.name.clone()),
        past: certificate.past.iter().map(past).collect(),
        linked: None,
    }
}

/// What a package file says of itself, wherever it was read.
pub(in crate::collect) fn of_file(path: String, len: u64, apk: Apk, origins: &mut Origins) -> PackageCopy {
    let item = Item { partition: 0, path, len, compiled: false, content: Content::Taken };
    copy(item, Read { apk, dex: None, native: None }, Vec::new(), KnownCertificates::published(), origins).copy
}

/// A certificate as a signer of which no signature was verified.
pub(in crate::collect) fn claimed(certificate: &apk::Certificate) -> Signer {
    signer(certificate, KnownCertificates::published())
}

fn past(past: &apk::PastCertificate) -> PastSigner {
    PastSigner { sha256: past.sha256(), permission: past.may_share_permissions() }
}

/// What of a package file is not known: values in a damaged resource table, or in a framework that is not at hand, read as
/// if they were not there.
struct Unread<'a> {
    path: &'a str,
    resources: Option<ParseError>,
    manifest: &'a apk::Manifest,
}

impl Unread<'_> {
    /// A fact of one attribute.
    fn fact<T>(&self, element: &str, attribute: &str, value: T, evidence: &Evidence) -> Fact<T> {
        self.unless(value, evidence, |found| found.element == element && found.attribute == attribute)
    }

    /// A fact of the components, and of all else that is no text for people.
    fn components<T>(&self, value: T, evidence: &Evidence) -> Fact<T> {
        self.unless(value, evidence, |found| {
            let text = matches!(found.attribute, "label" | "versionName");
            let permission = matches!(found.element.as_str(), "permission" | "permission-group" | "permission-tree");
            !text && !permission && found.element != "meta-data" && found.element != "uses-sdk"
        })
    }

    fn unless<T>(&self, value: T, evidence: &Evidence, concerns: impl Fn(&apk::Unresolved) -> bool) -> Fact<T> {
        if let Some(error) = &self.resources {
            return Fact::Unknown(Gap::new(self.path, reason(error), error.to_string()));
        }
        match self.manifest.unresolved.iter().find(|found| concerns(found)) {
            Some(found) => {
                let apk::Unresolved { element, attribute, reference, .. } = found;
                let detail = format!("{attribute} of {element} is {reference}, of a framework that was not read");
                Fact::Unknown(Gap::new(self.path, GapReason::Missing, detail))
            }
            None => Fact::new(value, evidence),
        }
    }
}

fn class_counts(path: &str, dex: Result<apk::Dex, ParseError>, file: &Evidence) -> Fact<ClassCounts> {
    let dex = match dex {
        Ok(dex) => dex,
        Err(error) => return Fact::Unknown(Gap::new(path, reason(&error), error.to_string())),
    };
    let prefix = |found: apk::Prefix| PrefixCount { prefix: found.prefix, classes: found.classes };
    let sdk = |found: apk::Sdk| SdkCount {
        name: found.name.to_owned(),
        kind: found.kind.to_owned(),
        prefix: found.prefix.to_owned(),
        classes: found.classes,
    };
    let counts = ClassCounts {
        prefixes: dex.prefixes.into_iter().map(prefix).collect(),
        sdks: dex.sdks.into_iter().map(sdk).collect(),
    };
    Fact::new(counts, &file.at("classes*.dex"))
}
