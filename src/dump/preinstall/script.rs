//! Scripts and init files that install packages at first boot, as boxes and tablets do.
//!
//! Read are commands as they stand, without running anything: `pm install [options] FILE`, `pm preinstall FOLDER`
//! (Allwinner), and copies into `/data/app` (`cp`, init's `copy`). A variable in a path ends it: what stands before the
//! last `/` is the folder. Where the path is a variable alone, the folders that the script goes through (`for`, `ls`,
//! `find`) are taken for it.

use super::super::At;

/// What a command installs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Installed {
    /// One package file.
    File(String),
    /// Every package file below a folder, without its slash at the end.
    Folder(String),
}

/// Where copies have to end to be packages.
const APPS: &str = "/data/app";
/// Where a script finds what a person put there: no part of the firmware.
const OUTSIDE: [&str; 5] = ["/data", "/sdcard", "/mnt", "/storage", "/proc"];

/// What the commands of a shell script or an init file install, in order.
#[must_use]
pub fn installed(text: &str) -> Vec<At<Installed>> {
    let mut found: Vec<At<Installed>> = Vec::new();
    let mut gone_through = Vec::new();
    let mut installs_variable = false;
    for (line, content) in super::super::numbered(text) {
        let content = content.trim();
        if content.starts_with('#') {
            continue;
        }
        for command in content.split([';', '|', '&']) {
            found.extend(command_installs(command).map(|value| At { value, line }));
            installs_variable |= is_variable_installed(command);
            gone_through.extend(folders_gone_through(command).into_iter().map(|value| At { value, line }));
        }
    }
    if installs_variable {
        gone_through.retain(|folder| !found.iter().any(|known| known.value == folder.value));
        found.extend(gone_through);
        found.sort_by_key(|at| at.line);
    }
    found
}

/// Whether a command installs what a variable names.
fn is_variable_installed(command: &str) -> bool {
    let words: Vec<&str> = words(command).collect();
    let install = words.windows(2).any(|pair| matches!(pair, [pm, "install"] if *pm == "pm" || pm.ends_with("/pm")));
    install && words.last().is_some_and(|word| word.starts_with('$'))
}

/// Folders of the firmware whose files a loop or a listing goes through.
fn folders_gone_through(command: &str) -> Vec<Installed> {
    let words: Vec<&str> = words(command).collect();
    if !words.iter().any(|word| matches!(*word, "for" | "ls" | "find") || word.ends_with("=ls")) {
        return Vec::new();
    }
    let paths = words.iter().filter(|word| word.starts_with('/'));
    let inside = paths.filter(|path| {
        !OUTSIDE
            .iter()
            .any(|outside| path.strip_prefix(outside).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    });
    inside.filter_map(|path| subject(path)).filter(|found| matches!(found, Installed::Folder(_))).collect()
}

/// The first line of a script or an init file in which a path stands as a word.
#[must_use]
pub fn mentions(text: &str, path: &str) -> Option<u32> {
    super::super::numbered(text)
        .filter(|(_, content)| !content.trim_start().starts_with('#'))
        .find(|(_, content)| words(content).any(|word| word == path))
        .map(|(line, _)| line)
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | ';'))
        .filter(|word| !word.is_empty())
}

fn command_installs(command: &str) -> Option<Installed> {
    let words: Vec<&str> = words(command).collect();
    let verb = words.iter().position(|word| matches!(*word, "install" | "preinstall" | "cp" | "copy"))?;
    let before = words.get(verb.checked_sub(1)?..verb).and_then(<[&str]>::first);
    let pm = before.is_some_and(|word| *word == "pm" || word.ends_with("/pm") || *word == "package");
    let rest = words.get(verb + 1..).unwrap_or_default();
    match *words.get(verb)? {
        "install" if pm => subject(rest.iter().rev().find(|word| word.starts_with('/'))?),
        "preinstall" if pm => subject(rest.iter().find(|word| word.starts_with('/'))?),
        "cp" | "copy" => copied(rest),
        _ => None,
    }
}

fn copied(rest: &[&str]) -> Option<Installed> {
    let mut paths = rest.iter().filter(|word| word.starts_with('/'));
    let (source, target) = (paths.next()?, paths.next_back()?);
    let inside = target.strip_prefix(APPS)?;
    (inside.is_empty() || inside.starts_with('/')).then(|| subject(source))?
}

fn subject(path: &str) -> Option<Installed> {
    let open = path.find(['$', '*', '?', '[']);
    let fixed = open.map_or(path, |at| path.get(..at).unwrap_or_default());
    match open {
        None if path.ends_with(".apk") => Some(Installed::File(path.to_owned())),
        None => Some(Installed::Folder(path.trim_end_matches('/').to_owned())),
        Some(_) => fixed.rsplit_once('/').map(|(folder, _)| Installed::Folder(folder.to_owned())),
    }
    // The root names nothing that somebody meant.
    .filter(|found| !matches!(found, Installed::Folder(folder) if folder.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(u32, Installed)> {
        installed(text).into_iter().map(|at| (at.line, at.value)).collect()
    }

    fn file(path: &str) -> Installed {
        Installed::File(path.to_owned())
    }

    fn folder(path: &str) -> Installed {
        Installed::Folder(path.to_owned())
    }

    #[test]
    fn commands_of_boxes_are_understood() {
        let text = "#!/system/bin/busybox sh\n# pm install /a/b.apk\nif [ ! -e /data/x ]; then\n\
            /system/bin/sh /system/bin/pm preinstall /system/preinstall\n  pm install -r -g \"/vendor/etc/preinstall/a.apk\"\n\
            for f in `ls /system/preinstall`; do pm install -r /system/preinstall/$f; done\ncp -rf /system/preload/* /data/app/\nfi\n";
        assert_eq!(
            all(text),
            [
                (4, folder("/system/preinstall")),
                (5, file("/vendor/etc/preinstall/a.apk")),
                (6, folder("/system/preinstall")),
                (7, folder("/system/preload")),
            ]
        );
        assert_eq!(all("on post-fs-data\n    copy /system/x/a.apk /data/app/a.apk\n"), [(2, file("/system/x/a.apk"))]);
    }

    #[test]
    fn a_variable_stands_for_the_folders_that_the_script_goes_through() {
        let text = "APKLIST=`ls /system/preinstall/*.apk`\nfor f in $APKLIST; do\n pm install -r $f\ndone\n\
            for g in /mnt/external_sd/autoinstall/*; do pm install $g; done\nls /system/other\n";
        assert_eq!(all(text), [(1, folder("/system/preinstall")), (6, folder("/system/other"))]);
        assert_eq!(all("for f in /system/preinstall/*; do echo $f; done"), []);
    }

    #[test]
    fn neighbours_install_nothing() {
        for text in [
            "npm install /a/b.apk",
            "pm uninstall /a/b.apk",
            "cp /system/preload/a.apk /data/apps/a.apk",
            "cp /data/app/a.apk /sdcard/a.apk",
            "pm install",
            "pm install $f",
            "pm install /$f",
            "install /a/b.apk",
            "cp /a",
            "",
        ] {
            assert_eq!(all(text), [], "{text}");
        }
    }

    #[test]
    fn a_mention_is_a_whole_word_of_a_line_that_counts() {
        let text = "# service x /system/bin/pre.sh\nservice x /system/bin/sh /system/bin/pre.sh2\nservice y /system/bin/pre.sh\n";
        assert_eq!(mentions(text, "/system/bin/pre.sh"), Some(3));
        assert_eq!(mentions(text, "/bin/pre.sh"), None);
    }
}
