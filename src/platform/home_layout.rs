//! What a layout of the home screen says, by the elements of its file.
//!
//! Elements and attributes are those of AOSP's launcher (`AutoInstallsLayout`, `DefaultLayoutParser`), which vendors keep:
//!
//! | element | attributes | meaning |
//! |---|---|---|
//! | `favorite`, `appicon` | `packageName`, `className` or `uri` | the icon of an app, dropped where it is not installed |
//! | `autoinstall` | `packageName`, `className` | the icon of an app that is fetched at set-up |
//! | `shortcut` | `url` or `uri` | a link |
//! | `appwidget` | `packageName`, `className` | a widget |
//! | `folder` | `folderItems`: another file | a folder around its elements |
//! | `partner-folder` | | the folder of the partner's file `partner_folder` |
//! | `resolve` | | the first of its elements that is installed |
//! | `include` | `workspace`: another file | the elements of that file |
//!
//! `container` is `-101` or `hotseat` for the row that every page shows, else `screen` is the page.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{Evidence, LauncherPlace, LayoutItem, LayoutItemKind};

/// Files that one layout reads, itself and what it includes: a layout includes a few, which include none as a rule.
const MAX_FILES: u32 = 64;
/// Elements around an element.
const MAX_DEPTH: usize = 64;
/// Icons of one layout.
const MAX_ITEMS: usize = 4096;
/// Addresses behind which an application id stands: what comes before, and how it is set.
const STORES: [(&str, Id); 9] = [
    ("market://details", Id::Query),
    ("https://play.google.com/store/apps/details", Id::Query),
    ("http://play.google.com/store/apps/details", Id::Query),
    ("mimarket://details", Id::Query),
    ("appmarket://details", Id::Query),
    ("samsungapps://ProductDetail/", Id::Path),
    ("https://www.rustore.ru/catalog/app/", Id::Path),
    ("https://apps.rustore.ru/app/", Id::Path),
    ("rustore://apps.rustore.ru/app/", Id::Path),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    /// `?id=ID`.
    Query,
    /// What follows, up to the next delimiter.
    Path,
}

/// An element of a layout's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Elements around it: 0 for the outermost.
    pub depth: u32,
    /// Its name without namespace.
    pub name: String,
    /// Its attributes by name without namespace.
    pub attributes: Vec<(String, String)>,
    /// Its line.
    pub line: u32,
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Files that a layout may include, by the path under which it names them.
pub type Files = BTreeMap<String, Vec<Element>>;

/// Path under which the partner's folder stands among the files.
pub const PARTNER_FOLDER: &str = "partner_folder";

/// Paths that some of the files include.
#[must_use]
pub fn included(files: &Files) -> BTreeSet<String> {
    let all = files.values().flatten();
    let named = all.filter_map(|element| match element.name.as_str() {
        "include" => element.get("workspace"),
        "folder" => element.get("folderItems"),
        _ => None,
    });
    named.map(str::to_owned).collect()
}

/// The icons of the file at `path`. `evidence` is the source; a place within it names the file and the line.
#[must_use]
pub fn items(path: &str, files: &Files, evidence: &Evidence) -> Vec<LayoutItem> {
    let mut reader = Reader { files, evidence, read: 0, open: Vec::new(), items: Vec::new() };
    reader.file(path, Context::Screen);
    reader.items
}

/// Where the elements of an element stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    /// Where their attributes say.
    Screen,
    /// In the row that every page shows.
    Hotseat,
    /// In a folder at that place.
    Folder(LauncherPlace),
    /// There, the first of them that is installed; by the line of the element.
    Resolve(LauncherPlace, u32),
}

struct Reader<'a> {
    files: &'a Files,
    evidence: &'a Evidence,
    /// Files read.
    read: u32,
    /// Files that are being read: one that includes itself is read once.
    open: Vec<String>,
    items: Vec<LayoutItem>,
}

