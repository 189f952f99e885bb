//! The one table of commands that may be sent to a phone.
//!
//! All of them read. A [`Command`] is made by the constructors below and nowhere else, from a row of [`table`] and typed
//! arguments; text that came from a phone gets in only as a name whose characters mean nothing to a shell. Two hazards
//! shaped the rules for names: `dumpsys package write` makes Android write its settings, so a package name without a
//! dot is refused (except `android`), and a name never begins with a hyphen.
//!
//! The versions in which an option appeared are from AOSP's sources and public reports; a phone that does not know an
//! option answers with an error, which is an answer like any other.

mod batch;
mod names;

use std::time::Duration;

use batch::SILENT;
pub use batch::{Batch, parts};
use names::{is_number, is_user_id};
pub use names::{is_package_file, is_package_name, is_permission_name};

/// First API level whose `dumpsys` knows `-t` (Android 7). Its own limit is 10 s otherwise, and it exits with 0 when
/// that has passed.
pub const DUMP_TIMEOUT_SINCE: u32 = 24;

/// First API level whose `pm list packages` knows `-U` and `--show-versioncode` (Android 8).
pub const LIST_UID_SINCE: u32 = 26;

/// First API level whose `settings` knows `list` (Android 7).
pub const SETTINGS_LIST_SINCE: u32 = 24;

/// Longest line that is sent. The ADB server's length field has four hexadecimal digits; the rest is for the wrapper.
pub const LINE_LIMIT: usize = 0xF000 - 256;

/// Longest line that a phone before Android 7 is sent: it takes packets of 4096 bytes, and an ADB server that is given a
/// longer request for it ends itself (`destination oversized`).
pub const SHORT_LINE_LIMIT: usize = 4096 - 256;

/// Bytes of a block of [`read`] and [`read_piped`].
pub const READ_BLOCK: u64 = 1024;

/// Most blocks that one of them asks for.
pub const READ_BLOCKS: u64 = 4096;

const READ_CAP: u64 = READ_BLOCK * READ_BLOCKS;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Longer than the 60 s that `dumpsys -t 60` allows itself, so that the phone's own words about it arrive.
const DUMP: Duration = Duration::from_secs(65);
const DUMP_WHOLE: Duration = Duration::from_secs(120);
/// For `dumpsys` with its own limit of 10 s, and for everything that starts Android's runtime on the phone.
const SLOW: Duration = Duration::from_secs(30);
const SLOW_WHOLE: Duration = Duration::from_secs(60);
const QUICK: Duration = Duration::from_secs(10);
const QUICK_WHOLE: Duration = Duration::from_secs(20);
/// For a whole file: 4 GiB by a cable of USB 2 take some minutes.
const FILE_WHOLE: Duration = Duration::from_secs(600);

/// Largest file that is read whole. The largest package that is shipped, with assets of a game, has about 2 GiB.
pub const FILE_CAP: u64 = 4 << 30;

/// A row of the table: a command as it may be sent, and what it may cost.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// Short name, unique in the table: `packages`.
    pub name: &'static str,
    /// The line, with `{user}`, `{package}` or, last, `{permissions}` (one or more names) to be filled in.
    pub template: &'static str,
    /// What it is asked for.
    pub purpose: &'static str,
    /// Largest answer in bytes. Ten times what large phones answer.
    pub cap: u64,
    /// Longest silence.
    pub silence: Duration,
    /// Longest run.
    pub deadline: Duration,
    /// First API level that knows it, as far as is known; 21 (Android 5) is the oldest that is read.
    pub since: u32,
}

macro_rules! rows {
    ($($constant:ident: $name:literal, $template:literal, $purpose:literal, $cap:expr, $silence:expr, $deadline:expr, $since:expr;)*) => {
        $(static $constant: Row = Row {
            name: $name, template: $template, purpose: $purpose,
            cap: $cap, silence: $silence, deadline: $deadline, since: $since,
        };)*
        static TABLE: &[&Row] = &[$(&$constant),*];
    };
}

