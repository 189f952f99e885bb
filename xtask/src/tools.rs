//! Programs of the host that the tests call, and how to run one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A program that tests or benchmarks need, and the Debian package that has it.
pub(crate) struct Tool {
    /// What it is called; a path, where it is a file with data.
    pub(crate) program: &'static str,
    /// Where it comes from.
    pub(crate) package: &'static str,
}

/// Everything that a test may call. A test whose tool is missing fails and names it; none is skipped.
const TOOLS: &[Tool] = &[
    Tool { program: "aapt", package: "aapt" },
    Tool { program: "aapt2", package: "aapt" },
    Tool { program: "adb", package: "adb" },
    Tool { program: "/usr/share/android-framework-res/framework-res.apk", package: "android-framework-res" },
    Tool { program: "apksigner", package: "apksigner" },
    Tool { program: "brotli", package: "brotli" },
    Tool { program: "bash", package: "bash" },
    Tool { program: "base64", package: "coreutils" },
    Tool { program: "bsdiff", package: "bsdiff" },
    Tool { program: "bzip2", package: "bzip2" },
    Tool { program: "chromium", package: "chromium" },
    Tool { program: "cpio", package: "cpio" },
    Tool { program: "debugfs", package: "e2fsprogs" },
    Tool { program: "fsck.erofs", package: "erofs-utils" },
    Tool { program: "img2simg", package: "android-sdk-libsparse-utils" },
    Tool { program: "keytool", package: "default-jre-headless" },
    Tool { program: "lz4", package: "lz4" },
    Tool { program: "minisign", package: "minisign" },
    Tool { program: "mke2fs", package: "e2fsprogs" },
    Tool { program: "mkbootimg", package: "mkbootimg" },
    Tool { program: "mkfs.erofs", package: "erofs-utils" },
    Tool { program: "mkfs.f2fs", package: "f2fs-tools" },
    Tool { program: "mksh", package: "mksh" },
    Tool { program: "mksquashfs", package: "squashfs-tools" },
    Tool { program: "npm", package: "npm" },
    Tool { program: "oscap", package: "openscap-scanner" },
    Tool { program: "openssl", package: "openssl" },
    Tool { program: "python3", package: "python3" },
    Tool { program: "readelf", package: "binutils" },
    Tool { program: "setpriv", package: "util-linux" },
    Tool { program: "sfdisk", package: "fdisk" },
    Tool { program: "sload.f2fs", package: "f2fs-tools" },
    Tool { program: "simg2simg", package: "android-sdk-libsparse-utils" },
    Tool { program: "sqlite3", package: "sqlite3" },
    Tool { program: "toybox", package: "toybox" },
    Tool { program: "unzip", package: "unzip" },
    Tool { program: "xmllint", package: "libxml2-utils" },
    Tool { program: "xz", package: "xz-utils" },
    Tool { program: "zip", package: "zip" },
    Tool { program: "zstd", package: "zstd" },
    // No program: what aapt2 links packages against.
    Tool { program: "/usr/share/android-framework-res/framework-res.apk", package: "android-framework-res" },
];

/// Installs what the tests need.
pub(crate) fn install() -> Result<()> {
    install_all(TOOLS)
}

/// Installs the packages of missing tools where this user may, else names them.
pub(crate) fn install_all(tools: &[Tool]) -> Result<()> {
    let missing: Vec<&Tool> = tools.iter().filter(|tool| find(tool.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    packages.sort_unstable();
    packages.dedup();
    install_packages(&packages)?;
    match tools.iter().find(|tool| find(tool.program).is_none()) {
        Some(tool) => bail!("{} is still missing after {} was installed", tool.program, tool.package),
        None => Ok(()),
    }
}

/// Installs a Debian package that has no program to be looked for, where this user may, else names it.
pub(crate) fn install_package(package: &str) -> Result<()> {
    install_packages(&[package])
}

fn install_packages(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if find("apt-get").is_none() || !is_root() {
        bail!("these Debian packages are needed: {list}\n       run: sudo apt-get install {list}");
    }
    say(&format!("installing {list}"));
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    let quiet = ["install", "-y", "-qq", "--no-install-recommends"];
    run(Command::new("apt-get").args(quiet).args(packages).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Runs a program to its end; an error names it and its exit status.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let line = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    say(&format!("== {line}"));
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("{line}: can't be started"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(())
}

/// A cargo command in the project's root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root());
    command
}

/// The project's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A line for whoever runs the task.
pub(crate) fn say(text: &str) {
    // Nothing useful can be done when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file()).or_else(|| {
        // Debian keeps filesystem tools out of an ordinary user's PATH.
        let file = Path::new("/usr/sbin").join(program);
        file.is_file().then_some(file)
    })
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
