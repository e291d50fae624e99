//! The columns of a model folder's history, as the report takes them.

use crate::sections::{Terms, TrainingHistory};
use scvi_io::model_dir::HistoryTable;

/// What the table holds; nothing of columns that it has not.
pub(super) fn history(table: &HistoryTable, stop: &str) -> TrainingHistory {
    let column = |name: &str| -> Vec<Option<f64>> {
        let Some(k) = table.columns.iter().position(|column| column == name) else {
            return vec![None; table.rows.len()];
        };
        table.rows.iter().map(|row| row.get(k).copied().filter(|v| v.is_finite())).collect()
    };
    let terms = |name: &str| Terms {
        train: column(&format!("{name}_train")),
        validation: column(&format!("{name}_validation")),
    };
    let lr = table.columns.iter().find(|name| name.starts_with("lr-"));
    TrainingHistory {
        epochs: (1..=table.rows.len()).map(|epoch| epoch as f64).collect(),
        elbo: terms("elbo"),
        reconstruction_loss: terms("reconstruction_loss"),
        kl_local: terms("kl_local"),
        kl_weight: column("kl_weight"),
        lr: lr.map(|name| column(name)),
        stop: stop.to_owned(),
    }
}
