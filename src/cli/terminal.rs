//! What the terminal can show, and progress on it.

use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::collect;
use crate::report::{Lang, Style, printable};

/// How a report on standard output looks: `NO_COLOR` before `CLICOLOR_FORCE` before whether it is a terminal.
pub(super) fn style() -> Style {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = !no_colour && (set("CLICOLOR_FORCE") || io::stdout().is_terminal());
    let columns = std::env::var("COLUMNS").ok().and_then(|value| value.parse().ok());
    let measured = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    Style { colour, width: columns.or(measured).unwrap_or(100), ..Style::default() }
}

/// Whether standard output is a terminal: somebody sits before it.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// The language that the environment asks for, English where it asks for none that reports speak.
pub(super) fn language() -> Lang {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG")).unwrap_or_default();
    let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
    Lang::ALL.into_iter().find(|lang| lang.as_str() == language).unwrap_or_default()
}

/// A message on standard error.
pub(super) fn complain(message: &str) {
    let lines: Vec<_> = message.lines().map(printable).collect();
    // Nothing can be done when standard error is closed.
    let _ = writeln!(io::stderr(), "preloaded: {}", lines.join("\n"));
}

/// Progress of several targets: a line each on a terminal, silence elsewhere.
pub(super) struct Board {
    bars: MultiProgress,
}

impl Board {
    pub(super) fn new() -> Self {
        let target =
            if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { bars: MultiProgress::with_draw_target(target) }
    }

    /// A line for one target. It disappears when the line is dropped.
    pub(super) fn line(&self, name: &str) -> Line {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}  {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(printable(name).into_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Line { bar }
    }
}

/// Progress of one target.
pub(super) struct Line {
    bar: ProgressBar,
}

impl collect::Progress for Line {
    fn step(&self, text: &str) {
        self.bar.set_message(printable(text).into_owned());
    }

    fn notice(&self, text: &str) {
        self.bar.suspend(|| complain(text));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
