//! Which genes are chosen, and what `scvi genes` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use scvi::preprocess::{Flavor, GeneSelection};

use super::{CellArgs, InputArgs, ReadArgs};

/// Heading in `--help`.
const GENES: &str = "Genes";

/// How genes are chosen before training.
#[derive(Debug, Clone, Default, Args)]
pub struct GeneArgs {
    /// Train on the N most variable genes, chosen batch by batch [default: all genes]
    #[arg(long, help_heading = GENES, requires = "input", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub n_top_genes: Option<u32>,
    /// How variable genes are chosen, as in scanpy; cell_ranger on counts normalized to 10,000 per
    /// cell and log1p-transformed
    #[arg(long, help_heading = GENES, requires = "n_top_genes", value_name = "FLAVOR", value_enum, default_value_t)]
    pub flavor: FlavorChoice,
    /// Drop genes with counts in fewer than N cells, before variable genes are chosen [default: none]
    #[arg(long, help_heading = GENES, requires = "input", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub min_cells: Option<u32>,
}

impl GeneArgs {
    /// What genes are chosen by.
    pub fn selection(&self) -> GeneSelection {
        GeneSelection {
            min_cells: self.min_cells.map(|n| n as usize),
            top: self.n_top_genes.map(|n| (n as usize, self.flavor.flavor())),
        }
    }
}

/// How variable a gene is taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum FlavorChoice {
    #[default]
    SeuratV3,
    PearsonResiduals,
    CellRanger,
}

impl FlavorChoice {
    /// With scanpy's parameters.
    pub fn flavor(self) -> Flavor {
        match self {
            Self::SeuratV3 => Flavor::seurat_v3(),
            Self::PearsonResiduals => Flavor::pearson_residuals(),
            Self::CellRanger => Flavor::CellRanger,
        }
    }
}

/// `scvi genes`.
#[derive(Debug, Args)]
pub struct GenesArgs {
    /// Raw counts: .h5ad, .zarr, 10x .h5 or matrix folder; several are joined, a batch each;
    /// @samples.csv lists them
    #[arg(id = "input", value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// The one file that they come to.
    #[arg(skip)]
    pub input: PathBuf,
    /// Table with a row per gene and the columns of scanpy's highly_variable_genes: .csv or .tsv; -
    /// for csv on stdout
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Number of genes to choose
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    pub n_top_genes: u32,
    /// How they are chosen, as in scanpy; cell_ranger on counts normalized to 10,000 per cell and
    /// log1p-transformed
    #[arg(long, value_name = "FLAVOR", value_enum, default_value_t)]
    pub flavor: FlavorChoice,
    /// Drop genes with counts in fewer than N cells before; their rows are empty but for n_cells
    /// [default: none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub min_cells: Option<u32>,
    /// Column of obs with the batch of each cell: genes are chosen batch by batch [default: one
    /// batch]
    #[arg(long, value_name = "COLUMN")]
    pub batch_key: Option<String>,
    /// Which cells genes are chosen by.
    #[command(flatten)]
    pub cells: CellArgs,
    /// How inputs become one file.
    #[command(flatten)]
    pub from: InputArgs,
    /// How counts are read.
    #[command(flatten)]
    pub reading: ReadArgs,
}

impl GenesArgs {
    /// What genes are chosen by.
    pub fn selection(&self) -> GeneSelection {
        GeneSelection {
            min_cells: self.min_cells.map(|n| n as usize),
            top: Some((self.n_top_genes as usize, self.flavor.flavor())),
        }
    }
}