rows! {
    PROPERTIES: "properties", "getprop",
        "build, fingerprint, patch level, SDK, vendor, region", 4 * MIB, QUICK, QUICK_WHOLE, 21;
    BOOT_ID: "boot-id", "cat /proc/sys/kernel/random/boot_id",
        "shows that the phone was neither exchanged nor restarted while it was read", 4 * KIB, QUICK, QUICK_WHOLE, 21;
    USERS: "users", "pm list users",
        "users and profiles", MIB, SLOW, SLOW_WHOLE, 21;
    PACKAGES: "packages", "dumpsys -t 60 package packages",
        "state of every package, per user", 64 * MIB, DUMP, DUMP_WHOLE, DUMP_TIMEOUT_SINCE;
    PACKAGES_OLD: "packages-old", "dumpsys package packages",
        "the same, before Android 7", 64 * MIB, SLOW, SLOW_WHOLE, 21;
    SHARED_USERS: "shared-users", "dumpsys -t 60 package shared-users",
        "permissions of shared user ids", 16 * MIB, DUMP, DUMP_WHOLE, DUMP_TIMEOUT_SINCE;
    SHARED_USERS_OLD: "shared-users-old", "dumpsys package shared-users",
        "the same, before Android 7", 16 * MIB, SLOW, SLOW_WHOLE, 21;
    PERMISSIONS: "permissions", "dumpsys -t 60 package permissions",
        "permissions that the phone defines, with protection level and defining package",
        16 * MIB, DUMP, DUMP_WHOLE, DUMP_TIMEOUT_SINCE;
    PERMISSIONS_OLD: "permissions-old", "dumpsys package permissions",
        "the same, before Android 7", 16 * MIB, SLOW, SLOW_WHOLE, 21;
    REQUESTED: "requested", "dumpsys -t 60 package permission {permissions}",
        "which packages request and hold the named permissions", 64 * MIB, DUMP, DUMP_WHOLE, DUMP_TIMEOUT_SINCE;
    REQUESTED_OLD: "requested-old", "dumpsys package permission {permissions}",
        "the same, before Android 7", 64 * MIB, SLOW, SLOW_WHOLE, 23;
    PACKAGE: "package", "dumpsys -t 60 package {package}",
        "everything about one package, with the permissions it requests", 16 * MIB, DUMP, DUMP_WHOLE, DUMP_TIMEOUT_SINCE;
    PACKAGE_OLD: "package-old", "dumpsys package {package}",
        "the same, before Android 7", 16 * MIB, SLOW, SLOW_WHOLE, 21;
    EVERYTHING: "everything", "dumpsys -t 60 package",
        "all sections, for phones that do not know the names of sections", 128 * MIB, DUMP, DUMP_WHOLE, DUMP_TIMEOUT_SINCE;
    EVERYTHING_OLD: "everything-old", "dumpsys package",
        "the same, before Android 7", 128 * MIB, SLOW, SLOW_WHOLE, 21;
    LIST: "list", "pm list packages -f -U -i -u --show-versioncode --user {user}",
        "path, uid, installer and version of every package of a user, a cross-check of the state",
        16 * MIB, SLOW, SLOW_WHOLE, LIST_UID_SINCE;
    LIST_OLD: "list-old", "pm list packages -f -i -u --user {user}",
        "the same, before Android 8", 16 * MIB, SLOW, SLOW_WHOLE, 21;
    LAUNCHER: "launcher",
        "cmd package query-activities --brief --user {user} -a android.intent.action.MAIN -c android.intent.category.LAUNCHER",
        "packages with an icon", 16 * MIB, SLOW, SLOW_WHOLE, 24;
    HOME: "home",
        "cmd package resolve-activity --brief --user {user} -a android.intent.action.MAIN -c android.intent.category.HOME",
        "the home screen, where there are no roles", MIB, SLOW, SLOW_WHOLE, 24;
    SETTINGS: "settings", "settings --user {user} list secure",
        "accessibility services, notification listeners, input methods, assistant, VPN that is always on",
        4 * MIB, SLOW, SLOW_WHOLE, SETTINGS_LIST_SINCE;
    SERVICE: "service", "dumpsys -t 20 {service}",
        "roles, administrators, accessibility, operations of apps, overlays", 32 * MIB, SLOW, SLOW_WHOLE, DUMP_TIMEOUT_SINCE;
    SERVICE_OLD: "service-old", "dumpsys {service}",
        "the same, before Android 7", 32 * MIB, SLOW, SLOW_WHOLE, 21;
    FEATURES: "features", "pm list features",
        "features of hardware and software", MIB, SLOW, SLOW_WHOLE, 21;
    SIZE: "size", "stat -c %s {file}",
        "length of a package file", 4 * KIB, QUICK, QUICK_WHOLE, 23;
    SIZE_LISTED: "size-listed", "ls -l {file}",
        "the same, where there is no `stat`, as before Android 6", 4 * KIB, QUICK, QUICK_WHOLE, 21;
    READ: "read", "dd if={file} bs=1024 skip={number} count={number} 2>/dev/null",
        "a part of a package file", READ_CAP, SLOW, SLOW_WHOLE, 21;
    READ_PIPED: "read-piped", "tail -c +{number} {file} 2>/dev/null|head -c {number} 2>/dev/null",
        "the same, where there is no `dd`", READ_CAP, SLOW, SLOW_WHOLE, 26;
    PULL: "pull", "sync: RECV {file}",
        "a whole package file by the file service, where the shell has no tool to read parts of it",
        FILE_CAP, SLOW, FILE_WHOLE, 21;
    MODULES: "modules", "pm list packages --apex-only --show-versioncode -f",
        "APEX modules", 4 * MIB, SLOW, SLOW_WHOLE, 29;
}

