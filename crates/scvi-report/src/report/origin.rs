//! What a model folder says of where a report comes from.

use scvi_io::{DroppedCells, GeneSelectionMeta, ModelMeta};

use super::ReportInput;
use crate::number::count;
use crate::sections::{Dropped, Provenance};

/// Where a report comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// What makes it again, as it is typed; empty where there is no such command.
    pub command: String,
    /// The model's name.
    pub model: String,
    /// SHA-256 of its weights, in hexadecimal.
    pub model_sha256: Option<String>,
    /// The name of the input.
    pub input: String,
}

impl ReportInput<'_> {
    pub(super) fn title(&self) -> String {
        title(&self.model.meta.model_class, &self.origin.input)
    }

    pub(super) fn subtitle(&self) -> String {
        let training = &self.model.meta.training;
        format!(
            "Model {}, trained for {} epochs on {} cells with {}",
            self.origin.model,
            count(training.epochs),
            count(training.n_cells),
            self.model.meta.program
        )
    }

    pub(super) fn all_dropped(&self) -> Vec<Dropped> {
        let in_training = self.model.meta.input.iter().flat_map(|input| &input.dropped_cells);
        let in_training = in_training.map(|dropped| dropped_cells("in training", dropped));
        let here = self.dropped.iter().map(|dropped| dropped_cells("in this report", dropped));
        in_training.chain(here).collect()
    }

    /// Versions, names, hashes and seeds.
    pub(super) fn provenance(&self, fingerprint: String) -> Provenance {
        let Origin { command, model, model_sha256, input } = &self.origin;
        let ModelMeta { program, training, config, .. } = &self.model.meta;
        let config = serde_json::to_string(config).unwrap_or_default();
        let genes = self.model.meta.input.as_ref().map(|input| input.var_names_sha256.clone());
        let entries = [
            ("program", Some(format!("scvi-rs {}", env!("CARGO_PKG_VERSION")))),
            ("seed", Some(self.seed.to_string())),
            ("model", Some(model.clone())),
            ("model written by", Some(program.clone())),
            ("seed of training", Some(training.seed.to_string())),
            ("SHA-256 of weights", model_sha256.clone()),
            ("input", Some(input.clone())),
            ("SHA-256 of counts and covariates", Some(fingerprint)),
            ("SHA-256 of gene names", genes),
            ("configuration", Some(config)),
        ];
        let known = entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Provenance { command: command.clone(), entries: known.collect() }
    }
}

/// The title of a page: the model's class, and the input's name without its folders.
pub fn title(class: &str, input: &str) -> String {
    let name = input.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next();
    format!("{class} of {}", name.unwrap_or_default())
}

fn dropped_cells(when: &'static str, dropped: &DroppedCells) -> Dropped {
    let filter = match dropped.threshold {
        Some(threshold) => format!("{} {threshold}", dropped.filter),
        None => dropped.filter.clone(),
    };
    Dropped { when, filter, n_cells: dropped.n_cells }
}

/// How genes were chosen, in words.
pub(super) fn gene_selection(meta: &GeneSelectionMeta) -> String {
    let mut words = format!("Of {} genes of the input", count(meta.n_genes));
    if meta.n_genes_without_counts > 0 {
        words += &format!(", {} had no count", count(meta.n_genes_without_counts));
    }
    if let Some(min_cells) = meta.min_cells {
        let n = count(meta.n_genes_in_too_few_cells);
        words += &format!(", {n} had counts in fewer than {min_cells} cells");
    }
    match (meta.n_top_genes, &meta.flavor) {
        (Some(n), Some(flavor)) => {
            words + &format!("; the {} most variable were used ({flavor}).", count(n))
        }
        (Some(n), None) => words + &format!("; the {} most variable were used.", count(n)),
        _ => words + "; the others were used.",
    }
}
