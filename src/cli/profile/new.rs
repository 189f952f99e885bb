//! `preloaded profile new`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::super::check::today;
use super::super::exit::{Exit, usage};
use super::super::output::write_whole;
use crate::profile;

/// Write a profile to start from
///
/// It holds one rule with examples, and passes `profile lint` and `profile test`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The profile's id, `shop/minimum`
    #[arg(value_name = "ID")]
    id: String,

    /// The file [default: the last part of the id, with .toml]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Build on a profile: its rules, with what is changed of them
    #[arg(long, value_name = "NAME|FILE")]
    extends: Option<String>,
}

const RULE: &str = r#"
[sources]
H1 = "rules.example.com/2026-01 (the document that the rule stands in, with its address)"

[defaults]
status = "policy"                         # mandatory, contractual, policy, advisory
legal = { instrument = { en = "House rules", ru = "Внутренние правила" }, sources = ["H1"], confidence = "A" }

[[rule]]
id = "SHOP-STORE"                         # for ever: a rule that ends stays, with superseded-by
title = { en = "The shop's store is pre-installed", ru = "Магазин приложений предустановлен" }
check = "required-package"                # `preloaded profile checks` lists the kinds
settings = { any-of = ["com.example.store"], label = { en = "Store", ru = "Магазин" } }
effective = [{ basis = "as-of", from = DAY }]
remedy = { en = "Add it to the firmware.", ru = "Добавьте его в прошивку." }
examples = [
    { verdict = "pass", packages = ["com.example.store"] },
    { verdict = "fail", reason = "absent" },
    { verdict = "inconclusive", hidden = "product" },
]
"#;

const TAILORED: &str = r#"
# [[deselect]]
# rule = "RULE-ID"
# reason = "why"

# [[refine]]
# rule = "RULE-ID"
# reason = "why"
# status = "policy"
"#;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    // Whatever is wrong with id and base is said before a file is written.
    if !profile::is_id(&arguments.id) {
        return Err(usage(format!(
            "`{}` is no id of a profile, expected one like `shop/minimum`; `-o` names the file",
            arguments.id
        )));
    }
    if let Some(base) = &arguments.extends {
        profile::load(base).map_err(|error| usage(error.to_string()))?;
    }
    let day = today().to_string();
    let mut text = format!(
        "schema = 1\nid = \"{}\"\nversion = \"{}.1\"\n\
         title = {{ en = \"What it is about\", ru = \"О чём он\" }}\n\
         description = {{ en = \"What it covers, and what not.\", ru = \"Что он охватывает и что нет.\" }}\n",
        arguments.id,
        day.get(..4).unwrap_or("2026")
    );
    if let Some(base) = &arguments.extends {
        text.push_str(&format!("extends = [{base:?}]\n{TAILORED}"));
    }
    text.push_str(&RULE.replace("DAY", &day));
    let name = arguments.id.rsplit('/').next().unwrap_or("profile");
    let path = arguments.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
    if path.exists() {
        return Err(usage(format!("{} is there already", path.display())));
    }
    write_whole(&path, text.as_bytes()).with_context(|| format!("{}", path.display()))?;
    Ok(Exit::Compliant)
}
