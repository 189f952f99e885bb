//! Independent validators of each format. Each is also given a file that was broken on purpose, and must refuse it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use preloaded::report::Run;

use super::made;

/// The runs that validators see: the samples, every verdict, a device that tries everything, one that was not read.
fn runs() -> Vec<(String, Run)> {
    let mut runs: Vec<(String, Run)> =
        made::SAMPLES.iter().map(|sample| ((*sample).to_owned(), made::sample(sample))).collect();
    runs.push(("verdicts".to_owned(), made::every_verdict()));
    runs.push(("hostile".to_owned(), made::hostile()));
    runs.push(("incomplete".to_owned(), made::incomplete("a gap")));
    let mut unread = made::sample("orion-p1-phone");
    unread.targets = vec![made::unread("no answer")];
    runs.push(("unread".to_owned(), unread));
    runs
}

/// Renders every run, lets `valid` judge each file, and then a broken form of the first, which it must refuse.
fn hold(format: &str, extension: &str, broken: (&str, &str), valid: impl Fn(&Path) -> Result<(), String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut first = None;
    for (name, run) in runs() {
        let text = made::render(made::format(format), &run);
        let file = write(folder.path(), &format!("{name}.{extension}"), &text);
        valid(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        first.get_or_insert(text);
    }
    let text = first.unwrap();
    let spoilt = text.replacen(broken.0, broken.1, 1);
    assert_ne!(spoilt, text, "{} is not in the file", broken.0);
    let file = write(folder.path(), &format!("broken.{extension}"), &spoilt);
    assert!(valid(&file).is_err(), "{format}: the validator takes anything");
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    file
}

fn success(output: &Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(4_000).collect::<String>();
    Err(format!("{}\n{}", text(&output.stdout), text(&output.stderr)))
}

fn python(script: &str, file: &Path) -> Result<(), String> {
    success(&made::run_tool(&made::tool("venv/bin/python"), &["-c", script, file.to_str().unwrap()]))
}

#[test]
fn junit_is_what_the_schema_of_jenkins_allows() {
    let schema = made::root().join("tests/data/reports/junit-10.xsd");
    hold("junit", "xml", ("<testsuites ", "<testsuites skipped=\"0\" "), |file| {
        let arguments = ["--noout", "--schema", schema.to_str().unwrap(), file.to_str().unwrap()];
        success(&made::run_tool(Path::new("xmllint"), &arguments))
    });
}

#[test]
fn junit_counts_what_it_holds_and_has_no_case_twice() {
    for (name, run) in runs() {
        let text = made::render(made::format("junit"), &run);
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        let cases: Vec<_> = root.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let count = |tag: &str| root.descendants().filter(|node| node.has_tag_name(tag)).count().to_string();
        assert_eq!(root.attribute("tests"), Some(cases.len().to_string().as_str()), "{name}");
        assert_eq!(root.attribute("failures"), Some(count("failure").as_str()), "{name}");
        assert_eq!(root.attribute("errors"), Some(count("error").as_str()), "{name}");
        let named: std::collections::BTreeSet<_> =
            cases.iter().map(|case| (case.attribute("classname"), case.attribute("name"))).collect();
        assert_eq!(named.len(), cases.len(), "{name}");
    }
}

#[test]
fn sarif_is_what_the_multitool_of_microsoft_allows() {
    hold("sarif", "sarif", ("\"fail\"", "\"failed\""), |file| {
        let log = file.with_extension("validated.sarif");
        let multitool = made::tool("npm/node_modules/.bin/sarif-multitool");
        let arguments =
            ["validate", file.to_str().unwrap(), "--output", log.to_str().unwrap(), "--log", "ForceOverwrite"];
        let output = made::run_tool(&multitool, &arguments);
        success(&output)?;
        let text = fs::read_to_string(&log).map_err(|error| error.to_string())?;
        let log: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let results = log["runs"][0]["results"].as_array().cloned().unwrap_or_default();
        let errors: Vec<_> = results.iter().filter(|result| result["level"] == "error").collect();
        if errors.is_empty() { Ok(()) } else { Err(format!("{errors:#?}")) }
    });
}

#[test]
fn sarif_is_valid_by_the_schema_of_oasis() {
    let path = made::tool("npm/node_modules/@microsoft/sarif-multitool-linux/sarif-2.1.0.json");
    let schema = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    hold("sarif", "sarif", ("\"level\": \"error\"", "\"level\": \"bad\""), |file| {
        let instance = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        validator.validate(&instance).map_err(|error| error.to_string())
    });
}

#[test]
fn xccdf_is_what_openscap_allows() {
    hold("xccdf", "xml", ("<result>fail</result>", "<result>failed</result>"), |file| {
        success(&made::run_tool(Path::new("oscap"), &["xccdf", "validate", file.to_str().unwrap()]))
    });
}

#[test]
fn cyclonedx_is_what_its_own_library_allows() {
    const SCRIPT: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1], encoding='utf-8').read())
