//! `cargo xtask bench firmware`: `preloaded scan` against what people do today, on the same images.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::images::{self, Image, Wrapping};
use super::measure::{self, Cost};
use super::{folder, make, program};
use crate::tools;

/// `cargo install` of the program that unpacks payloads.
const PAYLOAD_DUMPER: &str = "0.8.4";
/// Most memory of a scan, in KiB.
const MOST_MEMORY: u64 = 200 << 10;

/// Costs of one image.
struct Row {
    image: Image,
    bytes: u64,
    ours: Cost,
    one_core: Cost,
    read: u64,
    decompressed: u64,
    /// Unpacking the partitions.
    unpack: Option<Cost>,
    /// That, and taking the packages out and asking two programs about each.
    whole: Option<Cost>,
}

pub(crate) fn run(given: Option<&str>, with_peers: bool) -> Result<()> {
    let folder = folder(given, "firmware")?;
    tools::install()?;
    let images = images::build(&folder)?;
    let program = program()?;
    let dumper = folder.join("tools/bin/payload_dumper");
    if with_peers && !dumper.exists() {
        let root = folder.join("tools").display().to_string();
        let install =
            ["install", "--quiet", "--locked", "payload_dumper", "--version", PAYLOAD_DUMPER, "--root", &root];
        tools::run(&mut tools::cargo(&install))?;
    }
    let mut rows = Vec::new();
    let mut asking = None;
    for image in images {
        tools::say(&format!("measuring {}", image.name));
        let scan = format!("{} scan {} --costs --output report.json", program.display(), image.file.display());
        // What stands in the page cache costs each program the same.
        make(&folder, &format!("cat {} > /dev/null", image.file.display()))?;
        let one_core = measure::run(&folder, &format!("taskset -c 0 {scan}"), &[])?;
        let ours = measure::run(&folder, &scan, &[])?;
        let (read, decompressed) = costs(&folder)?;
        let (mut unpack, mut whole) = (None, None);
        if with_peers {
            let unpacking = measure::run(&folder, &unpack_script(&image, &dumper), &[])?;
            let extracting = measure::run(&folder, &extract_script(&image), &[])?;
            // Every image holds the same 400 files: asking about them costs the same, and is measured once.
            let asked = match asking {
                Some(cost) => cost,
                None => *asking.insert(measure::run(&folder, ASK, &[])?),
            };
            make(&folder, "rm -rf unpacked")?;
            unpack = Some(unpacking);
            whole = Some(unpacking + extracting + asked);
        }
        let bytes = std::fs::metadata(&image.file)?.len();
        rows.push(Row { image, bytes, ours, one_core, read, decompressed, unpack, whole });
    }
    print(&rows);
    let missed: Vec<_> = rows.iter().flat_map(missed).collect();
    if missed.is_empty() { Ok(()) } else { bail!("targets missed:\n  {}", missed.join("\n  ")) }
}

/// Bytes read and decompressed, by the line that `--costs` prints.
fn costs(folder: &Path) -> Result<(u64, u64)> {
    let text = std::fs::read_to_string(folder.join("errors"))?;
    let number = |after: &str| {
        let rest = text.rsplit_once(after)?.0;
        rest.rsplit(' ').next()?.replace(',', "").parse::<u64>().ok()
    };
    number(" bytes read").zip(number(" decompressed")).with_context(|| format!("no costs in {text:?}"))
}

/// Partitions into `unpacked/<name>.img`.
fn unpack_script(image: &Image, dumper: &Path) -> String {
    let file = image.file.display();
    match image.wrapping {
        Wrapping::Payload => format!("{} {file} --out unpacked", dumper.display()),
        Wrapping::Super => cut(image, &file.to_string()),
        Wrapping::Sparse => {
            format!("mkdir -p unpacked; simg2img {file} unpacked/super.raw; {}", cut(image, "unpacked/super.raw"))
        }
        Wrapping::Samsung => format!(
            "mkdir -p unpacked; cd unpacked; unzip -q {file}; tar xf AP_X.tar.md5; lz4 -q -d super.img.lz4 super.simg; \
             simg2img super.simg super.raw; cd ..; {}",
            cut(image, "unpacked/super.raw")
        ),
    }
}

