//! Where reports go: any number of files, each written whole or not at all, and standard output.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use tempfile::NamedTempFile;

use super::exit::usage;
use super::{parts, terminal};
use crate::report::{self, Carries, Identity, Lang, ReportFormat, Run, SHORTEST_KEY, Style};

/// Which reports are written, and how. Shared by every command that writes any.
#[derive(Debug, Args)]
pub(super) struct OutputArguments {
    /// Form of the report on standard output [default: text]
    #[arg(long, value_name = "FORMAT", value_parser = format, help_heading = "Reports")]
    format: Option<Format>,

    /// Write a report to a file, `-` for standard output, as `html=report.html`; may be repeated. JUnit of a large batch goes on
    /// in `report-2.xml`, `report-3.xml` ...: GitLab takes no files of 30 MB
    #[arg(long, short, value_name = "FORMAT=FILE", value_parser = output, help_heading = "Reports")]
    output: Vec<Output>,

    /// Language of reports for people [default: that of LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, value_enum, help_heading = "Reports")]
    lang: Option<LangArgument>,

    /// What separates the columns of CSV: `;` for spreadsheets of countries that write a decimal comma
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter, help_heading = "Reports")]
    csv_delimiter: char,

    #[command(flatten)]
    identity: IdentityArguments,
}

/// Whether serial numbers are written.
#[derive(Debug, Args)]
pub(super) struct IdentityArguments {
    /// How phones are named in what is written; a terminal always shows the serial number
    #[arg(long = "id", value_enum, default_value = "none", env = "PRELOADED_ID", help_heading = "Reports")]
    id: IdArgument,

