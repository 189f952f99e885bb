//! Control files of partitions, XML that Android reads at boot (AOSP `SystemConfig`, `DefaultPermissionGrantPolicy`).
//!
//! | folder | root | elements that are read |
//! |---|---|---|
//! | `etc/permissions`, `etc/sysconfig` | `permissions` or `config` | `privapp-permissions`, `signature-permissions`, `oem-permissions`, `split-permission` |
//! | `etc/default-permissions` | `exceptions` | `exception` |
//!
//! Names count as they are written, without trimming, as Android takes them. What Android skips is skipped: other elements,
//! a list without a package, an entry without a name. A file that is not well-formed is an error as a whole; Android keeps
//! what stands before the fault, so nothing may be concluded from it.

use roxmltree::{Document, Node, ParsingOptions};

use crate::bytes::ParseError;

/// The largest file measured (`privapp-permissions-platform.xml`) has 60 KB.
pub const FILE_BYTES: u64 = 4 << 20;
/// Nodes of a document; the largest measured has below 2,000.
const NODES: u32 = 200_000;
/// Depth of elements. Android's files have four levels.
const DEPTH: usize = 64;
/// Start of Android's binary XML, which it does not read here.
const ABX: &[u8] = b"ABX\0";

/// What a file of `etc/permissions` or `etc/sysconfig` says of permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemConfig {
    /// Lists of permissions for packages, in the file's order.
    pub lists: Vec<List>,
    /// `split-permission`, in the file's order.
    pub splits: Vec<Split>,
}

/// What a [`List`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListKind {
    /// `privapp-permissions`.
    Privileged,
    /// `signature-permissions`.
    Signature,
    /// `oem-permissions`.
    Oem,
}

/// A list of permissions for one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Which element it is.
    pub kind: ListKind,
    /// `package`.
    pub package: String,
    /// Line of the element, from 1.
    pub line: u32,
    /// Its entries in the file's order.
    pub entries: Vec<Entry>,
}

/// An entry of a [`List`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `name`.
    pub name: String,
    /// Line of the element, from 1.
    pub line: u32,
    /// Whether it is `deny-permission`.
    pub denied: bool,
}

/// A `split-permission`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// `name`: the permission that was split.
    pub permission: String,
    /// `targetSdk`; `None` where the element has none: it holds for every target.
    pub target_sdk: Option<u32>,
    /// Names of `new-permission`.
    pub new: Vec<String>,
    /// Line of the element, from 1.
    pub line: u32,
}

/// An `exception` of `etc/default-permissions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// `package`.
    pub package: String,
    /// `sha256-cert-digest`, lower case and without colons; or the word `platform`.
    pub certificate: Option<String>,
    /// Line of the element, from 1.
    pub line: u32,
    /// Its permissions in the file's order.
    pub permissions: Vec<Granted>,
}

/// A `permission` of an [`Exception`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// `name`.
    pub name: String,
    /// Line of the element, from 1.
    pub line: u32,
    /// `fixed`.
    pub fixed: bool,
}

/// Reads a file of `etc/permissions` or `etc/sysconfig`.
///
/// # Errors
/// XML that is not well-formed, too large or too deep; another root element; Android's binary XML.
pub fn system_config(bytes: &[u8]) -> Result<SystemConfig, ParseError> {
    let text = text(bytes)?;
    let document = document(text)?;
    let lines = Lines::of(text);
    let root = document.root_element();
    if !["permissions", "config"].contains(&root.tag_name().name()) {
        let found = root.tag_name().name().escape_debug().to_string();
        return Err(ParseError::invalid(offset(&root), "root element", found, "permissions or config"));
    }
    let mut config = SystemConfig::default();
    for element in root.children().filter(Node::is_element) {
        let kind = match element.tag_name().name() {
            "privapp-permissions" => ListKind::Privileged,
            "signature-permissions" => ListKind::Signature,
            "oem-permissions" => ListKind::Oem,
            "split-permission" => {
                config.splits.extend(split(&element, &lines));
                continue;
            }
            _ => continue,
        };
        if let Some(package) = attribute(&element, "package") {
            let entries = inner(&element).filter_map(|inner| entry(&inner, &lines)).collect();
            config.lists.push(List { kind, package, line: lines.at(&element), entries });
        }
    }
    Ok(config)
}