/// What `lpunpack` does: each partition is copied out of the super image, where ours lie one behind the other.
fn cut(image: &Image, source: &str) -> String {
    let mut script = "set -e; mkdir -p unpacked; at=1".to_owned();
    for name in images::partitions() {
        script += &format!(
            "; size=$(stat -c %s {name}.{0}); dd if={source} of=unpacked/{name}.img bs=1M skip=$at count=$size iflag=count_bytes conv=sparse status=none; \
             at=$((at + (size + 1048575) / 1048576))",
            image.filesystem
        );
    }
    script
}

/// Facts and certificates of each package file.
const ASK: &str = "find unpacked -name '*.apk' | while read f; do aapt2 dump badging \"$f\"; apksigner verify --print-certs \"$f\"; \
                   done > /dev/null 2>&1 || true";

/// Package files out of the partitions.
fn extract_script(image: &Image) -> String {
    let extract = if image.filesystem == "ext4" {
        "mkdir -p unpacked/$p.d; debugfs -R \"rdump / unpacked/$p.d\" unpacked/$p.img"
    } else {
        "fsck.erofs --extract=unpacked/$p.d unpacked/$p.img"
    };
    let names: Vec<_> = images::partitions().collect();
    format!(
        "for p in {}; do {extract} > /dev/null 2>&1; done; test $(find unpacked -name '*.apk' | wc -l) = 400",
        names.join(" ")
    )
}

fn print(rows: &[Row]) {
    let mut text = String::from(
        "\nimage | MiB | CPU s | wall s | one core s | peak MiB | read MiB | decompressed MiB | unpacking CPU s | people today CPU s\n\
         --- | --: | --: | --: | --: | --: | --: | --: | --: | --:\n",
    );
    for row in rows {
        let seconds = |cost: Option<Cost>| cost.map_or("-".to_owned(), |cost| format!("{:.1}", cost.cpu));
        text += &format!(
            "{} | {} | {:.2} | {:.2} | {:.2} | {} | {:.1} | {:.1} | {} | {}\n",
            row.image.name,
            row.bytes >> 20,
            row.ours.cpu,
            row.ours.wall,
            row.one_core.wall,
            row.ours.peak_kib >> 10,
            mib(row.read),
            mib(row.decompressed),
            seconds(row.unpack),
            seconds(row.whole),
        );
    }
    tools::say(&text);
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// Targets that a row does not meet, in words.
fn missed(row: &Row) -> Vec<String> {
    let name = row.image.name;
    let mut missed = Vec::new();
    let mut check = |what: &str, value: f64, most: f64| {
        if value > most {
            missed.push(format!("{name}: {what} is {value:.3}, the target is at most {most:.3}"));
        }
    };
    let payload = row.image.wrapping == Wrapping::Payload;
    if let Some(unpack) = row.unpack.filter(|_| payload) {
        let most = if row.image.filesystem == "ext4" { 1.0 / 3.0 } else { 0.5 };
        check("CPU against unpacking", row.ours.cpu / unpack.cpu, most);
    }
    if let Some(whole) = row.whole {
        check("CPU against what people do today", row.ours.cpu / whole.cpu, if payload { 0.05 } else { 0.01 });
    }
    // An lz4 frame has blocks of 4 MiB, and each package lies in one or two: no share is asked of it.
    if matches!(row.image.wrapping, Wrapping::Super | Wrapping::Sparse) {
        check("share of the image that is read", mib(row.read) / mib(row.bytes), 0.03);
    }
    check("peak memory in MiB", mib(row.ours.peak_kib << 10), mib(MOST_MEMORY << 10));
    if row.one_core.wall > 1.0 {
        check("time on two cores against one", row.ours.wall / row.one_core.wall, 1.0 / 1.7);
    }
    missed
}
