//! Every row of the shared data's tables, by the program itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use super::truth::{self, Rows};

const PROGRAM: &str = env!("CARGO_BIN_EXE_preloaded");

#[test]
fn every_row_that_independent_tools_wrote_of_images_of_others_is_what_the_program_lists() {
    let data = Path::new("../shared/data");
    if !data.is_dir() {
        super::note(&format!("NOT RUN: {} is not there", data.display()));
        return;
    }
    let (mut rows, mut unread, mut wrong) = ([0, 0], 0, Vec::new());
    let mut oracles: BTreeMap<&str, usize> = BTreeMap::new();
    for case in truth::cases(&data.canonicalize().unwrap()).unwrap() {
        let compared = truth::compare(Path::new(PROGRAM), &case);
        rows[usize::from(case.file.starts_with(data.canonicalize().unwrap().join("images")))] += compared.rows;
        unread += compared.unread;
        *oracles.entry(case.oracle).or_default() += compared.rows;
        wrong.extend(compared.differences.into_iter().take(3).map(|text| format!("{}: {text}", case.label)));
    }
    super::note(&format!(
        "rows compared: {} of containers, {} of images, {unread} unreadable: {oracles:?}",
        rows[0], rows[1]
    ));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((rows, unread), ([12_166, 12_833], 2));
}

#[test]
fn volumes_that_only_later_makers_write_have_the_files_that_fsck_took_out_of_them() {
    let folder = Path::new("tests/data/erofs");
    let mut compared = 0;
    for (label, expected) in truth::table(&folder.join("files.tsv")).unwrap() {
        let temp = tempfile::tempdir().unwrap();
        let stem = label.trim_end_matches(".img");
        for end in ["img", "blob"] {
            let packed = folder.join(format!("{stem}.{end}.zst"));
            if packed.exists() {
                let to = temp.path().join(format!("{stem}.{end}"));
                let status = Command::new("zstd").args(["-dqf", "-o"]).arg(to).arg(packed).status().unwrap();
                assert!(status.success());
            }
        }
        let found = truth::listing(Path::new(PROGRAM), temp.path(), &[]).unwrap();
        assert_eq!(found.len(), 1, "{label}");
        let found: Rows = found.into_values().flatten().collect();
        assert!(found == expected, "{label}: {:#?}", differences(&expected, &found));
        compared += expected.len();
        if stem == "devices" {
            // Alone, the volume says where its content is, and nothing reads as zeros.
            std::fs::remove_file(temp.path().join("devices.blob")).unwrap();
            let found: Rows =
                truth::listing(Path::new(PROGRAM), temp.path(), &[]).unwrap().into_values().flatten().collect();
            let text = &found["app/A/noise"].1;
            assert!(text.contains("a part on another device, number 1, which is not here, is not supported"), "{text}");
            assert_eq!(found["etc/link"].1, "../app/A/noise");
        }
    }
    super::note(&format!("own EROFS volumes: {compared} rows compared"));
    assert_eq!(compared, 36);
}

fn differences(expected: &Rows, found: &Rows) -> Vec<String> {
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let pairs = names.into_iter().map(|name| (name, expected.get(name), found.get(name)));
    pairs.filter(|(_, expected, found)| expected != found).map(|row| format!("{row:?}")).collect()
}
