//! Files of partitions that say what is pre-installed, removable or left out beside the package files.
//!
//! Where a list's own reader takes it only under a condition (a variant, a sales code, a property), the statement has the
//! condition, and says whether it holds where the image tells.

use sha2::{Digest, Sha256};

use super::reason;
use crate::bytes::read_vec_at;
use crate::dump::At;
use crate::dump::preinstall::script::{self, Installed};
use crate::dump::preinstall::xml::Xml;
use crate::dump::preinstall::{self as lists};
use crate::firmware::Image;
use crate::inventory::{
    Condition, Evidence, Gap, GapReason, Layout, LayoutOrigin, Origin, OriginKind, Origins, PreferredApp, Preinstall,
    PreinstallAction, PreinstallSubject,
};
use crate::platform::home_layout::{self, Element, Files};
use crate::platform::identity::Properties;

/// The largest list seen, Samsung's catalogue with labels in all languages, has 40 KB.
const FILE_BYTES: u64 = 4 << 20;
/// Files that may be read. Real images have some hundred in `etc/sysconfig`.
const MAX_FILES: usize = 10_000;
/// Statements of all files.
const MAX_STATEMENTS: usize = 200_000;

/// What was read.
#[derive(Default)]
pub(super) struct Found {
    pub(super) preinstalls: Vec<Preinstall>,
    pub(super) preferred: Vec<PreferredApp>,
    pub(super) layouts: Vec<Layout>,
    pub(super) gaps: Vec<Gap>,
}

/// What a file is by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// One application id a line.
    Ids(PreinstallAction, Option<Requirement>),
    /// Xiaomi: names of package files that lie below a folder.
    FileNames(PreinstallAction, Option<Requirement>),
    Vanward,
    CustConfig,
    DelApps,
    Catalogue,
    /// Samsung: names of package files, or application ids.
    Skipped(Requirement),
    /// Huawei: paths; whether the apps may be removed.
    Paths(bool),
    UserTypes,
    Preferred,
    Script,
    Layout,
}

/// What has to be so for a file to count.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Property(&'static str, &'static str),
    Variant(String),
    SalesCode(String),
    Carrier,
}

/// Reads every such file of the image.
pub(super) fn read(image: &Image, properties: &Properties, origins: &mut Origins) -> Found {
    let mut reader = Reader { image, properties, origins, variant: None, init: Vec::new(), found: Found::default() };
    let paths = reader.paths();
    reader.variant = reader.read_variant();
    reader.init = reader.init_files();
    for (path, kind) in paths.into_iter().take(MAX_FILES) {
        reader.file(&path, &kind);
    }
    reader.found.preinstalls.truncate(MAX_STATEMENTS);
    reader.found
}

/// What a path's file is, if it is any of them.
fn kind(path: &str) -> Option<Kind> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let (file, folders) = names.split_last()?;
    let ends = |wanted: &[&str]| folders.ends_with(wanted);
    let carrier = || {
        let single = folders.windows(2).find(|pair| matches!(pair.first(), Some(&("single" | "carriers"))))?;
        single.get(1).filter(|code| code.len() == 3).map(|code| Requirement::SalesCode((*code).to_owned()))
    };
    let in_cust = |list: &[&str]| folders.first() == Some(&"cust") && list.contains(file);
    Some(match *file {
        "pms_sysapp_removable_system_list.txt" | "pms_sysapp_removable_vendor_list.txt"
            if ends(&["etc", "permissions"]) =>
        {
            Kind::Ids(PreinstallAction::Removable, Some(Requirement::Property("persist.vendor.pms_removable", "1")))
        }
        "tran_removable_list.txt" if ends(&["etc", "permissions"]) => Kind::Ids(PreinstallAction::Removable, None),
        "removable_preload.txt" if ends(&["etc"]) => Kind::Catalogue,
        "uninstall_preloadpkg.lst" => Kind::Ids(PreinstallAction::Skip, carrier()),
        name if name.starts_with("enforceskippingpackages") && name.ends_with(".txt") => {
            Kind::Skipped(carrier().unwrap_or(Requirement::Carrier))
        }
        _ if in_cust(&["customized_applist", "ota_customized_applist"]) => {
            Kind::FileNames(PreinstallAction::Install, variant(folders))
        }
        _ if in_cust(&["recommended_applist", "ota_recommended_applist"]) => {
            Kind::FileNames(PreinstallAction::Download, variant(folders))
        }
        "vanward_applist" if ends(&["cust", "app"]) => Kind::Vanward,
        "cust_apps_config" if ends(&["cust", "etc"]) => Kind::CustConfig,
        "del_apps_list.xml" if ends(&["opcust", "common"]) => Kind::DelApps,
        "disallow_install_third_app.list" if folders.contains(&"opcust") => {
            Kind::Ids(PreinstallAction::Skip, Some(Requirement::Carrier))
        }
        "APKInstallListEMUI5Release.txt" if ends(&["xml"]) => Kind::Paths(false),
        "DelAPKInstallListEMUI5Release.txt" if ends(&["xml"]) => Kind::Paths(true),
        name if ends(&["etc", "sysconfig"]) && name.ends_with(".xml") => Kind::UserTypes,
        name if ends(&["etc", "preferred-apps"]) && name.ends_with(".xml") => Kind::Preferred,
        name if is_layout(name) => Kind::Layout,
        name if is_script(name, folders) => Kind::Script,
        _ => return None,
    })
}

