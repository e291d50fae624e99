//! Which arrays of a file have an axis of cells.

use super::elements::{copied_as, gather, integers, rows};
use super::entries::Entries;
use crate::IoError;
use crate::anndata::array::{Array, Kind};
use crate::anndata::store::{Node, Store};
use crate::element::DataType;

/// Bytes that are read of a matrix at a time.
const BLOCK_BYTES: u64 = 8 << 20;

/// An array of the copy that is another than the file's.
pub(crate) struct SubsetArray {
    /// Its place, which is the same in both.
    pub(crate) place: String,
    /// Its shape in the copy.
    pub(crate) shape: Vec<u64>,
    /// Type of its elements in the copy.
    pub(crate) data_type: DataType,
    values: Values,
}

/// Where an array's values come from.
enum Values {
    /// Rows of an array; where it is square, the same columns of them.
    Rows { array: Array, is_square: bool },
    /// Strings, which are read at once.
    Texts(Vec<String>),
    /// Where the lines of sparse matrix number `of` start and end.
    Indptr(Vec<u64>),
    /// Its indices.
    Indices { of: usize },
    /// Its values.
    Data { array: Array, of: usize },
}

/// All parts of a file that a subset changes.
pub(crate) struct SubsetParts<'a> {
    store: &'a Store,
    rows: &'a [usize],
    n_obs: usize,
    /// The arrays, each with as many rows as cells are kept, or entries.
    pub(crate) arrays: Vec<SubsetArray>,
    /// Groups of sparse matrices, with the shapes that they get.
    pub(crate) shapes: Vec<(String, [u64; 2])>,
    sparse: Vec<Entries>,
}

impl<'a> SubsetParts<'a> {
    /// Looks for them in all places where AnnData has cells.
    pub(super) fn find(store: &'a Store, n_obs: usize, rows: &'a [usize]) -> Result<Self, IoError> {
        let (arrays, shapes, sparse) = (Vec::new(), Vec::new(), Vec::new());
        let mut parts = Self { store, rows, n_obs, arrays, shapes, sparse };
        parts.add_frame("obs")?;
        for place in ["X", "raw/X", "raw.X"] {
            parts.add_matrix(place, false)?;
        }
        for (group, is_square) in [("layers", false), ("obsm", false), ("obsp", true)] {
            for key in store.members(group)? {
                parts.add_matrix(&format!("{group}/{key}"), is_square)?;
            }
        }
        Ok(parts)
    }

    /// Hands the values of an array over, block by block; strings come as [`SubsetArray::texts`].
    pub(crate) fn each_block(
        &self,
        array: &SubsetArray,
        f: &mut dyn FnMut(&[u8]) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        match &array.values {
            Values::Rows { array: from, is_square } => self.rows_of(from, array, *is_square, f),
            Values::Texts(_) => Ok(()),
            Values::Indptr(indptr) => f(&integers(&array.data_type, indptr.iter().copied())),
            Values::Indices { of } => self.sparse[*of].each_block_of_indices(&array.data_type, f),
            Values::Data { array: from, of } => {
                self.sparse[*of].each_block(from, &array.data_type, f)
            }
        }
    }

    fn rows_of(
        &self,
        from: &Array,
        to: &SubsetArray,
        is_square: bool,
        f: &mut dyn FnMut(&[u8]) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let width = to.data_type.width();
        let columns = from.shape().iter().skip(1).product::<u64>() as usize;
        let chunk_rows = from.chunk_shape().first().copied().unwrap_or(1).max(1);
        let per_block = (BLOCK_BYTES / (columns * width).max(1) as u64).max(1);
        let per_block = per_block.next_multiple_of(chunk_rows);
        let mut rest = self.rows;
        while let Some(&first) = rest.first() {
            let start = first as u64 / per_block * per_block;
            let n = per_block.min(self.n_obs as u64 - start);
            let (here, later) =
                rest.split_at(rest.partition_point(|&row| (row as u64) < start + n));
            let bytes = rows(from, &to.data_type, start, n)?;
            let here = here.iter().map(|&row| row - start as usize);
            let kept = gather(&bytes, width * columns, here);
            let kept = match is_square {
                false => kept,
                true => kept
                    .chunks_exact(width * columns)
                    .flat_map(|row| gather(row, width, self.rows.iter().copied()))
                    .collect(),
            };
            f(&kept)?;
            rest = later;
        }
        Ok(())
    }

