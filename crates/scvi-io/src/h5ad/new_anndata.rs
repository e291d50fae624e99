//! A new AnnData, to be written to a file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hdf5_pure::{
    AttrValue, DatasetBuilder, Error as H5Error, FileBuilder, GroupBuilder, MaxExtent,
};
use scvi::data::CsrMatrix;

use super::csr_rows::CsrRows;
use super::write_attrs::encoding;
use super::write_column::{string_array, write_column, write_uns};
use crate::IoError;
use crate::anndata::encodings::{ANNDATA, ARRAY, CSR_MATRIX, DATAFRAME, DICT};
use crate::anndata::{Column, UnsValue, check_name};

/// Values per chunk. The library writes chunks above 65,535 in a form that HDF5 2.0 refuses.
pub(super) const CHUNK: usize = 32_768;

/// What to write: counts, names, and whatever else there is.
///
/// ```
/// use scvi::data::CsrMatrix;
/// use scvi_io::anndata::{AnnDataFile, Column, MatrixKey};
/// use scvi_io::h5ad::{NewAnnData, write_h5ad};
///
/// let counts = CsrMatrix::new(2, vec![0, 1, 2], vec![1, 0], vec![3.0, 1.0]).unwrap();
/// let mut data = NewAnnData::new(
///     &counts,
///     vec!["cell0".into(), "cell1".into()],
///     vec!["gene0".into(), "gene1".into()],
/// );
/// data.obs.push(("batch".into(), Column::Strings(vec![Some("a".into()), Some("b".into())])));
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("new.h5ad");
/// write_h5ad(&path, &data, false)?;
/// assert_eq!(AnnDataFile::open(&path)?.counts(&MatrixKey::X)?, counts);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct NewAnnData<'a> {
    /// `X`.
    pub x: SparseMatrix<'a>,
    /// Entries of `layers`.
    pub layers: Vec<(String, SparseMatrix<'a>)>,
    /// Names of the cells.
    pub obs_names: Vec<String>,
    /// Names of the genes.
    pub var_names: Vec<String>,
    /// Columns of `obs`.
    pub obs: Vec<(String, Column)>,
    /// Columns of `var`.
    pub var: Vec<(String, Column)>,
    /// Dense arrays of `obsm`: name, values row by row, number of columns.
    pub obsm: Vec<(String, Vec<f32>, usize)>,
    /// Entries of `uns`.
    pub uns: BTreeMap<String, UnsValue>,
    /// Level of gzip, 1 to 9; 0 writes `X` uncompressed.
    pub gzip_level: u32,
}

/// A matrix in compressed sparse row form: counts, or any other numbers.
#[derive(Debug, Clone, Copy)]
pub struct SparseMatrix<'a> {
    /// Number of columns.
    pub n_columns: usize,
    /// Where each row starts, and the last ends: `(rows + 1)`.
    pub indptr: &'a [u64],
    /// Column of each value, rising within a row.
    pub indices: &'a [u32],
    /// Values.
    pub values: &'a [f32],
}

impl SparseMatrix<'_> {
    /// No row of so many columns.
    pub fn empty(n_columns: usize) -> Self {
        Self { n_columns, indptr: &[0], indices: &[], values: &[] }
    }

    pub(super) fn shape(&self) -> (usize, usize) {
        (self.indptr.len().saturating_sub(1), self.n_columns)
    }

    /// Whether the three arrays are rows; `what` they are.
    pub(super) fn check(&self, what: &str) -> Result<(), IoError> {
        let Self { n_columns, indptr, indices, values } = self;
        let bad = |expected: String, found: String| {
            Err(IoError::BadInput { what: what.into(), expected, found })
        };
        let n = values.len();
        if indices.len() != n {
            return bad(format!("{n} indices, as many as values"), indices.len().to_string());
        }
        let ends = (indptr.first().copied(), indptr.last().copied());
        if ends != (Some(0), Some(n as u64)) || !indptr.is_sorted() {
            return bad(format!("an indptr that rises from 0 to {n}"), format!("{ends:?}"));
        }
        let most = (*n_columns).min(i32::MAX as usize);
        match indices.iter().find(|&&i| i as usize >= most) {
            Some(index) => bad(format!("indices below {most}"), index.to_string()),
            None => Ok(()),
        }
    }
}

impl<'a> From<&'a CsrMatrix> for SparseMatrix<'a> {
    fn from(counts: &'a CsrMatrix) -> Self {
        let (indptr, indices, values) = (counts.indptr(), counts.indices(), counts.values());
        Self { n_columns: counts.n_genes(), indptr, indices, values }
    }
}

impl<'a> NewAnnData<'a> {
    /// Counts with names and nothing else, gzip level 4.
    pub fn new(
        x: impl Into<SparseMatrix<'a>>,
        obs_names: Vec<String>,
        var_names: Vec<String>,
    ) -> Self {
        Self {
            x: x.into(),
            layers: Vec::new(),
            obs_names,
            var_names,
            obs: Vec::new(),
            var: Vec::new(),
            obsm: Vec::new(),
            uns: BTreeMap::new(),
            gzip_level: 4,
        }
    }