fn variant(folders: &[&str]) -> Option<Requirement> {
    folders.last().map(|name| Requirement::Variant((*name).to_owned()))
}

fn is_layout(name: &str) -> bool {
    name.ends_with(".xml") && (name.starts_with("default_workspace") || name == "custom_default_workspace.xml")
}

fn is_script(name: &str, folders: &[&str]) -> bool {
    let in_place = folders.last().is_some_and(|folder| matches!(*folder, "bin" | "xbin" | "etc" | "preinstall"));
    let says = ["preinstall", "preload", "firstboot", "first_boot"].iter().any(|word| name.contains(word));
    in_place && says && (name.ends_with(".sh") || !name.contains('.'))
}

struct Reader<'a> {
    image: &'a Image,
    properties: &'a Properties,
    origins: &'a mut Origins,
    /// Xiaomi's variant of this device, with where it is told.
    variant: Option<String>,
    /// Init files: path and text.
    init: Vec<(String, String)>,
    found: Found,
}

impl Reader<'_> {
    fn paths(&self) -> Vec<(String, Kind)> {
        let mut paths = Vec::new();
        for mounted in &self.image.partitions {
            for file in &mounted.files {
                let path = mounted.device_path(&file.path);
                if let Some(kind) = kind(&path) {
                    paths.push((path, kind));
                }
            }
        }
        paths.sort_by(|a, b| a.0.cmp(&b.0));
        paths
    }

    /// Text of a file, with evidence; a gap where it can't be read.
    fn text(&mut self, path: &str) -> Option<(String, Evidence)> {
        let (mounted, file) = self.image.file(path)?;
        let content = mounted.filesystem.open(file.node);
        let content =
            content.and_then(|content| read_vec_at(content.as_ref(), 0, content.len(), "length of a list", FILE_BYTES));
        match content {
            Ok(bytes) => {
                let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                let length = Some(bytes.len() as u64);
                let origin = Origin { kind: OriginKind::File, name: path.to_owned(), length, sha256: Some(sha256) };
                Some((String::from_utf8_lossy(&bytes).into_owned(), self.origins.evidence(origin)))
            }
            Err(error) => {
                self.found.gaps.push(Gap::new(path, reason(&error), error.to_string()));
                None
            }
        }
    }

    fn read_variant(&mut self) -> Option<String> {
        if let Some(property) = self.properties.get("ro.miui.cust_variant") {
            return Some(property.value.clone());
        }
        let (text, _) = self.text("/cust/cust_variant")?;
        Some(text.trim().to_owned()).filter(|name| !name.is_empty())
    }

    fn init_files(&mut self) -> Vec<(String, String)> {
        let mut paths = Vec::new();
        for mounted in &self.image.partitions {
            for file in &mounted.files {
                let path = mounted.device_path(&file.path);
                let init = path.contains("/etc/init/") || path.matches('/').count() <= 2;
                if path.ends_with(".rc") && init {
                    paths.push(path);
                }
            }
        }
        paths.sort();
        let mut texts = Vec::new();
        for path in paths.into_iter().take(MAX_FILES) {
            // They are hints for scripts: what can't be read of them hides no package by itself.
            let Some((mounted, file)) = self.image.file(&path) else { continue };
            let content = mounted.filesystem.open(file.node);
            let bytes = content.and_then(|content| {
                read_vec_at(content.as_ref(), 0, content.len(), "length of an init file", FILE_BYTES)
            });
            if let Ok(bytes) = bytes {
                texts.push((path, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        // Init files themselves install, too.
        for (path, text) in &texts {
            if !script::installed(text).is_empty() {
                self.script(path);
            }
        }
        texts
    }

    fn file(&mut self, path: &str, kind: &Kind) {
        if *kind == Kind::Script {
            return self.script(path);
        }
        let Some((text, evidence)) = self.text(path) else { return };
        match kind {
            Kind::Ids(action, requirement) => {
                let condition = requirement.as_ref().map(|requirement| self.condition(requirement));
                for name in lists::names(&text) {
                    self.add(*action, PreinstallSubject::Package, name, condition.clone(), &evidence);
                }
            }
            Kind::FileNames(action, requirement) => {
                let condition = requirement.as_ref().map(|requirement| self.condition(requirement));
                for name in lists::names(&text) {
                    self.add(*action, PreinstallSubject::FileName, name, condition.clone(), &evidence);
                }
            }
            Kind::Vanward => {
                for At { value: (name, locales), line } in lists::vanward(&text) {
                    let condition =
                        (locales != "*").then(|| Condition { says: format!("locale {locales}"), holds: None });
                    let name = At { value: name, line };
                    self.add(PreinstallAction::Install, PreinstallSubject::FileName, name, condition, &evidence);
                }
            }
            Kind::CustConfig => self.cust_config(path, &text, &evidence),
            Kind::Catalogue => {
                for name in lists::catalogue(&text) {
                    let again = At { value: name.value.clone(), line: name.line };
                    // Samsung's settings pass over those of its packages that are system apps.
                    let condition = Condition { says: "it is no system app".to_owned(), holds: None };
                    self.add(PreinstallAction::Removable, PreinstallSubject::Package, name, Some(condition), &evidence);
                    self.add(PreinstallAction::Download, PreinstallSubject::Package, again, None, &evidence);
                }
            }
            Kind::Skipped(requirement) => {
                let condition = self.condition(requirement);
                for name in lists::names(&text) {
                    let names = if name.value.ends_with(".apk") {
                        PreinstallSubject::FileName
                    } else {
                        PreinstallSubject::Package
                    };
                    self.add(PreinstallAction::Skip, names, name, Some(condition.clone()), &evidence);
                }
            }
            Kind::Paths(removable) => {
                for path in lists::paths(&text) {
                    if *removable {
                        let again = At { value: path.value.clone(), line: path.line };
                        self.add(PreinstallAction::Removable, PreinstallSubject::Path, again, None, &evidence);
                    }
                    self.add(PreinstallAction::Install, PreinstallSubject::Path, path, None, &evidence);
                }
            }
            Kind::DelApps | Kind::UserTypes | Kind::Preferred | Kind::Layout => self.xml(path, kind, &text, &evidence),
            Kind::Script => {}
        }
    }

    fn cust_config(&mut self, path: &str, text: &str, evidence: &Evidence) {
        let apps = match lists::configured(text) {
            Ok(apps) => apps,
            Err(error) => return self.found.gaps.push(Gap::new(path, GapReason::Damaged, error)),
        };
        for app in apps {
            let holds = self.variant.as_ref().map(|variant| app.variants.contains(variant));
            let says = format!("variant {}", app.variants.join(" or "));
            self.found.preinstalls.push(Preinstall {
                action: PreinstallAction::Download,
                names: PreinstallSubject::Package,
                subject: app.package,
                condition: Some(Condition { says, holds: if app.variants.is_empty() { Some(false) } else { holds } }),
                evidence: evidence.at(format!("data[{}]", app.index)),
            });
        }
    }

    fn xml(&mut self, path: &str, kind: &Kind, text: &str, evidence: &Evidence) {
        let xml = match Xml::parse(text) {
            Ok(xml) => xml,
            // A file of another form: what it would say is not known.
            Err(error) => return self.found.gaps.push(Gap::new(path, GapReason::Damaged, error)),
        };
        match kind {
            Kind::DelApps => {
                let condition = self.condition(&Requirement::Carrier);
                for name in xml.packages() {
                    let skip = PreinstallAction::Skip;
                    self.add(skip, PreinstallSubject::Package, name, Some(condition.clone()), evidence);
                }
            }
            Kind::UserTypes => {
                for At { value: (package, user_type, installed), line } in xml.user_types() {
                    let action = if installed { PreinstallAction::InstallIn } else { PreinstallAction::NotInstallIn };
                    let condition = Condition { says: format!("user type {user_type}"), holds: None };
                    let name = At { value: package, line };
                    self.add(action, PreinstallSubject::Package, name, Some(condition), evidence);
                }
            }
            Kind::Preferred => {
                self.found.preferred.extend(xml.preferred().into_iter().map(|at| PreferredApp {
                    package: at.value.package,
                    class: at.value.class,
                    actions: at.value.actions,
                    categories: at.value.categories,
                    schemes: at.value.schemes,
                    evidence: evidence.at(format!("line {}", at.line)),
                }));
            }
            _ => {
                let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                let elements = xml.elements().into_iter().map(|inner| Element {
                    depth: inner.depth,
                    name: inner.name,
                    attributes: inner.attributes,
                    line: inner.line,
                });
                let files: Files = [(name.clone(), elements.collect())].into();
                let items = home_layout::items(&name, &files, evidence);
                let origin = LayoutOrigin::Vendor;
                let layout = Layout { origin, provider: path.to_owned(), name, items, evidence: evidence.clone() };
                self.found.layouts.push(layout);
            }
        }
    }

    fn script(&mut self, path: &str) {
        let Some((text, evidence)) = self.text(path) else { return };
        let condition = if path.ends_with(".rc") { None } else { Some(self.started(path)) };
        for At { value, line } in script::installed(&text) {
            let (names, subject) = match value {
                Installed::File(path) => (PreinstallSubject::Path, path),
                Installed::Folder(folder) => (PreinstallSubject::Folder, folder),
            };
            let name = At { value: subject, line };
            self.add(PreinstallAction::Install, names, name, condition.clone(), &evidence);
        }
    }

    /// Whether an init file starts the script.
    fn started(&self, path: &str) -> Condition {
        let starter = self.init.iter().find_map(|(init, text)| Some((init, script::mentions(text, path)?)));
        match starter {
            Some((init, line)) => Condition { says: format!("started by {init} line {line}"), holds: Some(true) },
            None => Condition { says: "no init file of the image starts it".to_owned(), holds: None },
        }
    }

    fn condition(&self, requirement: &Requirement) -> Condition {
        let property = |name: &str| self.properties.get(name).map(|property| property.value.as_str());
        match requirement {
            Requirement::Property(name, value) => {
                Condition { says: format!("{name}={value}"), holds: Some(property(name) == Some(value)) }
            }
            Requirement::Variant(name) => Condition {
                says: format!("variant {name}"),
                holds: self.variant.as_ref().map(|variant| variant == name),
            },
            Requirement::SalesCode(code) => Condition {
                says: format!("sales code {code}"),
                holds: property("ro.csc.sales_code").map(|own| own == code),
            },
            Requirement::Carrier => Condition { says: "an operator's customisation".to_owned(), holds: None },
        }
    }

    fn add(
        &mut self,
        action: PreinstallAction,
        names: PreinstallSubject,
        name: At<String>,
        condition: Option<Condition>,
        evidence: &Evidence,
    ) {
        let evidence = evidence.at(format!("line {}", name.line));
        self.found.preinstalls.push(Preinstall { action, names, subject: name.value, condition, evidence });
    }
}
