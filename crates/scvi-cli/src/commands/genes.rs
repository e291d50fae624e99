//! `scvi genes`.

use std::io::{self, BufWriter, Write};

use scvi::preprocess::GeneColumn;
use scvi_io::IoError;
use scvi_io::output::{AtomicFile, check_output};
use scvi_io::table::MatrixFormat;

use crate::args::{Common, GenesArgs};
use crate::error::CliError;
use crate::input::{GeneTable, gene_table};
use crate::report::{Report, is_closed_pipe};

pub fn run(args: &GenesArgs, common: &Common) -> Result<(), CliError> {
    let is_stdout = args.output.as_os_str() == "-";
    let delimiter = match MatrixFormat::of(&args.output) {
        _ if is_stdout => b',',
        Some(MatrixFormat::Csv) => b',',
        Some(MatrixFormat::Tsv) => b'\t',
        _ => {
            return Err(CliError::Option {
                option: "output",
                found: args.output.display().to_string(),
                range: "a file ending in .csv or .tsv, or -",
            });
        }
    };
    if !is_stdout {
        check_output(&args.output, common.overwrite)?;
    }
    let table = gene_table(args, common)?;
    if is_stdout {
        return match write(io::stdout().lock(), delimiter, &table) {
            Err(e) if is_closed_pipe(&e) => Ok(()),
            other => other.map_err(|source| CliError::Stdout { source }),
        };
    }
    let mut file = AtomicFile::create(&args.output, common.overwrite)?;
    write(BufWriter::new(&mut file), delimiter, &table)
        .map_err(|e| IoError::BadOutput { path: args.output.clone(), problem: e.to_string() })?;
    file.finish()?;
    let selected = &table.selected;
    let mut report = Report::default();
    report.add("genes", table.names.len()).add("genes_without_counts", selected.n_unseen());
    if args.min_cells.is_some() {
        report.add("genes_in_too_few_cells", selected.n_in_too_few_cells());
    }
    report
        .add("highly_variable", selected.chosen().len())
        .add("flavor", args.flavor.flavor().name())
        .add("files", vec![args.output.display().to_string()]);
    report.print(common)
}

/// Writes a row per gene, with scanpy's columns.
fn write(out: impl Write, delimiter: u8, table: &GeneTable) -> io::Result<()> {
    let mut csv = csv::WriterBuilder::new().delimiter(delimiter).from_writer(out);
    let GeneTable { names, selected } = table;
    let columns = selected.columns();
    csv.write_record(["gene"].into_iter().chain(columns.iter().map(|(name, _)| *name)))?;
    for (gene, name) in names.iter().enumerate() {
        let field = |(_, column): &(&str, GeneColumn)| match column {
            // pandas reads an empty field as a missing number.
            GeneColumn::Numbers(numbers) if numbers[gene].is_nan() => String::new(),
            GeneColumn::Numbers(numbers) => format!("{:?}", numbers[gene]),
            GeneColumn::Counts(counts) => counts[gene].to_string(),
            GeneColumn::Flags(flags) => if flags[gene] { "True" } else { "False" }.to_owned(),
        };
        csv.write_record([name.clone()].into_iter().chain(columns.iter().map(field)))?;
    }
    csv.flush()
}
