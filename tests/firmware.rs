//! Filesystems and firmware images against what independent tools say of the same bytes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and the counts are for whoever runs it"
)]

#[cfg(test)]
mod firmware {
    mod apex;
    mod avb;
    mod containers;
    mod difference;
    mod erofs;
    mod ext4;
    mod f2fs;
    mod grants;
    mod hostile;
    mod image_command;
    mod incremental;
    mod listing;
    mod mutations;
    mod native;
    mod packings;
    mod preload;
    mod spooling;
    mod squashfs;
    mod trees;
    #[path = "../support/truth.rs"]
    mod truth;
    mod truth_rows;
    mod vendor;
    mod wrappings;

    /// Says what a test did or could not do, past the harness, which shows nothing of a test that passes.
    fn note(text: &str) {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}