/// Reads a file of `etc/default-permissions`.
///
/// # Errors
/// As [`system_config`], but for the root: Android takes `exceptions` wherever it stands.
pub fn default_permissions(bytes: &[u8]) -> Result<Vec<Exception>, ParseError> {
    let text = text(bytes)?;
    let document = document(text)?;
    let lines = Lines::of(text);
    let mut exceptions = Vec::new();
    for list in document.descendants().filter(|node| node.has_tag_name("exceptions")) {
        for element in list.children().filter(|node| node.has_tag_name("exception")) {
            let Some(package) = attribute(&element, "package") else { continue };
            let certificate = attribute(&element, "sha256-cert-digest");
            let certificate = certificate.map(|digest| digest.replace(':', "").to_ascii_lowercase());
            let permissions = inner(&element).filter(|inner| inner.has_tag_name("permission"));
            let granted = |permission: Node<'_, '_>| {
                let name = attribute(&permission, "name")?;
                let fixed = permission.attribute("fixed") == Some("true");
                Some(Granted { name, line: lines.at(&permission), fixed })
            };
            let permissions = permissions.filter_map(granted).collect();
            exceptions.push(Exception { package, certificate, line: lines.at(&element), permissions });
        }
    }
    Ok(exceptions)
}

fn entry(element: &Node<'_, '_>, lines: &Lines) -> Option<Entry> {
    let denied = match element.tag_name().name() {
        "permission" => false,
        "deny-permission" => true,
        _ => return None,
    };
    Some(Entry { name: attribute(element, "name")?, line: lines.at(element), denied })
}

fn split(element: &Node<'_, '_>, lines: &Lines) -> Option<Split> {
    let target_sdk = match attribute(element, "targetSdk") {
        None => None,
        // Android skips an element whose target is no number.
        Some(text) => Some(text.parse().ok()?),
    };
    let new = inner(element).filter(|inner| inner.has_tag_name("new-permission"));
    let new: Vec<String> = new.filter_map(|new| attribute(&new, "name")).collect();
    (!new.is_empty())
        .then(|| Some(Split { permission: attribute(element, "name")?, target_sdk, new, line: lines.at(element) }))?
}

/// Elements within an element at any depth: Android does not look at how deep they stand.
fn inner<'a, 'input>(element: &Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> + use<'a, 'input> {
    element.descendants().skip(1).filter(Node::is_element)
}

/// An attribute that is not empty.
fn attribute(element: &Node<'_, '_>, name: &str) -> Option<String> {
    element.attribute(name).filter(|value| !value.is_empty()).map(str::to_owned)
}

fn text(bytes: &[u8]) -> Result<&str, ParseError> {
    if bytes.starts_with(ABX) {
        return Err(ParseError::unsupported(0, "Android's binary XML as a control file"));
    }
    if bytes.len() as u64 > FILE_BYTES {
        return Err(ParseError::limit(0, "length of a control file", bytes.len() as u64, FILE_BYTES));
    }
    std::str::from_utf8(bytes)
        .map_err(|error| ParseError::invalid(error.valid_up_to() as u64, "text", "other bytes", "UTF-8"))
}

fn document(text: &str) -> Result<Document<'_>, ParseError> {
    shallow(text)?;
    let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options)
        .map_err(|error| ParseError::invalid(0, "XML", error.to_string(), "a well-formed document"))
}

/// Refuses what nests deeper than any control file, before a parser follows it.
fn shallow(text: &str) -> Result<(), ParseError> {
    let mut depth = 0_usize;
    for (at, _) in text.match_indices('<') {
        let rest = text.get(at + 1..).unwrap_or_default();
        match rest.bytes().next() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'!' | b'?') | None => {}
            Some(_) => {
                let tag = rest.find(['<', '>']).and_then(|end| rest.get(..end)).unwrap_or(rest);
                if !tag.ends_with('/') {
                    depth += 1;
                }
            }
        }
        if depth > DEPTH {
            return Err(ParseError::limit(at as u64, "depth of elements", depth as u64, DEPTH as u64));
        }
    }
    Ok(())
}

fn offset(node: &Node<'_, '_>) -> u64 {
    node.range().start as u64
}

/// Where lines begin, so that a line number costs no walk through the text.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn at(&self, node: &Node<'_, '_>) -> u32 {
        let before = self.0.partition_point(|feed| *feed < node.range().start);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::ErrorKind;

    const FILE: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<!-- a comment with <tags> -->
<permissions>
    <feature name="android.hardware.camera" />
    <privapp-permissions package="com.example.phone">
        <permission name="android.permission.CALL_PRIVILEGED"/>
        <deny-permission name="android.permission.REBOOT"/>
        <permission name=""/>
        <permission
            name="android.permission.MODIFY_PHONE_STATE"/>
    </privapp-permissions>
    <privapp-permissions>
        <permission name="android.permission.NOBODY"/>
    </privapp-permissions>
    <oem-permissions package="com.example.oem"><permission name="x.OEM"/></oem-permissions>
    <split-permission name="android.permission.READ_CONTACTS" targetSdk="16">
        <new-permission name="android.permission.READ_CALL_LOG"/>
    </split-permission>
    <split-permission name="a"><new-permission name="b"/><new-permission name="c"/></split-permission>
    <split-permission name="d" targetSdk="soon"><new-permission name="e"/></split-permission>
