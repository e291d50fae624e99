//! The command `scvi`: train scVI on an .h5ad file and use the trained model.
//!
//! Exit codes: 0 done, 1 the job failed, 2 wrong usage, 130 interrupted.

mod args;
mod commands;
mod error;
mod input;
mod progress;
mod report;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use error::CliError;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), CliError> {
    let threads = cli.common.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| CliError::Threads { source: e })?;
    pool.install(|| match &cli.command {
        Command::Train(args) => commands::train::run(args, &cli.common),
        Command::Latent(args) => commands::latent::run(args, &cli.common),
        Command::Evaluate(args) => commands::evaluate::run(args, &cli.common),
        Command::Simulate(args) => commands::simulate::run(args, &cli.common),
        Command::Convert(args) => commands::convert::run(args, &cli.common),
        Command::Inspect(args) => commands::inspect::run(args, &cli.common),
    })
}
