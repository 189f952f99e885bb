//! Configuration: defaults of options, from files and the environment. `preloaded config`.
//!
//! Before an option's own default come, first of all the command line, then:
//! 1. `PRELOADED_<OPTION>` in the environment, `PRELOADED_AS_OF` for `--as-of`;
//! 2. `preloaded.toml` in the current folder or the nearest one above it;
//! 3. `preloaded/preloaded.toml` in `$XDG_CONFIG_HOME`, or in `~/.config`.
//!
//! A file has a table for each command, and `[all]` for whichever command has the option:
//!
//! ```toml
//! [all]
//! cache = "256M"
//!
//! [check]
//! profile = "ru/smartphone"
//! ```

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[cfg(test)]
use clap::ArgAction;
use clap::{Arg, Args, Command, Subcommand};

use super::exit::{Exit, usage};
use super::terminal::complain;

/// Name of the file, of a project and of a user.
const FILE: &str = "preloaded.toml";
/// What every variable of ours begins with.
const PREFIX: &str = "PRELOADED_";
/// The table that concerns every command.
const ALL: &str = "all";
/// Largest file that is read, in bytes.
const LIMIT: u64 = 1 << 20;
/// Options that are clap's own.
const BUILT_IN: [&str; 2] = ["help", "version"];

/// Show the configuration: which option has which default, and where that comes from
#[derive(Debug, Args)]
#[command(after_help = "Example:
    preloaded config show --origin

Exits 0 done, 2 a file of the configuration is wrong.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every option that the environment or a file sets
    #[command(after_help = "Example:
    preloaded config show --origin

Exits 0 done, 2 a file of the configuration is wrong.")]
    Show {
        /// Say of each where it comes from
        #[arg(long)]
        origin: bool,
    },
}

/// Where a default comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Environment(String),
    File(PathBuf),
}

/// A default of one option of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    values: Vec<String>,
    origin: Origin,
}

/// Defaults by command and option.
#[derive(Debug, Default)]
pub(super) struct Config {
    settings: BTreeMap<(String, String), Setting>,
}

