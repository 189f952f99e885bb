//! SPDX 3.0.1, profiles core and software, as JSON-LD.
//!
//! Each target is a bill of materials of its own within one document: what was analysed of an image, what is deployed on a
//! phone. The relationship between an operating system and its packages says whether the list is complete.

use std::io;

use serde_json::{Value, json};

use super::csv_packages::digest;
use super::cyclonedx::{purl, uuid};
use super::sarif::encoded;
use super::{Carries, ReportFormat, Run, Style, TargetReport, TargetResult};
use crate::inventory::{Fact, Inventory, Package, TargetKind};

/// `--format spdx`.
pub(super) struct Spdx;

const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";

/// The blank node of the one creation info.
const CREATION: &str = "_:creation";

/// The time of a document in which nothing tells one: SPDX wants one.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

impl ReportFormat for Spdx {
    fn name(&self) -> &'static str {
        "spdx"
    }

    fn about(&self) -> &'static str {
        "an SPDX 3.0.1 bill of materials"
    }

    fn carries(&self) -> Carries {
        Carries::Packages
    }

    fn write(&self, run: &Run, _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let base = format!("urn:uuid:{}", uuid(&serde_json::to_vec(run)?));
        let id = |path: &str| format!("{base}#{}", encoded(path));
        let program = id("program");
        let mut graph = vec![
            json!({ "type": "CreationInfo", "@id": CREATION, "specVersion": "3.0.1", "created": created(run),
                "createdBy": [program] }),
            json!({ "type": "SoftwareAgent", "spdxId": program, "creationInfo": CREATION,
                "name": format!("{} {}", run.tool.name, run.tool.version) }),
        ];
        let mut boms = Vec::new();
        for (index, report) in run.targets.iter().enumerate() {
            let target = Target { report, base: &base, name: format!("target-{}", index + 1) };
            boms.push(target.id(""));
            graph.extend(target.elements());
        }
        let elements: Vec<Value> = graph.iter().filter_map(|element| element.get("spdxId").cloned()).collect();
        graph.push(json!({ "type": "SpdxDocument", "spdxId": id("document"), "creationInfo": CREATION,
            "name": "What devices ship with", "profileConformance": ["core", "software"], "element": elements,
            "rootElement": boms }));
        serde_json::to_writer_pretty(&mut *out, &json!({ "@context": CONTEXT, "@graph": graph }))?;
        out.write_all(b"\n")
    }
}

/// When the newest phone was read, or else the day judged on: a report is made of its input alone.
fn created(run: &Run) -> String {
    let read = run.targets.iter().filter_map(|report| report.target.collected_at.clone()).max();
    let day = run.targets.iter().find_map(|report| match &report.result {
        TargetResult::Judged { assessment, .. } => Some(format!("{}T00:00:00Z", assessment.context.as_of)),
        TargetResult::Unread { .. } => None,
    });
    read.or(day).unwrap_or_else(|| NO_TIME.to_owned())
}

struct Target<'a> {
    report: &'a TargetReport,
    base: &'a str,
    name: String,
}

