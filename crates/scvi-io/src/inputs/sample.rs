//! One sample: its cells, its genes, and its counts where they lie.

use std::path::{Path, PathBuf};

use scvi::data::{CsrMatrix, MatrixKey, Survey};

use super::barcodes::check_unique;
use super::error::InputError;
use super::features::{GeneNames, Genes};
use super::locate::{Located, locate};
use super::mtx::{MtxFiles, Sizes, Unsorted};
use super::tenx_h5::TenxH5;
use crate::IoError;
use crate::anndata::{AnnDataFile, Column, StoredCounts};

/// How samples are read.
#[derive(Debug, Clone, Default)]
pub struct SampleOptions {
    /// By which name genes of 10x matrices go.
    pub gene_names: GeneNames,
    /// The genome whose genes are read.
    pub genome: Option<String>,
    /// Whether a matrix of all barcodes is read.
    pub allow_raw_matrix: bool,
}

/// A sample that was opened.
pub struct Sample {
    /// Where its matrix lies.
    pub(super) path: PathBuf,
    pub(super) obs_names: Vec<String>,
    pub(super) obs: Vec<(String, Column)>,
    pub(super) var_names: Vec<String>,
    pub(super) var: Vec<(String, Column)>,
    counts: Counts,
    left_out: Vec<(String, usize)>,
}

enum Counts {
    AnnData {
        file: Box<AnnDataFile>,
        matrix: MatrixKey,
    },
    TenxH5 {
        file: TenxH5,
        features: Vec<String>,
        places: Vec<Option<u32>>,
    },
    Mtx {
        files: MtxFiles,
        sizes: Sizes,
        places: Vec<Option<u32>>,
    },
    /// A matrix whose file has the cells in no order.
    Loaded {
        counts: CsrMatrix,
        places: Vec<Option<u32>>,
    },
}

/// Why counts did not come.
pub(super) enum Stopped {
    /// They have to be read into memory first ([`Sample::load`]).
    Unsorted,
    Error(InputError),
}

impl<E: Into<InputError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// What an input is, before it is read.
pub enum Input {
    /// An AnnData, as it lies there.
    AnnData(PathBuf),
    /// A sample in another form, which has to be written as an AnnData first.
    Other(Box<Sample>),
}

impl Input {
    /// Looks at what lies at a path, and opens it where it is no AnnData.
    ///
    /// # Errors
    /// [`InputError`] where there is no matrix, or it is broken.
    pub fn open(path: &Path, options: &SampleOptions) -> Result<Self, InputError> {
        match locate(path, options.allow_raw_matrix)? {
            Located::AnnData(path) => Ok(Self::AnnData(path)),
            Located::MuData(path) => {
                let file = AnnDataFile::open_modality(&path, "rna")?;
                Ok(Self::Other(Box::new(Sample::of_anndata(file, MatrixKey::X)?)))
            }
            Located::TenxH5(path) => Sample::of_tenx(path, options).map(Box::new).map(Self::Other),
            Located::Mtx(path, files) => {
                Sample::of_mtx(path, files, options).map(Box::new).map(Self::Other)
            }
        }
    }
}

impl Sample {
    /// A matrix of an AnnData, with the columns of its tables.
    ///
    /// # Errors
    /// [`IoError`] where a column cannot be read.
    pub fn of_anndata(file: AnnDataFile, matrix: MatrixKey) -> Result<Self, InputError> {
        let obs = file.obs_columns().iter().map(|key| Ok((key.clone(), file.obs_column(key)?)));
        let obs = obs.collect::<Result<Vec<_>, IoError>>()?;
        let var_names = file.genes_of(&matrix)?.into_owned();
        let keys = if matrix == MatrixKey::Raw { &[] } else { file.var_columns() };
        let var = keys.iter().map(|key| Ok((key.clone(), file.var_column(key)?)));
        let var = var.collect::<Result<Vec<_>, IoError>>()?;
        let (path, obs_names) = (file.path(), file.obs_names().to_vec());
        let counts = Counts::AnnData { file: Box::new(file), matrix };
        Ok(Self { path, obs_names, obs, var_names, var, counts, left_out: Vec::new() })
    }

