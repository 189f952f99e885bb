//! The one table of commands that may be sent to a phone.
//!
//! All of them read. A [`Command`] is made by the constructors below and nowhere else, from a row of [`table`] and typed
//! arguments; text that came from a phone gets in only as a name whose characters mean nothing to a shell. Two hazards
//! shaped the rules for names: `dumpsys package write` makes Android write its settings, so a package name without a
//! dot is refused (except `android`), and a name never begins with a hyphen.
//!
//! The versions in which an option appeared are from AOSP's sources and public reports; a phone that does not know an
//! option answers with an error, which is an answer like any other.

use std::time::Duration;

/// First API level whose `dumpsys` knows `-t` (Android 7). Its own limit is 10 s otherwise, and it exits with 0 when
/// that has passed.
pub const DUMP_TIMEOUT_SINCE: u32 = 24;

/// First API level whose `pm list packages` knows `-U` and `--show-versioncode` (Android 8).
pub const LIST_UID_SINCE: u32 = 26;

/// First API level whose `settings` knows `list` (Android 7).
pub const SETTINGS_LIST_SINCE: u32 = 24;

/// Longest line that is sent. The ADB server's length field has four hexadecimal digits; the rest is for the wrapper.
pub const LINE_LIMIT: usize = 0xF000 - 256;

/// Most bytes of the answer to several commands.
const BATCH_CAP: u64 = 128 << 20;

/// Longest run of several commands.
const BATCH_WHOLE: Duration = Duration::from_secs(180);

/// Longest name of a package or permission. Android's own limit for packages is 223; permissions have none.
const NAME_LIMIT: usize = 255;

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
    CHECKIN: "checkin", "dumpsys -t 60 package --checkin",
        "the compact form, a cross-check of the state per user", 16 * MIB, DUMP, DUMP_WHOLE, DUMP_TIMEOUT_SINCE;
    CHECKIN_OLD: "checkin-old", "dumpsys package --checkin",
        "the same, before Android 7", 16 * MIB, SLOW, SLOW_WHOLE, 21;
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
    MODULES: "modules", "pm list packages --apex-only --show-versioncode -f",
        "APEX modules", 4 * MIB, SLOW, SLOW_WHOLE, 29;
}

/// Services whose state is asked for, and why. `dumpsys` prints; none of these has a word in its dump that changes it, and
/// none is given.
pub const SERVICES: [&str; 5] = ["role", "device_policy", "accessibility", "appops", "overlay"];

/// What stands between two commands of one request. The phone's answer has the earlier one's status in its place.
const NEXT: &str = ";echo __next:$?;";

/// What each command of such a request ends with, so that its words of refusal stay with it.
const MERGED: &str = " 2>&1";

/// Most commands of one request: each may have the largest answer.
const BATCH_LIMIT: usize = 256;

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

/// The commands of a request that holds several, as [`Batch`] writes it; `None` for any other text.
#[must_use]
pub fn parts(line: &str) -> Option<Vec<&str>> {
    let parts: Option<Vec<&str>> = line.split(NEXT).map(|part| part.strip_suffix(MERGED)).collect();
    parts.filter(|parts| parts.len() <= BATCH_LIMIT)
}

/// Several commands that go as one request: a round trip is what a phone costs most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    line: String,
    commands: Vec<Command>,
}

impl Batch {
    /// As many requests as the length of a line makes necessary, commands in the order given.
    #[must_use]
    pub fn of(commands: impl IntoIterator<Item = Command>) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::new();
        for command in commands {
            let part = format!("{}{MERGED}", command.line);
            match batches.last_mut() {
                Some(batch)
                    if batch.commands.len() < BATCH_LIMIT
                        && batch.line.len() + NEXT.len() + part.len() <= LINE_LIMIT =>
                {
                    batch.line.push_str(NEXT);
                    batch.line.push_str(&part);
                    batch.commands.push(command);
                }
                _ => batches.push(Self { line: part, commands: vec![command] }),
            }
        }
        batches
    }

    /// The line as the phone's shell sees it.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Its commands, in order.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Largest answer in bytes: that of the most talkative commands, not of all together.
    #[must_use]
    pub fn cap(&self) -> u64 {
        self.commands.iter().fold(0_u64, |sum, command| sum.saturating_add(command.cap())).min(BATCH_CAP)
    }

    /// Longest silence.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.commands.iter().map(Command::silence).max().unwrap_or(QUICK)
    }

    /// Longest run.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        let sum = self.commands.iter().fold(Duration::ZERO, |sum, command| sum.saturating_add(command.deadline()));
        sum.min(BATCH_WHOLE)
    }

    /// Cuts the answer into those of the commands: output and status of each, the last one's status given apart. `None`
    /// where the marks between them are not as many as they should be: an answer that holds such a mark itself.
    #[must_use]
    pub fn split(&self, stdout: &[u8], last: i32) -> Option<Vec<(Vec<u8>, i32)>> {
        const MARK: &[u8] = b"__next:";
        let mut answers = Vec::with_capacity(self.commands.len());
        let mut rest = stdout;
        while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
            let (before, after) = (rest.get(..at)?, rest.get(at.checked_add(MARK.len())?..)?);
            let end = after.iter().position(|byte| *byte == b'\n')?;
            let status = std::str::from_utf8(after.get(..end)?).ok()?.trim_end().parse().ok()?;
            answers.push((before.to_vec(), status));
            rest = after.get(end.checked_add(1)?..)?;
        }
        answers.push((rest.to_vec(), last));
        (answers.len() == self.commands.len()).then_some(answers)
    }
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

