//! Where a report comes from.

use std::env;
use std::fs;

use scvi_io::model_dir::{SUMS_FILE, TENSORS_FILE};
use scvi_report::report::Origin;

use super::Subject;
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

/// Names and hashes.
pub fn origin(subject: &Subject) -> Origin {
    let sums = fs::read_to_string(subject.model.join(SUMS_FILE)).unwrap_or_default();
    let of_weights = |line: &str| line.strip_suffix(TENSORS_FILE).map(|sum| sum.trim().to_owned());
    Origin {
        command: subject.command.clone(),
        model: subject.model.display().to_string(),
        model_sha256: sums.lines().find_map(of_weights),
        input: subject.prepared.path.display().to_string(),
    }
}
