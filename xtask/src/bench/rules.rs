//! Judging stored inventories again, under another profile or day: a thousand of them, without the phones.
//!
//! The inventories are the sample phone's, its packages repeated under other names until there are 400. Twenty files of them
//! stand on the disk, each under fifty names: what is measured is reading, judging and reporting, not the disk.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{folder, measure, program};
use crate::tools;

const INVENTORIES: usize = 1_000;
const FILES: usize = 20;
const PACKAGES: usize = 400;
/// Seconds that it may take on two cores.
const LIMIT: f64 = 20.0;

/// Both profiles in one call: each target is judged under the rules of both.
const PROFILE: &str = "schema = 1\nid = \"bench/both\"\nversion = \"1\"\ntitle = \"Both\"\n\
                       extends = [\"ru/smartphone\", \"audit/hygiene\"]\n";

/// `count` of the inventories instead of all; the whole is estimated then.
pub(crate) fn run(given: Option<&str>, count: Option<&str>) -> Result<()> {
    let count = match count.map(str::parse::<usize>) {
        None => INVENTORIES,
        Some(Ok(count)) if (1..=INVENTORIES).contains(&count) => count,
        Some(_) => bail!("expected a number of inventories from 1 to {INVENTORIES}"),
    };
    let program = program()?;
    let folder = folder(given, "rules")?;
    fill(&folder)?;
    let names = (0..count).map(name).collect::<Vec<_>>().join(" ");
    fs::write(folder.join("both.toml"), PROFILE)?;
    let length = fs::metadata(folder.join(name(0)))?.len();
    let script = format!(
        "taskset -c 0,1 {} check {names} -p both.toml --as-of 2026-06-01 --format json --findings-only --jobs 2",
        program.display()
    );
    let cost = measure::run(&folder, &script, &[1, 3])?;
    let share = u32::try_from(count).map(f64::from)? / u32::try_from(INVENTORIES).map(f64::from)?;
    let wall = cost.wall / share;
    let estimated =
        if count < INVENTORIES { format!(", estimated {wall:.1} s for {INVENTORIES}") } else { String::new() };
    tools::say(&format!(
        "{count} inventories of {PACKAGES} packages, {:.1} MiB each, under ru/smartphone and audit/hygiene: \
         {:.1} s on two cores ({:.1} s of processor time, {} MiB){estimated}, at most {LIMIT} s",
        length as f64 / 1_048_576.0,
        cost.wall,
        cost.cpu,
        cost.peak_kib / 1024
    ));
    if wall > LIMIT { bail!("{wall:.1} s are more than {LIMIT} s") } else { Ok(()) }
}

/// File of the inventory of that number: neighbours are different ones.
fn name(number: usize) -> String {
    format!("phone-{}-{}.json", number % FILES, number / FILES)
}

/// Writes the inventories.
fn fill(folder: &Path) -> Result<()> {
    let text = fs::read_to_string(tools::root().join("samples/orion-p1-phone.json"))?;
    let sample: Value = serde_json::from_str(&text)?;
    let packages = sample.pointer("/packages/value").and_then(Value::as_array).context("no packages")?.clone();
    for file in 0..FILES {
        let mut inventory = sample.clone();
        let mut list = packages.clone();
        for index in 0.. {
            if list.len() >= PACKAGES {
                break;
            }
            let Some(package) = packages.get(index % packages.len()) else { break };
            let name = package.get("name").and_then(Value::as_str).context("no name")?;
            let other = format!("{name}.copy{index}");
            // Names stand in paths too.
            list.push(serde_json::from_str(&package.to_string().replace(name, &other))?);
        }
        *inventory.pointer_mut("/packages/value").context("no packages")? = Value::Array(list);
        *inventory.pointer_mut("/target/name").context("no name")? = Value::from(format!("adb:BENCH{file}"));
        let path = folder.join(name(file));
        let _ = fs::remove_file(&path);
        fs::write(&path, serde_json::to_vec_pretty(&inventory)?)?;
        for copy in 1..INVENTORIES / FILES {
            let link = folder.join(name(copy * FILES + file));
            let _ = fs::remove_file(&link);
            fs::hard_link(&path, &link)?;
        }
    }
    Ok(())
}
