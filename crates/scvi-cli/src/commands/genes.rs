//! `scvi genes`.

use std::io::{self, BufWriter, Write};

use scvi_io::IoError;
use scvi_io::output::{AtomicFile, check_output};
use scvi_io::table::MatrixFormat;

use crate::args::{Common, GenesArgs};
use crate::error::CliError;
use crate::input::{GeneTable, gene_table};
use crate::report::{Report, is_closed_pipe};

/// scanpy's columns.
const COLUMNS: [&str; 7] = [
    "gene",
    "means",
    "variances",
    "variances_norm",
    "highly_variable_rank",
    "highly_variable_nbatches",
    "highly_variable",
];

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
    let table = gene_table(args)?;
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
    let never = table.found.means.iter().filter(|&&mean| mean == 0.0).count();
    let mut report = Report::default();
    report
        .add("genes", table.names.len())
        .add("genes_without_counts", never)
        .add("highly_variable", table.found.chosen().len())
        .add("flavor", args.flavor.name())
        .add("files", vec![args.output.display().to_string()]);
    report.print(common)
}

fn write(out: impl Write, delimiter: u8, table: &GeneTable) -> io::Result<()> {
    let mut csv = csv::WriterBuilder::new().delimiter(delimiter).from_writer(out);
    csv.write_record(COLUMNS)?;
    let found = &table.found;
    for (gene, name) in table.names.iter().enumerate() {
        let rank = found.highly_variable_rank[gene];
        csv.write_record([
            name.as_str(),
            &format!("{:?}", found.means[gene]),
            &format!("{:?}", found.variances[gene]),
            &format!("{:?}", found.variances_norm[gene]),
            // pandas reads an empty field as a missing number.
            &if rank.is_nan() { String::new() } else { format!("{rank:?}") },
            &found.highly_variable_nbatches[gene].to_string(),
            if found.highly_variable[gene] { "True" } else { "False" },
        ])?;
    }
    csv.flush()
}
