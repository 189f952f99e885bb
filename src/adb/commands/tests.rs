use std::collections::BTreeSet;

use super::names::NAME_LIMIT;
use super::*;

fn one_of_each() -> Vec<Command> {
    let mut all = vec![properties(), boot_id(), users(), launcher(0), home(0), settings(0), features(), modules()];
    for sdk in [21, 36] {
        all.extend(SERVICES.iter().filter_map(|name| service(sdk, name)));
        all.extend([packages(sdk), shared_users(sdk), permissions(sdk), everything(sdk), list(sdk, 10)]);
        all.extend(package(sdk, "com.android.settings"));
        all.extend([size("/system/app/A/A.apk"), read("/data/app/~~x==/a.b-y==/base.apk", 3, 4)].into_iter().flatten());
        all.extend([size_listed("/system/app/A/A.apk"), read_piped("/a.apk", 3, 4)].into_iter().flatten());
        all.extend(pull("/system/app/A/A.apk").map(|pull| pull.command().clone()));
        all.extend(requested(sdk, ["android.permission.CAMERA", "a-b.C_d"], LINE_LIMIT).commands);
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
        // Words of tools that print data go nowhere, and one row has a pipe; nothing else is redirected.
        let bare = row.template.replace(['{', '}'], "").replace(" 2>/dev/null", "").replace(" %s ", " ");
        let bare = if row.name == "read-piped" { bare.replacen('|', " ", 1).replacen('+', "", 1) } else { bare };
        // The file service is no shell.
        let bare = if row.name == "pull" { bare.replacen("sync:", "", 1) } else { bare };
        assert!(bare.chars().all(|c| c.is_ascii_alphanumeric() || " -_./=".contains(c)), "{}", row.template);
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
    let [batch] = Batch::of(commands.clone(), LINE_LIMIT).try_into().unwrap();
    let line = "getprop 2>&1;echo __next:$?;pm list users 2>&1;echo __next:$?;settings --user 10 list secure 2>&1";
    assert_eq!(batch.line(), line);
    assert!(is_allowed(line));
    assert_eq!(
        batch.split(b"a\n__next:0\nb__next:7\n", 3),
        Some(vec![(b"a\n".to_vec(), 0), (b"b".to_vec(), 7), (Vec::new(), 3)])
    );
    for wrong in [&b"a\n__next:0\nb"[..], b"a__next:0\n__next:0\n__next:0\n", b"__next:x\n__next:0\n", b"__next:0"] {
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
    let batches = Batch::of(many, LINE_LIMIT);
    assert!(batches.len() > 10 && batches.iter().all(|batch| is_allowed(batch.line())));
    assert_eq!(batches.iter().map(|batch| batch.commands().len()).sum::<usize>(), 3000);
}

#[test]
fn only_package_files_are_read_and_no_path_says_anything_to_a_shell() {
    assert_eq!(
        read("/system/app/A/A.apk", 0, 8).unwrap().line(),
        "dd if=/system/app/A/A.apk bs=1024 skip=0 count=8 2>/dev/null"
    );
    for path in [
        "/data/misc/wifi/x.conf",
        "system/a.apk",
        "/system/app/../../data/a.apk",
        "/system/app/A B.apk",
        "/a;reboot.apk",
        "/$(reboot).apk",
        "/a'.apk",
        "/a\n.apk",
        "",
    ] {
        assert_eq!((size(path), read(path, 0, 1)), (None, None), "{path:?}");
        assert_eq!((size_listed(path), read_piped(path, 0, 1), pull(path)), (None, None, None), "{path:?}");
    }
    assert_eq!((read("/a.apk", 0, 0), read("/a.apk", 0, READ_BLOCKS + 1)), (None, None));
    assert_eq!((read_piped("/a.apk", 0, 0), read_piped("/a.apk", u64::MAX, 1)), (None, None));
    assert_eq!(read_piped("/a.apk", 2, 3).unwrap().line(), "tail -c +2049 /a.apk 2>/dev/null|head -c 3072 2>/dev/null");
    for line in [
        "dd if=/a.apk of=/b.apk bs=1024 skip=0 count=1 2>/dev/null",
        "dd if=/a.apk bs=1024 skip=0 count=1 2>/data/x",
        "dd if=/a.apk bs=1024 skip=0x1 count=1 2>/dev/null",
        "stat -c %s /a.txt",
        "ls -l /data",
        "tail -c +1 /a.apk 2>/dev/null|head -c 1024 2>/data/x",
        "tail -c +1 /a.apk 2>/dev/null|head -c 1;reboot 2>/dev/null",
        "tail -c +1 /a.apk 2>/dev/null|sh",
        "sync: SEND /a.apk",
        "sync: RECV /data/misc/wifi/x.conf",
    ] {
        assert!(!is_allowed(line), "{line}");
    }
    let both = [size("/a.apk").unwrap(), read("/a.apk", 0, 1).unwrap(), users()];
    let [batch] = Batch::of(both, LINE_LIMIT).try_into().unwrap();
    assert!(is_allowed(batch.line()), "{}", batch.line());
}

#[test]
fn the_length_is_the_number_before_the_date_in_either_form_of_a_listing() {
    for (listing, expected) in [
        // toolbox, by its source; toybox; GNU with a style of its own.
        ("-rw-r--r-- root     root        12345 2009-01-01 00:00 A.apk\n", Some(12_345)),
        ("-rw-r--r-- 1 root root 4294967296 2009-01-01 00:00 /system/app/A/A.apk\n", Some(1 << 32)),
        ("-rw-r--r-- 1 root root 0 2009-01-01 00:00 /a.apk\n", Some(0)),
        ("lrwxrwxrwx root     root              2009-01-01 00:00 A.apk -> /b.apk\n", None),
        ("drwxr-xr-x 2 root root 4096 2009-01-01 00:00 a.apk\n", None),
        ("ls: /a.apk: Permission denied\n", None),
        ("/a.apk: No such file or directory\n", None),
        ("-rw-r--r-- root root x 2009-01-01 00:00 A.apk\n", None),
        ("-rw-r--r-- 2009-01-01", None),
        ("", None),
    ] {
        assert_eq!(listed_size(listing), expected, "{listing:?}");
    }
}

#[test]
fn a_package_name_that_could_be_a_word_of_dumpsys_is_refused() {
    for name in ["write", "com", "", ".", "a.", ".a", "a..b", "1.a", "a.1b", "-a.b", "a.b c", "a.b;c", "a.b\n", "é.a"]
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
    let Requested { commands, refused } = requested(34, names.iter().map(String::as_str), LINE_LIMIT);
    assert!(refused.is_empty());
    assert_eq!(commands.len(), 3);
    assert!(commands.iter().all(|command| is_allowed(command.line())));
    let sent: Vec<&str> = commands.iter().flat_map(|c| c.line().split(' ').skip(5)).collect();
    assert_eq!(sent, names);
    let old = requested(23, names.iter().map(String::as_str), SHORT_LINE_LIMIT).commands;
    assert!(old.iter().all(|command| command.line().len() <= SHORT_LINE_LIMIT));
    let sent: Vec<&str> = old.iter().flat_map(|c| c.line().split(' ').skip(3)).collect();
    assert_eq!(sent, names);
}

#[test]
fn permissions_with_other_characters_are_refused_and_named() {
    let asked = requested(34, ["good.PERMISSION", "bad name", "$(reboot)", "${applicationId}.X", "-t"], LINE_LIMIT);
    assert_eq!(asked.refused, ["bad name", "$(reboot)", "${applicationId}.X", "-t"]);
    assert_eq!(asked.commands.len(), 1);
    assert!(requested(34, ["bad name"], LINE_LIMIT).commands.is_empty());
}