/// Services whose state is asked for, and why. `dumpsys` prints; none of these has a word in its dump that changes it, and
/// none is given.
pub const SERVICES: [&str; 5] = ["role", "device_policy", "accessibility", "appops", "overlay"];

/// The table, in the order in which a phone is asked.
#[must_use]
pub fn table() -> &'static [&'static Row] {
    TABLE
}

/// Whether a line is a row of the table with valid arguments. Wrapped lines are not: see [`super::wrapper`].
#[must_use]
pub fn is_allowed(line: &str) -> bool {
    let is_row = |line: &str| TABLE.iter().any(|row| matches(row.template, line));
    line.len() <= LINE_LIMIT && (is_row(line) || parts(line).is_some_and(|parts| parts.into_iter().all(is_row)))
}

/// A command that may be sent, with its arguments filled in. Made by the constructors of the table only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Command {
    row: &'static Row,
    line: String,
}

impl Command {
    /// The line as the phone's shell sees it, without the wrapper that finds its end.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The row that it was made from.
    #[must_use]
    pub fn row(&self) -> &'static Row {
        self.row
    }

    /// Largest answer in bytes.
    #[must_use]
    pub fn cap(&self) -> u64 {
        self.row.cap
    }

    /// Longest silence.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.row.silence
    }

    /// Longest run.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.row.deadline
    }

    fn plain(row: &'static Row) -> Self {
        Self { row, line: row.template.to_owned() }
    }

    fn of_user(row: &'static Row, user: u32) -> Self {
        Self { row, line: row.template.replace("{user}", &user.to_string()) }
    }
}

/// All system properties.
#[must_use]
pub fn properties() -> Command {
    Command::plain(&PROPERTIES)
}

/// The number that the kernel draws at each start.
#[must_use]
pub fn boot_id() -> Command {
    Command::plain(&BOOT_ID)
}

/// Users and profiles.
#[must_use]
pub fn users() -> Command {
    Command::plain(&USERS)
}

/// State of every package. `sdk` is the phone's API level here and below.
#[must_use]
pub fn packages(sdk: u32) -> Command {
    Command::plain(if sdk >= DUMP_TIMEOUT_SINCE { &PACKAGES } else { &PACKAGES_OLD })
}

