//! `scvi man`.

use std::fs;
use std::io::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use scvi_io::IoError;
use scvi_io::output::{AtomicFile, check_output};

use crate::args::{Cli, Common, ManArgs};
use crate::error::CliError;
use crate::report::Report;

pub fn run(args: &ManArgs, common: &Common) -> Result<(), CliError> {
    let folder = &args.output;
    let fault = |path: &Path, e: &dyn ToString| IoError::BadOutput {
        path: path.to_owned(),
        problem: e.to_string(),
    };
    fs::create_dir_all(folder).map_err(|e| fault(folder, &e))?;
    let pages: Vec<_> = pages().map(|page| (folder.join(page.get_filename()), page)).collect();
    for (path, _) in &pages {
        check_output(path, common.overwrite)?;
    }
    for (path, page) in &pages {
        let mut text = Vec::new();
        page.render(&mut text).map_err(|e| fault(path, &e))?;
        // What ends a help has no heading of its own in clap.
        let text = String::from_utf8_lossy(&text);
        let text = text.replace(".SH EXTRA\nExamples:\n", ".SH EXAMPLES\n");
        let mut file = AtomicFile::create(path, common.overwrite)?;
        file.write_all(text.as_bytes()).map_err(|e| fault(path, &e))?;
        file.finish()?;
    }
    let files: Vec<String> = pages.iter().map(|(path, _)| path.display().to_string()).collect();
    let mut report = Report::default();
    report.add("pages", pages.len()).add("files", files);
    report.print(common)
}

/// A page for the program, and one for each verb.
fn pages() -> impl Iterator<Item = Man> {
    // Without what --version says of this machine, and without the verb help.
    let mut cli = Cli::command().long_version(None).disable_help_subcommand(true);
    cli.build();
    let verbs: Vec<Command> = cli.get_subcommands().cloned().collect();
    let source = format!("scvi {}", env!("CARGO_PKG_VERSION"));
    std::iter::once(cli).chain(verbs).map(move |command| Man::new(command).source(&source))
}
