//! Cell Ranger's `.h5` files.
//!
//! ```text
//! since 3   matrix/{barcodes, data, indices, indptr, shape, features/{id, name, feature_type, genome}}
//! before    GENOME/{barcodes, data, indices, indptr, shape, genes, gene_names}
//! ```
//! The matrix is features x cells, stored by column: cell by cell.
//!
//! Source: 10x Genomics, Cell Ranger documentation, "Feature-barcode matrices HDF5 format".

use std::path::Path;

use scvi::data::{CsrMatrix, Survey};

use super::error::InputError;
use super::features::Features;
use crate::IoError;
use crate::anndata::{Node, Store, Target, survey_cells};

/// The group of Cell Ranger 3 and later.
const MATRIX: &str = "matrix";

/// Where the matrix lies in an opened file.
#[derive(Debug)]
pub(super) struct TenxH5 {
    store: Store,
    /// The group that holds it.
    place: String,
}

impl TenxH5 {
    /// Whether an HDF5 file is one of Cell Ranger's.
    pub(super) fn is_one(store: &Store) -> Result<bool, IoError> {
        Ok(has(store, MATRIX, "barcodes")? || !legacy_genomes(store)?.is_empty())
    }

    /// Finds the matrix; of several genomes, each with a matrix of its own, the one that is named.
    pub(super) fn open(path: &Path, genome: Option<&str>) -> Result<Self, InputError> {
        let store = Store::open(path)?;
        if has(&store, MATRIX, "barcodes")? {
            return Ok(Self { store, place: MATRIX.to_owned() });
        }
        let genomes = legacy_genomes(&store)?;
        let place = match (genome, &genomes[..]) {
            (Some(genome), _) if genomes.iter().any(|known| known == genome) => genome.to_owned(),
            (Some(genome), _) => {
                let (path, genome) = (path.into(), genome.to_owned());
                return Err(InputError::NoGenome { path, genome, genomes });
            }
            (None, [only]) => only.clone(),
            (None, _) => return Err(InputError::SeveralGenomes { path: path.into(), genomes }),
        };
        Ok(Self { store, place })
    }

    /// Whether a genome was chosen with the matrix already.
    pub(super) fn is_of_one_genome(&self) -> bool {
        self.place != MATRIX
    }

    fn strings(&self, name: &str) -> Result<Vec<String>, IoError> {
        self.store.array(&format!("{}/{name}", self.place))?.strings()
    }

    /// Names of the cells.
    pub(super) fn barcodes(&self) -> Result<Vec<String>, IoError> {
        self.strings("barcodes")
    }

    /// The table of features.
    pub(super) fn features(&self) -> Result<Features, InputError> {
        let optional = |name: &str| -> Result<Option<Vec<String>>, IoError> {
            match self.store.node(&format!("{}/{name}", self.place))? {
                Node::Array(array) => array.strings().map(Some),
                Node::Group | Node::Missing => Ok(None),
            }
        };
        let features = match self.is_of_one_genome() {
            true => Features {
                ids: self.strings("genes")?,
                symbols: self.strings("gene_names")?,
                ..Features::default()
            },
            false => Features {
                ids: self.strings("features/id")?,
                symbols: self.strings("features/name")?,
                types: optional("features/feature_type")?,
                genomes: optional("features/genome")?,
            },
        };
        let n = features.ids.len();
        let lists = [Some(&features.symbols), features.types.as_ref(), features.genomes.as_ref()];
        if let Some(list) = lists.into_iter().flatten().find(|list| list.len() != n) {
            let (expected, found) = (format!("{n} entries a list"), list.len().to_string());
            return Err(self.store.structure(&self.place, expected, found).into());
        }
        Ok(features)
    }

    /// Reads the counts of all features once, some cells at a time.
    pub(super) fn for_each_block(
        &self,
        cells: &[String],
        features: &[String],
        f: &mut dyn FnMut(&CsrMatrix) -> Result<(), IoError>,
    ) -> Result<Survey, IoError> {
        let shape = self.store.array(&format!("{}/shape", self.place))?.i64s()?;
        let expected = [features.len() as i64, cells.len() as i64];
        if shape != expected {
            let expected = format!("{expected:?}, features and barcodes");
            return Err(self.store.structure(
                &format!("{}/shape", self.place),
                expected,
                format!("{shape:?}"),
            ));
        }
        let target = Target { store: &self.store, place: &self.place, cells, genes: features };
        survey_cells(&target, f)
    }
}

fn has(store: &Store, group: &str, member: &str) -> Result<bool, IoError> {
    let is_group = matches!(store.node(group)?, Node::Group);
    Ok(is_group && matches!(store.node(&format!("{group}/{member}"))?, Node::Array(_)))
}

/// Groups in the form before Cell Ranger 3: a genome each.
fn legacy_genomes(store: &Store) -> Result<Vec<String>, IoError> {
    let mut genomes = Vec::new();
    for name in store.members("/")? {
        if has(store, &name, "barcodes")? && has(store, &name, "gene_names")? {
            genomes.push(name);
        }
    }
    Ok(genomes)
}
