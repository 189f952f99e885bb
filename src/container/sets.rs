//! Files that only make sense together: pieces of one image under several names, and lists of which file is which partition.
//!
//! | set | joined by |
//! |---|---|
//! | `x.img.001` ..., `x.img.aa` ..., `x.img.part1` ... | one after another; all but the last have the same length |
//! | `rawprogram*.xml` (Qualcomm) | `<program>`: `filename`, `label`, `start_sector`, `SECTOR_SIZE_IN_BYTES`, `file_sector_offset`, `num_partition_sectors` |
//! | `*scatter*.txt`, `*scatter*.xml` (MediaTek) | `partition_name`, `file_name` |
//!
//! Qualcomm's pieces (`super_1.img` ...) stand at sectors of the disk: an image begins at the lowest one of its label. Where there are several
//! lists, those for images that are not sparse (`rawprogram_unsparse*.xml`) come first. Sets of sparse images are joined by their format.
//! A list that can't be read leaves its files as they are: a piece alone fails where the next one should be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Part, block_update, read_head_of, sparse};
use crate::bytes::{ExtentMap, Failed, ParseError, SharedBytes, read_vec_at};

/// Real lists have some hundred KiB.
const LIST_BYTES: u64 = 4 << 20;
const LIST_NODES: u32 = 1 << 16;
/// As for sparse images.
const IMAGE_BYTES: u64 = 1 << 44;

/// The parts of one container or folder, with sets joined and files named as their partitions.
#[must_use]
pub fn arrange(parts: &[Part]) -> Vec<Part> {
    let mut parts = parts.to_vec();
    programs(&mut parts);
    scatter(&mut parts);
    pieces(&mut parts);
    parts
}

/// Folder with its slash, and the name in it.
fn split_path(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('/').map_or(0, |slash| slash + 1))
}

fn list_text(part: &Part) -> Option<String> {
    let bytes = read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "list", LIST_BYTES).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Gives the file its partition's name, unless it has it or another file does.
fn rename(parts: &mut [Part], file: &str, partition: &str) {
    let wanted = format!("{}{partition}.img", split_path(file).0);
    let (_, own) = split_path(file);
    let stem = own.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let stem = ["-sign", "-verified", "_sign"].iter().find_map(|end| stem.strip_suffix(end)).unwrap_or(&stem);
    let plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let named = stem == partition.to_ascii_lowercase() || partition.is_empty() || !partition.chars().all(plain);
    if named || parts.iter().any(|part| part.name.eq_ignore_ascii_case(&wanted)) {
        return;
    }
    if let Some(part) = parts.iter_mut().find(|part| part.name == file) {
        part.name = wanted;
    }
}

/// A row of a `rawprogram*.xml`, in bytes.
struct Program {
    file: String,
    label: String,
    start: u64,
    len: u64,
    skip: u64,
}

fn programs(parts: &mut Vec<Part>) {
    let is_list = |part: &&Part| {
        let name = split_path(&part.name).1.to_ascii_lowercase();
        name.starts_with("rawprogram") && name.ends_with(".xml")
    };
    let mut lists: Vec<Part> = parts.iter().filter(is_list).cloned().collect();
    lists.sort_by_key(|part| (!part.name.to_ascii_lowercase().contains("unsparse"), part.name.clone()));
    let mut labels: BTreeMap<(String, String), Vec<Vec<Program>>> = BTreeMap::new();
    for list in &lists {
        let folder = split_path(&list.name).0.to_owned();
        let mut own: BTreeMap<String, Vec<Program>> = BTreeMap::new();
        for program in list_text(list).iter().flat_map(|text| read_programs(text, &folder)) {
            own.entry(program.label.clone()).or_default().push(program);
        }
        for (label, rows) in own {
            if rows.iter().any(|row| parts.iter().any(|part| part.name == row.file)) {
                labels.entry((folder.clone(), label)).or_default().push(rows);
            }
        }
    }
    for ((folder, label), lists) in labels {
        match lists.first().map(Vec::as_slice) {
            Some([row]) => rename(parts, &row.file, &label),
            Some(rows) => {
                let Ok(bytes) = assemble(rows, parts) else {
                    continue;
                };
                let files: BTreeSet<&str> = lists.iter().flatten().map(|row| row.file.as_str()).collect();
                parts.retain(|part| !files.contains(part.name.as_str()));
                parts.push(Part { name: format!("{folder}{label}.img"), bytes });
            }
            None => {}
        }
    }
}

