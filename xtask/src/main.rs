//! The project's one door: `cargo xtask test`, `cargo xtask fixtures`, `cargo xtask generate [--check]`.

mod fixtures;
mod generate;
mod test;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <command>

  test                install what the tests need, then run everything that CI runs
  fixtures            build the samples again from their recipe
  generate            write every derived file (schemas, command line help, lists)
  generate --check    fail if a derived file differs from what it derives from
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test"] => test::run(),
        ["fixtures"] => fixtures::run(),
        ["generate"] => generate::run(generate::Mode::Write),
        ["generate", "--check"] => generate::run(generate::Mode::Check),
        _ => {
            tools::say(USAGE);
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tools::say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
