//! Components, implied permissions, classes and certificates.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use preloaded::apk::{self, Apk, Component, ComponentKind};
use preloaded::bytes::{FileBytes, SharedBytes};

use super::crafted::{self, chunk, document, end, start, zip};
use super::{fixtures, open_bytes, root, table};

fn open(path: &Path) -> Option<Apk> {
    let source: SharedBytes = Arc::new(FileBytes::open(path).unwrap());
    apk::open(&source).ok()
}

/// An element as `aapt2 dump xmltree` prints it.
#[derive(Debug, Default)]
struct Printed {
    depth: usize,
    tag: String,
    attributes: Vec<(String, String)>,
}

impl Printed {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|attribute| attribute.0 == name).map(|attribute| attribute.1.as_str())
    }
}

fn xmltree(path: &Path) -> Option<Vec<Printed>> {
    let mut command = Command::new("aapt2");
    command.arg("dump").arg("xmltree").arg(path).args(["--file", "AndroidManifest.xml"]);
    let output = command.output().unwrap_or_else(|error| panic!("aapt2 can't be started: {error}"));
    if !output.status.success() {
        return None;
    }
    let mut elements: Vec<Printed> = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let text = line.trim_start();
        if let Some(tag) = text.strip_prefix("E: ") {
            let tag = tag.split(' ').next().unwrap().to_owned();
            elements.push(Printed { depth: line.len() - text.len(), tag, attributes: Vec::new() });
        } else if let Some((name, value)) = text.strip_prefix("A: ").and_then(|text| text.split_once('=')) {
            let name = name.rsplit(':').next().unwrap().split('(').next().unwrap().to_owned();
            let value = value.split(" (Raw: ").next().unwrap().trim_matches('"').to_owned();
            elements.last_mut().unwrap().attributes.push((name, value));
        }
    }
    Some(elements)
}

/// Components by another tool's reading of the XML, with Android's documented defaults. `None` where a reference stands
/// for what is compared.
fn expected(elements: &[Printed], target_sdk: u32, package: &str) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    let application = elements.iter().position(|element| element.tag == "application")?;
    let inner = elements[application + 1..].iter().position(|element| element.depth <= elements[application].depth);
    let inner = &elements[application + 1..inner.map_or(elements.len(), |length| application + 1 + length)];
    let depth = inner.first()?.depth;
    let application = &elements[application];
    for (index, element) in inner.iter().enumerate() {
        let tag = element.tag.as_str();
        if element.depth != depth || !["activity", "activity-alias", "service", "receiver", "provider"].contains(&tag) {
            continue;
        }
        let below = inner[index + 1..].iter().take_while(|inner| inner.depth > depth);
        let below: Vec<_> = below.collect();
        let filters = below.iter().filter(|inner| inner.tag == "intent-filter").count();
        let named = |wanted: &str| {
            below.iter().filter(|inner| inner.tag == wanted).filter_map(|inner| inner.get("name")).count()
        };
        let exported = match element.get("exported") {
            Some(said) => said == "true",
            None if tag == "provider" => target_sdk < 17,
            None => filters > 0,
        };
        let inherited = application.get("permission").filter(|_| tag != "activity-alias");
        let permission = element.get("permission").or(inherited).unwrap_or_default();
        let name = element.get("name").unwrap_or_default();
        let name = match (name.starts_with('.'), name.contains('.')) {
            (true, _) => format!("{package}{name}"),
            (false, true) => name.to_owned(),
            (false, false) => format!("{package}.{name}"),
        };
        let enabled = element.get("enabled") != Some("false") && application.get("enabled") != Some("false");
        let authorities = element.get("authorities").unwrap_or_default();
        let shown = [name.as_str(), permission, authorities];
        let shown = shown.into_iter().map(Some).chain([element.get("exported"), element.get("enabled")]);
        if shown.flatten().any(|text| text.starts_with('@')) {
            return None;
        }
        lines.push(format!(
            "{tag} {name} exported {exported} enabled {enabled} permission '{permission}' filters {filters} actions {} categories {} authorities '{authorities}'",
            named("action"),
            named("category"),
        ));
    }
    Some(lines)
}

