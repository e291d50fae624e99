//! A new `.h5ad` file whose sparse matrices come row by row.

use std::mem;
use std::path::Path;

use hdf5_pure::{
    Dataset, DatasetBuilder, Error as H5Error, File, FileAccessProperties, FileLocking, H5Element,
    SyncPolicy,
};

use super::new_anndata::{CHUNK, NewAnnData, SparseMatrix, pack, write_structure};
use crate::IoError;
use crate::output::AtomicFile;

/// A new `.h5ad` file in the making: everything is there but rows of `X` and of the layers, whose
/// number of values is not known beforehand.
///
/// Values and indices lie in chunks and are written as these fill up, so that memory holds a chunk
/// of each, and 8 bytes a row.
///
/// ```
/// use scvi_io::anndata::{AnnDataFile, MatrixKey};
/// use scvi_io::h5ad::{CsrRows, NewAnnData, SparseMatrix};
///
/// let names = |of: &str| vec![format!("{of} 0"), format!("{of} 1")];
/// let data = NewAnnData::new(SparseMatrix::empty(2), names("cell"), names("gene"));
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("new.h5ad");
/// let mut file = CsrRows::create(&path, &data, false)?;
/// for (gene, count) in [(1, 3.0), (0, 1.0)] {
///     let row = SparseMatrix { n_columns: 2, indptr: &[0, 1], indices: &[gene], values: &[count] };
///     file.append(0, row)?;
/// }
/// file.finish()?;
/// assert_eq!(AnnDataFile::open(&path)?.counts(&MatrixKey::X)?.indices(), [1, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CsrRows {
    /// Closed before the file gets its name, or is deleted.
    file: File,
    temp: AtomicFile,
    matrices: Vec<Growing>,
    gzip_level: u32,
    shape: (usize, usize),
}

/// A matrix in the making.
struct Growing {
    /// Path inside the file.
    place: String,
    indptr: Vec<u64>,
    indices: Tail<i32>,
    values: Tail<f32>,
}

/// A data set that grows by whole chunks, and what is to come of the next one.
struct Tail<T> {
    dataset: Dataset,
    pending: Vec<T>,
}

impl CsrRows {
    /// Starts a file for all of `data`. Its matrices are the first rows of `X` and the layers, or
    /// [none](SparseMatrix::empty).
    ///
    /// # Errors
    /// [`IoError::BadInput`] where the parts contradict each other, others where the file cannot be
    /// written.
    pub fn create(
        output: impl AsRef<Path>,
        data: &NewAnnData<'_>,
        overwrite: bool,
    ) -> Result<Self, IoError> {
        data.check()?;
        let temp = AtomicFile::create(output, overwrite)?;
        let broken = |source| broken(&temp, "the new file", source);
        write_structure(temp.temp_path(), data).map_err(broken)?;
        // Nobody else knows the file, and it is flushed as a whole when it is done.
        let properties = FileAccessProperties::new()
            .with_locking(FileLocking::Disabled)
            .with_sync_policy(SyncPolicy::OnClose);
        let file = File::open_rw_with_options(temp.temp_path(), properties).map_err(broken)?;
        let layers = data.layers.iter().map(|(name, _)| format!("layers/{name}"));
        let matrices = std::iter::once("X".to_owned())
            .chain(layers)
            .map(|place| Growing::open(&file, place))
            .collect::<Result<_, _>>()
            .map_err(broken)?;
        let shape = (data.obs_names.len(), data.var_names.len());
        let mut rows = Self { file, temp, matrices, gzip_level: data.gzip_level, shape };
        for (k, matrix) in
            std::iter::once(&data.x).chain(data.layers.iter().map(|l| &l.1)).enumerate()
        {
            rows.append(k, *matrix)?;
        }
        Ok(rows)
    }

