//! From layer to layer: whatever is recognised is opened, until a filesystem is met.

use std::cell::Cell;
use std::sync::Arc;

use super::apex;
use super::name::{self, PartitionName};
use super::{Cause, Image, Layer, Leftover, Mounted, Problem, Visitor};
use crate::bytes::{Budget, ParseError, SharedBytes, parallel};
use crate::container::{self, Part, PartSet, Probe};
use crate::filesystem::{self, Beside, File, Filesystem, NodeId, NodeKind};

/// An unrecognised part of this size may be a partition in a format that is not known here. Firmware of modems and
/// boot loaders stays below it, or has a FAT filesystem.
const SUSPICIOUS_BYTES: u64 = 64 << 20;

/// Containers of one input that are opened. A package of all regions' variants has some hundred.
const CONTAINERS: usize = 4096;
/// Parts of one input that are looked at. The largest target-files package has 20,000.
const PARTS: u64 = 1 << 16;

/// Partitions that are listed at a time.
const LISTED_AT_ONCE: usize = 2;

/// A filesystem that was met, before it has its place.
pub(super) struct Volume {
    pub(super) name: String,
    /// The way to it, for messages.
    pub(super) place: String,
    pub(super) filesystem: Arc<dyn Filesystem>,
    pub(super) root: NodeId,
    pub(super) length: Option<u64>,
}

/// What was found so far.
pub(super) struct Layers {
    pub(super) budget: Arc<Budget>,
    pub(super) volumes: Vec<Volume>,
    /// Files of ramdisks, by their way through the containers.
    pub(super) early: Vec<(String, SharedBytes)>,
    problems: Vec<Problem>,
    names: Vec<String>,
    opened: Vec<Layer>,
    leftover: Vec<Leftover>,
    /// APEX files that are the input itself.
    loose: Vec<(String, SharedBytes)>,
    /// Whether the input is one file.
    alone: bool,
    /// Parts that were looked at.
    examined: u64,
    /// Whether a bound was reached and told.
    exhausted: bool,
    /// Ways to what is a part of a volume: whatever its beginning looked like, it is nothing of its own.
    taken: Vec<String>,
    /// Whether what is examined lies in a boot image, which holds no packages.
    in_boot: bool,
    /// What is no container: partitions, and files of all kinds.
    leaves: Vec<Leaf>,
}

/// A part with the way to it.
struct Leaf {
    place: String,
    part: Part,
    /// Whether its beginning can be read.
    is_readable: bool,
}

impl Layers {
    pub(super) fn new(budget: Arc<Budget>) -> Self {
        Self {
            budget,
            volumes: Vec::new(),
            early: Vec::new(),
            problems: Vec::new(),
            names: Vec::new(),
            opened: Vec::new(),
            leftover: Vec::new(),
            loose: Vec::new(),
            alone: false,
            examined: 0,
            exhausted: false,
            taken: Vec::new(),
            in_boot: false,
            leaves: Vec::new(),
        }
    }

