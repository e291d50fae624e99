//! What `scvi map` says at its end: every number as JSON, sentences in the table.

use scvi::listed;
use scvi::train::History;
use serde_json::{Map, Value};

use crate::input::Query;
use crate::report::{Report, number};

/// What was mapped, and which tensors were `trained`.
pub fn report(query: &Query, history: &History, trained: Vec<String>) -> Report {
    let Query { prepared, overlap, new_categories } = query;
    let new: Map<String, Value> =
        new_categories.iter().map(|(key, new)| (key.clone(), new.clone().into())).collect();
    let (n_missing, n_genes) = (overlap.missing().len(), prepared.var_names.len());
    let percent = number((1e4 * overlap.share()).round() / 100.0);
    let found = format!("{} of the reference's {n_genes} ({percent} %)", overlap.n_shared());
    let missing = if n_missing == 0 { String::new() } else { format!("{n_missing}, taken as 0") };
    let extra = match overlap.n_extra() {
        0 => String::new(),
        n => format!("{n} that the reference does not have, left out"),
    };
    let trained_words = words_of_tensors(&trained);
    let epochs = &history.epochs;
    let mut report = Report::default();
    report
        .add("cells", prepared.counts.n_cells())
        .dropped(&prepared.dropped)
        .add_worded("genes", n_genes, "")
        .add_worded("genes_found", overlap.n_shared(), found)
        .add_worded("genes_missing", n_missing, missing)
        .add_worded("genes_extra", overlap.n_extra(), extra)
        .add_worded("overlap", overlap.share(), "")
        .add_worded("new_categories", new, words_of_categories(new_categories))
        .add_worded("trained", trained, trained_words)
        .add("epochs", epochs.len())
        .add("elbo_train", epochs.last().map(|e| e.train.elbo))
        .add("elbo_validation", epochs.last().and_then(|e| e.validation.as_ref()).map(|v| v.elbo));
    report
}

/// New categories, a line a column.
fn words_of_categories(new: &[(String, Vec<String>)]) -> String {
    let line = |(key, names): &(String, Vec<String>)| {
        format!("{} of {key}: {}", names.len(), listed(names))
    };
    match new {
        [] => "none".to_owned(),
        new => new.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}

/// Parts of the module by the first name of their tensors.
const PARTS: [(&str, &str); 7] = [
    ("z_encoder", "encoder"),
    ("l_encoder", "library size encoder"),
    ("decoder", "decoder"),
    ("px_r", "dispersion"),
    ("classifier", "classifier"),
    ("encoder_z2_z1", "encoder of labels"),
    ("decoder_z1_z2", "decoder of labels"),
];

/// The tensors by the part of the module that they are of, a line a part. Those of which only some
/// rows or columns are trained say so behind their name.
fn words_of_tensors(trained: &[String]) -> String {
    let mut parts: Vec<(&str, usize, usize)> = Vec::new();
    for tensor in trained {
        let first = tensor.split(['.', ' ']).next().unwrap_or_default();
        let known = PARTS.iter().find(|(name, _)| *name == first);
        let part = known.map_or("category embeddings", |(_, part)| part);
        if parts.last().is_none_or(|(last, ..)| *last != part) {
            parts.push((part, 0, 0));
        }
        if let Some((_, whole, partial)) = parts.last_mut() {
            *if tensor.ends_with(')') { partial } else { whole } += 1;
        }
    }
    let tensors = |n: usize| if n == 1 { "1 tensor".to_owned() } else { format!("{n} tensors") };
    let line = |&(part, whole, partial): &(&str, usize, usize)| match (whole, partial) {
        (whole, 0) => format!("{part}: {}", tensors(whole)),
        (0, partial) => format!("{part}: only new categories, in {}", tensors(partial)),
        (whole, partial) => {
            format!("{part}: {}, and new categories in {}", tensors(whole), tensors(partial))
        }
    };
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}
