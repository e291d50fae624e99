//! The results of a run, none of which is lost when it cannot be written where it should be.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use scvi_io::output::free_name;

use crate::error::CliError;

/// Results of a run: those in their places, and what happened to the others.
#[derive(Debug, Default)]
pub struct Results {
    written: Vec<String>,
    failures: Vec<Failure>,
    /// What the run can be resumed from.
    checkpoint: Option<PathBuf>,
}

/// A result that is not in its place.
#[derive(Debug)]
struct Failure {
    what: &'static str,
    error: CliError,
    /// Where it was written instead.
    kept: Option<PathBuf>,
}

impl Results {
    /// Writes a folder, or under another name beside it where its own cannot be written: a run may
    /// have taken days.
    pub fn folder(
        &mut self,
        what: &'static str,
        path: &Path,
        write: impl FnMut(&Path) -> Result<(), CliError>,
    ) {
        self.write(what, path, false, write);
    }

    /// The same of a file, whose ending stays.
    pub fn file(
        &mut self,
        what: &'static str,
        path: &Path,
        write: impl FnMut(&Path) -> Result<(), CliError>,
    ) {
        self.write(what, path, true, write);
    }

    fn write(
        &mut self,
        what: &'static str,
        path: &Path,
        has_ending: bool,
        mut write: impl FnMut(&Path) -> Result<(), CliError>,
    ) {
        match write(path) {
            Ok(()) => self.written.push(path.display().to_string()),
            Err(error) => {
                let others = other_places(path).into_iter();
                let mut others = others.map(|place| free_name(place, has_ending));
                let kept = others.find(|other| write(other).is_ok());
                self.failures.push(Failure { what, error, kept });
            }
        }
    }

    /// A result that there is not.
    pub fn failed(&mut self, what: &'static str, error: CliError) {
        self.failures.push(Failure { what, error, kept: None });
    }

    /// Whether every result was written somewhere.
    pub fn are_kept(&self) -> bool {
        self.failures.iter().all(|failure| failure.kept.is_some())
    }

    /// What was written, if all of it is in its place.
    ///
    /// # Errors
    /// Says where the rest is, and that there is still a checkpoint.
    pub fn finish(mut self, checkpoint: &Path) -> Result<Vec<String>, CliError> {
        if self.failures.is_empty() {
            return Ok(self.written);
        }
        self.checkpoint = checkpoint.is_file().then(|| checkpoint.to_owned());
        Err(CliError::Results(self.into()))
    }
}

/// Each failure, and what there is of the run.
impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, Failure { what, error, kept }) in self.failures.iter().enumerate() {
            let line = if k == 0 { "" } else { "\n" };
            match kept {
                Some(path) => write!(f, "{line}{error}; the {what} is kept in {}", path.display())?,
                None => write!(f, "{line}{error}; there is no {what}")?,
            }
        }
        if !self.written.is_empty() {
            write!(f, "\nwritten: {}", self.written.join(", "))?;
        }
        match &self.checkpoint {
            Some(path) => write!(f, "\nan earlier state of the run is in {}", path.display()),
            None => Ok(()),
        }
    }
}

/// Where a result may go instead: beside its path, to the current folder, to the one for temporary
/// files.
fn other_places(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default();
    let folders = [PathBuf::new(), env::temp_dir()].into_iter();
    [path.to_owned()].into_iter().chain(folders.map(|folder| folder.join(name))).collect()
}
