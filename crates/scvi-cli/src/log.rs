//! What a command says while it works: on stderr, and with the time in a log file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use scvi_io::IoError;
use serde_json::{Value, json};

use crate::args::Common;
use crate::error::CliError;

/// How much a line matters, and so who sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Why the command failed.
    Error,
    /// What may not be as the user expects.
    Warning,
    /// What was done, and how far it got.
    Info,
    /// What only `--verbose` and the log file show.
    Detail,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Detail => "detail",
        }
    }
}

/// Where lines go. Copies write to the same file.
#[derive(Debug, Clone, Default)]
pub struct Log {
    is_quiet: bool,
    is_verbose: bool,
    is_json: bool,
    file: Option<Arc<LogFile>>,
}

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    /// Whether a line could not be written, which is said once.
    is_broken: AtomicBool,
}

impl Log {
    /// What the user asked for, still without a file.
    pub fn new(common: &Common) -> Self {
        let &Common { quiet, verbose, json, .. } = common;
        Self { is_quiet: quiet, is_verbose: verbose, is_json: json, file: None }
    }

    /// Adds the lines from here on to the end of a file.
    ///
    /// # Errors
    /// Where it cannot be written, or holds anything but lines of a log.
    pub fn open(&mut self, path: &Path) -> Result<(), CliError> {
        let bad = |problem: String| IoError::BadOutput { path: path.to_owned(), problem };
        let os = |e: io::Error| bad(e.to_string());
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(os)?;
        let mut first = Vec::new();
        (&mut file).take(TIME.len() as u64).read_to_end(&mut first).map_err(os)?;
        if !first.is_empty() && !is_time(&first) {
            return Err(bad("it exists and is no log, to which lines could be added".into()).into());
        }
        let (path, is_broken) = (path.to_owned(), AtomicBool::new(false));
        self.file = Some(Arc::new(LogFile { path, file, is_broken }));
        Ok(())
    }

    /// Says a line to those who want it.
    pub fn say(&self, level: Level, text: &str) {
        self.record(level, text);
        let is_shown = match level {
            Level::Error => true,
            Level::Warning | Level::Info => !self.is_quiet,
            Level::Detail => self.is_verbose,
        };
        if !is_shown {
            return;
        }
        if self.is_json {
            show(&json!({"level": level.name(), "message": text}).to_string());
            return;
        }
        match level {
            Level::Error | Level::Warning => show(&format!("{}: {text}", level.name())),
            Level::Info | Level::Detail => show(text),
        }
    }

    /// Puts a line into the log file only: it is shown in another way.
    pub fn record(&self, level: Level, text: &str) {
        let Some(log) = &self.file else { return };
        let time = humantime::format_rfc3339_seconds(SystemTime::now());
        // In one piece, so that lines of two programs do not mix.
        let line = format!("{time} {}: {text}\n", level.name());
        if let Err(e) = (&log.file).write_all(line.as_bytes())
            && !log.is_broken.swap(true, Ordering::Relaxed)
        {
            let text = format!("lines are missing in {}: {e}", log.path.display());
            Self { file: None, ..self.clone() }.say(Level::Warning, &text);
        }
    }

    /// Says why the command ends with `code`; `kind` stands before it.
    pub fn failure(&self, code: u8, kind: &str, message: &str, hint: Option<&str>) {
        self.record(Level::Error, message);
        if let Some(hint) = hint {
            self.record(Level::Error, &format!("hint: {hint}"));
        }
        if self.is_json {
            show(&failure_json(code, message, hint).to_string());
            return;
        }
        show(&format!("{kind}: {message}"));
        if let Some(hint) = hint {
            show(&format!("hint: {hint}"));
        }
    }
}

/// A failure as a program reads it.
pub fn failure_json(code: u8, message: &str, hint: Option<&str>) -> Value {
    json!({"level": Level::Error.name(), "code": code, "message": message, "hint": hint})
}

/// What may not be as the user expects.
pub fn note(common: &Common, text: &str) {
    common.log.say(Level::Warning, text);
}

/// What was done.
pub fn tell(common: &Common, text: &str) {
    common.log.say(Level::Info, text);
}

/// What `--verbose` shows.
pub fn detail(common: &Common, text: &str) {
    common.log.say(Level::Detail, text);
}

/// Writes a line to stderr. Nobody may be reading there any more.
fn show(line: &str) {
    _ = writeln!(io::stderr(), "{line}");
}

/// The form of the time that a line begins with.
const TIME: &[u8; 20] = b"0000-00-00T00:00:00Z";

fn is_time(text: &[u8]) -> bool {
    let is_alike =
        |(&c, &form): (&u8, &u8)| if form == b'0' { c.is_ascii_digit() } else { c == form };
    text.len() == TIME.len() && text.iter().zip(TIME).all(is_alike)
}
