//! From the words typed to [`Cli`]: a resumed run takes what is left unsaid from its checkpoint.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::exit;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches};
use scvi_io::IoError;
use scvi_io::checkpoint::{checkpoint_path, read_checkpoint};
pub use scvi_io::quoted;

use crate::args::{CELLS, CHECKPOINTS, CheckpointArgs, Cli, Command, INPUTS, READING, TrainArgs};
use crate::call::Call;
use crate::checkpoints::lock;
use crate::error::CliError;
use crate::log::failure_json;

/// Adds to a run that is resumed what its checkpoint says of it.
pub fn resumed(mut cli: Cli, words: Vec<OsString>) -> Result<Cli, CliError> {
    let Some((verb, model, args)) = run_of(&mut cli.command) else { return Ok(cli) };
    let Some(model) = model.filter(|_| args.resume) else { return Ok(cli) };
    // First: a run that still goes on would replace its checkpoint, and then delete it.
    let lock = lock(model, &cli.common)?;
    let path = checkpoint_path(model);
    if !path.exists() {
        args.lock = lock;
        return Ok(cli);
    }
    let saved = read_checkpoint(&path)?;
    let unsaid = unsaid(verb, &path, &saved.0.setup.options, &args.options)?;
    let (mut cli, _) = read(&words.into_iter().chain(unsaid).collect::<Vec<_>>());
    if let Some((.., args)) = run_of(&mut cli.command) {
        (args.saved, args.lock) = (Some(saved), lock);
    }
    Ok(cli)
}

/// The verb, model folder and checkpoints of a command that makes a training run.
fn run_of(command: &mut Command) -> Option<(&'static str, Option<&Path>, &mut CheckpointArgs)> {
    match command {
        Command::Train(args) => Some(("train", args.model.as_deref(), &mut args.checkpoints)),
        Command::Map(args) => Some(("map", Some(&args.model), &mut args.checkpoints)),
        _ => None,
    }
}

/// Reads the command line; wrong usage ends the program.
pub fn read(words: &[OsString]) -> (Cli, Call) {
    let matches = Cli::command().try_get_matches_from(words);
    let matches = matches.unwrap_or_else(|error| wrong_usage(&error, words));
    let cli = Cli::from_arg_matches(&matches);
    let mut cli = cli.unwrap_or_else(|error| wrong_usage(&error, words));
    if let Some((verb, _, args)) = run_of(&mut cli.command)
        && let Some(matches) = matches.subcommand_matches(verb)
    {
        args.options = typed(verb, matches);
    }
    (cli, Call::of(&matches))
}

/// Ends the program as clap does; where JSON is asked for, with a document on stderr.
fn wrong_usage(error: &clap::Error, words: &[OsString]) -> ! {
    if !error.use_stderr() || !words.iter().any(|word| word == "--json") {
        error.exit();
    }
    let text = error.render().to_string();
    let joined = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = text.split("\n\n").next().unwrap_or_default();
    let message = joined(message.strip_prefix("error: ").unwrap_or(message));
    // No value of ours begins with a dash.
    let mut tips = text.lines().filter_map(|line| line.trim_start().strip_prefix("tip: "));
    let tip = tips.find(|tip| !tip.contains(" as a value"));
    // Not every error of clap shows the usage.
    let cli = Cli::command();
    let verb = words.iter().skip(1).find_map(|word| cli.find_subcommand(word));
    let help = verb.map_or("scvi".to_owned(), |verb| format!("scvi {}", verb.get_name()));
    let hint = tip.map_or_else(|| format!("see `{help} --help`"), joined);
    const WRONG_USAGE: u8 = 2;
    eprintln!("{}", failure_json(WRONG_USAGE, &message, Some(&hint)));
    exit(WRONG_USAGE.into())
}

/// The options that make a run the run it is: all but those that name its files, which stand under
/// no heading, and those of checkpoints; and the seed.
fn options(verb: &str) -> Vec<Arg> {
    let cli = Cli::command();
    let all = cli.find_subcommand(verb).into_iter().flat_map(clap::Command::get_arguments);
    let own = all.filter(|arg| arg.get_help_heading().is_some_and(|h| h != CHECKPOINTS));
    own.chain(cli.get_arguments().filter(|arg| arg.get_id() == "seed")).cloned().collect()
}

/// Those of them that were typed, as one types them: `--n-latent=5`, `--early-stopping`.
fn typed(verb: &str, matches: &ArgMatches) -> Vec<String> {
    let mut typed = Vec::new();
    for arg in options(verb) {
        let id = arg.get_id().as_str();
        let Some(long) = arg.get_long() else { continue };
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        if arg.get_action().takes_values() {
            let values = matches.get_raw(id).into_iter().flatten();
            typed.extend(values.map(|value| format!("--{long}={}", value.to_string_lossy())));
        } else {
            typed.push(format!("--{long}"));
        }
    }
    typed
}

