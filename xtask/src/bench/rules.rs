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

pub(crate) fn run(given: Option<&str>) -> Result<()> {
    let program = program()?;
    let folder = folder(given, "rules")?;
    let names = fill(&folder)?;
    fs::write(folder.join("both.toml"), PROFILE)?;
    let length = fs::metadata(folder.join("phone-0.json"))?.len();
    let script = format!(
        "taskset -c 0,1 {} check {names} -p both.toml --as-of 2026-06-01 --format json --jobs 2",
        program.display()
    );
    let cost = measure::run(&folder, &script, &[1, 3])?;
    tools::say(&format!(
        "{INVENTORIES} inventories of {PACKAGES} packages, {:.1} MiB each, under ru/smartphone and audit/hygiene: \
         {:.1} s on two cores ({:.1} s of processor time, {} MiB), at most {LIMIT} s",
        length as f64 / 1_048_576.0,
        cost.wall,
        cost.cpu,
        cost.peak_kib / 1024
    ));
    if cost.wall > LIMIT { bail!("{:.1} s are more than {LIMIT} s", cost.wall) } else { Ok(()) }
}

/// Writes the inventories. A pattern of the shell that names them all.
fn fill(folder: &Path) -> Result<&'static str> {
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
        let path = folder.join(format!("phone-{file}.json"));
        fs::write(&path, serde_json::to_vec_pretty(&inventory)?)?;
        for copy in 1..INVENTORIES / FILES {
            let link = folder.join(format!("phone-{file}-{copy}.json"));
            let _ = fs::remove_file(&link);
            fs::hard_link(&path, &link)?;
        }
    }
    Ok("phone-*.json")
}
