//! `scvi qc`.

use crate::args::{Common, QcArgs};
use crate::error::CliError;
use crate::input::{QcTable, qc_table};
use crate::log::tell;
use crate::report::Report;
use crate::table_output::{TableOutput, number};

pub fn run(args: &QcArgs, common: &Common) -> Result<(), CliError> {
    let output = TableOutput::check(&args.output, common)?;
    let table = qc_table(args)?;
    if table.n_mito == 0 {
        tell(common, "no name of a gene begins with MT- or mt-: no columns of mitochondrial genes");
    }
    let columns = columns(&table);
    output.write(common, |csv| {
        let label = table.label.as_ref().map(|(key, _)| key.as_str());
        let names = columns.iter().map(|(name, _)| name.as_str());
        csv.write_record(["cell"].into_iter().chain(label).chain(names))?;
        for (cell, name) in table.cells.iter().enumerate() {
            csv.write_field(name)?;
            if let Some((_, values)) = &table.label {
                csv.write_field(&values[cell])?;
            }
            csv.write_record(columns.iter().map(|(_, values)| values.text(cell)))?;
        }
        Ok(())
    })?;
    let Some(path) = output.path() else { return Ok(()) };
    let mut report = Report::default();
    report
        .add("cells", table.cells.len())
        .add("genes", table.n_genes)
        .add("mitochondrial_genes", table.n_mito)
        .add("median_genes", median(table.metrics.n_genes_by_counts.iter().map(|&n| n.into())))
        .add("median_counts", median(table.metrics.total_counts.iter().copied()));
    if table.n_mito > 0 {
        report.add("median_pct_counts_mt", median(table.metrics.pct_counts_mt()));
    }
    report.add("files", vec![path.display().to_string()]);
    report.print(common)
}

/// Numbers of all cells.
enum Numbers<'a> {
    Whole(&'a [u32]),
    Any(Vec<f64>),
}

impl Numbers<'_> {
    fn text(&self, cell: usize) -> String {
        match self {
            Self::Whole(values) => values[cell].to_string(),
            Self::Any(values) => number(values[cell]),
        }
    }
}

/// scanpy's columns, in its order.
fn columns(table: &QcTable) -> Vec<(String, Numbers<'_>)> {
    let metrics = &table.metrics;
    let log1p = |values: &[f64]| Numbers::Any(values.iter().map(|v| v.ln_1p()).collect());
    let n_genes: Vec<f64> = metrics.n_genes_by_counts.iter().map(|&n| n.into()).collect();
    let mut columns = vec![
        ("n_genes_by_counts".to_owned(), Numbers::Whole(&metrics.n_genes_by_counts)),
        ("log1p_n_genes_by_counts".to_owned(), log1p(&n_genes)),
        ("total_counts".to_owned(), Numbers::Any(metrics.total_counts.clone())),
        ("log1p_total_counts".to_owned(), log1p(&metrics.total_counts)),
    ];
    for (n, pct) in &metrics.pct_counts_in_top_genes {
        columns.push((format!("pct_counts_in_top_{n}_genes"), Numbers::Any(pct.clone())));
    }
    if table.n_mito > 0 {
        let of_mito = &metrics.total_counts_mt;
        columns.push(("total_counts_mt".to_owned(), Numbers::Any(of_mito.clone())));
        columns.push(("log1p_total_counts_mt".to_owned(), log1p(of_mito)));
        columns.push(("pct_counts_mt".to_owned(), Numbers::Any(metrics.pct_counts_mt().collect())));
    }
    columns
}

/// The median, without those that are none.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() % 2 {
        _ if values.is_empty() => None,
        0 => Some((values[half - 1] + values[half]) / 2.0),
        _ => Some(values[half]),
    }
}