    pub(super) fn used(&mut self, name: &str) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }

    /// Files of the host, seen together.
    pub(super) fn examine_all(&mut self, parts: &[Part]) {
        let parts = container::arrange(parts);
        self.alone = parts.len() == 1;
        for part in &parts {
            self.examine(part, &parts, &part.name, 0);
        }
    }

    fn opened(&mut self, part: &Part, place: &str, format: &'static str, depth: u32) {
        let length = Some(part.bytes.len());
        self.opened.push(Layer { place: place.to_owned(), format, depth, length, parts: None });
    }

    fn problem(&mut self, part: &Part, place: &str, error: ParseError) {
        let base = name::parse(&part.name).base;
        let error = error.within(place);
        let place = if name::is_known(&base) { format!("partition {base}") } else { place.to_owned() };
        self.problems.push(Problem { place, cause: Cause::Error(error), hides_packages: !self.in_boot });
    }

    /// Tells once that there is more than is looked at.
    fn exhaust(&mut self, part: &Part, place: &str, what: &'static str, found: u64, limit: u64) {
        if !std::mem::replace(&mut self.exhausted, true) {
            self.problem(part, place, ParseError::limit(0, what, found, limit));
        }
    }

    fn examine(&mut self, part: &Part, siblings: &[Part], place: &str, depth: u32) {
        self.examined += 1;
        if self.examined > PARTS {
            return self.exhaust(part, place, "parts of the input", self.examined, PARTS);
        }
        let head = match container::read_head(&part.bytes) {
            Ok(head) => head,
            Err(error) => {
                self.leaves.push(Leaf { place: place.to_owned(), part: part.clone(), is_readable: false });
                return self.problem(part, place, error);
            }
        };
        // The blocks of an update that are stored begin like the partition and are not laid out like it.
        let whole = !container::is_block_update_data(&part.name);
        let probe = Probe { name: &part.name, head: &head, len: part.bytes.len() };
        let is_filesystem = whole && filesystem::recognize(&head).is_some();
        if is_filesystem || container::recognize(&probe).is_none_or(|format| format.name() == "boot") {
            self.leaves.push(Leaf { place: place.to_owned(), part: part.clone(), is_readable: true });
        }
        if let Some(format) = filesystem::recognize(&head).filter(|_| whole) {
            self.used(format.name());
            self.opened(part, place, format.name(), depth);
            let beside =
                |other: &Part| Beside { name: other.name.clone(), bytes: other.bytes.clone(), taken: Cell::default() };
            let beside: Vec<Beside> = siblings.iter().map(beside).collect();
            let mounted = format.mount_among(part.bytes.clone(), &beside, &self.budget);
            if let Some(above) = place.strip_suffix(&part.name) {
                let taken = beside.iter().filter(|other| other.taken.get());
                self.taken.extend(taken.map(|other| format!("{above}{}", other.name)));
            }
            match mounted {
                Ok(filesystem) => {
                    let root = filesystem.root();
                    self.volumes.push(Volume {
                        name: part.name.clone(),
                        place: place.to_owned(),
                        filesystem: Arc::from(filesystem),
                        root,
                        length: Some(part.bytes.len()),
                    });
                }
                Err(error) => self.problem(part, place, error.within(format.name())),
            }
            return;
        }
        if let Some(format) = container::recognize(&probe) {
            if format.name() == "boot" && name::parse(&part.name).base == "recovery" {
                // Android boots from another ramdisk.
                return;
            }
            self.used(format.name());
            if depth >= self.budget.limits.depth {
                let limit = u64::from(self.budget.limits.depth);
                return self.problem(part, place, ParseError::limit(0, "depth of containers", limit + 1, limit));
            }
            if self.opened.len() >= CONTAINERS {
                let count = self.opened.len() as u64 + 1;
                return self.exhaust(part, place, "containers of the input", count, CONTAINERS as u64);
            }
            let outside = !self.in_boot && format.name() == "boot";
            self.in_boot |= outside;
            let index = self.opened.len();
            self.opened(part, place, format.name(), depth);
            let parts = format.open(&PartSet { part, siblings }, &self.budget);
            if let (Some(layer), Ok(parts)) = (self.opened.get_mut(index), &parts) {
                layer.parts = Some(parts.len() as u64);
            }
            match parts {
                Ok(parts) if format.name() == "cpio" => {
                    self.early.extend(parts.into_iter().map(|file| (format!("{place}!{}", file.name), file.bytes)));
                }
                Ok(parts) => self.descend(part, &parts, place, depth),
                Err(error) => self.problem(part, place, error.within(format.name())),
            }
            self.in_boot &= !outside;
            return;
        }
        let end = || (depth == 0).then(|| container::recognize_end(&part.bytes)).flatten();
        if let Some(foreign) = container::recognize_foreign(&probe).or_else(end) {
            self.leftover.push(Leftover { place: place.to_owned(), length: part.bytes.len() });
            if foreign.hides_packages {
                self.problem(part, place, ParseError::unsupported(0, foreign.name));
            } else if foreign.tells_of_packages {
                let detail = format!("{place}: {}", foreign.name);
                let problem = Problem { place: place.to_owned(), cause: Cause::Missing(detail), hides_packages: false };
                self.problems.push(problem);
            }
            return;
        }
        self.leftover.push(Leftover { place: place.to_owned(), length: part.bytes.len() });
        let known = name::is_known(&name::parse(&part.name).base) && is_image(&part.name);
        if (known && !part.bytes.is_empty()) || part.bytes.len() >= SUSPICIOUS_BYTES {
            self.problem(part, place, ParseError::unsupported(0, "its format, which is not recognised,"));
        }
    }

    fn descend(&mut self, container: &Part, parts: &[Part], place: &str, depth: u32) {
        let has = |name: &str| parts.iter().any(|part| part.name == name);
        if has("apex_payload.img") || has("original_apex") {
            if depth == 0 && self.alone {
                return self.loose.push((place.to_owned(), container.bytes.clone()));
            }
            return self.problem(container, place, ParseError::unsupported(0, "an APEX"));
        }
        if has("AndroidManifest.xml") {
            let error = ParseError::unsupported(0, "a package file outside of a partition");
            return self.problem(container, place, error);
        }
        let parts = container::arrange(parts);
        for part in &parts {
            // One part that is the container's whole content has the container's own name.
            let inner = if parts.len() == 1 && container.name.starts_with(&part.name) {
                place.to_owned()
            } else {
                format!("{place}!{}", part.name)
            };
            self.examine(part, &parts, &inner, depth + 1);
        }
    }

    /// The first of each name, of two slots the first.
    pub(super) fn into_leaves(self) -> Vec<(String, SharedBytes)> {
        let named = |leaf: Leaf| (name::parse(&leaf.part.name), leaf.part.bytes);
        let mut leaves: Vec<_> = self.leaves.into_iter().filter(|leaf| leaf.is_readable).map(named).collect();
        leaves.sort_by(|(a, _), (b, _)| (&a.base, a.slot).cmp(&(&b.base, b.slot)));
        leaves.dedup_by(|(later, _), (first, _)| later.base == first.base);
        leaves.into_iter().map(|(name, bytes)| (name.base, bytes)).collect()
    }

    /// Gives every volume its place in the device's tree, and lists its files.
    pub(super) fn mount(self, visitor: &dyn Visitor) -> Image {
        let Self {
            budget,
            volumes,
            early,
            mut problems,
            names,
            opened: mut layers,
            mut leftover,
            loose,
            leaves,
            taken,
            ..
        } = self;
        problems.retain(|problem| !taken.contains(&problem.place));
        leftover.retain(|part| !taken.contains(&part.place));
        layers.retain(|layer| !taken.contains(&layer.place));
        let parsed: Vec<PartitionName> = volumes.iter().map(|volume| name::parse(&volume.name)).collect();
        let mut partitions: Vec<Mounted> = Vec::new();
        for (volume, parsed_name) in volumes.into_iter().zip(&parsed) {
            let mut name = parsed_name.base.clone();
            let other_slot = PartitionName { base: name.clone(), slot: Some('a') };
            if parsed_name.slot == Some('b') && parsed.contains(&other_slot) {
                // The second slot of a factory image holds what the first boot copies, not another system.
                name.push_str("_other");
            } else if !name::is_known(&name)
                && let Some(found) = name::by_content(volume.filesystem.as_ref(), volume.root)
            {
                found.clone_into(&mut name);
            }
            let mount_point = match name.as_str() {
                "system" if holds_root(volume.filesystem.as_ref(), volume.root) => "/".to_owned(),
                "userdata" => "/data".to_owned(),
                name => format!("/{name}"),
            };
            if let Some(first) = partitions.iter().find(|other| other.name == name) {
                let detail =
                    format!("{}: a second volume for {}; the first one was read", volume.place, first.mount_point);
                let place = format!("partition {name}");
                problems.push(Problem { place, cause: Cause::Contradiction(detail), hides_packages: true });
                continue;
            }
            let Volume { filesystem, root, length, place, .. } = volume;
            let (slot, entries, files) = (parsed_name.slot, Vec::new(), Vec::new());
            partitions.push(Mounted { name, slot, place, mount_point, filesystem, root, length, entries, files });
        }
        partitions.sort_by(|a, b| a.mount_point.cmp(&b.mount_point));
        visitor.begin(&partitions);
        // While one partition comes to the end of a level of its folders, another keeps the cores busy.
        let listed = parallel::map(&partitions, parallel::cores().min(LISTED_AT_ONCE), |mounted| {
            let visit = |file: &File| visitor.visit(mounted, file);
            filesystem::list(mounted.filesystem.as_ref(), mounted.root, &budget.limits, &visit)
        });
        for (mounted, (entries, unreadable)) in partitions.iter_mut().zip(listed) {
            problems.extend(unreadable.into_iter().map(|unreadable| Problem {
                place: mounted.device_path(&unreadable.path),
                cause: Cause::Error(unreadable.error),
                hides_packages: true,
            }));
            mounted.files = filesystem::files(&entries);
            mounted.entries = entries;
        }
        let mut opened =
            if loose.is_empty() { apex::open_all(&partitions, &budget) } else { apex::open_loose(&loose, &budget) };
        problems.append(&mut opened.problems);
        opened.mounted.sort_by(|a, b| a.mount_point.cmp(&b.mount_point));
        opened.files.sort();
        let parts = leaves.into_iter().map(|leaf| Part { name: leaf.place, bytes: leaf.part.bytes }).collect();
        let (apexes, apex_files) = (opened.mounted, opened.files);
        Image {
            partitions,
            apexes,
            apex_files,
            early,
            problems,
            layers: names,
            opened: layers,
            leftover,
            parts,
            is_tree: false,
        }
    }
}

/// Whether the name is that of an image, not of a text that tells about it (`vendor.map`, `super.xml`).
fn is_image(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default().to_lowercase();
    [".img", ".bin", ".raw", ".dat", ".ext4", ".erofs", ".f2fs", ".simg"].iter().any(|end| file.contains(end))
}

/// Whether a system partition holds the device's root, with `/system` as a folder in it.
fn holds_root(filesystem: &dyn Filesystem, root: NodeId) -> bool {
    let kind = |path: &str| {
        let node = filesystem::find(filesystem, root, path).ok().flatten()?;
        filesystem.metadata(node).ok().map(|metadata| metadata.kind)
    };
    kind("system/build.prop").is_some() || (kind("build.prop").is_none() && kind("system") == Some(NodeKind::Directory))
}