</permissions>
"#;

    #[test]
    fn lists_and_splits_stand_with_their_lines_and_what_android_skips_is_skipped() {
        let config = system_config(FILE.as_bytes()).unwrap();
        let lists: Vec<_> = config.lists.iter().map(|list| (list.kind, list.package.as_str(), list.line)).collect();
        assert_eq!(lists, [(ListKind::Privileged, "com.example.phone", 5), (ListKind::Oem, "com.example.oem", 15)]);
        let entries: Vec<_> =
            config.lists[0].entries.iter().map(|entry| (entry.name.as_str(), entry.line, entry.denied)).collect();
        assert_eq!(
            entries,
            [
                ("android.permission.CALL_PRIVILEGED", 6, false),
                ("android.permission.REBOOT", 7, true),
                ("android.permission.MODIFY_PHONE_STATE", 9, false)
            ]
        );
        let splits: Vec<_> = config.splits.iter().map(|s| (s.permission.as_str(), s.target_sdk, s.new.len())).collect();
        assert_eq!(splits, [("android.permission.READ_CONTACTS", Some(16), 1), ("a", None, 2)]);
    }

    #[test]
    fn one_letter_off_is_another_element() {
        for (from, to) in [
            ("privapp-permissions", "privapp-permission"),
            ("privapp-permissions", "Privapp-permissions"),
            ("<permission ", "<permissions "),
        ] {
            let config = system_config(FILE.replace(from, to).as_bytes());
            let found = config.map(|config| config.lists.iter().map(|list| list.entries.len()).sum::<usize>());
            assert!(found.as_ref().is_ok_and(|count| *count < 3), "{to}: {found:?}");
        }
        let other = system_config(b"<permission/>").unwrap_err();
        assert_eq!(other.to_string(), "byte 0: root element is permission, expected permissions or config");
    }

    #[test]
    fn exceptions_have_certificates_without_colons() {
        let file = "<exceptions>\n<exception package='a' sha256-cert-digest='AB:0c'>\n<permission name='p' fixed='true'/>\
            <permission name='q' fixed='True'/></exception><exception package='b'/><exception/></exceptions>";
        let found = default_permissions(file.as_bytes()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].certificate.as_deref(), found[0].line), (Some("ab0c"), 2));
        let grants: Vec<_> = found[0].permissions.iter().map(|grant| (grant.name.as_str(), grant.fixed)).collect();
        assert_eq!(grants, [("p", true), ("q", false)]);
        assert_eq!(found[1].certificate, None);
    }

    #[test]
    fn a_damaged_file_is_an_error_wherever_it_is_cut() {
        for end in 0..FILE.trim_end().len() {
            let error = system_config(&FILE.as_bytes()[..end]);
            assert!(error.is_err(), "{end}");
        }
    }

    #[test]
    fn no_changed_byte_panics() {
        let mut bytes = FILE.as_bytes().to_vec();
        for at in 0..bytes.len() {
            for value in [0, b'<', b'>', b'&', b'"', 0xFF] {
                let before = std::mem::replace(&mut bytes[at], value);
                let _ = system_config(&bytes);
                let _ = default_permissions(&bytes);
                bytes[at] = before;
            }
        }
    }

    #[test]
    fn depth_size_entities_and_binary_xml_are_refused() {
        let deep = format!("<config>{}", "<a>".repeat(100_000));
        let error = system_config(deep.as_bytes()).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::LimitExceeded { what: "depth of elements", .. }), "{error}");
        let wide = format!("<config>{}</config>", "<a/>".repeat(300_000));
        assert!(system_config(wide.as_bytes()).is_err());
        let bomb = "<!DOCTYPE c [<!ENTITY a 'aaaa'>]><config>&a;</config>";
        assert!(system_config(bomb.as_bytes()).is_err());
        let binary = system_config(b"ABX\0\x10").unwrap_err();
        assert!(matches!(binary.kind, ErrorKind::Unsupported { .. }), "{binary}");
        let large = vec![b' '; usize::try_from(FILE_BYTES).unwrap() + 1];
        assert!(matches!(system_config(&large).unwrap_err().kind, ErrorKind::LimitExceeded { .. }));
    }
}