/// Those options of a run that say how its input is read, as far as a verb has them, too.
pub fn reading_options(verb: &str, run_options: &[String]) -> Vec<String> {
    let cli = Cli::command();
    let of_verb = cli.find_subcommand(verb).into_iter().flat_map(clap::Command::get_arguments);
    let is_about_input = |arg: &&Arg| {
        arg.get_help_heading().is_some_and(|heading| [INPUTS, READING, CELLS].contains(&heading))
    };
    let longs = of_verb.filter(is_about_input).filter_map(Arg::get_long);
    let known: Vec<String> = longs.map(|long| format!("--{long}")).collect();
    let is_known = |option: &&String| known.iter().any(|known| known == name(option));
    run_options.iter().filter(is_known).cloned().collect()
}

/// The name of an option in its typed form.
fn name(option: &str) -> &str {
    option.split_once('=').map_or(option, |(name, _)| name)
}

/// What the run was started with and is not typed now.
fn unsaid(
    verb: &str,
    path: &Path,
    then: &[String],
    now: &[String],
) -> Result<Vec<OsString>, CliError> {
    let known: Vec<String> =
        options(verb).iter().filter_map(Arg::get_long).map(|long| format!("--{long}")).collect();
    if let Some(option) = then.iter().find(|option| !known.iter().any(|k| k == name(option))) {
        let problem = format!("{option:?} is no option of a run of scvi {verb}");
        return Err(IoError::NotCheckpoint { path: path.to_owned(), problem }.into());
    }
    let is_said = |option: &&String| now.iter().any(|said| name(said) == name(option));
    Ok(then.iter().filter(|option| !is_said(option)).map(OsString::from).collect())
}

/// The command that resumes this run of a verb, for a shell. Words of the `demonstration` say where
/// it left its data.
pub fn resume_command(verb: &str, demonstration: &[&str]) -> String {
    let mut words: Vec<String> =
        env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut more: Vec<String> = demonstration.iter().map(|&word| word.to_owned()).collect();
    if !words.iter().any(|word| word == "--resume") {
        more.push("--resume".to_owned());
    }
    let after = words.iter().position(|word| word == verb).map_or(words.len(), |at| at + 1);
    words.splice(after..after, more);
    as_typed(&words)
}

/// Words as one types them in a shell.
fn as_typed(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The command line, for a log.
pub fn shown(words: &[OsString]) -> String {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    as_typed(&words)
}

/// Words that resume the demonstration, whose data is a file by then.
pub fn demonstration_words<'a>(args: &TrainArgs, data: &'a str, model: &'a str) -> Vec<&'a str> {
    let mut words = vec![data, "--batch-key", "batch", "--overwrite"];
    if args.model.is_none() {
        words.extend(["--model", model]);
    }
    if args.output.is_none() {
        words.extend(["--output", data]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed_of(words: &str) -> Vec<String> {
        let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
        let (mut cli, _) = read(&words);
        let (.., args) = run_of(&mut cli.command).expect("a run");
        args.options.clone()
    }

    #[test]
    fn remembers_what_makes_a_run() {
        let line = "scvi --quiet train x.h5ad --model m --n-latent 5 --early-stopping --seed 3 \
                    --categorical-covariate-key a b --threads 2 --checkpoint-every-minutes 1";
        let typed = typed_of(line);
        let wanted = [
            "--categorical-covariate-key=a",
            "--categorical-covariate-key=b",
            "--n-latent=5",
            "--early-stopping",
            "--seed=3",
        ];
        assert_eq!(typed, wanted);
        // Typed that way, they mean the same.
        let again = format!("scvi train x.h5ad --model m {}", typed.join(" "));
        assert_eq!(typed_of(&again), wanted);
        let line = "scvi map q.h5ad --reference r --model m --freeze-dropout --min-overlap 0.5 \
                    --output o.csv --lr 0.1";
        assert_eq!(typed_of(line), ["--min-overlap=0.5", "--freeze-dropout", "--lr=0.1"]);
    }

    #[test]
    fn adds_what_is_left_unsaid() {
        let then = ["--lr=0.1", "--early-stopping", "--seed=3"].map(str::to_owned);
        let now = ["--seed=4".to_owned()];
        let added = unsaid("train", Path::new("c"), &then, &now).unwrap();
        assert_eq!(added, ["--lr=0.1", "--early-stopping"]);
        for hostile in ["--model=/etc", "x", "--overwrite", "--lr2=1", "--unfrozen"] {
            assert!(
                unsaid("train", Path::new("c"), &[hostile.to_owned()], &now).is_err(),
                "{hostile}"
            );
        }
    }
}
