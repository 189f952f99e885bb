//! `MANIFEST.MF` and `.SF` files (JAR File Specification): sections of attributes, with an empty line behind each.
//!
//! A line that begins with a space continues the one before. Lines end with CR, LF or both.

/// A run of attributes.
#[derive(Debug, Clone, Default)]
pub(super) struct Section<'a> {
    /// Its bytes, with the empty line behind it.
    pub(super) raw: &'a [u8],
    attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Section<'_> {
    /// The first value of an attribute, whatever its name's case.
    pub(super) fn value(&self, name: &str) -> Option<&[u8]> {
        let found = self.attributes.iter().find(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value.as_slice())
    }

    /// `Name`: the entry that an individual section is about; `None` also where it is empty.
    pub(super) fn name(&self) -> Option<&[u8]> {
        self.value("Name")
    }
}

/// The sections of a file: the first is the main section.
pub(super) fn parse(raw: &[u8]) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let mut at = 0;
    loop {
        let mut start = at;
        let mut lines: Vec<Vec<u8>> = Vec::new();
        while let Some((line, next)) = line(raw, at) {
            at = next;
            match (line.split_first(), lines.last_mut()) {
                (None, None) => start = at,
                (None, Some(_)) => break,
                (Some((b' ', rest)), Some(last)) => last.extend_from_slice(rest),
                _ => lines.push(line.to_vec()),
            }
        }
        if lines.is_empty() {
            return sections;
        }
        let attributes = lines.into_iter().map(|line| attribute(&line)).collect();
        sections.push(Section { raw: raw.get(start..at).unwrap_or_default(), attributes });
    }
}

/// The line at `at`, and where the next begins; `None` at the end.
fn line(raw: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = raw.get(at..).filter(|rest| !rest.is_empty())?;
    let length = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
    let (line, behind) = rest.split_at_checked(length)?;
    let ending = if behind.starts_with(b"\r\n") { 2 } else { 1 };
    Some((line, at + length + ending.min(behind.len())))
}

fn attribute(line: &[u8]) -> (Vec<u8>, Vec<u8>) {
    match line.array_windows().position(|pair| pair == b": ") {
        Some(at) => {
            let (name, value) = line.split_at(at);
            (name.to_vec(), value.get(2..).unwrap_or_default().to_vec())
        }
        None => (line.to_vec(), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keep_their_bytes_and_join_continued_lines() {
        let sections = parse(b"\nA: 1\r\n 2\r\n\r\n\r\nname: x\nB\n\nC: : ");
        let raw: Vec<_> = sections.iter().map(|section| section.raw).collect();
        assert_eq!(raw, [&b"A: 1\r\n 2\r\n\r\n"[..], b"name: x\nB\n\n", b"C: : "]);
        assert_eq!(sections[0].value("a"), Some(&b"12"[..]));
        assert_eq!(sections[1].name(), Some(&b"x"[..]));
        assert_eq!(sections[1].value("B"), Some(&b""[..]));
        assert_eq!(sections[2].value("C"), Some(&b": "[..]));
    }

    #[test]
    fn an_empty_file_has_no_section() {
        assert!(parse(b"").is_empty());
        assert!(parse(b"\r\n\n").is_empty());
    }
}