/// Permissions of shared user ids, which [`packages`] leaves out.
#[must_use]
pub fn shared_users(sdk: u32) -> Command {
    Command::plain(if sdk >= DUMP_TIMEOUT_SINCE { &SHARED_USERS } else { &SHARED_USERS_OLD })
}

/// Permissions that the phone defines.
#[must_use]
pub fn permissions(sdk: u32) -> Command {
    Command::plain(if sdk >= DUMP_TIMEOUT_SINCE { &PERMISSIONS } else { &PERMISSIONS_OLD })
}

/// All sections of the package manager's dump.
#[must_use]
pub fn everything(sdk: u32) -> Command {
    Command::plain(if sdk >= DUMP_TIMEOUT_SINCE { &EVERYTHING } else { &EVERYTHING_OLD })
}

/// Everything about one package; `None` if the name is not one that may be sent (see [`is_package_name`]).
#[must_use]
pub fn package(sdk: u32, name: &str) -> Option<Command> {
    let row = if sdk >= DUMP_TIMEOUT_SINCE { &PACKAGE } else { &PACKAGE_OLD };
    is_package_name(name).then(|| Command { row, line: row.template.replace("{package}", name) })
}

/// Packages of one user, with those that were uninstalled for it.
#[must_use]
pub fn list(sdk: u32, user: u32) -> Command {
    Command::of_user(if sdk >= LIST_UID_SINCE { &LIST } else { &LIST_OLD }, user)
}

/// Activities of one user that a launcher shows.
#[must_use]
pub fn launcher(user: u32) -> Command {
    Command::of_user(&LAUNCHER, user)
}

/// The activity that one user's home key starts.
#[must_use]
pub fn home(user: u32) -> Command {
    Command::of_user(&HOME, user)
}

/// Secure settings of one user. Its values may hold line feeds.
#[must_use]
pub fn settings(user: u32) -> Command {
    Command::of_user(&SETTINGS, user)
}

/// What a service prints of its state; `None` for a service that is not one of [`SERVICES`].
#[must_use]
pub fn service(sdk: u32, name: &str) -> Option<Command> {
    let row = if sdk >= DUMP_TIMEOUT_SINCE { &SERVICE } else { &SERVICE_OLD };
    SERVICES.contains(&name).then(|| Command { row, line: row.template.replace("{service}", name) })
}

/// Features that the phone has.
#[must_use]
pub fn features() -> Command {
    Command::plain(&FEATURES)
}

/// APEX modules.
#[must_use]
pub fn modules() -> Command {
    Command::plain(&MODULES)
}

/// Length of a package file; `None` for a path that may not be sent (see [`is_package_file`]).
#[must_use]
pub fn size(path: &str) -> Option<Command> {
    is_package_file(path).then(|| Command { row: &SIZE, line: SIZE.template.replace("{file}", path) })
}

/// A part of a package file: `count` blocks of [`READ_BLOCK`] bytes from the block `skip` on; at the file's end the answer
/// is shorter. `None` for a path that may not be sent, and for more than [`READ_BLOCKS`].
#[must_use]
pub fn read(path: &str, skip: u64, count: u64) -> Option<Command> {
    (is_package_file(path) && (1..=READ_BLOCKS).contains(&count))
        .then(|| Command { row: &READ, line: format!("dd if={path} bs=1024 skip={skip} count={count}{SILENT}") })
}

/// Length of a package file as a listing of it tells; see [`listed_size`]. `None` for a path that may not be sent.
#[must_use]
pub fn size_listed(path: &str) -> Option<Command> {
    is_package_file(path).then(|| Command { row: &SIZE_LISTED, line: SIZE_LISTED.template.replace("{file}", path) })
}

