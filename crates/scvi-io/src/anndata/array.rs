//! An array of the file: its values by rows, or block by block.

use std::path::Path;

use super::attrs::Attrs;
use super::store::Store;
use crate::element::DataType;
use crate::{IoError, h5ad, zarr};

/// How many bytes a block of rows should have.
const BLOCK_BYTES: u64 = 1 << 20;

/// Below it every whole number is a double.
pub(crate) const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The element types that AnnData files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Floats of at most 4 bytes.
    Single,
    /// Floats of 8 bytes.
    Double,
    /// Whole numbers with a sign.
    Signed,
    /// Whole numbers without a sign.
    Unsigned,
    /// Booleans; in HDF5 the enumeration FALSE, TRUE that h5py writes for them.
    Bool,
    /// Strings of fixed or variable length.
    Text,
    /// Anything else.
    Other,
}

/// An array of either kind of file.
pub(crate) enum Source {
    /// A data set of an HDF5 file.
    Hdf5(Box<h5ad::array::Array>),
    /// An array of a zarr store.
    Zarr(Box<zarr::array::Array>),
}

/// Calls the same function of whichever array it is.
macro_rules! either {
    ($of:expr, $array:ident => $call:expr) => {
        match &$of.source {
            Source::Hdf5($array) => $call,
            Source::Zarr($array) => $call,
        }
    };
}

/// An array and what was found out about it: owned, and read by several threads at once.
pub(crate) struct Array {
    store: Store,
    source: Source,
    kind: Kind,
    row_bytes: u64,
    width: u64,
}

impl Array {
    /// Takes an array whose shape is no larger than the file justifies.
    pub(super) fn new(store: &Store, source: Source) -> Self {
        let store = store.clone();
        let mut array = Self { store, source, kind: Kind::Other, row_bytes: 1, width: 1 };
        array.kind = either!(array, a => a.kind());
        array.width = either!(array, a => a.width()).max(1);
        // Where there is no row, the others may be of any length.
        let mut row = array.shape().iter().skip(1);
        let row = row.try_fold(array.width, |n, &d| n.checked_mul(d));
        array.row_bytes = row.unwrap_or(array.width).max(1);
        array
    }

    /// Path inside the file.
    pub(crate) fn place(&self) -> &str {
        either!(self, a => a.place())
    }

    /// Length of each dimension.
    pub(crate) fn shape(&self) -> &[u64] {
        either!(self, a => a.shape())
    }

    /// Length of each dimension of a chunk; empty where there are none.
    pub(crate) fn chunk_shape(&self) -> &[u64] {
        either!(self, a => a.chunk_shape())
    }

    /// Element type.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The length of an array of one dimension.
    pub(crate) fn len(&self) -> Result<usize, IoError> {
        match self.shape()[..] {
            [n] => Ok(n as usize),
            _ => Err(self.structure("one dimension", format!("shape {:?}", self.shape()))),
        }
    }

    /// The type of the elements as it is stored.
    pub(crate) fn element_type(&self) -> &DataType {
        either!(self, a => a.element_type())
    }

    /// The attributes.
    pub(crate) fn attrs(&self) -> Result<Attrs, IoError> {
        either!(self, a => a.attrs())
    }

    /// All strings of an array of one dimension; the only one of a scalar.
    pub(crate) fn strings(&self) -> Result<Vec<String>, IoError> {
        let n = if self.shape().is_empty() { 1 } else { self.len()? };
        if self.kind != Kind::Text {
            return Err(self.structure("strings", self.type_name()));
        }
        if n == 0 {
            return Ok(Vec::new());
        }
        self.complete(n as u64, either!(self, a => a.strings())?)
    }

    /// Whole rows as 4-byte floats: the values from row `start` on.
    pub(crate) fn rows_f32(&self, start: u64, rows: u64) -> Result<Vec<f32>, IoError> {
        self.numbers()?;
        self.complete_rows(rows, either!(self, a => a.rows_f32(start, rows))?)
    }

    /// As [`Self::rows_f32`], as 8-byte floats.
    pub(crate) fn rows_f64(&self, start: u64, rows: u64) -> Result<Vec<f64>, IoError> {
        self.numbers()?;
        self.complete_rows(rows, either!(self, a => a.rows_f64(start, rows))?)
    }

    /// As [`Self::rows_f32`], as whole numbers; fails on others, and on numbers above `i64::MAX`.
    pub(crate) fn rows_i64(&self, start: u64, rows: u64) -> Result<Vec<i64>, IoError> {
        let values = match self.kind {
            Kind::Signed | Kind::Bool => either!(self, a => a.rows_i64(start, rows))?,
            Kind::Unsigned => return self.signed(self.rows_u64(start, rows)?),
            // R has larger whole numbers only as floats.
            Kind::Single | Kind::Double => return self.whole(self.rows_f64(start, rows)?),
            _ => return Err(self.structure("whole numbers", self.type_name())),
        };
        self.complete_rows(rows, values)
    }

    /// As [`Self::rows_f32`], as whole numbers without a sign; fails on all others.
    pub(crate) fn rows_u64(&self, start: u64, rows: u64) -> Result<Vec<u64>, IoError> {
        if self.kind != Kind::Unsigned {
            return Err(self.structure("whole numbers without a sign", self.type_name()));
        }
        self.complete_rows(rows, either!(self, a => a.rows_u64(start, rows))?)
    }

