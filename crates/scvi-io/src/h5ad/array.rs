//! A data set of an HDF5 file: its shape and type checked, its values read by rows.

use std::ops::Range;

use hdf5_pure::{Dataset, Datatype, Error as H5Error, Layout, VlenStringReadOptions};

use super::attrs::attrs_of;
use super::store::Store;
use super::stored::Claim;
use crate::IoError;
use crate::anndata::{Attrs, Kind};

/// A data set and what was found out about it.
pub(crate) struct Array {
    store: Store,
    place: String,
    dataset: Dataset,
    shape: Vec<u64>,
    kind: Kind,
    datatype: Datatype,
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
        let chunk = chunk.unwrap_or_default();
        let kind = kind_of(&datatype);
        let (store, place) = (store.clone(), place.into());
        Ok(Self { store, place, dataset, shape, kind, datatype, chunk })
    }

    /// Path inside the file.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Length of each dimension.
    pub(crate) fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Length of each dimension of a chunk; empty where there are none.
    pub(crate) fn chunk_shape(&self) -> &[u64] {
        &self.chunk
    }

    /// Bytes of a value.
    pub(crate) fn width(&self) -> u64 {
        u64::from(self.datatype.type_size())
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

    /// The attributes.
    pub(crate) fn attrs(&self) -> Result<Attrs, IoError> {
        self.dataset.attrs().map(attrs_of).map_err(|source| self.broken(source))
    }

    /// All strings of a data set of text with at least one value.
    pub(crate) fn strings(&self) -> Result<Vec<String>, IoError> {
        if matches!(self.datatype, Datatype::VariableLength { .. }) {
            // Strings lie uncompressed in the file, so honest ones are no longer than it.
            let limit = usize::try_from(self.store.size()).unwrap_or(usize::MAX);
            let options = VlenStringReadOptions::new().with_max_payload_bytes(limit);
            self.dataset.read_vlen_strings(options)
        } else {
            self.dataset.read_string()
        }
        .map_err(|source| self.broken(source))
    }

    /// Whole rows as 4-byte floats: the values from row `start` on.
    pub(crate) fn rows_f32(&self, start: u64, rows: u64) -> Result<Vec<f32>, IoError> {
        self.rows(Dataset::read_f32_rows, start, rows)
    }

    /// As [`Self::rows_f32`], as 8-byte floats.
    pub(crate) fn rows_f64(&self, start: u64, rows: u64) -> Result<Vec<f64>, IoError> {
        self.rows(Dataset::read_f64_rows, start, rows)
    }

    /// As [`Self::rows_f32`], as whole numbers with a sign.
    pub(crate) fn rows_i64(&self, start: u64, rows: u64) -> Result<Vec<i64>, IoError> {
        self.rows(Dataset::read_i64_rows, start, rows)
    }

    /// As [`Self::rows_f32`], as whole numbers without a sign.
    pub(crate) fn rows_u64(&self, start: u64, rows: u64) -> Result<Vec<u64>, IoError> {
        self.rows(Dataset::read_u64_rows, start, rows)
    }

    /// The element type under numpy's name; that of the HDF5 library where numpy has none.
    pub(crate) fn data_type(&self) -> String {
        let bits = 8 * self.width();
        match self.kind {
            Kind::Single | Kind::Double => format!("float{bits}"),
            Kind::Signed => format!("int{bits}"),
            Kind::Unsigned => format!("uint{bits}"),
            Kind::Bool => "bool".into(),
            Kind::Text => "string".into(),
            Kind::Other => self.dataset.dtype().map_or("unknown".into(), |dtype| dtype.to_string()),
        }
    }

    fn rows<T>(
        &self,
        read: fn(&Dataset, u64, u64) -> Result<Vec<T>, H5Error>,
        start: u64,
        rows: u64,
    ) -> Result<Vec<T>, IoError> {
        read(&self.dataset, start, rows).map_err(|source| self.broken(source))
    }

    fn broken(&self, source: H5Error) -> IoError {
        self.store.broken(&self.place, source)
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
