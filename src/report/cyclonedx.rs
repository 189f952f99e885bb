//! CycloneDX 1.6 (ECMA-424): the software that a device ships with.
//!
//! A phone is a component of type `device` that holds its operating system; an image is the operating system alone. Package
//! files are applications, those in an APEX nested below it. The purl type `android` is what scanners write for package
//! names, though the specification only lists it as a candidate. Compositions say where the list is not complete.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::csv_packages::{digest, role};
use super::sarif::encoded;
use super::{Carries, ReportFormat, Run, Style, TargetReport, TargetResult};
use crate::inventory::{Fact, Inventory, Package, PackageCopy, Placement, TargetKind};

/// `--format cyclonedx`.
pub(super) struct CycloneDx;

const SCHEMA: &str = "http://cyclonedx.org/schema/bom-1.6.schema.json";

impl ReportFormat for CycloneDx {
    fn name(&self) -> &'static str {
        "cyclonedx"
    }

    fn about(&self) -> &'static str {
        "a CycloneDX 1.6 bill of materials"
    }

    fn carries(&self) -> Carries {
        Carries::Packages
    }

    fn write(&self, run: &Run, _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let boms: Vec<Bom> = run.targets.iter().enumerate().map(|(index, report)| bom(report, index + 1)).collect();
        let mut metadata = Map::new();
        if let [only] = run.targets.as_slice() {
            if let Some(time) = &only.target.collected_at {
                metadata.insert("timestamp".to_owned(), json!(time));
            }
            let phase = if only.target.kind == TargetKind::Phone { "operations" } else { "post-build" };
            metadata.insert("lifecycles".to_owned(), json!([{ "phase": phase }]));
        }
        let tool =
            json!({ "components": [{ "type": "application", "name": run.tool.name, "version": run.tool.version }] });
        metadata.insert("tools".to_owned(), tool);
        let compositions: Vec<&Value> = boms.iter().map(|bom| &bom.composition).collect();
        let mut document = json!({ "$schema": SCHEMA, "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
            "compositions": compositions });
        let components: Vec<Value> = if boms.len() == 1 {
            boms.into_iter()
                .flat_map(|mut bom| {
                    let inner = bom.root.as_object_mut().and_then(|root| root.remove("components"));
                    metadata.insert("component".to_owned(), bom.root);
                    match inner {
                        Some(Value::Array(inner)) => inner,
                        _ => Vec::new(),
                    }
                })
                .collect()
        } else {
            boms.into_iter().map(|bom| bom.root).collect()
        };
        if let Some(fields) = document.as_object_mut() {
            fields.insert("metadata".to_owned(), Value::Object(metadata));
            fields.insert("components".to_owned(), Value::Array(components));
            let serial = format!("urn:uuid:{}", uuid(&serde_json::to_vec(&*fields)?));
            fields.insert("serialNumber".to_owned(), json!(serial));
        }
        serde_json::to_writer_pretty(&mut *out, &document)?;
        out.write_all(b"\n")
    }
}

/// A target's component with everything in it, and how complete that is.
struct Bom {
    root: Value,
    composition: Value,
}

fn bom(report: &TargetReport, number: usize) -> Bom {
    let reference = format!("target-{number}");
    let phone = report.target.kind == TargetKind::Phone;
    let Some(inventory) = report.inventory.as_deref() else {
        let why = match &report.result {
            TargetResult::Unread { error, .. } => format!("not read: {error}"),
            TargetResult::Judged { .. } => "the report has no inventory of this target".to_owned(),
        };
        let kind = if phone { "device" } else { "operating-system" };
        let root = json!({ "type": kind, "bom-ref": reference, "name": report.target.name,
            "properties": [property("unread", &why)] });
        return Bom { root, composition: json!({ "aggregate": "unknown", "assemblies": [reference] }) };
    };
    let system = format!("{reference}/system");
    let aggregate = completeness(inventory);
    let operating = operating_system(report, inventory, &system, applications(inventory, &system, phone));
    let root = if phone {
        let device = &inventory.device;
        let mut fields = Map::new();
        fields.insert("type".to_owned(), json!("device"));
        fields.insert("bom-ref".to_owned(), json!(reference));
        fields.insert("name".to_owned(), json!(device.model.known().unwrap_or(&report.target.name)));
        if let Some(maker) = device.manufacturer.known() {
            fields.insert("manufacturer".to_owned(), json!({ "name": maker }));
        }
        fields.insert("properties".to_owned(), json!([property("target", &report.target.name)]));
        fields.insert("components".to_owned(), json!([operating]));
        Value::Object(fields)
    } else {
        operating
    };
    Bom { root, composition: json!({ "aggregate": aggregate, "assemblies": [system] }) }
}

