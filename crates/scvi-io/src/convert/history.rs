//! The history: a table for each quantity there, one table here.

use std::collections::{BTreeMap, BTreeSet};

use crate::model_dir::HistoryTable;
use crate::scvi_tools::{HistoryColumn, SaveError};

/// What rows are counted in.
const EPOCH: &str = "epoch";
const STEP: &str = "step";

/// The most numbers that the table of one save may have: files in which hardly any two quantities
/// share a row would grow without bound.
const MOST: usize = 1 << 24;

/// One table of all quantities: rows of epochs first, those of steps after them.
pub(super) fn to_table(
    mut history: BTreeMap<String, HistoryColumn>,
) -> Result<HistoryTable, SaveError> {
    // These names are taken; scvi-tools never logs such a quantity.
    history.retain(|name, _| ![EPOCH, STEP].contains(&name.as_str()));
    let is_step = |column: &HistoryColumn| column.index_name.as_deref() == Some(STEP);
    let (steps, epochs): (BTreeMap<_, _>, BTreeMap<_, _>) =
        history.into_iter().partition(|(_, column)| is_step(column));
    let rows = |part: &BTreeMap<String, HistoryColumn>| -> Vec<i64> {
        let all: BTreeSet<i64> = part.values().flat_map(|c| c.index.iter().copied()).collect();
        all.into_iter().collect()
    };
    let (epoch_rows, step_rows) = (rows(&epochs), rows(&steps));
    let counts = [(EPOCH, &epoch_rows), (STEP, &step_rows)];
    let counts = counts.into_iter().filter(|(_, rows)| !rows.is_empty());
    let mut columns: Vec<String> = counts.map(|(name, _)| name.to_owned()).collect();
    let n_counts = columns.len();
    columns.extend(epochs.keys().chain(steps.keys()).cloned());
    let n_rows = epoch_rows.len() + step_rows.len();
    if n_rows.saturating_mul(columns.len()) > MOST {
        let what = format!("a history of {n_rows} rows and {} quantities", columns.len());
        return Err(SaveError::TooLarge { what, limit: format!("{MOST} numbers") });
    }
    let mut table = vec![vec![f64::NAN; columns.len()]; n_rows];
    for (row, &epoch) in table.iter_mut().zip(&epoch_rows) {
        row[0] = epoch as f64;
    }
    for (row, &step) in table.iter_mut().skip(epoch_rows.len()).zip(&step_rows) {
        row[n_counts - 1] = step as f64;
    }
    for (k, column) in epochs.values().chain(steps.values()).enumerate() {
        let (rows, first) =
            if is_step(column) { (&step_rows, epoch_rows.len()) } else { (&epoch_rows, 0) };
        for (at, &value) in column.index.iter().zip(&column.values) {
            if let Ok(row) = rows.binary_search(at) {
                table[first + row][n_counts + k] = value;
            }
        }
    }
    Ok(HistoryTable { columns, rows: table })
}

/// A table for each quantity, of the rows where it has a value; none for one without any.
pub(super) fn from_table(table: &HistoryTable) -> BTreeMap<String, HistoryColumn> {
    let place = |name: &str| table.columns.iter().position(|column| column == name);
    let counts = [place(EPOCH), place(STEP)];
    let mut history = BTreeMap::new();
    for (k, name) in table.columns.iter().enumerate().filter(|(k, _)| !counts.contains(&Some(*k))) {
        let valued = || table.rows.iter().enumerate().filter(|(_, row)| !row[k].is_nan());
        let at = |row: &[f64], count: Option<usize>| {
            count.map(|c| row[c]).filter(|at| !at.is_nan()).map(|at| at as i64)
        };
        let by_step = valued().any(|(_, row)| at(row, counts[1]).is_some());
        let count = counts[usize::from(by_step)];
        // A table without numbers of epochs counts its rows.
        let index = valued().map(|(i, row)| at(row, count).unwrap_or(i as i64)).collect::<Vec<_>>();
        if !index.is_empty() {
            let index_name = Some(if by_step { STEP } else { EPOCH }.to_owned());
            let values = valued().map(|(_, row)| row[k]).collect();
            history.insert(name.clone(), HistoryColumn { index_name, index, values });
        }
    }
    history
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, index: &[i64], values: &[f64]) -> HistoryColumn {
        HistoryColumn { index_name: Some(name.into()), index: index.into(), values: values.into() }
    }

    #[test]
    fn epochs_and_steps_there_and_back() {
        let history = BTreeMap::from([
            ("elbo_train".to_owned(), column(EPOCH, &[0, 1, 2], &[3.0, 2.0, 1.0])),
            ("elbo_validation".to_owned(), column(EPOCH, &[1], &[2.5])),
            ("kl_weight".to_owned(), column(STEP, &[9, 19], &[0.1, 0.2])),
        ]);
        let table = to_table(history.clone()).unwrap();
        assert_eq!(table.columns, ["epoch", "step", "elbo_train", "elbo_validation", "kl_weight"]);
        assert_eq!(table.rows.len(), 5);
        assert_eq!(table.rows[1][2..4], [2.0, 2.5]);
        assert_eq!((table.rows[4][1], table.rows[4][4]), (19.0, 0.2));
        assert!(table.rows[4][0].is_nan() && table.rows[0][1].is_nan());
        assert_eq!(from_table(&table), history);

        assert_eq!(to_table(BTreeMap::new()).unwrap(), HistoryTable::default());
        assert_eq!(from_table(&HistoryTable::default()), BTreeMap::new());
        let steps = BTreeMap::from([("kl_weight".to_owned(), column(STEP, &[9], &[0.1]))]);
        assert_eq!(from_table(&to_table(steps.clone()).unwrap()), steps);
    }

    #[test]
    fn a_history_that_would_explode_is_refused() {
        let history = (0..4200)
            .map(|k| (k.to_string(), column(EPOCH, &[k], &[0.0])))
            .collect::<BTreeMap<_, _>>();
        assert!(matches!(to_table(history), Err(SaveError::TooLarge { .. })));
    }
}