    /// The organisation's key for `--id hmac`: a file of at least 16 bytes
    #[arg(long, value_name = "FILE", env = "PRELOADED_ID_KEY", help_heading = "Reports")]
    id_key: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum IdArgument {
    /// By their place among the targets: `phone-1`
    None,
    /// By a keyed hash of the serial number, the same in every report of the organisation
    Hmac,
    /// By the serial number
    Plain,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LangArgument {
    /// English
    En,
    /// Russian
    Ru,
}

/// A format of the table.
#[derive(Clone, Copy)]
struct Format(&'static dyn ReportFormat);

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

/// One report and where it goes; no path for standard output.
#[derive(Debug, Clone)]
struct Output {
    format: Format,
    path: Option<PathBuf>,
}

fn format(word: &str) -> Result<Format, String> {
    let found = report::FORMATS.iter().find(|format| format.name() == word);
    found.map(|format| Format(*format)).ok_or_else(|| {
        let names: Vec<&str> = report::FORMATS.iter().map(|format| format.name()).collect();
        format!("one of {}", names.join(", "))
    })
}

fn output(word: &str) -> Result<Output, String> {
    let (name, path) = word.split_once('=').ok_or("write it as FORMAT=FILE, for example html=report.html")?;
    let format = format(name)?;
    match path {
        "" => Err("the file's name is missing after `=`".to_owned()),
        "-" => Ok(Output { format, path: None }),
        path => Ok(Output { format, path: Some(path.into()) }),
    }
}

fn delimiter(word: &str) -> Result<char, String> {
    match word {
        "," => Ok(','),
        ";" => Ok(';'),
        _ => Err("`,` or `;`".to_owned()),
    }
}

/// The formats with what they are, for the help.
pub(super) fn formats_help() -> String {
    let width = report::FORMATS.iter().map(|format| format.name().len()).max().unwrap_or_default();
    let rows = report::FORMATS.iter().map(|format| format!("    {:width$}  {}\n", format.name(), format.about()));
    format!("Formats:\n{}", rows.collect::<String>())
}

impl IdentityArguments {
    /// What a process that reads one phone for this one has to be told, as arguments.
    pub(super) fn of_job(&self) -> Vec<OsString> {
        let word = self.id.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let key = self.id_key.iter().flat_map(|path| ["--id-key".into(), path.into()]);
        ["--id".into(), word.into()].into_iter().chain(key).collect()
    }

    /// How phones are named.
    ///
    /// # Errors
    /// The key is missing, can't be read or is too short.
    pub(super) fn identity(&self) -> anyhow::Result<Identity> {
        match (self.id, &self.id_key) {
            (IdArgument::None, _) => Ok(Identity::Hidden),
            (IdArgument::Plain, _) => Ok(Identity::Plain),
            (IdArgument::Hmac, None) => Err(usage("--id hmac needs the organisation's key: --id-key FILE")),
            (IdArgument::Hmac, Some(path)) => {
                let key = fs::read(path).map_err(|error| usage(format!("{}: {error}", path.display())))?;
                // An editor ends the file with a line feed that is no part of the key.
                let key = key.trim_ascii_end().to_vec();
                if key.len() < SHORTEST_KEY {
                    return Err(usage(format!(
                        "{}: a key of {} bytes, at least {SHORTEST_KEY} are needed",
                        path.display(),
                        key.len()
                    )));
                }
                Ok(Identity::Keyed(key))
            }
        }
    }
}

/// The outputs of a run, opened before anything is read so that what can't be written is said at once.
pub(super) struct Outputs {
    files: Vec<(Format, PathBuf, NamedTempFile)>,
    stdout: Option<Format>,
    style: Style,
    identity: Identity,
}

impl OutputArguments {
    /// Opens every output. `stdout_taken` if standard output is in use for something else.
    ///
    /// # Errors
    /// Two reports for one place, a folder that can't be written, a key that can't be used.
    pub(super) fn open(&self, stdout_taken: bool) -> anyhow::Result<Outputs> {
        let to_stdout: Vec<&Output> = self.output.iter().filter(|output| output.path.is_none()).collect();
        let stdout = match (self.format, to_stdout.as_slice(), stdout_taken) {
            (None, [], true) => None,
            (None, [], false) => Some(format("text").map_err(usage)?),
            (Some(format), [], false) => Some(format),
            (None, [one], false) => Some(one.format),
            _ => return Err(usage("standard output can take one report: --format, or one `-o FORMAT=-`")),
        };
        let mut files: Vec<(Format, PathBuf, NamedTempFile)> = Vec::new();
        for output in &self.output {
            let Some(path) = &output.path else { continue };
            if files.iter().any(|(_, other, _)| other == path) {
                return Err(usage(format!("{}: two reports for one file", path.display())));
            }
            let file = temporary(path).map_err(|error| usage(format!("{}: {error}", path.display())))?;
            files.push((output.format, path.clone(), file));
        }
        let lang = self.lang.map_or_else(terminal::language, |lang| match lang {
            LangArgument::En => Lang::En,
            LangArgument::Ru => Lang::Ru,
        });
        let style = Style { lang, delimiter: self.csv_delimiter, ..Style::default() };
        Ok(Outputs { files, stdout, style, identity: self.identity.identity()? })
    }
}

impl Outputs {
    /// Whether a report is asked for that shows inventories.
    pub(super) fn wants_inventories(&self) -> bool {
        self.formats().any(|format| format.carries() != Carries::Findings)
    }

    /// How phones are named in what is written.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The first format that can't be written without inventories.
    pub(super) fn needing_inventories(&self) -> Option<&'static str> {
        self.formats().find(|format| format.carries() == Carries::Packages).map(|format| format.name())
    }

    fn formats(&self) -> impl Iterator<Item = &'static dyn ReportFormat> {
        self.files.iter().map(|(format, _, _)| format.0).chain(self.stdout.map(|format| format.0))
    }

    /// Writes every report: all files appear under their names after the last of them was written in full, or none does.
    /// Afterwards the run's targets bear the names that are written, also where writing failed.
    ///
    /// # Errors
    /// What the file system or standard output reports, with the file's name.
    pub(super) fn write(mut self, run: &mut Run) -> anyhow::Result<()> {
        let shown = self.stdout.filter(|format| format.0.name() == "text" && terminal::is_terminal());
        let told = match shown {
            // Whoever sits before the phone must know which one it is.
            Some(format) => write_stdout(format, run, &Style { lang: self.style.lang, ..terminal::style() }),
            None => Ok(()),
        };
        self.identity.apply(run);
        told?;
        let mut further = Vec::new();
        let taken: Vec<PathBuf> = self.files.iter().map(|(_, path, _)| path.clone()).collect();
        for (format, path, file) in &mut self.files {
            let write = |run: &Run, file: &mut NamedTempFile| render(*format, run, &self.style, file);
            let parts = format.0.parts(run);
            let more = parts::write(&parts, run, path, file, &taken, write);
            further.extend(more.with_context(|| format!("{}", path.display()))?);
        }
        if let Some(format) = self.stdout.filter(|_| shown.is_none()) {
            let Style { colour, width, .. } = terminal::style();
            write_stdout(format, run, &Style { colour, width, ..self.style })?;
        }
        let first = self.files.into_iter().map(|(_, path, file)| (path, file));
        for (path, file) in first.chain(further) {
            persist(file, &path).with_context(|| format!("{}", path.display()))?;
        }
        Ok(())
    }
}

fn render(format: Format, run: &Run, style: &Style, file: &mut NamedTempFile) -> io::Result<()> {
    let mut out = BufWriter::new(file.as_file_mut());
    format.0.write(run, style, &mut out)?;
    out.flush()?;
    drop(out);
    file.as_file().sync_all()
}

fn write_stdout(format: Format, run: &Run, style: &Style) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    format.0.write(run, style, &mut out)?;
    out.flush()?;
    Ok(())
}

/// Writes a file whole or not at all.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = temporary(path)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    persist(file, path)
}

/// A file beside the one that it will become.
pub(super) fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    // What is no file (a folder, a device, a pipe) would be replaced by one.
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("there is something else than a file"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    NamedTempFile::new_in(folder)
}

/// Gives it its name, and the mode of any other file.
pub(super) fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    readable_by_others(file.as_file())?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

/// A temporary file is private; the finished one is like any other that the user writes.
#[cfg(unix)]
fn readable_by_others(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_others(_file: &fs::File) -> io::Result<()> {
    Ok(())
}

/// A report that was written as JSON; `-` for standard input.
///
/// # Errors
/// In words: what can't be read, or is no report.
pub(super) fn read_report(path: &Path) -> Result<Run, String> {
    let read = |source: &mut dyn Read| -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        source.take(report::LARGEST + 1).read_to_end(&mut text)?;
        if text.len() as u64 > report::LARGEST {
            let words = format!("larger than {} bytes", report::LARGEST);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, words));
        }
        Ok(text)
    };
    let text = if path == Path::new("-") {
        read(&mut io::stdin().lock())
    } else {
        fs::File::open(path).and_then(|mut file| read(&mut file))
    };
    report::parse(&text.map_err(|error| error.to_string())?)
}