    /// Everything but the matrices.
    pub(super) fn check(&self) -> Result<(), IoError> {
        let bad = |what: &str, expected: String, found: String| {
            Err(IoError::BadInput { what: what.into(), expected, found })
        };
        let (n_obs, n_vars) = (self.obs_names.len(), self.var_names.len());
        for (name, _) in &self.layers {
            if let Err(found) = check_name(name) {
                return bad(&format!("layers['{name}']"), "a name".into(), found);
            }
        }
        if self.gzip_level > 9 {
            return bad("gzip_level", "0 to 9".into(), self.gzip_level.to_string());
        }
        for (frame, columns, n) in [("obs", &self.obs, n_obs), ("var", &self.var, n_vars)] {
            let mut seen = BTreeSet::from(["_index"]);
            for (name, column) in columns {
                let what = format!("column '{name}' of {frame}");
                if let Err(found) = check_name(name) {
                    return bad(&what, "a name".into(), found);
                }
                if !seen.insert(name) {
                    return bad(&what, "a name that is not taken".into(), "one that is".into());
                }
                if column.len() != n {
                    return bad(&what, format!("{n} values"), column.len().to_string());
                }
                if let Column::Categorical(c) = column {
                    let n = c.categories.len();
                    if let Some(code) = c.codes.iter().flatten().find(|&&c| c as usize >= n) {
                        return bad(&what, format!("codes below {n}"), code.to_string());
                    }
                }
            }
        }
        for (name, values, columns) in &self.obsm {
            let what = format!("obsm['{name}']");
            if let Err(found) = check_name(name) {
                return bad(&what, "a name".into(), found);
            }
            if n_obs.checked_mul(*columns) != Some(values.len()) {
                return bad(&what, format!("{n_obs} x {columns} values"), values.len().to_string());
            }
        }
        for name in self.uns.keys() {
            if let Err(found) = check_name(name) {
                return bad(&format!("uns['{name}']"), "a name".into(), found);
            }
        }
        Ok(())
    }
}

/// Writes a new `.h5ad` file, which anndata 0.8 and later read.
///
/// # Errors
/// [`IoError::BadInput`] where the parts contradict each other, others where the file cannot be
/// written.
pub fn write_h5ad(
    output: impl AsRef<Path>,
    data: &NewAnnData<'_>,
    overwrite: bool,
) -> Result<(), IoError> {
    CsrRows::create(output, data, overwrite)?.finish()
}

/// Writes everything but the matrices' rows.
pub(super) fn write_structure(path: &Path, data: &NewAnnData<'_>) -> Result<(), H5Error> {
    let matrix = |group: &mut GroupBuilder| {
        write_sparse(group, [data.obs_names.len(), data.var_names.len()], data.gzip_level);
    };
    let mut file = FileBuilder::new();
    for (key, value) in encoding(ANNDATA) {
        file.set_attr(key, value);
    }
    let mut group = |name: &str, fill: &dyn Fn(&mut GroupBuilder)| {
        let mut group = file.create_group(name);
        fill(&mut group);
        file.add_group(group.finish());
    };
    group("X", &matrix);
    group("obs", &|g| write_frame(g, &data.obs_names, &data.obs));
    group("var", &|g| write_frame(g, &data.var_names, &data.var));
    group("obsm", &|g| {
        encode(g, DICT);
        for (name, values, columns) in &data.obsm {
            let shape = [data.obs_names.len() as u64, *columns as u64];
            let dataset = g.create_dataset(name).with_f32_data(values).with_shape(&shape);
            encode_array(dataset);
        }
    });
    group("uns", &|g| {
        encode(g, DICT);
        data.uns.iter().for_each(|(name, value)| write_uns(g, name, value));
    });
    group("layers", &|g| {
        encode(g, DICT);
        for (name, _) in &data.layers {
            let mut layer = g.create_group(name);
            matrix(&mut layer);
            g.add_group(layer.finish());
        }
    });
    for name in ["obsp", "varm", "varp"] {
        group(name, &|g| encode(g, DICT));
    }
    file.write(path)
}

fn encode(group: &mut GroupBuilder, which: crate::anndata::encodings::Encoding) {
    for (key, value) in encoding(which) {
        group.set_attr(key, value);
    }
}

fn encode_array(dataset: &mut DatasetBuilder) {
    for (key, value) in encoding(ARRAY) {
        dataset.set_attr(key, value);
    }
}

/// A matrix without rows, whose data sets can grow, as anndata makes them; `indptr` comes last.
fn write_sparse(group: &mut GroupBuilder, shape: [usize; 2], gzip_level: u32) {
    encode(group, CSR_MATRIX);
    group.set_attr("shape", AttrValue::I64Array(shape.map(|n| n as i64).to_vec()));
    let most = shape[0].saturating_mul(shape[1]);
    let grows = |dataset: &mut DatasetBuilder| {
        pack(dataset.with_maxshape(&[MaxExtent::Unlimited]), most, gzip_level);
    };
    grows(group.create_dataset("data").with_f32_data(&[]));
    grows(group.create_dataset("indices").with_i32_data(&[]));
}

/// Cuts a data set of at most `n` values into chunks, and compresses these.
pub(super) fn pack(dataset: &mut DatasetBuilder, n: usize, gzip_level: u32) {
    dataset.with_chunks(&[CHUNK.min(n).max(1) as u64]);
    if gzip_level > 0 {
        dataset.with_shuffle().with_deflate(gzip_level);
    }
}

fn write_frame(group: &mut GroupBuilder, index: &[String], columns: &[(String, Column)]) {
    encode(group, DATAFRAME);
    group.set_attr("_index", AttrValue::VarLenString("_index".into()));
    let order: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
    // h5py leaves an empty list as floats, and anndata reads it as any other.
    let order = match order.is_empty() {
        true => AttrValue::F64Array(Vec::new()),
        false => AttrValue::VarLenStringArray(order),
    };
    group.set_attr("column-order", order);
    string_array(group.create_dataset("_index"), index.iter().map(String::as_str));
    for (name, column) in columns {
        write_column(group, name, column);
    }
}
