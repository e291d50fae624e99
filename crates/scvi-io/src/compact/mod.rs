//! A compact copy of counts in a temporary file, for as long as a program runs.
//!
//! A file of compressed chunks, or one stored gene by gene, is slow to read in random order. Read
//! once and written here, a count takes about two bytes, and any cell can be had at once. The file
//! has no name, so that nothing is left behind whatever happens.
//!
//! ```text
//! cell    = kind (0 whole numbers, 1 floats), then for each count
//! count   = steps from the gene before to this one (varint), value (varint, or 4 bytes)
//! ```

mod cell;

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use scvi::data::{CsrMatrix, RowBlocks};

use crate::IoError;

/// A copy in the making.
pub struct CompactWriter {
    folder: PathBuf,
    file: BufWriter<File>,
    n_genes: usize,
    /// where each cell begins, and where the last ends
    ends: Vec<u64>,
    bytes: Vec<u8>,
}

/// A compact copy of counts, cell by cell; several threads may read at once.
pub struct CompactCounts {
    file: Mutex<File>,
    n_genes: usize,
    ends: Vec<u64>,
}

impl CompactWriter {
    /// Starts a copy in a folder.
    ///
    /// # Errors
    /// [`IoError::Os`] where no file can be made there.
    pub fn create(folder: &Path, n_genes: usize) -> Result<Self, IoError> {
        let file = tempfile::tempfile_in(folder).map_err(|e| IoError::os("create", folder, e))?;
        Ok(Self {
            folder: folder.into(),
            file: BufWriter::new(file),
            n_genes,
            ends: vec![0],
            bytes: Vec::new(),
        })
    }

    /// Adds the cells that follow.
    ///
    /// # Errors
    /// [`IoError::Os`] where they cannot be written.
    pub fn append(&mut self, counts: &CsrMatrix) -> Result<(), IoError> {
        for cell in 0..counts.n_cells() {
            self.bytes.clear();
            let (genes, values) = counts.row(cell);
            cell::encode(genes, values, &mut self.bytes);
            let written = self.file.write_all(&self.bytes);
            written.map_err(|e| IoError::os("write", &self.folder, e))?;
            self.ends.push(self.ends[self.ends.len() - 1] + self.bytes.len() as u64);
        }
        Ok(())
    }

    /// Goes over to reading.
    ///
    /// # Errors
    /// [`IoError::Os`] where the rest cannot be written.
    pub fn finish(self) -> Result<CompactCounts, IoError> {
        let Self { folder, file, n_genes, ends, .. } = self;
        let file = file.into_inner().map_err(|e| IoError::os("write", &folder, e.into_error()))?;
        Ok(CompactCounts { file: Mutex::new(file), n_genes, ends })
    }
}

impl CompactCounts {
    /// Size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.ends[self.ends.len() - 1]
    }

    fn bytes(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(range.start))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl RowBlocks for CompactCounts {
    fn n_cells(&self) -> usize {
        self.ends.len() - 1
    }

    fn n_genes(&self) -> usize {
        self.n_genes
    }

    fn read(&self, cells: Range<usize>) -> io::Result<CsrMatrix> {
        let ends = &self.ends[cells.start..=cells.end];
        let bytes = self.bytes(ends[0]..ends[ends.len() - 1])?;
        let (mut indptr, mut genes, mut values) = (vec![0], Vec::new(), Vec::new());
        let broken = |problem| io::Error::new(io::ErrorKind::InvalidData, problem);
        for cell in ends.windows(2) {
            let cell = &bytes[(cell[0] - ends[0]) as usize..(cell[1] - ends[0]) as usize];
            cell::decode(cell, &mut genes, &mut values)
                .ok_or_else(|| broken("the compact copy of the counts has changed".to_owned()))?;
            indptr.push(values.len() as u64);
        }
        CsrMatrix::new(self.n_genes, indptr, genes, values)
            .map_err(|error| broken(format!("the compact copy of the counts: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use scvi::data::simulate::{SimulateConfig, simulate};

    use super::*;

    #[test]
    fn gives_back_what_was_written() {
        let config = SimulateConfig { n_cells: 90, n_genes: 700, ..Default::default() };
        let counts = simulate(&config).counts;
        let folder = tempfile::tempdir().unwrap();
        let mut writer = CompactWriter::create(folder.path(), 700).unwrap();
        writer.append(&counts.select_cells(&(0..50).collect::<Vec<_>>())).unwrap();
        writer.append(&counts.select_cells(&(50..90).collect::<Vec<_>>())).unwrap();
        let copy = writer.finish().unwrap();
        assert_eq!((RowBlocks::n_cells(&copy), RowBlocks::n_genes(&copy)), (90, 700));
        for range in [0..90, 3..4, 40..60, 90..90] {
            assert_eq!(copy.read(range.clone()).unwrap(), RowBlocks::read(&counts, range).unwrap());
        }
        // Little more than two bytes a count, and no file to be seen.
        assert!(copy.size() < 5 * counts.nnz() as u64 / 2);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(CompactWriter::create(&folder.path().join("missing"), 1).is_err());
    }
}