impl Reader<'_> {
    fn file(&mut self, path: &str, context: Context) {
        let files = self.files;
        let Some(elements) = files.get(path) else { return };
        if self.read >= MAX_FILES || self.open.iter().any(|open| open == path) {
            return;
        }
        self.read += 1;
        self.open.push(path.to_owned());
        // What stands around an element, by its depth.
        let mut around: Vec<Context> = Vec::new();
        for element in elements {
            let depth = usize::try_from(element.depth).unwrap_or(usize::MAX);
            // Deeper than any layout, or no tree: nothing that a launcher would show.
            if depth > MAX_DEPTH || depth > around.len() {
                continue;
            }
            around.truncate(depth);
            let outer = around.last().copied().unwrap_or(context);
            let inner = self.element(element, path, outer);
            around.push(inner);
            if self.items.len() >= MAX_ITEMS {
                break;
            }
        }
        self.open.pop();
    }

    fn element(&mut self, element: &Element, path: &str, outer: Context) -> Context {
        let (place, group) = match outer {
            Context::Folder(place) => (place, None),
            Context::Resolve(place, line) => (place, Some(line)),
            Context::Hotseat => (LauncherPlace::HOTSEAT, None),
            Context::Screen => (own_place(element), None),
        };
        match element.name.as_str() {
            "favorite" | "appicon" => self.add(element, path, LayoutItemKind::App, place, group),
            "autoinstall" => self.add(element, path, LayoutItemKind::AutoInstall, place, group),
            "shortcut" => self.add(element, path, LayoutItemKind::Link, place, group),
            "appwidget" => self.add(element, path, LayoutItemKind::Widget, place, group),
            "resolve" => return Context::Resolve(place, element.line),
            "hotseat" => return Context::Hotseat,
            "folder" => {
                // The outermost element of a folder's own file is the folder, not one within it.
                let folder = if matches!(outer, Context::Folder(_)) { place } else { place.folded() };
                if let Some(other) = element.get("folderItems") {
                    self.file(other, Context::Folder(folder));
                }
                return Context::Folder(folder);
            }
            "partner-folder" => self.file(PARTNER_FOLDER, Context::Folder(place.folded())),
            "include" => {
                if let Some(other) = element.get("workspace") {
                    self.file(other, outer);
                }
            }
            _ => {}
        }
        outer
    }

    fn add(&mut self, element: &Element, path: &str, kind: LayoutItemKind, place: LauncherPlace, group: Option<u32>) {
        let text = |name: &str| element.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let uri = text("uri").or_else(|| text("url"));
        let component = uri.as_deref().and_then(component);
        let linked = uri.as_deref().and_then(store_id);
        let kind = match kind {
            // An intent that names an activity opens it; one with an address of a store leads there.
            LayoutItemKind::Link if component.is_some() => LayoutItemKind::App,
            LayoutItemKind::App if text("packageName").is_none() && linked.is_some() => LayoutItemKind::Link,
            kind => kind,
        };
        self.items.push(LayoutItem {
            kind,
            package: text("packageName").or(component).or(linked),
            class: text("className"),
            uri,
            place,
            group,
            evidence: self.evidence.at(format!("{path} line {}", element.line)),
        });
    }
}

fn own_place(element: &Element) -> LauncherPlace {
    match element.get("container") {
        Some("-101" | "hotseat") => LauncherPlace::HOTSEAT,
        _ => LauncherPlace::page(element.get("screen").and_then(|screen| screen.parse().ok()).unwrap_or(0)),
    }
}

/// The package of an intent that names its activity: `...;component=com.a/.B;end`.
fn component(uri: &str) -> Option<String> {
    let (_, fields) = uri.split_once("#Intent;")?;
    let named = fields.split(';').find_map(|field| field.strip_prefix("component="))?;
    let (package, _) = named.split_once('/')?;
    is_application_id(package).then(|| package.to_owned())
}

/// The application id in the address of a store's page.
#[must_use]
pub fn store_id(uri: &str) -> Option<String> {
    let (rest, id) = STORES.iter().find_map(|(start, id)| Some((uri.strip_prefix(start)?, id)))?;
    let text = match id {
        Id::Path => rest,
        Id::Query => {
            let query = rest.strip_prefix('?')?.split('#').next()?;
            query.split('&').find_map(|field| field.strip_prefix("id="))?
        }
    };
    let id = text.split(['?', '#', '/', '&', ';']).next()?;
    is_application_id(id).then(|| id.to_owned())
}

