//! Everything that CI runs, in the order in which a mistake is cheapest to hear of.

use anyhow::Result;

use crate::{generate, tools, validators};

pub(crate) fn run() -> Result<()> {
    tools::install()?;
    validators::install()?;
    tools::run(&mut tools::cargo(&["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--features", "usb", "--quiet", "--", "-D", "warnings"];
    tools::run(&mut tools::cargo(&clippy))?;
    // What a build may lack.
    let without =
        ["clippy", "--package", "preloaded", "--no-default-features", "--lib", "--quiet", "--", "-D", "warnings"];
    tools::run(&mut tools::cargo(&without))?;
    let doc = ["doc", "--workspace", "--features", "usb", "--no-deps", "--document-private-items", "--quiet"];
    tools::run(tools::cargo(&doc).env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"))?;
    generate::run(generate::Mode::Check)?;
    tools::run(&mut tools::cargo(&["test", "--workspace", "--features", "usb", "--quiet"]))
}