    /// Columns of a data frame, its index among them.
    fn add_frame(&mut self, place: &str) -> Result<(), IoError> {
        for key in self.store.members(place)? {
            let column = format!("{place}/{key}");
            match self.store.node(&column)? {
                Node::Array(array) => self.add_rows(array, false)?,
                Node::Missing => {}
                Node::Group if key == "__categories" => {
                    return Err(self.refused(&column, "is of the kind anndata wrote before 0.8"));
                }
                Node::Group => {
                    let members = self.store.members(&column)?;
                    let of_cells = ["codes", "values", "mask"];
                    for name in members.iter().filter(|name| of_cells.contains(&name.as_str())) {
                        self.add_rows(self.store.array(&format!("{column}/{name}"))?, false)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// An array, a sparse matrix or a data frame.
    fn add_matrix(&mut self, place: &str, is_square: bool) -> Result<(), IoError> {
        match self.store.node(place)? {
            Node::Missing => return Ok(()),
            Node::Array(array) if array.shape().is_empty() => return Ok(()),
            Node::Array(array) => return self.add_rows(array, is_square),
            Node::Group => {}
        }
        let attrs = self.store.attrs(place)?;
        let form = attrs.encoding().or(attrs.text("h5sparse_format")).unwrap_or("nothing");
        match form {
            "csr_matrix" | "csr" => self.add_sparse(place, true, is_square),
            "csc_matrix" | "csc" => self.add_sparse(place, false, is_square),
            "dataframe" => self.add_frame(place),
            "null" => Ok(()),
            other => Err(self.refused(place, &format!("is of encoding-type '{other}'"))),
        }
    }

    fn add_rows(&mut self, array: Array, is_square: bool) -> Result<(), IoError> {
        let mut shape = array.shape().to_vec();
        let n_obs = self.n_obs as u64;
        if shape.first() != Some(&n_obs) || is_square && shape != [n_obs; 2] {
            return Err(array.structure(
                format!("a row for each of {n_obs} cells"),
                format!("shape {shape:?}"),
            ));
        }
        shape[0] = self.rows.len() as u64;
        if is_square {
            shape[1] = shape[0];
        }
        let (place, data_type) = (array.place().to_owned(), self.copied_as(&array)?);
        let values = match data_type {
            DataType::Text => {
                let texts = array.strings()?;
                Values::Texts(self.rows.iter().map(|&row| texts[row].clone()).collect())
            }
            _ => Values::Rows { array, is_square },
        };
        self.arrays.push(SubsetArray { place, shape, data_type, values });
        Ok(())
    }

    fn add_sparse(
        &mut self,
        place: &str,
        is_by_cell: bool,
        is_square: bool,
    ) -> Result<(), IoError> {
        let attrs = self.store.attrs(place)?;
        let shape = attrs.shape("shape").or(attrs.shape("h5sparse_shape"));
        let Some(&[n_rows, n_columns]) = shape.as_deref() else {
            return Err(self.store.structure(place, "an attribute 'shape' of two numbers", "none"));
        };
        let n_obs = self.n_obs as u64;
        if n_rows != n_obs || is_square && n_columns != n_obs {
            let expected = format!("a row for each of {n_obs} cells");
            return Err(self.store.structure(place, expected, format!("shape {shape:?}")));
        }
        let mut is_kept = vec![false; self.n_obs];
        let mut places = vec![None; self.n_obs];
        for (new, &row) in self.rows.iter().enumerate() {
            (is_kept[row], places[row]) = (true, Some(new as u64));
        }
        let n_lines = if is_by_cell { n_rows } else { n_columns } as usize;
        let lines = (is_by_cell || is_square).then_some(is_kept);
        let places = (!is_by_cell || is_square).then_some(places);
        let entries = Entries::open(self.store, place, n_lines, lines, places)?;
        let indptr = entries.new_indptr()?;
        let nnz = indptr.last().copied().unwrap_or(0);
        let n_kept = self.rows.len() as u64;
        let of = self.sparse.len();
        self.sparse.push(entries);
        self.shapes.push((place.to_owned(), [n_kept, if is_square { n_kept } else { n_columns }]));
        let member = |name: &str| self.store.array(&format!("{place}/{name}"));
        let (data, indices, old) = (member("data")?, member("indices")?, member("indptr")?);
        let whole = |array: &Array| match array.kind() {
            // R has large whole numbers only as floats.
            Kind::Single | Kind::Double => Ok(DataType::Signed(8)),
            _ => self.copied_as(array),
        };
        let types = [self.copied_as(&data)?, whole(&indices)?, whole(&old)?];
        let n_ends = indptr.len() as u64;
        let all = [
            (data.place().to_owned(), nnz, Values::Data { array: data, of }),
            (indices.place().to_owned(), nnz, Values::Indices { of }),
            (old.place().to_owned(), n_ends, Values::Indptr(indptr)),
        ];
        for ((place, n, values), data_type) in all.into_iter().zip(types) {
            self.arrays.push(SubsetArray { place, shape: vec![n], data_type, values });
        }
        Ok(())
    }

    fn copied_as(&self, array: &Array) -> Result<DataType, IoError> {
        let unknown = || self.refused(array.place(), &format!("holds {}", array.type_name()));
        copied_as(array.element_type()).ok_or_else(unknown)
    }

    fn refused(&self, place: &str, why: &str) -> IoError {
        let problem = format!("'{place}' {why}, of which cells cannot be left out");
        IoError::CannotCopy { path: self.store.path().into(), problem }
    }
}

impl SubsetArray {
    /// The strings, where it is an array of those.
    pub(crate) fn texts(&self) -> Option<&[String]> {
        match &self.values {
            Values::Texts(texts) => Some(texts),
            _ => None,
        }
    }
}
