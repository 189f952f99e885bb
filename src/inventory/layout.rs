//! The home screen: what layouts say, and where an app's icon stands.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Evidence;

/// A layout of the home screen that an image brings along.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Who provides it: launchers ask in this order.
    pub origin: LayoutOrigin,
    /// Package or file that it stands in.
    pub provider: String,
    /// Name of the resource (`default_layout_5x5_h5`), or of the file.
    pub name: String,
    /// Icons and widgets, in the file's order.
    pub items: Vec<LayoutItem>,
    /// Where it stands.
    pub evidence: Evidence,
}

/// Providers of layouts in the order in which AOSP's launcher asks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutOrigin {
    /// The package that answers `android.autoinstalls.config.action.PLAY_AUTO_INSTALL`.
    PlayAutoInstall,
    /// A package that answers `com.android.launcher3.action.PARTNER_CUSTOMIZATION`.
    Partner,
    /// A file of the vendor's customisation.
    Vendor,
    /// The launcher itself.
    Launcher,
}

/// One icon or widget of a layout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayoutItem {
    /// What it is.
    pub kind: LayoutItemKind,
    /// The application id that it opens or installs; of a link the one that its address names. `null` where it names none.
    pub package: Option<String>,
    /// Class of the activity or widget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Address of a link, or of an intent that is resolved on the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Where it stands.
    pub place: LauncherPlace,
    /// Of several icons with one number only the first whose app is installed is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// File and line.
    pub evidence: Evidence,
}

/// Kinds of icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutItemKind {
    /// The icon of an app; dropped where the app is not installed.
    App,
    /// The icon of an app that is fetched at set-up.
    AutoInstall,
    /// A link.
    Link,
    /// A widget.
    Widget,
}

/// Where an icon stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LauncherPlace {
    /// Kind of place.
    pub kind: LauncherPlaceKind,
    /// Page of the home screen, from 0, for a page and for a folder on one; absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
}

/// Kinds of place, best to be found first. Public codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LauncherPlaceKind {
    /// The row that every page shows.
    Hotseat,
    /// A page of the home screen.
    Page,
    /// A folder.
    Folder,
    /// The list of all apps only.
    AllApps,
    /// Nowhere: it has no icon.
    None,
}

impl LauncherPlaceKind {
    /// The code as printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hotseat => "hotseat",
            Self::Page => "page",
            Self::Folder => "folder",
            Self::AllApps => "all-apps",
            Self::None => "none",
        }
    }
}

impl LauncherPlace {
    /// The row that every page shows.
    pub const HOTSEAT: Self = Self { kind: LauncherPlaceKind::Hotseat, page: None };
    /// The list of all apps only.
    pub const ALL_APPS: Self = Self { kind: LauncherPlaceKind::AllApps, page: None };
    /// No icon.
    pub const NONE: Self = Self { kind: LauncherPlaceKind::None, page: None };

    /// A page of the home screen, from 0.
    #[must_use]
    pub fn page(page: u32) -> Self {
        Self { kind: LauncherPlaceKind::Page, page: Some(page) }
    }

    /// The same place inside of a folder that stands there.
    #[must_use]
    pub fn folded(self) -> Self {
        Self { kind: LauncherPlaceKind::Folder, page: self.page }
    }

    /// What a person has to do to start the app from the first page: a tap, before it a swipe for each further page,
    /// another tap for a folder. The list of all apps counts three: open it, find the app, tap. `None`: it can't be
    /// started from there.
    #[must_use]
    pub fn actions(self) -> Option<u32> {
        let page = self.page.unwrap_or(0);
        match self.kind {
            LauncherPlaceKind::Hotseat => Some(1),
            LauncherPlaceKind::Page => Some(page.saturating_add(1)),
            LauncherPlaceKind::Folder => Some(page.saturating_add(2)),
            LauncherPlaceKind::AllApps => Some(3),
            LauncherPlaceKind::None => None,
        }
    }

    /// Whether an app here is shown no worse than one there: with equal or fewer actions, and of equals in no lesser kind
    /// of place.
    #[must_use]
    pub fn is_no_worse_than(self, other: Self) -> bool {
        self >= other
    }

    /// `page 2`, `folder on page 0`.
    #[must_use]
    pub fn describe(self) -> String {
        match (self.kind, self.page) {
            (LauncherPlaceKind::Page, Some(page)) => format!("page {page}"),
            (LauncherPlaceKind::Folder, Some(page)) => format!("folder on page {page}"),
            (LauncherPlaceKind::Folder, None) => "folder in the hotseat".to_owned(),
            (kind, _) => kind.as_str().to_owned(),
        }
    }
}

/// The better shown is the greater.
impl Ord for LauncherPlace {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |place: &Self| (place.actions().unwrap_or(u32::MAX), place.kind, place.page);
        key(other).cmp(&key(self))
    }
}

impl PartialOrd for LauncherPlace {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_one_order_from_no_icon_to_the_hotseat() {
        let order = [
            LauncherPlace::NONE,
            LauncherPlace::page(9),
            LauncherPlace::ALL_APPS,
            LauncherPlace::page(1).folded(),
            LauncherPlace::page(2),
            LauncherPlace::page(0).folded(),
            LauncherPlace::HOTSEAT.folded(),
            LauncherPlace::page(1),
            LauncherPlace::page(0),
            LauncherPlace::HOTSEAT,
        ];
        for (index, place) in order.iter().enumerate() {
            for (other, worse) in order.iter().enumerate() {
                assert_eq!(place.is_no_worse_than(*worse), index >= other, "{place:?} {worse:?}");
            }
        }
    }

    #[test]
    fn a_page_beyond_all_numbers_is_no_panic() {
        assert_eq!(LauncherPlace::page(u32::MAX).actions(), Some(u32::MAX));
        assert_eq!(LauncherPlace::page(u32::MAX).folded().actions(), Some(u32::MAX));
    }
}
