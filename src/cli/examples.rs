//! Examples and exit codes of commands whose own help has none: every `--help` shows both.

use clap::Command;

/// Words of the command, an example, its exit codes; whichever the command's own help has already is not added.
const TABLE: &[(&str, &str, &str)] = &[
    ("attest", "", "0 done, 2 wrong usage, profile or rule, 4 a file can't be written"),
    (
        "image",
        "preloaded image info firmware.zip",
        "0 everything was read, 3 a part could not be, 4 unreadable, 75 try again",
    ),
    ("image info", "", "0 everything was read, 2 wrong usage, 3 a part could not be, 4 unreadable, 75 try again"),
    ("image ls", "", "0 everything was read, 2 wrong usage, 3 a part could not be, 4 unreadable, 75 try again"),
    ("image cat", "", "0 done, 2 wrong usage, 4 there is no such file or it can't be read, 75 try again"),
    (
        "show",
        "",
        "0 the package was found, 2 wrong usage, 3 it was not, and a gap may hide it, 4 unreadable, 75 try again",
    ),
    ("why", "", "0 the answer is clear, 2 wrong usage, 3 it is not, 4 unreadable, 75 try again"),
    ("doctor", "", "0 nothing is in the way, 2 wrong usage, 3 something is"),
    (
        "watch",
        "",
        "0 as many results as --results asks for are there, 2 wrong usage or profile, 4 the journal can't be written, 130 ended by Ctrl-C",
    ),
    ("match", "", "0 the same software, 1 another, 2 wrong usage, 3 it can't be told, 4 unreadable, 75 try again"),
    (
        "profile explain",
        "preloaded profile explain RU-MAX -p ru/smartphone",
        "0 done, 2 there is no such rule or profile",
    ),
    (
        "profile lint",
        "preloaded profile lint mine.toml",
        "0 nothing is lacking, 1 something is, 2 wrong usage or profile",
    ),
    (
        "profile test",
        "preloaded profile test mine.toml",
        "0 every example holds, 1 one does not, 2 wrong usage or profile",
    ),
    ("profile new", "preloaded profile new shop/mine", "0 done, 2 wrong usage, 4 the file can't be written"),
    (
        "profile sign",
        "preloaded profile sign mine.toml --key station.key",
        "0 done, 2 wrong usage or key, 4 a file can't be read or written",
    ),
    (
        "profile verify",
        "preloaded profile verify mine.toml --key station.pem",
        "0 the signature fits, 2 wrong usage, 4 unreadable, 5 it does not, or there is none",
    ),
    ("profile diff", "preloaded profile diff old.toml new.toml", "0 done, 2 wrong usage or profile"),
    ("profile guide", "preloaded profile guide", "0 done"),
];

/// The command with what the help of its subcommands lacks.
pub(super) fn complete(command: Command) -> Command {
    complete_below(command, "")
}

fn complete_below(mut command: Command, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    for name in names {
        let below = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(&name, |command| complete_below(command, &below));
    }
    let Some((_, example, exits)) = TABLE.iter().find(|(words, ..)| *words == path) else { return command };
    let own = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut help = own.trim_end().to_owned();
    if !help.contains("Example") {
        help.push_str(&format!("\n\nExample:\n    {example}"));
    }
    if !help.contains("Exits 0") {
        help.push_str(&format!("\n\nExits {exits}."));
    }
    command.after_help(help.trim_start().to_owned())
}