/// Whether a text has the form of an application id: at least two names with a dot between.
#[must_use]
pub fn is_application_id(text: &str) -> bool {
    let name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.contains('.') && text.split('.').all(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::SourceId;

    /// `depth name key=value ...` a line.
    fn file(text: &str) -> Vec<Element> {
        let element = |(line, text): (u32, &str)| {
            let mut words = text.split_whitespace();
            let depth = words.next().unwrap().parse().unwrap();
            let name = words.next().unwrap().to_owned();
            let pair = |word: &str| {
                let (key, value) = word.split_once('=').unwrap();
                (key.to_owned(), value.to_owned())
            };
            Element { depth, name, attributes: words.map(pair).collect(), line }
        };
        (1..).zip(text.trim().lines()).map(element).collect()
    }

    fn read(files: &[(&str, &str)]) -> Vec<(String, LayoutItemKind, String)> {
        let files: Files = files.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect();
        let evidence = Evidence { source: SourceId(0), at: None };
        let items = items("main", &files, &evidence);
        items.into_iter().map(|item| (item.package.unwrap_or_default(), item.kind, item.place.describe())).collect()
    }

    fn row(package: &str, kind: LayoutItemKind, place: &str) -> (String, LayoutItemKind, String) {
        (package.to_owned(), kind, place.to_owned())
    }

    #[test]
    fn both_dialects_of_androids_launcher_are_read() {
        use LayoutItemKind::{App, AutoInstall, Link, Widget};
        let play = "0 workspace\n1 appicon packageName=com.a className=A container=hotseat rank=0\n1 folder screen=0 x=0 y=4\n\
            2 autoinstall packageName=com.b className=B\n2 appicon packageName=com.c className=C\n\
            1 autoinstall packageName=com.d className=D screen=2\n1 appwidget packageName=com.e className=E screen=1";
        assert_eq!(
            read(&[("main", play)]),
            [
                row("com.a", App, "hotseat"),
                row("com.b", AutoInstall, "folder on page 0"),
                row("com.c", App, "folder on page 0"),
                row("com.d", AutoInstall, "page 2"),
                row("com.e", Widget, "page 1"),
            ]
        );
        let partner = "0 favorites\n1 favorite container=-101 screen=0 packageName=com.a className=A\n\
            1 folder container=-101 screen=1\n2 favorite packageName=com.b className=B\n\
            1 shortcut screen=1 uri=market://details?id=com.c\n1 partner-folder screen=3";
        let folder = "0 folder\n1 favorite packageName=com.d className=D";
        assert_eq!(
            read(&[("main", partner), (PARTNER_FOLDER, folder)]),
            [
                row("com.a", App, "hotseat"),
                row("com.b", App, "folder in the hotseat"),
                row("com.c", Link, "page 1"),
                row("com.d", App, "folder on page 3"),
            ]
        );
    }

    #[test]
    fn included_files_are_followed_and_circles_end() {
        let main = "0 favorites\n1 include workspace=other\n1 folder screen=1 folderItems=inner\n1 favorite screen=4 packageName=com.z className=Z";
        let other = "0 favorites\n1 favorite screen=0 packageName=com.a className=A\n1 include workspace=main";
        let inner = "0 folder\n1 favorite packageName=com.b className=B";
        let found = read(&[("main", main), ("other", other), ("inner", inner)]);
        assert!(found.contains(&row("com.b", LayoutItemKind::App, "folder on page 1")));
        assert!(found.contains(&row("com.z", LayoutItemKind::App, "page 4")));
        assert!(found.len() < 40, "{}", found.len());
    }

    #[test]
    fn a_choice_stands_in_one_place_and_tells_its_alternatives() {
        let text = "0 favorites\n1 resolve container=-101 screen=2\n2 favorite uri=#Intent;action=android.intent.action.DIAL;end\n\
            2 favorite packageName=com.a className=A\n1 favorite screen=0 packageName=com.b className=B";
        let files: Files = [("main".to_owned(), file(text))].into();
        let items = items("main", &files, &Evidence { source: SourceId(0), at: None });
        let groups: Vec<_> = items.iter().map(|item| (item.package.as_deref(), item.group)).collect();
        assert_eq!(groups, [(None, Some(2)), (Some("com.a"), Some(2)), (Some("com.b"), None)]);
        assert_eq!(items[2].evidence.at.as_deref(), Some("main line 5"));
    }

    #[test]
    fn ids_stand_in_addresses_of_stores_and_nowhere_else() {
        for (uri, id) in [
            ("market://details?id=ru.oneme.app", Some("ru.oneme.app")),
            ("https://play.google.com/store/apps/details?hl=ru&id=ru.oneme.app#x", Some("ru.oneme.app")),
            ("https://www.rustore.ru/catalog/app/ru.oneme.app?x=1", Some("ru.oneme.app")),
            ("https://play.google.com.evil.example/store/apps/details?id=ru.oneme.app", None),
            ("market://detail?id=ru.oneme.app", None),
            ("market://details?ids=ru.oneme.app", None),
            ("market://details?id=max", None),
            ("https://example.com/?id=ru.oneme.app", None),
            ("", None),
        ] {
            assert_eq!(store_id(uri).as_deref(), id, "{uri}");
        }
    }

    #[test]
    fn elements_that_skip_depths_do_no_harm() {
        let mut elements = file("0 favorites\n1 x");
        elements[1].depth = u32::MAX;
        let files: Files = [("main".to_owned(), elements)].into();
        assert!(items("main", &files, &Evidence { source: SourceId(0), at: None }).is_empty());
    }
}