fn ours(component: &Component) -> String {
    let tag = match component.kind {
        ComponentKind::Activity => "activity",
        ComponentKind::ActivityAlias => "activity-alias",
        ComponentKind::Service => "service",
        ComponentKind::Receiver => "receiver",
        ComponentKind::Provider => "provider",
    };
    let Component { name, exported, enabled, filters, .. } = component;
    let actions: usize = filters.iter().map(|filter| filter.actions.len()).sum();
    let categories: usize = filters.iter().map(|filter| filter.categories.len()).sum();
    let permission = component.permission.as_deref().unwrap_or_default();
    let (filters, authorities) = (filters.len(), component.authorities.join(";"));
    format!(
        "{tag} {name} exported {exported} enabled {enabled} permission '{permission}' filters {filters} actions {actions} categories {categories} authorities '{authorities}'"
    )
}

/// aapt2 never comes back from this file.
const HANGS_AAPT2: &str = "resources-type-entries-out-of-bounds.apk";

/// Files compared and components that were equal.
fn compare(files: impl Iterator<Item = std::path::PathBuf>) -> (usize, usize) {
    let (mut compared, mut equal) = (0, 0);
    for path in files {
        if path.to_string_lossy().ends_with(HANGS_AAPT2) {
            continue;
        }
        let (Some(apk), Some(printed)) = (open(&path), xmltree(&path)) else { continue };
        let Some(expected) = expected(&printed, apk.manifest.target_sdk, &apk.manifest.package) else { continue };
        let ours: Vec<_> = apk.manifest.components.iter().map(ours).collect();
        let differing: Vec<_> = ours.iter().zip(&expected).filter(|(ours, expected)| ours != expected).collect();
        assert!(differing.is_empty() && ours.len() == expected.len(), "{}: {differing:#?}", path.display());
        compared += 1;
        equal += ours.len();
    }
    (compared, equal)
}

#[test]
fn components_and_their_defaults_are_those_of_the_xml_that_aapt2_prints() {
    let files = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let (compared, equal) = compare(files.filter(|path| path.extension().is_some_and(|end| end == "apk")));
    eprintln!("committed files: {compared} compared, {equal} components equal");
    assert!(compared >= 20 && equal >= 20, "{compared} files, {equal} components");
    let shared = root().join("../shared/data");
    if !shared.is_dir() {
        eprintln!("NOT RUN: {} is not there", shared.display());
        return;
    }
    let rows = table(&shared.join("truth/apks.tsv"));
    let real = rows.iter().map(|row| row["file"].as_str());
    let real = real.filter(|file| ["firmware/", "apks/npm", "apks/pypi"].iter().any(|start| file.starts_with(start)));
    let (compared, equal) = compare(real.map(|file| shared.join(file)).filter(|path| path.is_file()));
    eprintln!("shared files: {compared} compared, {equal} components equal");
    assert!(equal > 200, "{equal}");
}

#[test]
fn implied_permissions_are_those_that_aapt_lists() {
    let shared = root().join("../shared/data");
    if !shared.is_dir() {
        eprintln!("NOT RUN: {} is not there", shared.display());
        return;
    }
    let (mut equal, mut implied) = (0, 0);
    let mut differences = Vec::new();
    for row in table(&shared.join("truth/apks.tsv")) {
        let path = shared.join(&row["file"]);
        let Some(apk) = path.is_file().then(|| open(&path)).flatten() else { continue };
        let ours: BTreeSet<_> = apk.manifest.implied_permissions().iter().map(|permission| permission.name).collect();
        let theirs: BTreeSet<_> = row["implied_permissions"].split(',').filter(|name| !name.is_empty()).collect();
        if ours == theirs {
            equal += 1;
            implied += ours.len();
        } else {
            differences.push(format!("{}: {ours:?}, aapt says {theirs:?}", row["file"]));
        }
    }
    eprintln!("{equal} files equal, {implied} implied permissions");
    assert!(differences.is_empty(), "{} equal, differing:\n{}", equal, differences.join("\n"));
    assert!(implied > 20);
}

