//! The command as it was typed, as far as hints go by it.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, Id};
use scvi_io::output::free_name;

use crate::args::Cli;
use crate::options::quoted;

/// A verb and the files that it was given.
pub struct Call {
    pub verb: String,
    model: Option<PathBuf>,
    inputs: Vec<PathBuf>,
    output: Option<PathBuf>,
    /// Names of the options that were typed, and their values, of several the first.
    given: Vec<(String, String)>,
}

impl Call {
    /// Reads it off what clap found.
    pub fn of(matches: &ArgMatches) -> Self {
        let (verb, typed) = matches.subcommand().expect("clap requires a verb");
        let path = |id: &str| typed.try_get_one::<PathBuf>(id).ok().flatten().cloned();
        let paths = |id: &str| {
            let many = typed.try_get_many::<PathBuf>(id).ok().flatten();
            many.into_iter().flatten().cloned().collect::<Vec<_>>()
        };
        let is_typed = |id: &&Id| typed.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        let value = |id: &Id| {
            let raw = typed.get_raw(id.as_str()).and_then(|mut values| values.next());
            raw.map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let given = typed.ids().filter(is_typed);
        Self {
            verb: verb.to_owned(),
            model: ["reference", "scvi_model", "model"].iter().find_map(|id| path(id)),
            inputs: paths("input"),
            output: path("output"),
            given: given.map(|id| (id.as_str().replace('_', "-"), value(id))).collect(),
        }
    }

    /// Whether the verb has an option of this name.
    pub fn has(&self, option: &str) -> bool {
        let cli = Cli::command();
        let own = cli.find_subcommand(&self.verb).into_iter().flat_map(|verb| verb.get_arguments());
        own.chain(cli.get_arguments()).any(|arg| arg.get_long() == Some(option))
    }

    /// Whether this option was typed.
    pub fn given(&self, option: &str) -> bool {
        self.value(option).is_some()
    }

    /// The value that this option was typed with.
    pub fn value(&self, option: &str) -> Option<&str> {
        let given = self.given.iter().find(|(name, _)| name == option);
        given.map(|(_, value)| value.as_str())
    }

    /// Whether a file was given.
    pub fn has_input(&self) -> bool {
        !self.inputs.is_empty()
    }

    /// The model that is used, as a shell reads it.
    pub fn model(&self) -> String {
        typed(self.model.as_deref())
    }

    /// The files that are read, as a shell reads them.
    pub fn input(&self) -> String {
        let inputs: Vec<String> = self.inputs.iter().map(|path| typed(Some(path))).collect();
        inputs.join(" ")
    }

    /// What is typed to write a file of another kind.
    pub fn output_as(&self, kind: &str) -> String {
        if self.given("output-dir") {
            return format!("--output-format {kind}");
        }
        let output = self.output.as_ref().map(|output| output.with_extension(kind));
        format!("--output {}", typed(output.as_deref()))
    }

    /// What is typed to write beside an output of a run.
    pub fn beside(&self, path: &Path) -> String {
        let (option, has_ending) = match self.output.as_deref() == Some(path) {
            true => ("output", true),
            false => ("model", false),
        };
        format!("--{option} {}", typed(Some(&free_name(path, has_ending))))
    }

    /// What is typed to use another model.
    pub fn other_model(&self, path: &Path) -> String {
        let path = typed(Some(path));
        match self.verb.as_str() {
            "map" => format!("--reference {path}"),
            "train" => format!("--from {path}"),
            "inspect" => format!("scvi inspect {path}"),
            _ => format!("--model {path}"),
        }
    }
}

fn typed(path: Option<&Path>) -> String {
    // Without a slash at the end, so that a name can be made longer.
    let path = path.map(|path| path.components().as_path().display().to_string());
    path.map(|path| quoted(&path)).unwrap_or_default()
}