    /// The values as 8-byte floats, a block of whole rows at a time; the block's first row first.
    pub(crate) fn each_f64(
        &self,
        f: impl FnMut(u64, Vec<f64>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        self.blocks(Self::rows_f64, f)
    }

    /// As [`Self::each_f64`], as 4-byte floats.
    pub(crate) fn each_f32(
        &self,
        f: impl FnMut(u64, Vec<f32>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        self.blocks(Self::rows_f32, f)
    }

    /// As [`Self::each_f64`], as whole numbers; fails on others, and on numbers above `i64::MAX`.
    pub(crate) fn each_i64(
        &self,
        f: impl FnMut(u64, Vec<i64>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        self.blocks(Self::rows_i64, f)
    }

    /// All values of an array of one dimension as whole numbers.
    pub(crate) fn i64s(&self) -> Result<Vec<i64>, IoError> {
        let (n, mut all) = (self.len()?, Vec::new());
        self.each_i64(|_, block| {
            self.reserve(&mut all, n)?;
            all.extend(block);
            Ok(())
        })?;
        Ok(all)
    }

    /// All values of an array of one dimension as whole numbers without a sign.
    pub(crate) fn u64s(&self) -> Result<Vec<u64>, IoError> {
        let (n, mut all) = (self.len()?, Vec::new());
        self.blocks(Self::rows_u64, |_, block| {
            self.reserve(&mut all, n)?;
            all.extend(block);
            Ok(())
        })?;
        Ok(all)
    }

    /// All values of an array of one dimension as floats.
    pub(crate) fn f64s(&self) -> Result<Vec<f64>, IoError> {
        let (n, mut all) = (self.len()?, Vec::new());
        self.each_f64(|_, block| {
            self.reserve(&mut all, n)?;
            all.extend(block);
            Ok(())
        })?;
        Ok(all)
    }

    /// Allocates a buffer for `n` values in all; called once a block came, so that a size which the file
    /// claims but cannot serve costs nothing.
    pub(crate) fn reserve<T>(&self, values: &mut Vec<T>, n: usize) -> Result<(), IoError> {
        let more = n.saturating_sub(values.len());
        values
            .try_reserve_exact(more)
            .map_err(|_| self.structure("values that fit into memory", format!("{n} values")))
    }

    /// The file that it lies in.
    pub(crate) fn file(&self) -> &Path {
        self.store.path()
    }

    /// The error that this array is not as the format says.
    pub(crate) fn structure(
        &self,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> IoError {
        self.store.structure(self.place(), expected, found)
    }

    /// The element type under numpy's name: `float32`, `int64`.
    pub(crate) fn data_type(&self) -> String {
        either!(self, a => a.data_type())
    }

    /// The element type, for messages.
    pub(crate) fn type_name(&self) -> String {
        format!("values of type {}", self.data_type())
    }

    fn numbers(&self) -> Result<(), IoError> {
        match self.kind {
            Kind::Text | Kind::Other => Err(self.structure("numbers", self.type_name())),
            _ => Ok(()),
        }
    }

    /// Reads whole rows, about [`BLOCK_BYTES`] at a time and never half a chunk.
    fn blocks<T>(
        &self,
        read: fn(&Self, u64, u64) -> Result<Vec<T>, IoError>,
        mut f: impl FnMut(u64, Vec<T>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let n = self.shape().first().copied().unwrap_or(1);
        let chunk_rows = self.chunk_shape().first().copied().unwrap_or(1).clamp(1, n.max(1));
        let rows = (BLOCK_BYTES / self.row_bytes).max(1).next_multiple_of(chunk_rows).min(n);
        let mut start = 0;
        while start < n {
            let count = rows.min(n - start);
            f(start, read(self, start, count)?)?;
            start += count;
        }
        Ok(())
    }

    fn signed(&self, values: Vec<u64>) -> Result<Vec<i64>, IoError> {
        let signed: Option<Vec<i64>> = values.iter().map(|&v| v.try_into().ok()).collect();
        signed.ok_or_else(|| self.structure("numbers below 2^63", "a larger one"))
    }

    fn whole(&self, values: Vec<f64>) -> Result<Vec<i64>, IoError> {
        let is_whole = |v: &f64| v.fract() == 0.0 && v.abs() < MAX_WHOLE;
        match values.iter().find(|v| !is_whole(v)) {
            None => Ok(values.into_iter().map(|v| v as i64).collect()),
            Some(v) => Err(self.structure("whole numbers", v.to_string())),
        }
    }

    fn complete_rows<T>(&self, rows: u64, values: Vec<T>) -> Result<Vec<T>, IoError> {
        self.complete(rows.saturating_mul(self.row_bytes / self.width), values)
    }

    /// Checks that as many values came as were asked for.
    fn complete<T>(&self, n: u64, values: Vec<T>) -> Result<Vec<T>, IoError> {
        if values.len() as u64 == n {
            return Ok(values);
        }
        Err(self.structure(format!("{n} values"), format!("{}", values.len())))
    }
}
