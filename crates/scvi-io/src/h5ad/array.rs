//! A data set of the file: its shape and type checked, its values read block by block.

use std::collections::HashMap;
use std::ops::Range;

use hdf5_pure::{AttrValue, Dataset, Datatype, Error as H5Error, Layout, VlenStringReadOptions};

use super::store::Store;
use super::stored::Claim;
use crate::IoError;

/// How many bytes a block of rows should have.
const BLOCK_BYTES: u64 = 1 << 20;

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
    /// The enumeration FALSE, TRUE that h5py writes for booleans.
    Bool,
    /// Strings of fixed or variable length.
    Text,
    /// Anything else.
    Other,
}

/// A data set and what was found out about it.
pub(crate) struct Array {
    store: Store,
    place: String,
    dataset: Dataset,
    shape: Vec<u64>,
    kind: Kind,
    datatype: Datatype,
    row_bytes: u64,
    chunk: Vec<u64>,
}

impl Array {
    /// Reads the header, and refuses sizes that the file cannot hold.
    pub(crate) fn new(store: &Store, place: &str, dataset: Dataset) -> Result<Self, IoError> {
        let broken = |source| store.broken(place, source);
        let shape = dataset.shape().map_err(broken)?;
        let datatype = dataset.datatype().map_err(broken)?;
        let chunk = dataset.chunk_shape().map_err(broken)?;
        let width = u64::from(datatype.type_size());
        Claim { place, shape: &shape, chunk: chunk.as_deref(), width }.check(store, &dataset)?;
        // Where there is no row, the others may be of any length.
        let row = shape.iter().skip(1).try_fold(width, |n, &d| n.checked_mul(d));
        let row_bytes = row.unwrap_or(width).max(1);
        let chunk = chunk.unwrap_or_default();
        let kind = kind_of(&datatype);
        let (store, place) = (store.clone(), place.into());
        Ok(Self { store, place, dataset, shape, kind, datatype, row_bytes, chunk })
    }

    /// Length of each dimension.
    pub(crate) fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Length of each dimension of a chunk; empty where there are none.
    pub(crate) fn chunk_shape(&self) -> &[u64] {
        &self.chunk
    }

    /// The bytes of the file in which its values stand one behind the other, if they do.
    pub(crate) fn contiguous(&self) -> Result<Option<Range<u64>>, IoError> {
        match self.dataset.layout().map_err(|source| self.broken(source))? {
            Layout::Contiguous { address: Some(at), size } => Ok(Some(at..at.saturating_add(size))),
            _ => Ok(None),
        }
    }

    /// Whether this is an empty data space, which has no shape and no value.
    pub(crate) fn is_null(&self) -> Result<bool, IoError> {
        let scalar = self.shape.is_empty();
        Ok(scalar && self.dataset.read_raw().map_err(|source| self.broken(source))?.is_empty())
    }

    /// Element type.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The length of an array of one dimension.
    pub(crate) fn len(&self) -> Result<usize, IoError> {
        match self.shape[..] {
            [n] => Ok(n as usize),
            _ => Err(self.structure("one dimension", format!("shape {:?}", self.shape))),
        }
    }

    /// The attributes.
    pub(crate) fn attrs(&self) -> Result<HashMap<String, AttrValue>, IoError> {
        self.dataset.attrs().map_err(|source| self.broken(source))
    }

    /// All strings of an array of one dimension; the only one of a scalar.
    pub(crate) fn strings(&self) -> Result<Vec<String>, IoError> {
        let n = if self.shape.is_empty() { 1 } else { self.len()? };
        if self.kind != Kind::Text {
            return Err(self.structure("strings", self.type_name()));
        }
        if n == 0 {
            return Ok(Vec::new());
        }
        let strings = if matches!(self.datatype, Datatype::VariableLength { .. }) {
            // Strings lie uncompressed in the file, so honest ones are no longer than it.
            let limit = usize::try_from(self.store.size()).unwrap_or(usize::MAX);
            let options = VlenStringReadOptions::new().with_max_payload_bytes(limit);
            self.dataset.read_vlen_strings(options)
        } else {
            self.dataset.read_string()
        }
        .map_err(|source| self.broken(source))?;
        self.complete(n as u64, strings)
    }

    /// Whole rows as 4-byte floats: the values from row `start` on.
    pub(crate) fn rows_f32(&self, start: u64, rows: u64) -> Result<Vec<f32>, IoError> {
        self.numbers()?;
        self.rows(Dataset::read_f32_rows, start, rows)
    }

    /// As [`Self::rows_f32`], as 8-byte floats.
    pub(crate) fn rows_f64(&self, start: u64, rows: u64) -> Result<Vec<f64>, IoError> {
        self.numbers()?;
        self.rows(Dataset::read_f64_rows, start, rows)
    }