/// The package manager's compact dump.
#[must_use]
pub fn checkin(sdk: u32) -> Command {
    Command::plain(if sdk >= DUMP_TIMEOUT_SINCE { &CHECKIN } else { &CHECKIN_OLD })
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

/// Requests that ask for packages by the permissions they request. See [`requested`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// As many commands as the length of a line makes necessary, names in the order given.
    pub commands: Vec<Command>,
    /// Names that may not be sent, in the order given: a gap for the caller to tell.
    pub refused: Vec<String>,
}

/// Which packages request and hold the named permissions, in requests of at most [`LINE_LIMIT`] bytes.
#[must_use]
pub fn requested<'a>(sdk: u32, names: impl IntoIterator<Item = &'a str>) -> Requested {
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
        if line.len() + 1 + name.len() > LINE_LIMIT {
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

/// Whether a package's name may be sent: Android's characters (letters, digits, `_`, parts joined by `.`, each begun by
/// a letter or `_`), at least two parts or `android`. A single word could be one of `dumpsys package`'s own.
#[must_use]
pub fn is_package_name(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    name.len() <= NAME_LIMIT && (name == "android" || name.contains('.')) && name.split('.').all(part)
}

/// Whether a permission's name may be sent: letters, digits, `_`, `.`, `-`, begun by a letter or `_`. Android checks
/// nothing here, so a phone may hold names that are refused.
#[must_use]
pub fn is_permission_name(name: &str) -> bool {
    name.len() <= NAME_LIMIT
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

fn matches(template: &str, line: &str) -> bool {
    let mut words = line.split(' ');
    for slot in template.split(' ') {
        let valid = match slot {
            "{user}" => words.next().is_some_and(is_user_id),
            "{package}" => words.next().is_some_and(is_package_name),
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

fn is_user_id(word: &str) -> bool {
    word.parse::<u32>().is_ok_and(|id| id.to_string() == word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn one_of_each() -> Vec<Command> {
        let mut all = vec![properties(), boot_id(), users(), launcher(0), home(0), settings(0), features(), modules()];
        for sdk in [21, 36] {
            all.extend(SERVICES.iter().filter_map(|name| service(sdk, name)));
            all.extend([
                packages(sdk),
                shared_users(sdk),
                permissions(sdk),
                everything(sdk),
                checkin(sdk),
                list(sdk, 10),
            ]);
            all.extend(package(sdk, "com.android.settings"));
            all.extend(requested(sdk, ["android.permission.CAMERA", "a-b.C_d"]).commands);
        }
        all
    }

    #[test]
    fn every_row_has_a_constructor_whose_line_is_allowed() {
        let made = one_of_each();
        for command in &made {
            assert!(is_allowed(command.line()), "{}", command.line());
        }
        let made: BTreeSet<_> = made.iter().map(|command| command.row().name).collect();
        let rows: BTreeSet<_> = table().iter().map(|row| row.name).collect();
        assert_eq!(made, rows);
        assert_eq!(rows.len(), table().len(), "names are unique");
    }

    #[test]
    fn no_template_holds_a_character_that_a_shell_interprets() {
        for row in table() {
            let bare = row.template.replace(['{', '}'], "");
            assert!(bare.chars().all(|c| c.is_ascii_alphanumeric() || " -_./".contains(c)), "{}", row.template);
        }
    }

    #[test]
    fn the_silence_of_a_row_is_shorter_than_its_deadline() {
        assert!(table().iter().all(|row| row.silence < row.deadline && row.cap > 0));
    }

    #[test]
    fn lines_outside_the_table_are_refused() {
        for line in [
            "",
            "getprop ",
            " getprop",
            "getprop ro.serialno",
            "getprop;reboot",
            "getprop\nreboot",
            "setprop a b",
            "pm list packages -f -U -i -u --show-versioncode",
            "pm list packages -f -U -i -u --show-versioncode --user all",
            "pm list packages -f -U -i -u --show-versioncode --user 00",
            "pm list packages -f -U -i -u --show-versioncode --user 0 x",
            "pm uninstall --user 0 com.example.app",
            "dumpsys package write",
            "dumpsys -t 60 package write",
            "dumpsys -t 60 package com.example.app other",
            "dumpsys -t 60 package permission",
            "dumpsys -t 60 package permission ",
            "dumpsys -t 60 package permission a.b $(reboot)",
            "dumpsys -t 60 package permission a.b  c.d",
        ] {
            assert!(!is_allowed(line), "{line:?}");
        }
    }

    #[test]
    fn several_commands_go_as_one_line_and_nothing_else_does() {
        let commands = [properties(), users(), settings(10)];
        let [batch] = Batch::of(commands.clone()).try_into().unwrap();
        let line = "getprop 2>&1;echo __next:$?;pm list users 2>&1;echo __next:$?;settings --user 10 list secure 2>&1";
        assert_eq!(batch.line(), line);
        assert!(is_allowed(line));
        assert_eq!(
            batch.split(b"a\n__next:0\nb__next:7\n", 3),
            Some(vec![(b"a\n".to_vec(), 0), (b"b".to_vec(), 7), (Vec::new(), 3)])
        );
        for wrong in [&b"a\n__next:0\nb"[..], b"a__next:0\n__next:0\n__next:0\n", b"__next:x\n__next:0\n", b"__next:0"]
        {
            assert_eq!(batch.split(wrong, 0), None, "{wrong:?}");
        }
        for wrong in [
            "getprop 2>&1;echo __next:$?;reboot 2>&1",
            "getprop 2>&1;echo __next:$?;",
            "getprop;echo __next:$?;pm list users",
            "getprop 2>&1;reboot;echo __next:$?;pm list users 2>&1",
            "dumpsys -t 20 role -h 2>&1",
            "dumpsys -t 20 activity 2>&1",
        ] {
            assert!(!is_allowed(wrong), "{wrong}");
        }
        let many = std::iter::repeat_n(package(36, "com.example.application").unwrap(), 3000);
        let batches = Batch::of(many);
        assert!(batches.len() > 10 && batches.iter().all(|batch| is_allowed(batch.line())));
        assert_eq!(batches.iter().map(|batch| batch.commands().len()).sum::<usize>(), 3000);
    }

    #[test]
    fn a_package_name_that_could_be_a_word_of_dumpsys_is_refused() {
        for name in
            ["write", "com", "", ".", "a.", ".a", "a..b", "1.a", "a.1b", "-a.b", "a.b c", "a.b;c", "a.b\n", "é.a"]
        {
            assert_eq!(package(36, name), None, "{name:?}");
        }
        assert!(package(36, &format!("a.{}", "b".repeat(NAME_LIMIT))).is_none());
        assert!(package(36, "android").is_some());
        assert!(
            package(23, "com.android.cts.priv_1").is_some_and(|c| c.line() == "dumpsys package com.android.cts.priv_1")
        );
    }

    #[test]
    fn many_permissions_are_split_into_lines_below_the_limit_and_none_is_lost() {
        let names: Vec<String> = (0..4000).map(|n| format!("android.permission.LONG_NAME_NUMBER_{n}")).collect();
        let Requested { commands, refused } = requested(34, names.iter().map(String::as_str));
        assert!(refused.is_empty());
        assert_eq!(commands.len(), 3);
        assert!(commands.iter().all(|command| is_allowed(command.line())));
        let sent: Vec<&str> = commands.iter().flat_map(|c| c.line().split(' ').skip(5)).collect();
        assert_eq!(sent, names);
    }

    #[test]
    fn permissions_with_other_characters_are_refused_and_named() {
        let asked = requested(34, ["good.PERMISSION", "bad name", "$(reboot)", "${applicationId}.X", "-t"]);
        assert_eq!(asked.refused, ["bad name", "$(reboot)", "${applicationId}.X", "-t"]);
        assert_eq!(asked.commands.len(), 1);
        assert!(requested(34, ["bad name"]).commands.is_empty());
    }
}
