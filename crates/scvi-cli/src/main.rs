//! The command `scvi`: train scVI on an .h5ad file and use the trained model.
//!
//! Exit codes: 0 done, 1 the job failed, 2 wrong usage, 130 interrupted (143 by SIGTERM).

mod args;
mod call;
mod category_advice;
mod cell_list;
mod checkpoints;
mod choices;
mod commands;
mod copies;
mod error;
mod groups;
mod hint;
mod input;
mod input_advice;
mod log;
mod matrix_output;
mod options;
mod output_dir;
mod progress;
mod report;
mod results;
mod rows_output;
mod signals;
mod table_output;
mod training;
mod version;
mod watching;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Instant;

use args::{Cli, Command, Common};
use error::CliError;
use log::{Level, Log};

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().collect();
    let (cli, call) = options::read(&words);
    let mut log = Log::new(&cli.common);
    match logged(cli, words, &mut log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let (code, kind) = error.exit();
            log.failure(code, kind, &error.to_string(), error.hint(&call).as_deref());
            ExitCode::from(code)
        }
    }
}

/// Runs a command with a log.
fn logged(cli: Cli, words: Vec<OsString>, log: &mut Log) -> Result<(), CliError> {
    if let Some(path) = &cli.common.log_file {
        log.open(path)?;
    }
    let start = Instant::now();
    log.say(Level::Detail, &version::line());
    log.say(Level::Detail, &options::shown(&words));
    let mut cli = options::resumed(cli, words)?;
    cli.common.log = log.clone();
    run(cli)?;
    log.say(Level::Detail, &format!("done in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(())
}

fn run(cli: Cli) -> Result<(), CliError> {
    let Cli { command, mut common } = cli;
    let threads = common.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| CliError::Threads { source: e })?;
    pool.install(|| match output_dir::run_each(&command, &mut common, run_once)? {
        true => Ok(()),
        false => run_once(command, &common),
    })
}

fn run_once(mut command: Command, common: &Common) -> Result<(), CliError> {
    let inputs = input::open_inputs(&mut command, common)?;
    run_verb(command, common).map_err(|error| inputs.as_typed(error))
}

fn run_verb(command: Command, common: &Common) -> Result<(), CliError> {
    match command {
        Command::Train(args) => commands::train::run(*args, common),
        Command::Latent(args) => commands::latent::run(&args, common),
        Command::Evaluate(args) => commands::evaluate::run(&args, common),
        Command::Normalize(args) => commands::normalize::run(&args, common),
        Command::Parameters(args) => commands::parameters::run(&args, common),
        Command::Sample(args) => commands::sample::run(&args, common),
        Command::Correlate(args) => commands::correlate::run(&args, common),
        Command::Predict(args) => commands::predict::run(&args, common),
        Command::Map(args) => commands::map::run(*args, common),
        Command::Genes(args) => commands::genes::run(&args, common),
        Command::Qc(args) => commands::qc::run(&args, common),
        Command::Minify(args) => commands::minify::run(&args, common),
        Command::Report(args) => commands::report::run(&args, common),
        Command::Umap(args) => commands::umap::run(&args, common),
        Command::De(args) => commands::de::run(&args, common),
        Command::Simulate(args) => commands::simulate::run(&args, common),
        Command::Convert(args) => commands::convert::run(&args, common),
        Command::Inspect(args) => commands::inspect::run(&args, common),
        Command::Completions(args) => commands::completions::run(&args),
        Command::Man(args) => commands::man::run(&args, common),
    }
}