impl Target<'_> {
    fn id(&self, path: &str) -> String {
        format!("{}#{}{}", self.base, self.name, encoded(path))
    }

    fn elements(&self) -> Vec<Value> {
        let phone = self.report.target.kind == TargetKind::Phone;
        let system = self.id("/system");
        let Some(inventory) = self.report.inventory.as_deref() else { return self.unread(&system) };
        let device = &inventory.device;
        let mut elements = Vec::new();
        let mut members = vec![system.clone()];
        let root = if phone { self.id("/device") } else { system.clone() };
        if phone {
            let name = device.model.known().map_or(self.report.target.name.as_str(), String::as_str);
            elements.push(self.package(&root, name, "device", device.device.known().map(String::as_str)));
            members.push(root.clone());
            let relation = self.id("/device/contains");
            elements.push(contains(&relation, &root, std::slice::from_ref(&system), "complete"));
            members.push(relation);
        }
        let mut android =
            self.package(&system, "Android", "operatingSystem", device.release.known().map(String::as_str));
        let gaps: Vec<String> = inventory
            .gaps_hiding_packages()
            .map(|gap| format!("{} [{}]: {}", gap.place, gap.reason.as_str(), gap.detail))
            .collect();
        if let (false, Some(fields)) = (gaps.is_empty(), android.as_object_mut()) {
            fields.insert("comment".to_owned(), json!(format!("packages may be hidden: {}", gaps.join("; "))));
        }
        elements.push(android);
        let packages = inventory.packages.known().map(Vec::as_slice).unwrap_or_default();
        let inner: Vec<String> =
            packages.iter().map(|package| self.id(&format!("/package/{}", package.name))).collect();
        for (id, package) in inner.iter().zip(packages) {
            elements.push(self.application(id, inventory, package));
        }
        if !inner.is_empty() {
            let relation = self.id("/system/contains");
            elements.push(contains(&relation, &system, &inner, completeness(inventory)));
            members.push(relation);
        }
        members.extend(inner);
        let kind = if phone { "deployed" } else { "analyzed" };
        elements.push(self.bom(&root, &members, kind));
        elements
    }

    /// A target of which nothing is known: the bill says so.
    fn unread(&self, system: &str) -> Vec<Value> {
        let why = match &self.report.result {
            TargetResult::Unread { error, .. } => format!("not read: {error}"),
            TargetResult::Judged { .. } => "the report has no inventory of this target".to_owned(),
        };
        let mut package = self.package(system, &self.report.target.name, "operatingSystem", None);
        if let Some(fields) = package.as_object_mut() {
            fields.insert("comment".to_owned(), json!(why));
        }
        vec![package, self.bom(system, &[system.to_owned()], "analyzed")]
    }

    fn bom(&self, root: &str, members: &[String], kind: &str) -> Value {
        json!({ "type": "software_Sbom", "spdxId": self.id(""), "creationInfo": CREATION,
            "name": self.report.target.name, "rootElement": [root], "element": members, "software_sbomType": [kind] })
    }

    fn package(&self, id: &str, name: &str, purpose: &str, version: Option<&str>) -> Value {
        let mut value = json!({ "type": "software_Package", "spdxId": id, "creationInfo": CREATION, "name": name,
            "software_primaryPurpose": purpose });
        if let (Some(version), Some(fields)) = (version, value.as_object_mut()) {
            fields.insert("software_packageVersion".to_owned(), json!(version));
        }
        value
    }

    fn application(&self, id: &str, inventory: &Inventory, package: &Package) -> Value {
        let copy = package.active();
        let version = copy.and_then(|copy| copy.version_name.known()).and_then(Option::as_deref);
        let mut value = self.package(id, &package.name, "application", version);
        let Some(fields) = value.as_object_mut() else { return value };
        fields.insert("software_packageUrl".to_owned(), json!(purl(&package.name, version)));
        if let Some(label) = copy.and_then(|copy| copy.label.known()).and_then(Option::as_deref) {
            fields.insert("summary".to_owned(), json!(label));
        }
        let paths: Vec<&str> = package.copies.iter().map(|copy| copy.path.as_str()).collect();
        fields.insert("software_sourceInfo".to_owned(), json!(paths.join("; ")));
        if let Some(sha256) = copy.and_then(|copy| digest(inventory, copy)) {
            let hash = json!([{ "type": "Hash", "algorithm": "sha256", "hashValue": sha256 }]);
            fields.insert("verifiedUsing".to_owned(), hash);
        }
        value
    }
}

fn contains(id: &str, from: &str, to: &[String], completeness: &str) -> Value {
    json!({ "type": "Relationship", "spdxId": id, "creationInfo": CREATION, "from": from, "to": to,
        "relationshipType": "contains", "completeness": completeness })
}

fn completeness(inventory: &Inventory) -> &'static str {
    match inventory.packages {
        Fact::Unknown(_) => "noAssertion",
        Fact::Known { .. } if inventory.gaps_hiding_packages().next().is_some() => "incomplete",
        Fact::Known { .. } => "complete",
    }
}
