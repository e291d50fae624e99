//! Where a report goes: a page, or a folder with a file per chart.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use scvi_io::IoError;
use scvi_io::output::{AtomicDir, AtomicFile, check_output, check_output_dir};
use scvi_report::page::Page;

use crate::args::{Common, ReportFormat};
use crate::error::CliError;

/// What tells a folder of charts from any other.
const MARKER: &str = "charts.txt";
/// Pixels that a chart is wide.
const WIDTH: u32 = 640;

/// Where a report goes.
pub struct ReportOutput {
    path: PathBuf,
    format: ReportFormat,
}

impl ReportOutput {
    /// Makes sure that it can be written.
    pub fn check(path: &Path, format: ReportFormat, common: &Common) -> Result<Self, CliError> {
        match format {
            ReportFormat::Html => {
                let is_page = path.extension().is_some_and(|ending| {
                    ["html", "htm"].iter().any(|known| ending.eq_ignore_ascii_case(known))
                });
                if !is_page {
                    return Err(CliError::Option {
                        option: "output",
                        found: format!("'{}'", path.display()),
                        range: "a file ending in .html, or with --format svg or png a folder",
                    });
                }
                check_output(path, common.overwrite)?;
            }
            ReportFormat::Svg | ReportFormat::Png => {
                check_output_dir(path, MARKER, common.overwrite)?;
            }
        }
        Ok(Self { path: path.to_owned(), format })
    }

    /// The page's file, or the folder of charts.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same in another place.
    pub fn at(&self, path: &Path) -> Self {
        Self { path: path.to_owned(), format: self.format }
    }

    /// Writes it; the files.
    pub fn write(&self, page: &Page, common: &Common) -> Result<Vec<String>, CliError> {
        let fault = |path: &Path, e: std::io::Error| IoError::BadOutput {
            path: path.to_owned(),
            problem: e.to_string(),
        };
        let path = &self.path;
        if self.format == ReportFormat::Html {
            let mut file = AtomicFile::create(path, common.overwrite)?;
            file.write_all(page.html().as_bytes()).map_err(|e| fault(path, e))?;
            file.finish()?;
            return Ok(vec![path.display().to_string()]);
        }
        let folder = AtomicDir::create(path, MARKER, common.overwrite)?;
        let (mut files, mut list) = (Vec::new(), String::new());
        for figure in page.figures() {
            let (ending, bytes) = match self.format {
                ReportFormat::Png => ("png", figure.png(WIDTH)?),
                _ => ("svg", figure.svg(WIDTH).into_bytes()),
            };
            let name = format!("{}.{ending}", figure.name);
            let at = folder.temp_path().join(&name);
            fs::write(&at, bytes).map_err(|e| fault(&at, e))?;
            list += &format!("{name}\t{}\n", figure.title.replace(['\t', '\n', '\r'], " "));
            files.push(path.join(&name).display().to_string());
        }
        let at = folder.temp_path().join(MARKER);
        fs::write(&at, list).map_err(|e| fault(&at, e))?;
        folder.finish()?;
        Ok(files)
    }
}
