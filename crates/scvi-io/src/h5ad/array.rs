//! A data set of an HDF5 file: its shape and type checked, its values read by rows.

use std::ops::Range;

use hdf5_pure::{Chunk, ChunkIndex, Dataset, Datatype, Error as H5Error, Layout};

use super::attrs::attrs_of;
use super::chunked::Chunked;
use super::data_type::{data_type, unpad};
use super::filters::is_of_library;
use super::format::{ChunkedHeader, read_texts};
use super::store::Store;
use super::stored::Claim;
use crate::IoError;
use crate::anndata::{Attrs, Kind};
use crate::chunk_grid::ChunkGrid;
use crate::element::{DataType, Number, read_numbers};

/// A data set and what was found out about it.
pub(crate) struct Array {
    store: Store,
    place: String,
    dataset: Dataset,
    shape: Vec<u64>,
    datatype: Datatype,
    data_type: DataType,
    is_big_endian: bool,
    chunk: Vec<u64>,
    /// Where the HDF5 library does not read the values.
    chunked: Option<Box<Chunked>>,
}

impl Array {
    /// Reads the header, which stands at an address, and refuses sizes that the file cannot hold.
    pub(super) fn new(
        store: &Store,
        place: &str,
        address: u64,
        dataset: Dataset,
    ) -> Result<Self, IoError> {
        let broken = |source| store.broken(place, source);
        let shape = dataset.shape().map_err(broken)?;
        let datatype = dataset.datatype().map_err(broken)?;
        let layout = dataset.layout().map_err(broken)?;
        let width = u64::from(datatype.type_size());
        let (data_type, is_big_endian) = data_type(&datatype);
        let claim = Claim { place, shape: &shape, width };
        let mut array = Self {
            store: store.clone(),
            place: place.into(),
            shape: Vec::new(),
            datatype,
            data_type: data_type.clone(),
            is_big_endian,
            chunk: Vec::new(),
            chunked: None,
            dataset,
        };
        let Layout::Chunked { chunk_shape, index } = layout else {
            claim.check(store, &layout)?;
            return Ok(Self { shape, ..array });
        };
        let is_of_library =
            index != ChunkIndex::BTreeV2 && array.dataset.filters().into_iter().all(is_of_library);
        if is_of_library {
            claim.chunks(store, &array.dataset, &chunk_shape, None)?;
        } else {
            let cannot_read = |problem| store.cannot_read(place, problem);
            let header = ChunkedHeader::read(store.blocks(), address).map_err(cannot_read)?;
            let stored = claim.chunks(store, &array.dataset, &chunk_shape, Some(&header))?;
            let axes = (0..shape.len()).collect();
            let grid =
                ChunkGrid { shape: shape.clone(), chunk: chunk_shape.clone(), data_type, axes };
            let form = (grid, is_big_endian, width);
            let chunked = Chunked::new(store, place, &array.dataset, header, form, stored)?;
            array.chunked = Some(Box::new(chunked));
        }
        Ok(Self { shape, chunk: chunk_shape, ..array })
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

    /// The bytes of the file in which its values stand, as far as that can be told.
    pub(super) fn stored_ranges(&self) -> Vec<Range<u64>> {
        let of_chunk = |chunk: Chunk| chunk.address..chunk.address + chunk.storage_size;
        match (&self.chunked, self.contiguous()) {
            (Some(chunked), _) => chunked.stored_ranges(),
            (None, Ok(Some(range))) => vec![range],
            (None, _) => {
                self.dataset.chunks().unwrap_or_default().into_iter().map(of_chunk).collect()
            }
        }
    }

    /// Whether this is an empty data space, which has no shape and no value.
    pub(crate) fn is_null(&self) -> Result<bool, IoError> {
        let scalar = self.shape.is_empty();
        Ok(scalar && self.dataset.read_raw().map_err(|source| self.broken(source))?.is_empty())
    }

    /// Element type.
    pub(crate) fn kind(&self) -> Kind {
        self.data_type.kind()
    }

    /// The type of the elements.
    pub(crate) fn element_type(&self) -> &DataType {
        &self.data_type
    }

    /// The attributes.
    pub(crate) fn attrs(&self) -> Result<Attrs, IoError> {
        self.dataset.attrs().map(attrs_of).map_err(|source| self.broken(source))
    }

    /// All strings of a data set of text with at least one value.
    pub(crate) fn strings(&self) -> Result<Vec<String>, IoError> {
        let raw = match &self.chunked {
            Some(chunked) => chunked.raw()?,
            None => self.dataset.read_raw().map_err(|source| self.broken(source))?,
        };
        let cannot_read = |problem| self.store.cannot_read(&self.place, problem);
        let Datatype::String { padding, .. } = &self.datatype else {
            return read_texts(self.store.blocks(), &raw).map_err(cannot_read);
        };
        let texts = raw.chunks_exact(self.width() as usize).map(|text| unpad(text, padding));
        let texts: Option<Vec<String>> = texts.collect();
        texts.ok_or_else(|| cannot_read("a text is not UTF-8".into()))
    }

    /// Whole rows as 4-byte floats: the values from row `start` on.
    pub(crate) fn rows_f32(&self, start: u64, rows: u64) -> Result<Vec<f32>, IoError> {
        self.rows(start, rows)
    }

    /// As [`Self::rows_f32`], as 8-byte floats.
    pub(crate) fn rows_f64(&self, start: u64, rows: u64) -> Result<Vec<f64>, IoError> {
        self.rows(start, rows)
    }

    /// As [`Self::rows_f32`], as whole numbers with a sign.
    pub(crate) fn rows_i64(&self, start: u64, rows: u64) -> Result<Vec<i64>, IoError> {
        self.rows(start, rows)
    }

    /// As [`Self::rows_f32`], as whole numbers without a sign.
    pub(crate) fn rows_u64(&self, start: u64, rows: u64) -> Result<Vec<u64>, IoError> {
        self.rows(start, rows)
    }

    /// The element type under numpy's name; that of the HDF5 library where numpy has none.
    pub(crate) fn data_type(&self) -> String {
        self.data_type.name()
    }

    fn rows<T: Number>(&self, start: u64, rows: u64) -> Result<Vec<T>, IoError> {
        if let Some(chunked) = &self.chunked {
            return chunked.rows(start, rows);
        }
        let raw = self.dataset.read_raw_rows(start, rows);
        let mut raw = raw.map_err(|source| self.broken(source))?;
        if self.is_big_endian {
            self.data_type.reverse_bytes(&mut raw);
        }
        let mut values = vec![T::default(); raw.len() / self.data_type.width()];
        read_numbers(&self.data_type, &raw, 1, &mut values);
        Ok(values)
    }

    fn broken(&self, source: H5Error) -> IoError {
        self.store.broken(&self.place, source)
    }
}
