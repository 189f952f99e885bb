//! The project's one door: `cargo xtask test` and what else is run by hand.

mod bench;
mod fixtures;
mod fuzz;
mod generate;
mod oracle;
mod test;
mod tools;
mod usb;
mod validators;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <command>

  test                install what the tests need, then run everything that CI runs
  fixtures            build the samples again from their recipe
  bench apk [FOLDER]  measure reading package files against apk-info, aapt2 and apksigner
  bench firmware [FOLDER] [--alone]
                      measure scanning multi-GB firmware, made in the folder, against what people do today
  bench rules [FOLDER [COUNT]]
                      measure judging a thousand stored inventories again
  fuzz [SECONDS [TARGET]]
                      run each fuzz target, or one, for 60 seconds or as many; needs a nightly toolchain
  oracle              hold what `preloaded image ls` says of every fixture against independent tools
  usb                 read simulated phones on the cables of a virtual machine, some minutes
  generate            write every derived file (schemas, command line help, lists)
  generate --check    fail if a derived file differs from what it derives from
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test"] => test::run(),
        ["fixtures"] => fixtures::run(),
        ["bench", "apk"] => bench::apk(None),
        ["bench", "apk", folder] => bench::apk(Some(folder)),
        ["bench", "firmware"] => bench::firmware(None, true),
        ["bench", "firmware", "--alone"] => bench::firmware(None, false),
        ["bench", "firmware", folder] => bench::firmware(Some(folder), true),
        ["bench", "firmware", folder, "--alone"] => bench::firmware(Some(folder), false),
        ["oracle"] => oracle::run(),
        ["bench", "rules"] => bench::rules(None, None),
        ["bench", "rules", folder] => bench::rules(Some(folder), None),
        ["bench", "rules", folder, count] => bench::rules(Some(folder), Some(count)),
        ["fuzz"] => fuzz::run("60", None),
        ["fuzz", seconds] => fuzz::run(seconds, None),
        ["fuzz", seconds, target] => fuzz::run(seconds, Some(target)),
        ["usb"] => usb::run(),
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
