//! Phones on a cable, read in a virtual machine: Debian's kernel has both ends of a USB cable, a host controller and a
//! device controller that are wired to each other (`dummy_hcd`), and FunctionFS, through which phones' own `adbd` speaks.
//!
//! The machine has the host's files read-only, and works on them in its own memory. Nothing of this computer's USB is
//! touched, and no rights are needed. `guest.sh` holds the checks, `phone.py` the phone's side of the cable; the words are
//! those of `../shared/tools/adbd_sim.py` with a captured phone, and Debian's `adb` is the judge.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::tools::{self, Tool};

const TOOLS: &[Tool] = &[
    Tool { program: "adb", package: "adb" },
    Tool { program: "busybox", package: "busybox-static" },
    Tool { program: "cpio", package: "cpio" },
    Tool { program: "dpkg-deb", package: "dpkg" },
    Tool { program: "python3", package: "python3" },
    Tool { program: "qemu-system-x86_64", package: "qemu-system-x86" },
    Tool { program: "timeout", package: "coreutils" },
];

/// What the machine needs beside what is built in, with options; what those need is found in them.
const MODULES: [(&str, &str); 6] = [
    ("virtio_pci", ""),
    ("9p", ""),
    ("9pnet_virtio", ""),
    ("libcomposite", ""),
    ("usb_f_fs", ""),
    // A bus for each phone of `guest.sh`.
    ("dummy_hcd", "num=4"),
];

/// Seconds until the machine is ended. Emulated without hardware's help it takes some minutes.
const DEADLINE: &str = "900";

pub(crate) fn run() -> Result<()> {
    tools::install_all(TOOLS)?;
    let root = tools::root();
    let shared = root.join("../shared/tools/adbd_sim.py");
    if !shared.is_file() {
        tools::say(&format!("usb: NOT RUN, {} is not there", shared.display()));
        return Ok(());
    }
    tools::run(&mut tools::cargo(&["build", "--quiet", "--features", "usb", "--bin", "preloaded"]))?;
    let folder = root.join("target/usb");
    let kernel = kernel(&folder)?;
    let disk = first_files(&folder, &kernel, &root)?;
    let image = file_of(&kernel.join("boot"), "vmlinuz-")?;
    let share = "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap";
    let mut machine = Command::new("timeout");
    machine.args([DEADLINE, "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"]);
    machine.args(["-m", "1024", "-nographic", "-no-reboot", "-net", "none", "-virtfs", share]);
    machine.arg("-kernel").arg(image).arg("-initrd").arg(disk).args(["-append", "console=ttyS0 quiet panic=-1"]);
    tools::say("== qemu-system-x86_64, some minutes");
    let output = machine.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("qemu-system-x86_64")?;
    let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    let started = ["ok ", "FAILED ", "    ", "usb: "];
    let lines: Vec<&str> = text.lines().filter(|line| started.iter().any(|start| line.contains(start))).collect();
    tools::say(&lines.join("\n"));
    let is_whole = lines.iter().any(|line| line.starts_with("usb: ") && line.ends_with(" 0 failed"));
    if !is_whole || lines.iter().any(|line| line.starts_with("FAILED")) {
        bail!("usb: a check failed, or the machine ended early");
    }
    Ok(())
}

/// Debian's kernel with its modules, unpacked; nothing of it is installed.
fn kernel(folder: &Path) -> Result<PathBuf> {
    let kernel = folder.join("kernel");
    if kernel.join("whole").is_file() {
        return Ok(kernel);
    }
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(&kernel)?;
    let depends = Command::new("apt-cache").args(["depends", "linux-image-amd64"]).output().context("apt-cache")?;
    let depends = String::from_utf8_lossy(&depends.stdout).into_owned();
    let package = depends.lines().find_map(|line| line.trim().strip_prefix("Depends: ")).context(
        "apt knows no package linux-image-amd64: its lists may be empty (apt-get update), or this is another architecture",
    )?;
    tools::run(Command::new("apt-get").args(["download", "-q", package]).current_dir(folder))?;
    let archive = file_of(folder, "linux-image")?;
    tools::run(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(&kernel))?;
    fs::remove_file(archive)?;
    fs::write(kernel.join("whole"), "")?;
    Ok(kernel)
}

/// The archive of files that the kernel starts with.
fn first_files(folder: &Path, kernel: &Path, root: &Path) -> Result<PathBuf> {
    let tree = folder.join("tree");
    let _ = fs::remove_dir_all(&tree);
    for name in ["bin", "modules", "guest"] {
        fs::create_dir_all(tree.join(name))?;
    }
    let paths = modules(&file_of(&kernel.join("lib/modules"), "")?.join("kernel"))?;
    let mut order: Vec<String> = Vec::new();
    for (name, _) in MODULES {
        with_needed(name, &paths, &mut order)?;
    }
    let mut lines = String::new();
    for name in &order {
        let path = paths.get(name).with_context(|| format!("the kernel has no module {name}"))?;
        fs::copy(path, tree.join("modules").join(format!("{name}.ko")))?;
        let options = MODULES.iter().find(|(module, _)| module == name).map_or("", |(_, options)| options);
        lines.push_str(format!("{name} {options}").trim());
        lines.push('\n');
    }
    fs::write(tree.join("modules/order"), lines)?;
    let busybox = tools::find("busybox").context("busybox")?;
    fs::copy(busybox, tree.join("bin/busybox"))?;
    fs::write(tree.join("guest/root"), root.canonicalize()?.to_string_lossy().as_bytes())?;
    for (name, text) in [
        ("guest/guest.sh", include_str!("usb/guest.sh")),
        ("guest/phone.py", include_str!("usb/phone.py")),
        ("guest/profile.json", include_str!("usb/profile.json")),
        ("init", include_str!("usb/init")),
    ] {
        fs::write(tree.join(name), text)?;
    }
    let pack = "chmod 755 init && find . | cpio -o -H newc --quiet > ../first-files";
    tools::run(Command::new("sh").args(["-c", pack]).current_dir(&tree))?;
    Ok(folder.join("first-files"))
}

/// Every module by its name, with `_` for `-` as the kernel has it.
fn modules(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".ko")) {
                found.insert(name.replace('-', "_"), path.clone());
            }
        }
    }
    Ok(found)
}

/// Appends a module behind those that it needs. What is not among the files is built into the kernel.
fn with_needed(name: &str, paths: &BTreeMap<String, PathBuf>, order: &mut Vec<String>) -> Result<()> {
    const MARK: &[u8] = b"\0depends=";
    let Some(path) = paths.get(name).filter(|_| !order.iter().any(|known| known == name)) else { return Ok(()) };
    let bytes = fs::read(path)?;
    if let Some(at) = bytes.windows(MARK.len()).position(|window| window == MARK) {
        let text = bytes.get(at + MARK.len()..).unwrap_or_default();
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(0);
        let needed = String::from_utf8_lossy(text.get(..end).unwrap_or_default()).replace('-', "_");
        for other in needed.split(',').filter(|other| !other.is_empty()) {
            with_needed(other, paths, order)?;
        }
    }
    order.push(name.to_owned());
    Ok(())
}

/// The file or folder whose name begins so.
fn file_of(folder: &Path, start: &str) -> Result<PathBuf> {
    let mut paths = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
    let is_it = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start));
    paths.find(is_it).with_context(|| format!("no {start}... in {}", folder.display()))
}