    /// As [`Self::rows_f32`], as whole numbers; fails on floats, and on numbers above `i64::MAX`.
    pub(crate) fn rows_i64(&self, start: u64, rows: u64) -> Result<Vec<i64>, IoError> {
        match self.kind {
            Kind::Signed | Kind::Bool => self.rows(Dataset::read_i64_rows, start, rows),
            Kind::Unsigned => self.signed(self.rows(Dataset::read_u64_rows, start, rows)?),
            _ => Err(self.structure("whole numbers", self.type_name())),
        }
    }

    /// The values as 8-byte floats, a block of whole rows at a time; the block's first row first.
    pub(crate) fn each_f64(
        &self,
        f: impl FnMut(u64, Vec<f64>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        self.numbers()?;
        self.blocks(Dataset::read_f64_rows, f)
    }

    /// As [`Self::each_f64`], as 4-byte floats.
    pub(crate) fn each_f32(
        &self,
        f: impl FnMut(u64, Vec<f32>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        self.numbers()?;
        self.blocks(Dataset::read_f32_rows, f)
    }

    /// As [`Self::each_f64`], as whole numbers; fails on floats, and on numbers above `i64::MAX`.
    pub(crate) fn each_i64(
        &self,
        mut f: impl FnMut(u64, Vec<i64>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        match self.kind {
            Kind::Signed | Kind::Bool => self.blocks(Dataset::read_i64_rows, f),
            Kind::Unsigned => self.blocks(Dataset::read_u64_rows, |start, block: Vec<u64>| {
                f(start, self.signed(block)?)
            }),
            _ => Err(self.structure("whole numbers", self.type_name())),
        }
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

    /// Makes room for `n` values in all; called once a block came, so that a size which the file
    /// claims but cannot serve costs nothing.
    pub(crate) fn reserve<T>(&self, values: &mut Vec<T>, n: usize) -> Result<(), IoError> {
        let more = n.saturating_sub(values.len());
        values
            .try_reserve_exact(more)
            .map_err(|_| self.structure("values that fit into memory", format!("{n} values")))
    }

    /// An error from the HDF5 library at this data set.
    pub(crate) fn broken(&self, source: H5Error) -> IoError {
        self.store.broken(&self.place, source)
    }

    /// The error that this data set is not as the format says.
    pub(crate) fn structure(
        &self,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> IoError {
        self.store.structure(&self.place, expected, found)
    }

    /// The element type, for messages.
    pub(crate) fn type_name(&self) -> String {
        match self.dataset.dtype() {
            Ok(dtype) => format!("values of type {dtype}"),
            Err(_) => "values of an unknown type".into(),
        }
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
        read: fn(&Dataset, u64, u64) -> Result<Vec<T>, H5Error>,
        mut f: impl FnMut(u64, Vec<T>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let n = self.shape.first().copied().unwrap_or(1);
        let chunk_rows = self.chunk.first().copied().unwrap_or(1).clamp(1, n.max(1));
        let rows = (BLOCK_BYTES / self.row_bytes).max(1).next_multiple_of(chunk_rows).min(n);
        let mut start = 0;
        while start < n {
            let count = rows.min(n - start);
            f(start, self.rows(read, start, count)?)?;
            start += count;
        }
        Ok(())
    }

    /// Reads whole rows.
    fn rows<T>(
        &self,
        read: fn(&Dataset, u64, u64) -> Result<Vec<T>, H5Error>,
        start: u64,
        rows: u64,
    ) -> Result<Vec<T>, IoError> {
        let width = u64::from(self.datatype.type_size()).max(1);
        let values = read(&self.dataset, start, rows).map_err(|source| self.broken(source))?;
        self.complete(rows * (self.row_bytes / width), values)
    }

    fn signed(&self, values: Vec<u64>) -> Result<Vec<i64>, IoError> {
        let signed: Option<Vec<i64>> = values.iter().map(|&v| v.try_into().ok()).collect();
        signed.ok_or_else(|| self.structure("numbers below 2^63", "a larger one"))
    }

    /// Checks that as many values came as were asked for.
    fn complete<T>(&self, n: u64, values: Vec<T>) -> Result<Vec<T>, IoError> {
        if values.len() as u64 == n {
            return Ok(values);
        }
        Err(self.structure(format!("{n} values"), format!("{}", values.len())))
    }
}

fn kind_of(datatype: &Datatype) -> Kind {
    match datatype {
        Datatype::FloatingPoint { size: 0..=4, .. } => Kind::Single,
        Datatype::FloatingPoint { size: 8, .. } => Kind::Double,
        Datatype::FixedPoint { size: 0..=8, layout, .. } if layout.signed => Kind::Signed,
        Datatype::FixedPoint { size: 0..=8, .. } => Kind::Unsigned,
        Datatype::Enumeration { members, .. } if matches!(&members[..], [a, b] if a.name == "FALSE" && b.name == "TRUE") => {
            Kind::Bool
        }
        Datatype::String { .. } | Datatype::VariableLength { is_string: true, .. } => Kind::Text,
        _ => Kind::Other,
    }
}