fn read_programs(text: &str, folder: &str) -> Vec<Program> {
    let options = roxmltree::ParsingOptions { nodes_limit: LIST_NODES, ..roxmltree::ParsingOptions::default() };
    let Ok(document) = roxmltree::Document::parse_with_options(text, options) else {
        return Vec::new();
    };
    let program = |node: roxmltree::Node<'_, '_>| {
        let number = |name: &str| node.attribute(name).and_then(|value| value.trim().parse::<u64>().ok());
        let sector = number("SECTOR_SIZE_IN_BYTES").filter(|size| *size > 0)?;
        let bytes = |name: &str| number(name)?.checked_mul(sector).filter(|bytes| *bytes <= IMAGE_BYTES);
        let file = node.attribute("filename")?.rsplit(['/', '\\']).next().filter(|name| !name.is_empty())?;
        Some(Program {
            file: format!("{folder}{file}"),
            label: node.attribute("label")?.to_owned(),
            // The backup of the partition table counts from the disk's end.
            start: bytes("start_sector")?,
            len: bytes("num_partition_sectors").unwrap_or_default(),
            skip: bytes("file_sector_offset").unwrap_or_default(),
        })
    };
    document.descendants().filter(|node| node.has_tag_name("program")).filter_map(program).collect()
}

/// The image whose pieces stand at the places of `rows`.
fn assemble(rows: &[Program], parts: &[Part]) -> Result<SharedBytes, ParseError> {
    let first = rows.iter().map(|row| row.start).min().unwrap_or_default();
    let mut ranges: Vec<(u64, SharedBytes, u64, u64)> = Vec::new();
    for row in rows {
        let at = row.start - first;
        let Some(part) = parts.iter().find(|part| part.name == row.file) else {
            let error = ParseError::unsupported(at, format!("the image without its piece {}", row.file));
            ranges.push((at, Arc::new(Failed::new(row.len, error)), 0, row.len));
            continue;
        };
        let bytes = sparse::expanded(part)?;
        let rest = bytes.len().saturating_sub(row.skip);
        let len = if row.len == 0 { rest } else { row.len.min(rest) };
        ranges.push((at, bytes, row.skip, len));
    }
    let mut map = ExtentMap::new(ranges.iter().map(|(at, _, _, len)| at + len).max().unwrap_or_default());
    for (at, bytes, skip, len) in ranges {
        map.store(at, bytes, skip, len)?;
    }
    Ok(map.shared())
}

fn scatter(parts: &mut [Part]) {
    let is_list = |part: &&Part| {
        let name = split_path(&part.name).1.to_ascii_lowercase();
        name.contains("scatter") && (name.ends_with(".txt") || name.ends_with(".xml"))
    };
    let lists: Vec<Part> = parts.iter().filter(is_list).cloned().collect();
    for list in lists {
        let folder = split_path(&list.name).0;
        let mut seen = BTreeSet::new();
        for (partition, file) in list_text(&list).iter().flat_map(|text| read_scatter(text)) {
            if seen.insert(file.clone()) {
                rename(parts, &format!("{folder}{file}"), &partition);
            }
        }
    }
}

/// Partition and file of each row that has both.
fn read_scatter(text: &str) -> Vec<(String, String)> {
    let (mut rows, mut partition) = (Vec::new(), None);
    for line in text.lines() {
        let value = |key: &str| {
            let line = line.trim().trim_start_matches(['-', '<']).trim_start().strip_prefix(key)?;
            let value = line.trim_start().strip_prefix([':', '>'])?;
            Some(value.split('<').next().unwrap_or_default().trim().to_owned())
        };
        if let Some(name) = value("partition_name") {
            partition = Some(name);
        } else if let Some(file) = value("file_name").filter(|file| !file.eq_ignore_ascii_case("none")) {
            rows.extend(partition.take().map(|partition| (partition, file)));
        }
    }
    rows
}