impl Config {
    /// The configuration of this call.
    ///
    /// # Errors
    /// Exit code 2: a file can't be read, or names what there is not.
    pub(super) fn load(command: impl FnOnce() -> Command) -> anyhow::Result<Self> {
        let mut config = Self::default();
        let files = [user_file(), project_file()];
        let variables = env::vars_os().any(|(name, _)| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
        if !variables && files.iter().all(Option::is_none) {
            return Ok(config);
        }
        let command = command();
        // What is read later wins.
        for path in files.into_iter().flatten() {
            config.read(&path, &command)?;
        }
        config.read_environment(&command, &|name| env::var_os(name));
        Ok(config)
    }

    /// Whether nothing is set.
    pub(super) fn is_empty(&self) -> bool {
        self.settings.is_empty()
    }

    fn read(&mut self, path: &Path, command: &Command) -> anyhow::Result<()> {
        let wrong = |why: String| usage(format!("{}: {why}", path.display()));
        let length = fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if length > LIMIT {
            return Err(wrong(format!("larger than {LIMIT} bytes")));
        }
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let file: BTreeMap<String, BTreeMap<String, toml::Value>> =
            toml::from_str(&text).map_err(|error| match error.message().contains("expected a map") {
                true => wrong(format!("{error}options stand in a table: `[all]`, or that of a command, `[check]`")),
                false => wrong(error.to_string()),
            })?;
        // What is said of one command counts before what is said of all.
        let (all, own): (Vec<_>, Vec<_>) = file.into_iter().partition(|(table, _)| table == ALL);
        for (table, options) in all.into_iter().chain(own) {
            let concerned: Vec<&Command> = leaves(command)
                .into_iter()
                .filter(|(name, _)| table == ALL || *name == table)
                .map(|(_, leaf)| leaf)
                .collect();
            if concerned.is_empty() {
                let names: Vec<String> = leaves(command).into_iter().map(|(name, _)| name).collect();
                return Err(wrong(format!("[{table}]: there is no such command{}", nearest(&table, &names))));
            }
            for (option, value) in options {
                let names: Vec<String> = concerned.iter().flat_map(|leaf| options_of(leaf)).map(long).collect();
                if !names.contains(&option) {
                    let hint = nearest(&option, &names);
                    return Err(wrong(format!("[{table}] {option}: there is no option --{option}{hint}")));
                }
                let values = values(&value)
                    .ok_or_else(|| wrong(format!("[{table}] {option}: text, a number, true or a list")))?;
                for (name, leaf) in leaves(command) {
                    if (table == ALL || name == table) && options_of(leaf).any(|arg| long(arg) == option) {
                        let setting = Setting { values: values.clone(), origin: Origin::File(path.to_owned()) };
                        self.settings.insert((name, option.clone()), setting);
                    }
                }
            }
        }
        Ok(())
    }

    fn read_environment(&mut self, command: &Command, variable: &dyn Fn(&str) -> Option<OsString>) {
        for (name, leaf) in leaves(command) {
            for arg in options_of(leaf) {
                let variable_name = variable_of(arg);
                let value = variable(&variable_name).and_then(|value| value.into_string().ok());
                if let Some(value) = value.filter(|value| !value.is_empty()) {
                    let setting = Setting { values: vec![value], origin: Origin::Environment(variable_name) };
                    self.settings.insert((name.clone(), long(arg)), setting);
                }
            }
        }
    }

    /// The command with these defaults in place of its own.
    pub(super) fn apply(&self, command: Command) -> Command {
        if self.is_empty() { command } else { self.apply_below(command, "") }
    }

    fn apply_below(&self, command: Command, path: &str) -> Command {
        let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
        let mut command = command;
        for name in names {
            let below = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
            command = command.mut_subcommand(&name, |command| self.apply_below(command, &below));
        }
        if path.is_empty() {
            return command;
        }
        let ids: Vec<(String, String)> =
            options_of(&command).map(|arg| (arg.get_id().to_string(), long(arg))).collect();
        for (id, option) in ids {
            if let Some(setting) = self.settings.get(&(path.to_owned(), option)) {
                // clap keeps defaults for as long as the program runs; so do these few.
                let values: Vec<&'static str> =
                    setting.values.iter().map(|value| &*Box::leak(value.clone().into_boxed_str())).collect();
                command = command.mut_arg(&id, |arg| arg.required(false).default_values(values));
            }
        }
        command
    }
}

pub(super) fn run(arguments: &Arguments, command: &Command) -> anyhow::Result<Exit> {
    let Action::Show { origin } = arguments.command;
    let config = Config::load(|| command.clone())?;
    if config.settings.is_empty() {
        complain("no option is set by the environment or a file");
    }
    let mut out = io::stdout().lock();
    for ((command, option), setting) in &config.settings {
        write!(out, "{command} --{option} {}", setting.values.join(" "))?;
        match (origin, &setting.origin) {
            (false, _) => writeln!(out)?,
            (true, Origin::Environment(name)) => writeln!(out, "\tenvironment {name}")?,
            (true, Origin::File(path)) => writeln!(out, "\t{}", path.display())?,
        }
    }
    Ok(Exit::Compliant)
}

/// The variable of an option: its own, where it has one.
fn variable_of(arg: &Arg) -> String {
    match arg.get_env() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => format!("{PREFIX}{}", long(arg).to_ascii_uppercase().replace('-', "_")),
    }
}

