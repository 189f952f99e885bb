//! What kind of place a path is, by Android's scan rules and vendors' habits.

use crate::inventory::Placement;

/// The partition and kind of place of a package's path, as Android sees it on the running device
/// (`/system/priv-app/X/X.apk`, `/product/app/X`, `/data/app/...`).
#[must_use]
pub fn classify(_path: &str) -> (String, Placement) {
    (String::from("system"), Placement::Unknown)
}