/// How complete the list of packages is, in CycloneDX' word.
fn completeness(inventory: &Inventory) -> &'static str {
    match inventory.packages {
        Fact::Unknown(_) => "unknown",
        Fact::Known { .. } if inventory.gaps_hiding_packages().next().is_some() => "incomplete",
        Fact::Known { .. } => "complete",
    }
}

fn operating_system(report: &TargetReport, inventory: &Inventory, reference: &str, inner: Vec<Value>) -> Value {
    let device = &inventory.device;
    let mut properties = vec![property("target", &report.target.name)];
    let facts = [
        ("fingerprint", &device.fingerprint),
        ("build", &device.build),
        ("brand", &device.brand),
        ("model", &device.model),
        ("security-patch", &device.security_patch),
    ];
    properties.extend(facts.iter().filter_map(|(name, fact)| fact.known().map(|value| property(name, value))));
    properties.extend(
        inventory.gaps_hiding_packages().map(|gap| property("gap", &format!("{}: {}", gap.place, gap.reason.as_str()))),
    );
    let mut fields = Map::new();
    fields.insert("type".to_owned(), json!("operating-system"));
    fields.insert("bom-ref".to_owned(), json!(reference));
    fields.insert("name".to_owned(), json!("Android"));
    if let Some(release) = device.release.known() {
        fields.insert("version".to_owned(), json!(release));
    }
    fields.insert("properties".to_owned(), Value::Array(properties));
    if !inner.is_empty() {
        fields.insert("components".to_owned(), Value::Array(inner));
    }
    Value::Object(fields)
}

/// Packages, those of an APEX below it.
fn applications(inventory: &Inventory, parent: &str, phone: bool) -> Vec<Value> {
    let packages = inventory.packages.known().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut nested: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mut top: Vec<(&str, Value)> = Vec::new();
    for package in packages {
        let value = application(inventory, package, parent, phone);
        match apex_of(package) {
            Some(apex) if apex != package.name => nested.entry(apex).or_default().push(value),
            _ => top.push((&package.name, value)),
        }
    }
    for apex in nested.keys().filter(|apex| !names.contains(apex)) {
        // Its own file is no package of the list: known by the path of what lies in it.
        let value = json!({ "type": "application", "bom-ref": format!("{parent}/{apex}"), "name": apex,
            "properties": [property("apex", "true")] });
        top.push((apex, value));
    }
    top.sort_by(|a, b| a.0.cmp(b.0));
    top.into_iter()
        .map(|(name, mut value)| {
            if let (Some(inner), Some(fields)) = (nested.remove(name), value.as_object_mut()) {
                fields.insert("components".to_owned(), Value::Array(inner));
            }
            value
        })
        .collect()
}

/// The APEX that a package lies in, by its path.
pub(super) fn apex_of(package: &Package) -> Option<&str> {
    let copy = package.copies.iter().find(|copy| copy.placement.known() == Some(&Placement::Apex))?;
    let rest = copy.path.strip_prefix("/apex/")?;
    rest.split(['/', '@']).next().filter(|name| !name.is_empty())
}

