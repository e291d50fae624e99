//! Where a report comes from.

use std::env;
use std::fs;

use scvi::data::Dataset;
use scvi::train::TrainError;
use scvi_report::sections::Provenance;

use super::Subject;
use crate::args::Common;
use crate::error::CliError;
use crate::options::quoted;

/// Options that do not change the page, with whether they have a value.
const WITHOUT_EFFECT: [(&str, bool); 9] = [
    ("--threads", true),
    ("--log-file", true),
    ("--output", true),
    ("--report", true),
    ("--quiet", false),
    ("--verbose", false),
    ("--overwrite", false),
    ("--json", false),
    ("--resume", false),
];

/// The command line without what does not change the page.
pub fn command() -> String {
    let words = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let mut kept = vec!["scvi".to_owned()];
    let mut skip_value = false;
    for word in words {
        if std::mem::take(&mut skip_value) {
            continue;
        }
        let option = word.split('=').next().unwrap_or_default();
        match WITHOUT_EFFECT.iter().find(|(name, _)| *name == option) {
            Some((_, has_value)) => skip_value = *has_value && !word.contains('='),
            None => kept.push(quoted(&word)),
        }
    }
    kept.join(" ")
}

/// Versions, files, hashes and seeds.
pub fn provenance(
    subject: &Subject,
    data: &Dataset,
    common: &Common,
) -> Result<Provenance, CliError> {
    let Subject { meta, prepared, model, .. } = subject;
    let config = &meta.config;
    let mut entries = vec![
        ("program".to_owned(), format!("scvi-rs {}", env!("CARGO_PKG_VERSION"))),
        ("seed".to_owned(), common.seed.to_string()),
        ("model".to_owned(), model.display().to_string()),
        ("model written by".to_owned(), meta.program.clone()),
        ("seed of training".to_owned(), meta.training.seed.to_string()),
    ];
    if let Ok(sums) = fs::read_to_string(model.join("SHA256SUMS")) {
        let sum = sums.lines().find_map(|line| line.strip_suffix("  model.safetensors"));
        entries.extend(sum.map(|sum| ("SHA-256 of model.safetensors".to_owned(), sum.to_owned())));
    }
    entries.push(("input".to_owned(), prepared.path.display().to_string()));
    let fingerprint = data.fingerprint().map_err(TrainError::from)?;
    entries.push(("SHA-256 of counts and covariates".to_owned(), fingerprint.sha256));
    if let Some(input) = &meta.input {
        let sum = input.var_names_sha256.clone();
        entries.push(("SHA-256 of gene names".to_owned(), sum));
    }
    let config = serde_json::to_string(config).unwrap_or_default();
    entries.push(("configuration".to_owned(), config));
    Ok(Provenance { command: subject.command.clone(), entries })
}