/// Joins pieces that follow one another.
fn pieces(parts: &mut Vec<Part>) {
    let mut sets: BTreeMap<String, Vec<(u32, Part)>> = BTreeMap::new();
    for part in parts.iter().filter(|part| !block_update::is_data(&part.name)) {
        if let Some((stem, number)) = piece(&part.name) {
            sets.entry(stem.to_owned()).or_default().push((number, part.clone()));
        }
    }
    for (stem, mut set) in sets {
        set.sort_by_key(|(number, _)| *number);
        let first = set.first().map_or(0, |(number, _)| *number);
        let in_order = first <= 1 && (first..).zip(&set).all(|(number, (found, _))| number == *found);
        let len = set.first().map_or(0, |(_, part)| part.bytes.len());
        let (last, whole) = set.split_last().map_or((0, true), |((_, last), before)| {
            (last.bytes.len(), before.iter().all(|(_, part)| part.bytes.len() == len))
        });
        let apart = || set.iter().skip(1).any(|(_, part)| begins_a_format(part));
        let sparse = || set.first().is_some_and(|(_, part)| sparse::is_sparse(part));
        if set.len() < 2 || !in_order || !whole || last > len || len == 0 || sparse() || apart() {
            continue;
        }
        let mut map = ExtentMap::new(len.saturating_mul(set.len() as u64 - 1).saturating_add(last));
        let stored = (0_u64..).zip(&set).all(|(index, (_, part))| {
            map.store(index.saturating_mul(len), part.bytes.clone(), 0, part.bytes.len()).is_ok()
        });
        if stored && !parts.iter().any(|part| part.name == stem) {
            parts.retain(|part| set.iter().all(|(_, piece)| piece.name != part.name));
            parts.push(Part { name: stem, bytes: map.shared() });
        }
    }
}

/// `x.img.001`, `x.img.part1` or `x.img.ab` as `x.img` and its number.
fn piece(name: &str) -> Option<(&str, u32)> {
    let (stem, end) = name.rsplit_once('.').filter(|(stem, _)| !split_path(stem).1.is_empty())?;
    let number = match end.as_bytes() {
        [first @ b'a'..=b'z', second @ b'a'..=b'z'] => u32::from(first - b'a') * 26 + u32::from(second - b'a'),
        _ => end.strip_prefix("part").unwrap_or(end).parse().ok().filter(|_| end.len() <= 7)?,
    };
    Some((stem, number))
}