fn application(inventory: &Inventory, package: &Package, parent: &str, phone: bool) -> Value {
    let mut fields = Map::new();
    fields.insert("type".to_owned(), json!("application"));
    fields.insert("bom-ref".to_owned(), json!(format!("{parent}/{}", package.name)));
    fields.insert("name".to_owned(), json!(package.name));
    let version = package.active().and_then(|copy| copy.version_name.known()).and_then(Option::as_deref);
    if let Some(version) = version {
        fields.insert("version".to_owned(), json!(version));
    }
    fields.insert("purl".to_owned(), json!(purl(&package.name, version)));
    if let Some(label) = package.active().and_then(|copy| copy.label.known()).and_then(Option::as_deref) {
        fields.insert("description".to_owned(), json!(label));
    }
    if let Some(sha256) = package.active().and_then(|copy| digest(inventory, copy)) {
        fields.insert("hashes".to_owned(), json!([{ "alg": "SHA-256", "content": sha256 }]));
    }
    let technique = if phone { "attestation" } else { "manifest-analysis" };
    let occurrences: Vec<Value> = package.copies.iter().map(|copy| json!({ "location": copy.path })).collect();
    let identity =
        json!([{ "field": "name", "confidence": 1, "methods": [{ "technique": technique, "confidence": 1 }] }]);
    fields.insert("evidence".to_owned(), json!({ "identity": identity, "occurrences": occurrences }));
    fields.insert("properties".to_owned(), Value::Array(properties(inventory, package)));
    Value::Object(fields)
}

fn properties(inventory: &Inventory, package: &Package) -> Vec<Value> {
    let mut properties = Vec::new();
    for copy in &package.copies {
        properties.extend(copy_properties(inventory, copy));
    }
    for grant in package.grants.known().into_iter().flatten().filter(|grant| grant.granted) {
        properties.push(property("granted-permission", &grant.permission));
    }
    if let Fact::Unknown(gap) = &package.grants {
        properties.push(property("granted-permissions-unknown", gap.reason.as_str()));
    }
    if let Some(answer) = package.removability.known() {
        properties.push(property("removability", answer.grade.as_str()));
    }
    let mut seen = std::collections::BTreeSet::new();
    properties.retain(|property| seen.insert(property.to_string()));
    properties
}

fn copy_properties(inventory: &Inventory, copy: &PackageCopy) -> Vec<Value> {
    let mut properties = vec![property("role", role(copy.role))];
    if let Some(code) = copy.version_code.known() {
        properties.push(property("version-code", &code.to_string()));
    }
    if let Some(partition) = copy.partition.known() {
        properties.push(property("partition", partition));
    }
    if let Some(placement) = copy.placement.known() {
        properties.push(property("placement", placement.as_str()));
    }
    if let Some(sha256) = digest(inventory, copy) {
        properties.push(property("sha256", &format!("{} {sha256}", copy.path)));
    }
    match &copy.signers {
        Fact::Known { value, .. } => properties.extend(value.iter().map(|signer| match &signer.sha256 {
            Some(sha256) => property("signer-sha256", sha256),
            None => property("signer-hash-code", &signer.hash_code),
        })),
        Fact::Unknown(gap) => properties.push(property("signer-unknown", gap.reason.as_str())),
    }
    match &copy.requested_permissions {
        Fact::Known { value, .. } => {
            properties.extend(value.iter().map(|permission| property("requested-permission", &permission.name)));
        }
        Fact::Unknown(gap) => properties.push(property("requested-permissions-unknown", gap.reason.as_str())),
    }
    properties
}

/// A property under our own prefix.
fn property(name: &str, value: &str) -> Value {
    json!({ "name": format!("preloaded:{name}"), "value": value })
}

/// `pkg:android/com.example.app@1.2.3`; without a version where that is not known.
pub(super) fn purl(name: &str, version: Option<&str>) -> String {
    let part = |text: &str| encoded(text).replace('/', "%2F");
    match version {
        Some(version) => format!("pkg:android/{}@{}", part(name), part(version)),
        None => format!("pkg:android/{}", part(name)),
    }
}

/// A UUID of version 8 (RFC 9562) made of the bytes that it stands for: the same document bears the same one.
pub(super) fn uuid(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-8{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
