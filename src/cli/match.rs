//! `preloaded match`.

use std::io::{self, Write};

use clap::Args;

use super::exit::{Exit, usage};
use super::form::{Form, write_json};
use super::scan::unread;
use super::target::TargetArguments;
use crate::collect::Silent;
use crate::firmware::avb::{self, Outcome};
use crate::platform::same_software::{Answer, Comparison, ImageProof, Strength, compare};
use crate::report::printable;

/// Partitions up to this size are checked whole: boot images and tables have below 128 MiB.
const WHOLE: u64 = 256 << 20;

/// Is this phone running what this audited image holds?
///
/// Takes a phone (or a saved inventory or capture of one) and firmware, in either order. Compares the digest of the
/// verified-boot metadata, the fingerprint and every pre-installed package, and says how strong the proof is. Partitions of
/// the image that have a digest of their own are checked against it.
///
/// Exits 0 when the digest of the metadata proves that it is the same software, 1 when it is another, 3 when what could
/// be compared does not prove it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n    preloaded match adb:SERIAL firmware.zip")]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,

    /// Also read partitions with hash trees whole, and check them: some gigabytes
    #[arg(long)]
    hash_trees: bool,

    /// Form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let readings = arguments.target.read(false, &[])?;
    let mut inventories = Vec::new();
    for reading in readings {
        inventories.push(reading.result.map_err(|error| unread(&reading.target.name, &error))?);
    }
    let (devices, images): (Vec<_>, Vec<_>) = inventories.iter().partition(|inventory| inventory.target.kind.has_run());
    let ([device], [image]) = (devices.as_slice(), images.as_slice()) else {
        let words = format!("match takes one phone and one image, these are {} and {}", devices.len(), images.len());
        return Err(usage(words));
    };
    let proof = arguments.proof();
    let comparison = compare(device, image, &proof);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments.format {
        Form::Text => write_text(&comparison, &device.target.name, &image.target.name, &mut out)?,
        Form::Json => {
            let value = serde_json::json!({
                "device": device.target,
                "image": image.target,
                "comparison": comparison,
            });
            write_json(&value, &mut out)?;
        }
    }
    out.flush()?;
    Ok(match (comparison.answer, comparison.strength) {
        (Answer::Different, _) => Exit::NotCompliant,
        (Answer::Same, strength) if strength >= Strength::Digest => Exit::Compliant,
        _ => Exit::Inconclusive,
    })
}

impl Arguments {
    /// What the image's own metadata says of it.
    fn proof(&self) -> ImageProof {
        let nothing = |why: String| ImageProof::new(Err(why));
        let Some(source) = self.target.firmware() else {
            return nothing("a saved inventory holds no partitions".to_owned());
        };
        let partitions = match source.partitions(&Silent) {
            Ok(partitions) => partitions,
            Err(error) => return nothing(error.to_string()),
        };
        let avb = match avb::read(&partitions) {
            Ok(Some(avb)) => avb,
            Ok(None) => return nothing("it has no partition vbmeta".to_owned()),
            Err(error) => return nothing(error.to_string()),
        };
        let mut proof = ImageProof::new(Ok(vec![avb.sha256.clone(), avb.sha512.clone()]));
        for checked in avb::check(&avb, &partitions, WHOLE, self.hash_trees) {
            let name = checked.partition;
            match checked.outcome {
                Outcome::Agrees => proof.checked.push(name),
                Outcome::Differs { expected, found } => proof.damaged.push(format!(
                    "partition {name}: its content has the digest {found}, the image's own metadata says {expected}"
                )),
                Outcome::NotChecked(why) => proof.unchecked.push(format!("{name} ({why})")),
            }
        }
        proof
    }
}

fn write_text(comparison: &Comparison, device: &str, image: &str, out: &mut dyn Write) -> io::Result<()> {
    let strength = comparison.strength.as_str();
    let (device, image) = (printable(device), printable(image));
    match comparison.answer {
        Answer::Same => writeln!(out, "SAME  {device} runs what {image} holds [{strength}]")?,
        Answer::Different => writeln!(out, "DIFFERENT  {device} does not run what {image} holds [{strength}]")?,
        Answer::NotSettled => writeln!(out, "NOT SETTLED  whether {device} runs what {image} holds [{strength}]")?,
    }
    for signal in &comparison.signals {
        let mark = match signal.agrees {
            Some(true) => "agrees",
            Some(false) => "differs",
            None => "unknown",
        };
        writeln!(out, "    {mark:<8}  {}: {}", printable(&signal.what), printable(&signal.says))?;
    }
    let packages = &comparison.packages;
    for (title, list) in [
        ("differs", &packages.different),
        ("only on the device", &packages.only_device),
        ("only in the image", &packages.only_image),
        ("not known", &packages.unknown),
    ] {
        for line in list {
            writeln!(out, "    package   {title}: {}", printable(line))?;
        }
    }
    Ok(())
}