/// Whether a part is something of its own, not the middle of another.
fn begins_a_format(part: &Part) -> bool {
    // The furthest magic number of a filesystem stands at 1080.
    let head = read_head_of(&part.bytes, 2048).unwrap_or_default();
    let probe = super::Probe { name: "", head: &head, len: part.bytes.len() };
    let volume = [(1080, &[0x53, 0xef][..]), (1024, &[0xe2, 0xe1, 0xf5, 0xe0])];
    let volume = volume.iter().any(|(at, magic)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    volume || super::recognize(&probe).is_some() || super::recognize_foreign(&probe).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(files: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
        let part = |(name, bytes): &(&str, &[u8])| Part { name: (*name).to_owned(), bytes: Arc::new(bytes.to_vec()) };
        let parts: Vec<_> = files.iter().map(part).collect();
        let read = |part: Part| {
            let bytes = read_vec_at(part.bytes.as_ref(), 0, part.bytes.len(), "all", 1 << 20);
            (part.name, bytes.unwrap_or_else(|error| error.to_string().into_bytes()))
        };
        let found = arrange(&parts);
        found.into_iter().map(read).filter(|(name, _)| !name.ends_with(".xml") && !name.ends_with(".txt")).collect()
    }

    fn expect(files: &[(&str, &[u8])], expected: &[(&str, &[u8])]) {
        let expected: Vec<_> = expected.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
        assert_eq!(arranged(files), expected);
    }

    #[test]
    fn pieces_in_every_naming_are_joined_and_what_is_no_set_stays() {
        expect(&[("a/x.img.001", b"abc"), ("a/x.img.003", b"g"), ("a/x.img.002", b"def")], &[("a/x.img", b"abcdefg")]);
        expect(&[("x.zip.aa", b"abc"), ("x.zip.ab", b"de")], &[("x.zip", b"abcde")]);
        expect(&[("x.img.part0", b"abc"), ("x.img.part1", b"def")], &[("x.img", b"abcdef")]);
        for files in [
            [("x.img.1", &b"abc"[..]), ("x.img.3", b"de")],
            [("x.img.2", b"abc"), ("x.img.3", b"de")],
            [("x.img.1", b"abc"), ("x.img.2", b"defg")],
            [("x.img.1", b"abc"), ("x.img.2", b"PK\x03\x04")],
            [("x.img.1", b"abc"), ("y.img.2", b"def")],
            [("x.new.dat.1", b"abc"), ("x.new.dat.2", b"de")],
            [("x.img.1", b"\x3a\xff\x26\xed"), ("x.img.2", b"abcd")],
        ] {
            expect(&files, &files);
        }
    }

    #[test]
    fn pieces_of_a_rawprogram_stand_at_their_sectors() {
        let xml = br#"<?xml version="1.0"?><data>
            <program SECTOR_SIZE_IN_BYTES="4" file_sector_offset="1" filename="super_2.img" label="super" num_partition_sectors="1" start_sector="103"/>
            <program SECTOR_SIZE_IN_BYTES="4" file_sector_offset="0" filename="super_1.img" label="super" num_partition_sectors="2" start_sector="100"/>
            <program SECTOR_SIZE_IN_BYTES="4" file_sector_offset="0" filename="" label="super" num_partition_sectors="9" start_sector="900"/>
            <program SECTOR_SIZE_IN_BYTES="4" filename="dynamic.img" label="cust" num_partition_sectors="9" start_sector="200"/>
            <program SECTOR_SIZE_IN_BYTES="4" filename="gpt.bin" label="BackupGPT" num_partition_sectors="5" start_sector="NUM_DISK_SECTORS-5."/>
            </data>"#;
        let old = br#"<data><program SECTOR_SIZE_IN_BYTES="4" filename="super.img" label="super" start_sector="100" num_partition_sectors="4"/></data>"#;
        let files: [(&str, &[u8]); 7] = [
            ("i/rawprogram0.xml", old),
            ("i/rawprogram_unsparse0.xml", xml),
            ("i/super_1.img", b"abcdefgh"),
            ("i/super_2.img", b"skiptail"),
            ("i/super.img", b"all of it"),
            ("i/dynamic.img", b"cust"),
            ("i/gpt.bin", b"gpt"),
        ];
        let expected: [(&str, &[u8]); 3] =
            [("i/cust.img", b"cust"), ("i/gpt.bin", b"gpt"), ("i/super.img", b"abcdefgh\0\0\0\0tail")];
        expect(&files, &expected);
        let missing = arranged(&[files[1], files[2]]);
        assert_eq!(missing.len(), 1);
        assert!(String::from_utf8_lossy(&missing[0].1).contains("without its piece i/super_2.img"));
    }

    #[test]
    fn a_scatter_file_names_the_partitions_of_files() {
        let text =
            b"- partition_index: SYS1\n  partition_name: product\n  file_name: custom.bin\n  is_download: true\n\
            - partition_name: system\n  file_name: system-sign.img\n- partition_name: nvram\n  file_name: NONE\n";
        let files: [(&str, &[u8]); 3] =
            [("MT6765_Android_scatter.txt", text), ("custom.bin", b"c"), ("system-sign.img", b"s")];
        expect(&files, &[("product.img", b"c"), ("system-sign.img", b"s")]);
        let xml = b"<a><partition_index>\n<partition_name>vendor</partition_name>\n<file_name>v1.img</file_name></partition_index></a>";
        expect(&[("x_scatter.xml", xml), ("v1.img", b"v")], &[("vendor.img", b"v")]);
    }

    #[test]
    fn a_list_that_can_not_be_read_changes_nothing() {
        let bomb = [&b"<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\">]>"[..], &b"<data>".repeat(5000)].concat();
        let files: [(&str, &[u8]); 2] = [("rawprogram0.xml", &bomb), ("super_1.img", b"x")];
        expect(&files, &[("super_1.img", b"x")]);
        let huge = br#"<data><program SECTOR_SIZE_IN_BYTES="18446744073709551615" filename="a.img" label="b" start_sector="9"/></data>"#;
        expect(&[("rawprogram0.xml", huge), ("a.img", b"x")], &[("a.img", b"x")]);
    }
}
