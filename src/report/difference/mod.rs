//! Renderings of a comparison: release notes of what is pre-installed.

mod html;
mod text;

pub use html::html;
pub use text::{odd, text};
