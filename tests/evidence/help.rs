//! Help, completions, manual pages, configuration.

use std::fs;

use super::{PHONE, command, finish, run, tool};

/// Every command with its words, found by reading the help alone.
fn commands() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = open.pop() {
        let mut arguments = path.clone();
        arguments.push("--help".to_owned());
        let said = run(&arguments);
        assert_eq!(said.code, 0, "{path:?}");
        let names: Vec<String> = match said.out.split_once("\nCommands:\n") {
            None => Vec::new(),
            Some((_, rest)) => {
                let rows = rest.lines().take_while(|line| !line.is_empty());
                let named = rows.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
                named
                    .map(|line| line.split_whitespace().next().unwrap().to_owned())
                    .filter(|name| name != "help")
                    .collect()
            }
        };
        for name in names {
            open.push([path.clone(), vec![name]].concat());
        }
        if !path.is_empty() {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_command_shows_an_example_that_parses_and_its_exit_codes() {
    let commands = commands();
    assert!(commands.len() > 20, "{commands:?}");
    for path in commands {
        let said = run(path.iter().map(String::as_str).chain(["--help"]));
        let name = path.join(" ");
        assert!(said.out.contains("Example"), "{name} --help has no example");
        assert!(said.out.contains("Exits 0 "), "{name} --help has no exit codes");
        let call = format!("preloaded {name}");
        assert!(said.out.contains(&format!("    {call}")), "{name}: the example calls something else");
    }
}

#[test]
fn bash_reads_the_completions_and_man_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("preloaded.bash");
    let said = run(["completions", "bash"]);
    assert!(
        said.out.contains("preloaded__subcmd__check") || said.out.contains("preloaded__check"),
        "{}",
        said.out.len()
    );
    fs::write(&script, said.out).unwrap();
    let read = tool("bash", &["-n", "preloaded.bash"], folder.path());
    assert_eq!((read.code, read.err.as_str()), (0, ""));
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        assert!(run(["completions", shell]).out.len() > 1000, "{shell}");
    }
    let said = run(["man", "--folder", folder.path().to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.err);
    let page = fs::read_to_string(folder.path().join("preloaded-check.1")).unwrap();
    assert!(page.contains(".TH preloaded-check 1") && page.contains("ru/smartphone"), "{page}");
    assert!(folder.path().join("preloaded-profile-list.1").is_file());
}

#[test]
fn a_project_file_gives_defaults_and_the_environment_and_the_command_line_go_before() {
    let folder = tempfile::tempdir().unwrap();
    let phone = fs::canonicalize(PHONE).unwrap();
    fs::write(folder.path().join("preloaded.toml"), "[check]\nprofile = \"ru/smartphone\"\nas-of = 2026-06-01\n")
        .unwrap();
    let inner = folder.path().join("a/b");
    fs::create_dir_all(&inner).unwrap();
    let check = |variables: &[(&str, &str)], more: &[&str]| {
        finish(command().current_dir(&inner).envs(variables.iter().copied()).arg("check").arg(&phone).args(more))
    };
    let said = check(&[], &[]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains("as of 2026-06-01"), "{}", said.out);
    assert!(check(&[("PRELOADED_AS_OF", "2026-05-05")], &[]).out.contains("as of 2026-05-05"));
    assert!(check(&[("PRELOADED_AS_OF", "2026-05-05")], &["--as-of", "2026-04-04"]).out.contains("as of 2026-04-04"));

    let user = folder.path().join("user/preloaded");
    fs::create_dir_all(&user).unwrap();
    fs::write(user.join("preloaded.toml"), "[all]\njobs = 2\n[check]\npresence = \"any-method\"\nas-of = 2020-01-01\n")
        .unwrap();
    let home = folder.path().join("user");
    let mut show = command();
    show.current_dir(&inner).env("XDG_CONFIG_HOME", &home).env("PRELOADED_SOLD", "2026-06-02");
    let said = finish(show.args(["config", "show", "--origin"]));
    assert_eq!(said.code, 0, "{}", said.err);
    let rows: Vec<&str> = said.out.lines().filter(|row| row.starts_with("check ")).collect();
    assert_eq!(rows.len(), 5, "{}", said.out);
    let project = folder.path().join("preloaded.toml");
    assert!(
        rows[0].starts_with("check --as-of 2026-06-01\t") && rows[0].ends_with(project.to_str().unwrap()),
        "{rows:?}"
    );
    assert!(rows[1].starts_with("check --jobs 2\t") && rows[1].ends_with("user/preloaded/preloaded.toml"), "{rows:?}");
    assert_eq!(rows[4], "check --sold 2026-06-02\tenvironment PRELOADED_SOLD");
}

#[test]
fn a_wrong_configuration_is_said_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("preloaded.toml"), "[check]\nprofil = \"x\"\n").unwrap();
    let said = finish(command().current_dir(folder.path()).args(["profile", "list"]));
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("there is no option --profil; did you mean profile?"), "{}", said.err);
}