sys.exit(str(error)[:3000] if error else 0)";
    hold("cyclonedx", "json", ("\"application\"", "\"applications\""), |file| python(SCRIPT, file));
}

#[test]
fn spdx_is_what_its_own_model_allows_and_no_element_is_missing() {
    const SCRIPT: &str = "
import io, sys
from spdx_python_model import v3_0_1 as spdx
objects = spdx.SHACLObjectSet()
with open(sys.argv[1], 'rb') as file:
    spdx.JSONLDDeserializer().read(file, objects)
assert not objects.missing_ids, objects.missing_ids
# Writing checks what must be there and how often.
spdx.JSONLDSerializer().write(objects, io.BytesIO())
assert any(isinstance(one, spdx.SpdxDocument) for one in objects.foreach())";
    hold("spdx", "json", ("\"contains\"", "\"holds\""), |file| python(SCRIPT, file));
    hold("spdx", "json", ("\"specVersion\": \"3.0.1\",", ""), |file| python(SCRIPT, file));
}

#[test]
fn csv_is_what_python_reads_back() {
    // Every row as wide as the head; the head as written; the number of rows; no cell that a spreadsheet calculates.
    const SCRIPT: &str = "
import csv, sys
file, delimiter, width, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
assert open(file, 'rb').read(3) == b'\\xef\\xbb\\xbf'
table = list(csv.reader(open(file, encoding='utf-8-sig', newline=''), delimiter=delimiter, strict=True))
assert all(len(row) == width for row in table), [len(row) for row in table]
assert len(table) == rows + 1, len(table)
assert not [cell for row in table for cell in row if cell.strip()[:1] in ('=', '+', '-', '@')]";
    let folder = tempfile::tempdir().unwrap();
    for (name, run) in runs() {
        for delimiter in [',', ';'] {
            for (format, width) in [("csv", 22), ("csv-packages", 26), ("csv-permissions", 13)] {
                let style = preloaded::report::Style { delimiter, ..Default::default() };
                let text = made::render_as(made::format(format), &run, &style);
                let file = write(folder.path(), &format!("{name}.{format}"), &text);
                let rows = match format {
                    "csv" => {
                        made::findings(&run) + run.targets.iter().filter(|target| target.inventory.is_none()).count()
                    }
                    _ => text.matches("\r\n").count() - 1,
                };
                let (delimiter, width, rows) = (delimiter.to_string(), width.to_string(), rows.to_string());
                let arguments = ["-c", SCRIPT, file.to_str().unwrap(), &delimiter, &width, &rows];
                success(&made::run_tool(Path::new("python3"), &arguments))
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
    let broken = write(folder.path(), "broken.csv", "\u{feff}a,b\r\n=1,2\r\n");
    let arguments = ["-c", SCRIPT, broken.to_str().unwrap(), ",", "2", "1"];
    assert!(success(&made::run_tool(Path::new("python3"), &arguments)).is_err());
}

#[test]
fn events_are_valid_by_the_schema_that_the_program_prints() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.ndjson");
    let sample = "samples/orion-p1-phone.json";
    let name = file.to_str().unwrap();
    let output = made::preloaded(&[
        "check",
        sample,
        "/nonexistent",
        "-p",
        "ru/smartphone",
        "--as-of",
        "2026-06-01",
        "--events",
        name,
    ]);
    assert_eq!(output.status.code(), Some(1));
    let schema = serde_json::from_slice(&made::preloaded(&["schema", "event"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut kinds = Vec::new();
    for line in fs::read_to_string(&file).unwrap().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        validator.validate(&event).unwrap_or_else(|error| panic!("{line}: {error}"));
        kinds.push(event["event"].as_str().unwrap().to_owned());
        let mut broken = event.clone();
        broken["event"] = serde_json::json!("something");
        assert!(!validator.is_valid(&broken), "a schema that takes anything");
    }
    assert_eq!((kinds[0].as_str(), kinds.last().unwrap().as_str()), ("started", "finished"));
    for kind in ["reading", "judged", "unread"] {
        assert!(kinds.iter().any(|other| other == kind), "{kind} is not in {kinds:?}");
    }
}