    fn of_tenx(path: PathBuf, options: &SampleOptions) -> Result<Self, InputError> {
        let file = TenxH5::open(&path, options.genome.as_deref())?;
        let genome = options.genome.as_deref().filter(|_| !file.is_of_one_genome());
        let (obs_names, features) = (file.barcodes()?, file.features()?);
        check_unique(&path, &obs_names)?;
        let Genes { names, var, places, left_out } =
            features.genes(&path, options.gene_names, genome)?;
        let counts = Counts::TenxH5 { file, features: features.symbols, places };
        Ok(Self { path, obs_names, obs: Vec::new(), var_names: names, var, counts, left_out })
    }

    fn of_mtx(path: PathBuf, files: MtxFiles, options: &SampleOptions) -> Result<Self, InputError> {
        let (obs_names, features) = (files.read_barcodes()?, files.read_features()?);
        check_unique(&files.barcodes, &obs_names)?;
        if let Some(genome) = &options.genome {
            let (path, genome) = (path, genome.clone());
            return Err(InputError::NoGenome { path, genome, genomes: Vec::new() });
        }
        let Genes { names, var, places, left_out } =
            features.genes(&files.features, options.gene_names, None)?;
        let sizes = Sizes { n_features: features.ids.len(), n_cells: obs_names.len() };
        let counts = Counts::Mtx { files, sizes, places };
        Ok(Self { path, obs_names, obs: Vec::new(), var_names: names, var, counts, left_out })
    }

    /// Where its matrix lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the genes.
    pub fn var_names(&self) -> &[String] {
        &self.var_names
    }

    /// Number of cells.
    pub fn n_obs(&self) -> usize {
        self.obs_names.len()
    }

    /// Features that are no genes and are left out: each type, and how many.
    pub fn left_out(&self) -> &[(String, usize)] {
        &self.left_out
    }

    /// Reads all counts into memory: `(cells, genes)`.
    ///
    /// # Errors
    /// [`InputError`] where they cannot be read.
    pub fn counts(&mut self) -> Result<CsrMatrix, InputError> {
        let n_genes = self.var_names.len();
        let columns: Vec<Option<u32>> = (0..).take(n_genes).map(Some).collect();
        loop {
            let mut counts = CsrMatrix::empty(n_genes);
            let read = self.for_each_block(&columns, n_genes, &mut |block| {
                counts.append(block);
                Ok(())
            });
            match read {
                Ok(_) => return Ok(counts),
                Err(Stopped::Error(error)) => return Err(error),
                Err(Stopped::Unsorted) => self.load()?,
            }
        }
    }

    /// Reads the counts once, with gene `g` in column `columns[g]` of `n_columns`.
    pub(super) fn for_each_block(
        &self,
        columns: &[Option<u32>],
        n_columns: usize,
        f: &mut dyn FnMut(&CsrMatrix) -> Result<(), IoError>,
    ) -> Result<Survey, Stopped> {
        let in_columns = |places: &[Option<u32>]| -> Vec<Option<u32>> {
            places.iter().map(|place| columns[(*place)? as usize]).collect()
        };
        let mut placed = |places: &[Option<u32>], counts: &CsrMatrix| {
            f(&counts.clone().place_genes(places, n_columns))
        };
        match &self.counts {
            Counts::AnnData { file, matrix } => {
                let stored = file.stored_counts(matrix)?.place_genes(columns, n_columns);
                Ok(stored.for_each_block(StoredCounts::TURNED, f)?)
            }
            Counts::TenxH5 { file, features, places } => {
                let places = in_columns(places);
                let mut each = |counts: &CsrMatrix| placed(&places, counts);
                Ok(file.for_each_block(&self.obs_names, features, &mut each)?)
            }
            Counts::Mtx { files, sizes, places } => {
                let places = in_columns(places);
                let mut each = |counts: &CsrMatrix| placed(&places, counts);
                match files.for_each_block(*sizes, &mut each)? {
                    Ok(survey) => Ok(survey),
                    Err(Unsorted) => Err(Stopped::Unsorted),
                }
            }
            Counts::Loaded { counts, places } => {
                placed(&in_columns(places), counts)?;
                Ok(Survey::of(counts))
            }
        }
    }

    /// Reads counts into memory whose file has the cells in no order.
    pub(super) fn load(&mut self) -> Result<(), InputError> {
        if let Counts::Mtx { files, sizes, places } = &mut self.counts {
            let counts = files.load(*sizes)?;
            self.counts = Counts::Loaded { counts, places: std::mem::take(places) };
        }
        Ok(())
    }
}
