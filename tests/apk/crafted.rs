//! Package files built byte by byte.

#![expect(clippy::cast_possible_truncation, reason = "the sizes are the tests' own, below 32 KiB or counted in MiB")]

use std::io::Write;

/// Namespace of the platform's attributes.
pub(crate) const ANDROID: &str = "http://schemas.android.com/apk/res/android";

/// A ZIP file. Each entry: name, contents, whether to deflate, and the uncompressed size to claim where it is not true.
pub(crate) fn zip(entries: &[(&str, &[u8], bool, Option<u32>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, contents, deflate, claim) in entries {
        let data = if *deflate { deflated(contents) } else { contents.to_vec() };
        let mut fields = Vec::new();
        fields.extend(20_u16.to_le_bytes());
        fields.extend(0_u16.to_le_bytes());
        fields.extend(if *deflate { 8_u16 } else { 0 }.to_le_bytes());
        fields.extend([0; 8]);
        fields.extend((data.len() as u32).to_le_bytes());
        fields.extend(claim.unwrap_or(contents.len() as u32).to_le_bytes());
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend(0_u16.to_le_bytes());
        directory.extend(*b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend((out.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        out.extend(*b"PK\x03\x04");
        out.extend(fields);
        out.extend(name.as_bytes());
        out.extend(data);
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(*b"PK\x05\x06\0\0\0\0");
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    out
}

fn deflated(contents: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}

/// A chunk with fields of its header and contents.
pub(crate) fn chunk(kind: u16, header: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = kind.to_le_bytes().to_vec();
    out.extend((8 + header.len() as u16).to_le_bytes());
    out.extend((8 + header.len() as u32 + body.len() as u32).to_le_bytes());
    out.extend(header);
    out.extend(body);
    out
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A string pool in UTF-8.
pub(crate) fn pool(strings: &[&str]) -> Vec<u8> {
    let (mut offsets, mut data) = (Vec::new(), Vec::new());
    for text in strings {
        offsets.push(data.len() as u32);
        for length in [text.chars().count(), text.len()] {
            if length > 0x7f {
                data.push(0x80 | (length >> 8) as u8);
            }
            data.push(length as u8);
        }
        data.extend(text.as_bytes());
        data.push(0);
    }
    data.resize(data.len().next_multiple_of(4), 0);
    let count = strings.len() as u32;
    chunk(1, &words(&[count, 0, 0x100, 28 + count * 4, 0]), &[words(&offsets), data].concat())
}

/// An attribute: string index of its name, whether it is the platform's (string 0 is the namespace), type, data.
pub(crate) type Attribute = (u32, bool, u8, u32);

/// The start of an element.
pub(crate) fn start(name: u32, attributes: &[Attribute]) -> Vec<u8> {
    let mut body = words(&[u32::MAX, name, 0x0014_0014, attributes.len() as u32, 0]);
    for &(name, platform, kind, data) in attributes {
        let raw = if kind == 3 { data } else { u32::MAX };
        body.extend(words(&[if platform { 0 } else { u32::MAX }, name, raw, u32::from(kind) << 24 | 8, data]));
    }
    chunk(0x102, &words(&[1, u32::MAX]), &body)
}

/// The end of an element.
pub(crate) fn end(name: u32) -> Vec<u8> {
    chunk(0x103, &words(&[1, u32::MAX]), &words(&[u32::MAX, name]))
}

/// A document of a pool, ids of its first strings, and nodes.
pub(crate) fn document(strings: &[&str], ids: &[u32], nodes: &[Vec<u8>]) -> Vec<u8> {
    chunk(3, &[], &[pool(strings), chunk(0x180, &[], &words(ids)), nodes.concat()].concat())
}

/// How a type holds the offsets of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offsets {
    Wide,
    Short,
    Sparse,
}

/// A type with id 1 in the given language: entries by index, each type and data.
pub(crate) fn resource_type(language: [u8; 2], offsets: Offsets, compact: bool, entries: &[(u16, u8, u32)]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut at = Vec::new();
    for &(index, kind, value) in entries {
        at.push((index, data.len() as u32));
        if compact {
            data.extend(words(&[(u32::from(kind) << 8 | 8) << 16, value]));
        } else {
            data.extend(words(&[8, 0, u32::from(kind) << 24 | 8, value]));
        }
    }
    let size = at.iter().map(|pair| usize::from(pair.0) + 1).max().unwrap_or_default();
    let offset = |index: usize| at.iter().find(|pair| usize::from(pair.0) == index).map(|pair| pair.1);
    let (flags, count, mut table): (u32, _, Vec<u8>) = match offsets {
        Offsets::Wide => (0, size, (0..size).flat_map(|i| offset(i).unwrap_or(u32::MAX).to_le_bytes()).collect()),
        Offsets::Short => {
            (2, size, (0..size).flat_map(|i| offset(i).map_or(u16::MAX, |at| (at / 4) as u16).to_le_bytes()).collect())
        }
        Offsets::Sparse => {
            (1, at.len(), at.iter().flat_map(|p| (u32::from(p.0) | ((p.1 / 4) << 16)).to_le_bytes()).collect())
        }
    };
    table.resize(table.len().next_multiple_of(4), 0);
    let mut config = words(&[28, 0]);
    config.extend(language);
    config.resize(28, 0);
    let header = [words(&[flags << 8 | 1, count as u32, 48 + table.len() as u32]), config].concat();
    chunk(0x201, &header, &[table, data].concat())
}

/// A table of one package, 0x7f.
pub(crate) fn resources(strings: &[&str], types: &[Vec<u8>]) -> Vec<u8> {
    let package = chunk(0x200, &[words(&[0x7f]), vec![0; 276]].concat(), &types.concat());
    chunk(2, &words(&[1]), &[pool(strings), package].concat())
}
