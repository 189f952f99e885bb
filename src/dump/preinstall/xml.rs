//! XML files of partitions that name packages: `install-in-user-type` of `etc/sysconfig`, `etc/preferred-apps`, Xiaomi's
//! `del_apps_list.xml`, layouts of the home screen as text.

use roxmltree::{Document, Node, ParsingOptions};

use super::super::At;

/// Elements and texts of one file. The largest layouts and configurations seen have some thousand.
const NODES: u32 = 1 << 18;

/// A file, with the lines of its elements.
pub struct Xml<'a> {
    document: Document<'a>,
    /// Offset of each line's first byte.
    lines: Vec<usize>,
}

impl<'a> Xml<'a> {
    /// Reads the file.
    ///
    /// # Errors
    /// Text that is no well-formed XML, or too much of it, in words.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options).map_err(|error| error.to_string())?;
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Ok(Self { document, lines: std::iter::once(0).chain(starts).collect() })
    }

    /// The line of an element, from 1.
    fn line(&self, node: &Node<'_, '_>) -> u32 {
        let line = self.lines.partition_point(|start| *start <= node.range().start);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    /// Every element with its depth, 0 for the outermost, in the file's order.
    #[must_use]
    pub fn elements(&self) -> Vec<Element> {
        let mut found = Vec::new();
        let mut open = vec![(self.document.root_element(), 0)];
        while let Some((node, depth)) = open.pop() {
            let attributes = node.attributes().map(|at| (at.name().to_owned(), at.value().to_owned())).collect();
            found.push(Element { depth, name: node.tag_name().name().to_owned(), attributes, line: self.line(&node) });
            let children: Vec<_> = node.children().filter(Node::is_element).collect();
            open.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
        }
        found
    }

    fn at<T>(&self, node: &Node<'_, '_>, value: T) -> At<T> {
        At { value, line: self.line(node) }
    }

    /// Every `install-in-user-type`: package, type of user, and whether it is to be installed (`install-in`) or not
    /// (`do-not-install-in`).
    #[must_use]
    pub fn user_types(&self) -> Vec<At<(String, String, bool)>> {
        let mut found = Vec::new();
        for element in self.document.descendants().filter(|node| node.has_tag_name("install-in-user-type")) {
            let Some(package) = element.attribute("package").filter(|name| !name.is_empty()) else { continue };
            for inner in element.children() {
                let installed = match inner.tag_name().name() {
                    "install-in" => true,
                    "do-not-install-in" => false,
                    _ => continue,
                };
                if let Some(user_type) = inner.attribute("user-type") {
                    found.push(self.at(&inner, (package.to_owned(), user_type.to_owned(), installed)));
                }
            }
        }
        found
    }

    /// Names of `package name=`.
    #[must_use]
    pub fn packages(&self) -> Vec<At<String>> {
        let named = self.document.descendants().filter(|node| node.has_tag_name("package"));
        named.filter_map(|node| Some(self.at(&node, node.attribute("name")?.to_owned()))).collect()
    }

    /// Entries of `preferred-activities`.
    #[must_use]
    pub fn preferred(&self) -> Vec<At<Preferred>> {
        let items = self.document.descendants().filter(|node| node.has_tag_name("item"));
        let entry = |node: Node<'_, '_>| {
            let (package, class) = node.attribute("name")?.split_once('/')?;
            let named = |tag: &str, attribute: &str| -> Vec<String> {
                let inner = node.descendants().filter(|inner| inner.has_tag_name(tag));
                inner.filter_map(|inner| inner.attribute(attribute).map(str::to_owned)).collect()
            };
            let value = Preferred {
                package: package.to_owned(),
                class: class.to_owned(),
                actions: named("action", "name"),
                categories: named("cat", "name"),
                schemes: named("scheme", "name"),
            };
            Some(self.at(&node, value))
        };
        items.filter_map(entry).collect()
    }
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Elements around it.
    pub depth: u32,
    /// Its name without namespace.
    pub name: String,
    /// Its attributes by name without namespace.
    pub attributes: Vec<(String, String)>,
    /// Its line, from 1.
    pub line: u32,
}

/// An entry of `etc/preferred-apps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferred {
    /// The package of the activity.
    pub package: String,
    /// The activity as written.
    pub class: String,
    /// Actions of its filter.
    pub actions: Vec<String>,
    /// Categories of its filter.
    pub categories: Vec<String>,
    /// Schemes of its filter.
    pub schemes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_users_come_with_their_lines() {
        let text = "\u{feff}<config>\n<install-in-user-type package=\"com.a\">\n  <install-in user-type=\"FULL\"/>\n\
            <do-not-install-in user-type=\"android.os.usertype.full.GUEST\"/><other user-type=\"X\"/>\n</install-in-user-type>\n\
            <install-in-user-type><install-in user-type=\"FULL\"/></install-in-user-type></config>";
        let found = Xml::parse(text).unwrap().user_types();
        let found: Vec<_> = found.iter().map(|at| (at.line, at.value.1.as_str(), at.value.2)).collect();
        assert_eq!(found, [(3, "FULL", true), (4, "android.os.usertype.full.GUEST", false)]);
    }

    #[test]
    fn preferred_entries_have_filters() {
        let text = "<preferred-activities>\n<item name=\"com.a/.B\"><filter><action name=\"android.intent.action.VIEW\"/>\
            <cat name=\"android.intent.category.BROWSABLE\"/><scheme name=\"http\"/></filter></item><item name=\"com.b\"/>\
            </preferred-activities>";
        let found = Xml::parse(text).unwrap().preferred();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].value.package.as_str(), found[0].value.class.as_str()), (2, "com.a", ".B"));
        assert_eq!(found[0].value.schemes, ["http"]);
    }

    #[test]
    fn hostile_text_is_an_error() {
        for text in ["", "<a>", "<a></b>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "text"] {
            assert!(Xml::parse(text).is_err(), "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
        let _ = Xml::parse(&deep);
    }
}
