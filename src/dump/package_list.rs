//! `pm list packages -f -i -u [-U --show-versioncode] --user N`:
//!
//! ```text
//! package:/data/app/~~x==/name-y==/base.apk=NAME versionCode:7  installer=STORE uid:10001,1010001
//! ```
//!
//! A path may hold `=`, so the suffixes are cut first and the rest is split at its last `=`.

use super::{At, Leftover};

/// One package of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPackage {
    /// The package's name.
    pub name: String,
    /// The base APK's path.
    pub path: String,
    /// `versionCode`, where it was asked for.
    pub version_code: Option<u64>,
    /// `installer=`: `Some(None)` is the device's `null`; `None` if it was not printed.
    pub installer: Option<Option<String>>,
    /// The first number after `uid:`.
    pub uid: Option<u32>,
}

/// The answer of `pm list packages`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageList {
    /// Packages in the device's order, which has no meaning.
    pub packages: Vec<At<ListedPackage>>,
    /// Other lines.
    pub leftover: Leftover,
    /// Whether the answer ends within a line.
    pub truncated: bool,
}

/// Reads the answer of `pm list packages` with `-f`.
#[must_use]
pub fn parse(text: &str) -> PackageList {
    let mut out = PackageList { truncated: !text.is_empty() && !text.ends_with('\n'), ..PackageList::default() };
    for (line, content) in super::numbered(text) {
        let content = content.trim_end();
        if content.is_empty() {
            continue;
        }
        match package(content) {
            Some(value) => out.packages.push(At { value, line }),
            None => out.leftover.add(line, content),
        }
    }
    out
}

fn package(line: &str) -> Option<ListedPackage> {
    let mut rest = line.strip_prefix("package:")?;
    let mut uid = None;
    if let Some((before, numbers)) = rest.rsplit_once(" uid:") {
        uid = Some(numbers.split(',').next()?.trim().parse().ok()?);
        rest = before;
    }
    let mut installer = None;
    if let Some((before, name)) = rest.rsplit_once(" installer=") {
        let name = name.trim();
        installer = Some((name != "null" && !name.is_empty()).then(|| name.to_owned()));
        rest = before;
    }
    let mut version_code = None;
    if let Some((before, number)) = rest.rsplit_once(" versionCode:") {
        version_code = Some(number.trim().parse().ok()?);
        rest = before;
    }
    let (path, name) = rest.trim_end().rsplit_once('=')?;
    (path.starts_with('/') && !name.is_empty() && !name.contains(char::is_whitespace)).then(|| ListedPackage {
        name: name.to_owned(),
        path: path.to_owned(),
        version_code,
        installer,
        uid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_cut_before_the_last_equals_sign_is_looked_for() {
        let parsed = parse(
            "package:/data/app/~~x==/com.example.a-y==/base.apk=com.example.a versionCode:41  installer=com.example.store uid:10061,1010061\n\
             package:/system/app/B/B.apk=com.example.b  installer=null\n",
        );
        let first = &parsed.packages[0].value;
        assert_eq!(first.name, "com.example.a");
        assert_eq!(first.path, "/data/app/~~x==/com.example.a-y==/base.apk");
        assert_eq!(first.version_code, Some(41));
        assert_eq!(first.installer, Some(Some("com.example.store".to_owned())));
        assert_eq!(first.uid, Some(10061));
        let second = &parsed.packages[1].value;
        assert_eq!((second.installer.clone(), second.uid, second.version_code), (Some(None), None, None));
        assert!(!parsed.truncated);
    }

    #[test]
    fn a_line_without_path_or_name_is_left_over() {
        let parsed = parse("package:com.example.a\npackage:/x=\npackage:/x=a uid:no\n");
        assert_eq!(parsed.packages, []);
        assert_eq!(parsed.leftover.count, 3);
    }
}
