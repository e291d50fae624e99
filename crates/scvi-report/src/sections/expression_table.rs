//! A table of differential expression, as the report takes it.

use std::collections::HashMap;
use std::path::Path;

use scvi_io::table::MatrixFormat;

use super::{Expression, GroupResult};
use crate::ReportError;

/// Keeps the logarithm of a scale finite.
const SMALL: f64 = 1e-10;

/// Reads a table that `scvi de` wrote, or a data frame of `differential_expression` written as csv.
///
/// # Errors
/// Where a column is missing, or a number is none.
pub fn read(path: &Path) -> Result<Expression, ReportError> {
    let fault = |problem: String| ReportError::DeTable { path: path.to_owned(), problem };
    let delimiter = match MatrixFormat::of(path) {
        Some(MatrixFormat::Tsv) => b'\t',
        _ => b',',
    };
    let reader = csv::ReaderBuilder::new().delimiter(delimiter).from_path(path);
    let mut reader = reader.map_err(|e| fault(e.to_string()))?;
    let columns = Columns::find(reader.headers().map_err(|e| fault(e.to_string()))?);
    let columns = columns.map_err(|name| fault(format!("it has no column '{name}'")))?;
    let (mut genes, mut numbers) = (Vec::new(), HashMap::<String, u32>::new());
    let mut groups: Vec<GroupResult> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| fault(e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let number = |k: usize| -> Result<f64, ReportError> {
            let text = record.get(k).unwrap_or_default();
            let bad = |_| fault(format!("line {line}: '{text}' is no number"));
            if text.is_empty() { Ok(f64::NAN) } else { text.parse().map_err(bad) }
        };
        let gene = record.get(columns.gene).unwrap_or_default();
        let gene = *numbers.entry(gene.to_owned()).or_insert_with(|| {
            genes.push(gene.to_owned());
            genes.len() as u32 - 1
        });
        let name = match columns.comparison {
            Some(k) => record.get(k).unwrap_or_default(),
            None => "group 1 vs group 2",
        };
        let known = groups.iter().position(|group| group.name == name);
        let k = known.unwrap_or_else(|| {
            groups.push(GroupResult::named(name));
            groups.len() - 1
        });
        let lfc = match columns.change {
            FoldChange::Given(k) => number(k)?,
            FoldChange::OfScales(one, two) => {
                ((number(one)? + SMALL) / (number(two)? + SMALL)).log2()
            }
        };
        let share = columns.share.map_or(Ok(f64::NAN), number)?;
        groups[k].push(gene, [lfc, number(columns.evidence.0)?, share].map(|v| v as f32));
    }
    if groups.is_empty() {
        return Err(fault("it has no rows".to_owned()));
    }
    let (_, evidence, is_probability) = columns.evidence;
    let source = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Expression { source, genes, groups, evidence: evidence.to_owned(), is_probability })
}

/// Where the columns stand.
struct Columns {
    gene: usize,
    change: FoldChange,
    /// Its place, its name, and whether it is a probability.
    evidence: (usize, &'static str, bool),
    share: Option<usize>,
    comparison: Option<usize>,
}

/// Where the log2 fold change comes from.
enum FoldChange {
    Given(usize),
    OfScales(usize, usize),
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, &'static str> {
        let find = |name: &'static str| header.iter().position(|column| column == name);
        let change = match (find("lfc_mean"), find("scale1"), find("scale2")) {
            (Some(k), ..) => FoldChange::Given(k),
            (None, Some(one), Some(two)) => FoldChange::OfScales(one, two),
            _ => return Err("lfc_mean"),
        };
        let evidence = match (find("bayes_factor"), find("proba_de")) {
            (Some(k), _) => (k, "Bayes factor", false),
            (None, Some(k)) => (k, "P(differential expression)", true),
            _ => return Err("bayes_factor"),
        };
        Ok(Self {
            // pandas leaves the index without a name.
            gene: find("gene").or_else(|| find("")).ok_or("gene")?,
            change,
            evidence,
            share: find("non_zeros_proportion1"),
            comparison: find("comparison"),
        })
    }
}