#[test]
fn serial_and_key_of_certificates_are_those_that_openssl_prints() {
    let (mut seen, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    let folders = [fixtures(), root().join("tests/data/signatures")];
    for entry in folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()) {
        let path = entry.unwrap().path();
        let Some(apk) = path.extension().is_some_and(|end| end == "apk").then(|| open(&path)).flatten() else {
            continue;
        };
        for certificate in apk.signers.iter().flatten().filter(|signer| seen.insert(signer.sha256())) {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("certificate.der");
            fs::write(&file, &certificate.der).unwrap();
            let mut command = Command::new("openssl");
            command.args(["x509", "-inform", "DER", "-noout", "-serial", "-text", "-in"]).arg(&file);
            let output = command.output().unwrap_or_else(|error| panic!("openssl can't be started: {error}"));
            let facts = certificate.facts();
            if !output.status.success() {
                continue;
            }
            let facts = facts.unwrap_or_else(|| panic!("{}: openssl reads it", path.display()));
            let printed = String::from_utf8_lossy(&output.stdout).to_ascii_lowercase();
            let bits = printed.split_once("public-key: (").unwrap().1.split(' ').next().unwrap();
            assert_eq!(facts.key_bits.map(|bits| bits.to_string()).as_deref(), Some(bits), "{}", path.display());
            kinds.insert(facts.key_algorithm.clone());
            let printed = printed.lines().find(|line| line.starts_with("serial=")).unwrap();
            let serial = facts.serial.trim_start_matches('0').to_owned();
            assert_eq!(printed.trim_start_matches("serial=").trim_start_matches('0'), serial, "{}", path.display());
            assert!(facts.not_before < facts.not_after && !facts.subject.is_empty(), "{}", path.display());
        }
    }
    eprintln!("{} certificates of {kinds:?}", seen.len());
    assert!(seen.len() >= 5 && kinds.len() == 3);
}

