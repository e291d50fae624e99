//! `scvi genes`.

use std::io::{self, Write};

use scvi::preprocess::GeneColumn;

use crate::args::{Common, GenesArgs};
use crate::error::CliError;
use crate::input::{GeneTable, gene_table};
use crate::report::Report;
use crate::table_output::{TableOutput, number};

pub fn run(args: &GenesArgs, common: &Common) -> Result<(), CliError> {
    let output = TableOutput::check(&args.output, common)?;
    let table = gene_table(args, common)?;
    output.write(common, |csv| write(csv, &table))?;
    let Some(path) = output.path() else { return Ok(()) };
    let selected = &table.selected;
    let mut report = Report::default();
    report.add("genes", table.names.len()).add("genes_without_counts", selected.n_unseen());
    if args.min_cells.is_some() {
        report.add("genes_in_too_few_cells", selected.n_in_too_few_cells());
    }
    report
        .dropped(&table.dropped)
        .add("highly_variable", selected.chosen().len())
        .add("flavor", args.flavor.flavor().name())
        .add("files", vec![path.display().to_string()]);
    report.print(common)
}

/// Writes a row per gene, with scanpy's columns.
fn write(csv: &mut csv::Writer<impl Write>, table: &GeneTable) -> io::Result<()> {
    let columns = table.selected.columns();
    csv.write_record(["gene"].into_iter().chain(columns.iter().map(|(name, _)| *name)))?;
    for (gene, name) in table.names.iter().enumerate() {
        let field = |(_, column): &(&str, GeneColumn)| match column {
            GeneColumn::Numbers(numbers) => number(numbers[gene]),
            GeneColumn::Counts(counts) => counts[gene].to_string(),
            GeneColumn::Flags(flags) => if flags[gene] { "True" } else { "False" }.to_owned(),
        };
        csv.write_record([name.clone()].into_iter().chain(columns.iter().map(field)))?;
    }
    Ok(())
}