/// Commands that do something, by their words.
fn leaves(command: &Command) -> Vec<(String, &Command)> {
    let mut found = Vec::new();
    let mut open: Vec<(String, &Command)> =
        command.get_subcommands().map(|below| (below.get_name().to_owned(), below)).collect();
    while let Some((name, command)) = open.pop() {
        if command.has_subcommands() {
            open.extend(command.get_subcommands().map(|below| (format!("{name} {}", below.get_name()), below)));
        } else {
            found.push((name, command));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Options that a file or variable may set.
fn options_of(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| !BUILT_IN.contains(&long)))
}

fn long(arg: &Arg) -> String {
    arg.get_long().unwrap_or_default().to_owned()
}

/// A value as the command line would have it.
fn values(value: &toml::Value) -> Option<Vec<String>> {
    Some(match value {
        toml::Value::String(text) => vec![text.clone()],
        toml::Value::Integer(number) => vec![number.to_string()],
        toml::Value::Float(number) => vec![number.to_string()],
        toml::Value::Boolean(flag) => vec![flag.to_string()],
        toml::Value::Datetime(day) => vec![day.to_string()],
        toml::Value::Array(list) => {
            let items: Option<Vec<Vec<String>>> = list.iter().map(values).collect();
            items?.concat()
        }
        toml::Value::Table(_) => return None,
    })
}

fn nearest(word: &str, names: &[String]) -> String {
    let best = names.iter().min_by_key(|name| strsim::levenshtein(word, name));
    let near = best.filter(|name| strsim::levenshtein(word, name) <= 1 + word.len() / 3);
    near.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// The nearest file at or above the current folder.
fn project_file() -> Option<PathBuf> {
    let current = env::current_dir().ok()?;
    current.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file())
}

fn user_file() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("preloaded").join(FILE)).filter(|path| path.is_file())
}

/// Whether a switch is one: it takes no value on the command line.
#[cfg(test)]
fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse | ArgAction::Count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        super::super::whole()
    }

    #[test]
    fn no_two_options_of_one_command_share_a_variable() {
        for (name, leaf) in leaves(&command()) {
            let mut names: Vec<String> = options_of(leaf).map(variable_of).collect();
            names.sort();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{name}: {names:?}");
        }
    }

    #[test]
    fn a_switch_can_be_set_by_the_environment() {
        let mut config = Config::default();
        let set = |name: &str| (name == "PRELOADED_OFFLINE").then(|| OsString::from("true"));
        config.read_environment(&command(), &set);
        let leaves = command();
        let switch =
            leaves.find_subcommand("scan").unwrap().get_arguments().find(|arg| long(arg) == "offline").unwrap();
        assert!(is_switch(switch));
        let matches = config.apply(command()).try_get_matches_from(["preloaded", "scan", "x"]).unwrap();
        let (_, matches) = matches.subcommand().unwrap();
        assert!(matches.get_flag("offline"));
    }

    #[test]
    fn the_command_line_comes_before_the_environment_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, "[all]\njobs = 3\n[check]\nprofile = \"ru/smartphone\"\njobs = 4\n").unwrap();
        let mut config = Config::default();
        config.read(&path, &command()).unwrap();
        let jobs = |config: &Config, line: &[&str]| {
            let matches = config.apply(command()).try_get_matches_from(line).unwrap();
            *matches.subcommand().unwrap().1.get_one::<u8>("jobs").unwrap()
        };
        assert_eq!(jobs(&config, &["preloaded", "check"]), 4);
        assert_eq!(jobs(&config, &["preloaded", "scan", "x"]), 3);
        config.read_environment(&command(), &|name| (name == "PRELOADED_JOBS").then(|| OsString::from("5")));
        assert_eq!(jobs(&config, &["preloaded", "check"]), 5);
        assert_eq!(jobs(&config, &["preloaded", "check", "--jobs", "6"]), 6);
    }

    #[test]
    fn what_there_is_not_is_an_error_with_the_nearest_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        for (text, words) in [
            ("[chek]\nprofile = \"x\"\n", "[chek]: there is no such command; did you mean check?"),
            ("[check]\nprofil = \"x\"\n", "[check] profil: there is no option --profil; did you mean profile?"),
            ("[check]\nprofile = { a = 1 }\n", "[check] profile: text, a number, true or a list"),
            ("check = 1\n", "options stand in a table"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Config::default().read(&path, &command()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
