//! What the program says and bounds when a stream has to be unpacked to a temporary file.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, script: &str) {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}; install what is missing", String::from_utf8_lossy(&output.stderr));
}

fn scan(folder: &Path, options: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_preloaded")).arg("scan").arg(folder).args(options).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn unpacking_a_stream_to_a_temporary_file_is_said_and_ends_at_its_limit() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path();
    run(
        at,
        "mkdir -p tree ota; seq 1 400000 > tree/numbers; printf 'ro.build.version.sdk=28\\n' > tree/build.prop
        mke2fs -q -F -t ext4 -b 4096 -d tree ota/system.new.dat 8M
        brotli -q 1 --rm ota/system.new.dat
        printf '4\\n2048\\n0\\n0\\nnew 2,0,2048\\n' > ota/system.transfer.list",
    );
    let ota = at.join("ota");
    let line = "system.new.dat.br can't be read from the middle: unpacking it to a temporary file";
    let (code, out, err) = scan(&ota, &[]);
    assert_eq!(code, Some(3), "{err}");
    assert!(out.contains("\"filesystem\": \"ext4\"") && err.lines().filter(|said| said.contains(line)).count() == 1);
    // A stream that fits into a small part of the memory needs no file.
    let (_, same, silent) = scan(&ota, &["--cache", "1G"]);
    assert_eq!((same, silent.contains(line)), (out, false));
    let (code, _, err) = scan(&ota, &["--spool-limit", "1M"]);
    assert_eq!(code, Some(4), "{err}");
    assert!(err.contains("system.new.dat.br") && err.contains("the limit is 1048576"), "{err}");
    let (code, _, err) = scan(&ota, &["--cache", "much"]);
    assert!(code == Some(2) && err.contains("a number of bytes such as 512K, 128M, 2G"), "{err}");
    // In pieces that are blocks of xz, it is read where it is asked for.
    fs::create_dir(at.join("xz")).unwrap();
    run(at, "brotli -dc ota/system.new.dat.br | xz -0 --block-size=1MiB > xz/system.new.dat.xz; cp ota/*.list xz");
    let (code, _, err) = scan(&at.join("xz"), &["--spool-limit", "0"]);
    assert!(code == Some(3) && !err.contains("temporary file"), "{err}");
}
