//! Runs a task on each of several inputs, with an output of its own.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use scvi_io::IoError;
use scvi_io::output::check_output;

use crate::args::{
    Command, Common, LatentArgs, ModelInput, NormalizeArgs, OutputDirArgs, ParametersArgs,
    PredictArgs, SampleArgs,
};
use crate::error::CliError;
use crate::input::named_inputs;
use crate::report::print_samples;

/// Runs a command as often as its outputs go to a folder of their own; whether they do.
pub fn run_each(
    command: &Command,
    common: &mut Common,
    mut run: impl FnMut(Command, &Common) -> Result<(), CliError>,
) -> Result<bool, CliError> {
    let Some((source, to)) = outputs_of(command) else { return Ok(false) };
    let Some(folder) = &to.output_dir else { return Ok(false) };
    let ending = to.output_format.as_deref().unwrap_or("h5ad").trim_start_matches('.');
    let names = named_inputs(source)?;
    let mut outputs = Vec::new();
    for name in names {
        let is_name = Path::new(&name).file_name().is_some_and(|part| *part == *name);
        if !is_name {
            return Err(CliError::SampleName { name });
        }
        let output = folder.join(format!("{name}.{ending}"));
        if ending != "zarr" && folder.is_dir() {
            // Before the first task: the last output should not be the one that is refused.
            check_output(&output, common.overwrite)?;
        }
        outputs.push((name, output));
    }
    match fs::create_dir(folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => {
            let path = folder.clone();
            return Err(IoError::Os { action: "create", path, source: e }.into());
        }
        _ => {}
    }
    for (k, (name, output)) in outputs.into_iter().enumerate() {
        common.sample = Some(name);
        of_input(command, k, output).map_or(Ok(()), |command| run(command, common))?;
    }
    print_samples(common)?;
    Ok(true)
}

/// The inputs of a task that may have an output for each.
fn outputs_of(command: &Command) -> Option<(&ModelInput, &OutputDirArgs)> {
    match command {
        Command::Latent(args) => Some((&args.source, &args.dir)),
        Command::Predict(args) => Some((&args.source, &args.dir)),
        Command::Normalize(args) => Some((&args.source, &args.dir)),
        Command::Parameters(args) => Some((&args.source, &args.dir)),
        Command::Sample(args) => Some((&args.source, &args.dir)),
        _ => None,
    }
}

/// The same task on one of its inputs.
fn of_input(command: &Command, k: usize, output: PathBuf) -> Option<Command> {
    let of = |source: &ModelInput| ModelInput { only: Some(k), ..source.clone() };
    let output = Some(output);
    Some(match command {
        Command::Latent(args) => {
            Command::Latent(LatentArgs { source: of(&args.source), output, ..args.clone() })
        }
        Command::Predict(args) => {
            Command::Predict(PredictArgs { source: of(&args.source), output, ..args.clone() })
        }
        Command::Normalize(args) => {
            Command::Normalize(NormalizeArgs { source: of(&args.source), output, ..args.clone() })
        }
        Command::Parameters(args) => {
            Command::Parameters(ParametersArgs { source: of(&args.source), output, ..args.clone() })
        }
        Command::Sample(args) => {
            Command::Sample(SampleArgs { source: of(&args.source), output, ..args.clone() })
        }
        _ => return None,
    })
}
