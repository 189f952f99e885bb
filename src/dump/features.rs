//! `pm list features`: `feature:NAME` or `feature:NAME=VERSION`; and the section `Features` of the package manager's dump,
//! `NAME` or `NAME version=VERSION`.

use super::{At, Leftover};

/// The answer of `pm list features`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// Names in the device's order, without versions.
    pub names: Vec<At<String>>,
    /// Other lines.
    pub leftover: Leftover,
}

/// Reads the answer. `feature:reqGlEsVersion=0x30002` is the version of OpenGL, and kept with its value.
#[must_use]
pub fn parse(text: &str) -> Features {
    let mut out = Features::default();
    for (line, content) in super::numbered(text) {
        match content.trim().strip_prefix("feature:").filter(|name| !name.is_empty()) {
            Some(name) => out.names.push(At { value: plain(name).to_owned(), line }),
            None if content.trim().is_empty() => {}
            None => out.leftover.add(line, content),
        }
    }
    out
}

/// A feature's name without its version.
#[must_use]
pub fn plain(text: &str) -> &str {
    match text.split_once('=') {
        Some(("reqGlEsVersion", _)) => text,
        Some((name, _)) => name.strip_suffix(" version").unwrap_or(name),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_cut_off_and_other_lines_counted() {
        let parsed = parse("feature:reqGlEsVersion=0x30002\nfeature:android.hardware.camera\nfeature:a.b=3\nError\n");
        let names: Vec<_> = parsed.names.iter().map(|at| at.value.as_str()).collect();
        assert_eq!(names, ["reqGlEsVersion=0x30002", "android.hardware.camera", "a.b"]);
        assert_eq!(parsed.leftover.count, 1);
        assert_eq!(plain("android.hardware.vulkan.level version=1"), "android.hardware.vulkan.level");
    }
}