    /// Takes the next rows of a matrix: of `X`, which is matrix 0, or of a layer, from 1 on.
    ///
    /// # Errors
    /// [`IoError::BadInput`] where they do not fit, others where they cannot be written.
    pub fn append(&mut self, matrix: usize, rows: SparseMatrix<'_>) -> Result<(), IoError> {
        let Self { temp, matrices, shape: (n_obs, n_vars), .. } = self;
        let growing = &mut matrices[matrix];
        rows.check(&growing.place)?;
        let (came, columns) = (growing.rows() + rows.shape().0, rows.n_columns);
        if came > *n_obs || columns != *n_vars {
            return Err(misfit(&growing.place, (*n_obs, *n_vars), (came, columns)));
        }
        growing.append(rows).map_err(|source| broken(temp, &growing.place, source))
    }

    /// Completes the file, and gives it its name.
    ///
    /// # Errors
    /// [`IoError::BadInput`] where rows are missing, others where it cannot be written.
    pub fn finish(self) -> Result<(), IoError> {
        let Self { file, temp, matrices, gzip_level, shape } = self;
        for matrix in matrices {
            if matrix.rows() != shape.0 {
                return Err(misfit(&matrix.place, shape, (matrix.rows(), shape.1)));
            }
            let place = matrix.place.clone();
            matrix.finish(&file, gzip_level).map_err(|source| broken(&temp, &place, source))?;
        }
        let closed = file.commit().and_then(|()| file.close());
        closed.map_err(|source| broken(&temp, "the new file", source))?;
        temp.finish()
    }
}

impl Growing {
    fn open(file: &File, place: String) -> Result<Self, H5Error> {
        let (indices, values) =
            (Tail::open(file, &place, "indices")?, Tail::open(file, &place, "data")?);
        Ok(Self { place, indptr: vec![0], indices, values })
    }

    fn rows(&self) -> usize {
        self.indptr.len() - 1
    }

    fn append(&mut self, rows: SparseMatrix) -> Result<(), H5Error> {
        let start = self.indptr[self.rows()];
        self.indptr.extend(rows.indptr[1..].iter().map(|end| start + end));
        for block in rows.indices.chunks(CHUNK) {
            self.indices.extend(block.iter().map(|&i| i as i32))?;
        }
        for block in rows.values.chunks(CHUNK) {
            self.values.extend(block.iter().copied())?;
        }
        Ok(())
    }

    /// Writes the rest, and where the rows are.
    fn finish(self, file: &File, gzip_level: u32) -> Result<(), H5Error> {
        self.indices.finish()?;
        self.values.finish()?;
        let (n, last) = (self.indptr.len(), self.indptr[self.indptr.len() - 1]);
        let fill = |dataset: &mut DatasetBuilder| {
            // The narrow type where it does, as anndata's concat_on_disk chooses.
            match i32::try_from(last) {
                Ok(_) => dataset
                    .with_i32_data(&self.indptr.iter().map(|&i| i as i32).collect::<Vec<_>>()),
                Err(_) => dataset
                    .with_i64_data(&self.indptr.iter().map(|&i| i as i64).collect::<Vec<_>>()),
            };
            pack(dataset, n, gzip_level);
        };
        file.group(&self.place)?.create_dataset("indptr", fill).map(drop)
    }
}

impl<T: H5Element> Tail<T> {
    fn open(file: &File, place: &str, name: &str) -> Result<Self, H5Error> {
        Ok(Self { dataset: file.dataset(&format!("{place}/{name}"))?, pending: Vec::new() })
    }

    /// A chunk that is written twice would leave its first place in the file unused.
    fn extend(&mut self, values: impl Iterator<Item = T>) -> Result<(), H5Error> {
        self.pending.extend(values);
        let whole = self.pending.len() / CHUNK * CHUNK;
        if whole > 0 {
            self.dataset.append(&self.pending[..whole])?;
            self.pending.drain(..whole);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), H5Error> {
        self.dataset.append(&mem::take(&mut self.pending))
    }
}

fn broken(temp: &AtomicFile, place: &str, source: H5Error) -> IoError {
    match source {
        H5Error::Io(source) => IoError::os("write", temp.path(), source),
        source => {
            let (path, place) = (temp.path().into(), place.into());
            IoError::Hdf5 { path, place, source: Box::new(source) }
        }
    }
}

fn misfit(place: &str, shape: (usize, usize), found: (usize, usize)) -> IoError {
    let expected = format!("shape {shape:?}, as many as names");
    IoError::BadInput { what: place.into(), expected, found: format!("{found:?}") }
}