/// A DEX file that defines these classes.
fn dex(classes: &[&str]) -> Vec<u8> {
    let count = u32::try_from(classes.len()).unwrap();
    let (strings_at, types_at, classes_at) = (112, 112 + count * 4, 112 + count * 8);
    let data_at = classes_at + count * 32;
    let (mut offsets, mut data) = (Vec::new(), Vec::new());
    for class in classes {
        offsets.extend((data_at + u32::try_from(data.len()).unwrap()).to_le_bytes());
        data.push(u8::try_from(class.len()).unwrap());
        data.extend(class.as_bytes());
        data.push(0);
    }
    let mut out = b"dex\n035\0".to_vec();
    out.resize(112, 0);
    for (at, value) in [(56, count), (60, strings_at), (64, count), (68, types_at), (96, count), (100, classes_at)] {
        out[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    out.extend(offsets);
    out.extend((0..count).flat_map(u32::to_le_bytes));
    for index in 0..count {
        out.extend(index.to_le_bytes());
        out.extend([0; 28]);
    }
    out.extend(data);
    out
}

const CLASSES: [&str; 5] =
    ["La/b/C;", "Lcom/google/firebase/analytics/A;", "Lcom/google/firebase/analytics/x/B;", "LNone;", "La/b/c/d/E;"];

fn read_dex(contents: &[u8], deflate: bool) -> Result<apk::Dex, preloaded::bytes::ParseError> {
    let source: SharedBytes = Arc::new(zip(&[("classes.dex", contents, deflate, None)]));
    apk::dex(&source)
}

#[test]
fn classes_are_counted_by_prefix_and_by_sdk_stored_or_deflated() {
    for deflate in [false, true] {
        let dex = read_dex(&dex(&CLASSES), deflate).unwrap();
        let prefixes: Vec<_> = dex.prefixes.iter().map(|p| (p.prefix.as_str(), p.classes)).collect();
        assert_eq!(prefixes, [("com.google.firebase", 2), ("", 1), ("a.b", 1), ("a.b.c", 1)]);
        let sdks: Vec<_> = dex.sdks.iter().map(|sdk| (sdk.name, sdk.classes)).collect();
        assert_eq!((dex.files, dex.classes, sdks), (1, 5, vec![("Firebase Analytics", 2)]));
    }
}

#[test]
fn no_damaged_dex_panics_and_a_count_beyond_the_limit_is_refused() {
    let whole = dex(&CLASSES);
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        let _ = read_dex(&changed, false);
        assert!(read_dex(&whole[..at], at % 2 == 0).is_err(), "cut to {at}");
    }
    let mut many = whole;
    many[96..100].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = read_dex(&many, false).unwrap_err().to_string();
    assert_eq!(error, "classes.dex: byte 152: number of types or classes is 4294967295, the limit is 65536");
}

#[test]
fn the_network_configuration_is_read_with_hosts_and_anchors() {
    let strings = [crafted::ANDROID, "networkSecurityConfig", "manifest", "package", "a.b", "application", "res/n.xml"];
    let manifest = document(
        &strings,
        &[0, 0x0101_0527],
        &[start(2, &[(3, false, 3, 4)]), start(5, &[(1, true, 3, 6)]), end(5), end(2)],
    );
    let words = [
        "network-security-config",
        "base-config",
        "cleartextTrafficPermitted",
        "false",
        "trust-anchors",
        "certificates",
        "src",
        "user",
        "domain-config",
        "domain",
        "a.example",
        "true",
    ];
    let text = chunk(0x104, &[0; 8], &[10, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]);
    let nodes = [
        start(0, &[]),
        start(1, &[(2, false, 3, 3)]),
        start(4, &[]),
        start(5, &[(6, false, 3, 7)]),
        end(5),
        end(4),
        end(1),
        start(8, &[(2, false, 0x12, u32::MAX)]),
        start(9, &[]),
        text,
        end(9),
        end(8),
        end(0),
    ];
    let network = document(&words, &[], &nodes);
    let bytes = zip(&[("AndroidManifest.xml", &manifest, true, None), ("res/n.xml", &network, true, None)]);
    let network = open_bytes(bytes).unwrap().network.unwrap().unwrap();
    assert!(!network.cleartext_permitted(1) && network.trusts_user_authorities(34));
    let domain = &network.domains[0];
    assert_eq!(
        (domain.hosts.as_slice(), domain.cleartext_permitted),
        (["a.example".to_owned()].as_slice(), Some(true))
    );
    let absent = open_bytes(zip(&[("AndroidManifest.xml", &manifest, true, None)])).unwrap().network.unwrap();
    assert!(absent.unwrap_err().to_string().starts_with("res/n.xml: "));
}

#[test]
fn a_placeholder_is_told_from_an_app_by_its_code_and_components() {
    let strings = [crafted::ANDROID, "name", "manifest", "package", "a.b", "application", "activity"];
    let manifest = |components: usize| {
        let mut nodes = vec![start(2, &[(3, false, 3, 4)]), start(5, &[])];
        for _ in 0..components {
            nodes.extend([start(6, &[(1, true, 3, 4)]), end(6)]);
        }
        nodes.extend([end(5), end(2)]);
        document(&strings, &[0, 0x0101_0003], &nodes)
    };
    let stub = |components, dex: Option<Vec<u8>>| {
        let manifest = manifest(components);
        let dex = dex.unwrap_or_default();
        let mut entries = vec![("AndroidManifest.xml", manifest.as_slice(), true, None)];
        if !dex.is_empty() {
            entries.push(("classes.dex", &dex, true, None));
        }
        let apk = open_bytes(zip(&entries)).unwrap();
        (apk.code.classes, apk.stub())
    };
    assert_eq!(stub(1, None), (Some(0), Some(apk::Stub::NoCode)));
    assert_eq!(stub(1, Some(dex(&[]))), (Some(0), Some(apk::Stub::FewClasses)));
    assert_eq!(stub(1, Some(dex(&CLASSES))), (Some(5), None));
    assert_eq!(stub(0, Some(dex(&CLASSES))), (Some(5), Some(apk::Stub::NoComponents)));
    assert_eq!(stub(0, None), (Some(0), None));
}