/// The length in a listing of one regular file: the number before the date, in both forms that Android prints
/// (`-rw-r--r-- root root 12 2009-01-01 00:00 A.apk`, since Android 6 with a number of links before the owner).
#[must_use]
pub fn listed_size(listing: &str) -> Option<u64> {
    let words: Vec<&str> = listing.trim().split_ascii_whitespace().collect();
    let is_date = |word: &str| {
        word.len() == 10
            && word
                .bytes()
                .enumerate()
                .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
    };
    let date = words.iter().position(|word| is_date(word))?;
    words.first().filter(|mode| mode.starts_with('-') && date >= 4)?;
    words.get(date - 1)?.parse().ok()
}

/// The same part as of [`read`], by two other tools.
#[must_use]
pub fn read_piped(path: &str, skip: u64, count: u64) -> Option<Command> {
    let fits = is_package_file(path) && (1..=READ_BLOCKS).contains(&count);
    // `tail` counts bytes from 1.
    let start = skip.checked_mul(READ_BLOCK)?.checked_add(1)?;
    let length = count.checked_mul(READ_BLOCK).filter(|_| fits)?;
    let line = format!("tail -c +{start} {path} 2>/dev/null|head -c {length}{SILENT}");
    Some(Command { row: &READ_PIPED, line })
}

/// A whole package file, asked of the phone's file service and not of its shell.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pull {
    command: Command,
    path: String,
}

impl Pull {
    /// Its row and limits; the line is for people.
    #[must_use]
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// A whole package file; `None` for a path that may not be sent (see [`is_package_file`]).
#[must_use]
pub fn pull(path: &str) -> Option<Pull> {
    let command = || Command { row: &PULL, line: PULL.template.replace("{file}", path) };
    is_package_file(path).then(|| Pull { command: command(), path: path.to_owned() })
}

/// Requests that ask for packages by the permissions they request. See [`requested`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// As many commands as the length of a line makes necessary, names in the order given.
    pub commands: Vec<Command>,
    /// Names that may not be sent, in the order given: a gap for the caller to tell.
    pub refused: Vec<String>,
}

/// Which packages request and hold the named permissions, in lines of at most `limit` bytes.
#[must_use]
pub fn requested<'a>(sdk: u32, names: impl IntoIterator<Item = &'a str>, limit: usize) -> Requested {
    let row = if sdk >= DUMP_TIMEOUT_SINCE { &REQUESTED } else { &REQUESTED_OLD };
    let start = row.template.trim_end_matches(" {permissions}");
    let mut commands = Vec::new();
    let mut refused = Vec::new();
    let mut line = String::from(start);
    for name in names {
        if !is_permission_name(name) {
            refused.push(name.to_owned());
            continue;
        }
        if line.len() + 1 + name.len() > limit && line.len() > start.len() {
            commands.push(Command { row, line: std::mem::replace(&mut line, String::from(start)) });
        }
        line.push(' ');
        line.push_str(name);
    }
    if line.len() > start.len() {
        commands.push(Command { row, line });
    }
    Requested { commands, refused }
}

fn matches(template: &str, line: &str) -> bool {
    let mut words = line.split(' ');
    for slot in template.split(' ') {
        let valid = match slot {
            "{user}" => words.next().is_some_and(is_user_id),
            "{package}" => words.next().is_some_and(is_package_name),
            "{file}" => words.next().is_some_and(is_package_file),
            "if={file}" => words.next().and_then(|word| word.strip_prefix("if=")).is_some_and(is_package_file),
            "skip={number}" => words.next().and_then(|word| word.strip_prefix("skip=")).is_some_and(is_number),
            "count={number}" => words.next().and_then(|word| word.strip_prefix("count=")).is_some_and(is_number),
            "+{number}" => words.next().and_then(|word| word.strip_prefix('+')).is_some_and(is_number),
            "{number}" => words.next().is_some_and(is_number),
            "{service}" => words.next().is_some_and(|word| SERVICES.contains(&word)),
            "{permissions}" => {
                let mut names = 0_usize;
                let valid = words.by_ref().inspect(|_| names += 1).all(is_permission_name);
                valid && names > 0
            }
            word => words.next() == Some(word),
        };
        if !valid {
            return false;
        }
    }
    words.next().is_none()
}

#[cfg(test)]
mod tests;
