//! Where the counts of a command lie while it runs.

use scvi::data::{
    CountSource, CsrMatrix, RowBlocks, SelectedCounts, Shuffling, StreamedCounts, Survey,
};
use scvi_io::CompactWriter;
use scvi_io::anndata::{AnnDataFile, StoredCounts};

use crate::args::{InMemory, ReadArgs, Shuffle, ShuffleArgs};
use crate::error::CliError;

/// Bytes that a count takes in memory: its gene and its value.
pub(super) const COUNT_BYTES: usize = 8;
/// Counts that take more stay in the file, unless they are asked into memory.
const LIMIT: usize = 2 << 30;

/// Counts that a command works on.
pub struct Counts {
    source: Box<dyn CountSource>,
    is_streamed: bool,
}

impl Counts {
    /// Reads stored counts, or gets ready to; with what one look at all of them tells.
    ///
    /// Cells are read and held as `shuffling` needs it.
    pub(super) fn open(
        file: &AnnDataFile,
        stored: StoredCounts<'_>,
        reading: &ReadArgs,
        shuffling: Option<&ShuffleArgs>,
    ) -> Result<(Self, Survey), CliError> {
        let limit = LIMIT / COUNT_BYTES;
        let is_streamed = match reading.in_memory {
            InMemory::Always => false,
            InMemory::Never => true,
            InMemory::Auto => stored.nnz()? > limit && !stored.is_by_gene(),
        };
        if !is_streamed {
            let (counts, survey) = stored.load()?;
            return Ok((counts.into(), survey));
        }
        let (block_size, buffer_size) = shuffling
            .map_or((Shuffling::BLOCK_SIZE, Shuffling::BUFFER_SIZE), |args| {
                (args.block_size, args.buffer_size)
            });
        let streamed = |source: Box<dyn RowBlocks>, survey: &Survey| {
            // One buffer is read from while the next is filled.
            let capacity = buffer_size.saturating_mul(2);
            StreamedCounts::new(source, survey.max_nnz_per_cell, block_size, capacity)
        };
        let (source, survey): (Box<dyn RowBlocks>, _) = match &reading.cache {
            None => {
                let path = || file.path().display().to_string();
                let rows = stored.rows()?;
                let (rows, survey) = rows.ok_or_else(|| CliError::ByGene { path: path() })?;
                (Box::new(rows), survey)
            }
            Some(folder) => {
                let mut copy = CompactWriter::create(folder, stored.n_genes())?;
                let survey = stored
                    .for_each_block(StoredCounts::TURNED, &mut |counts| copy.append(counts))?;
                (Box::new(copy.finish()?), survey)
            }
        };
        let source = Box::new(streamed(source, &survey));
        Ok((Self { source, is_streamed }, survey))
    }

    /// The chosen cells alone.
    pub(super) fn select(self, cells: &[usize]) -> Self {
        let chosen = cells.iter().map(|&cell| cell as u32).collect();
        Self { source: Box::new(SelectedCounts::new(self.source, chosen)), ..self }
    }

    /// Whether they stay in the file.
    pub fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    /// As the engine takes them.
    pub fn source(&self) -> &dyn CountSource {
        &*self.source
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.source.n_cells()
    }

    /// Number of genes.
    pub fn n_genes(&self) -> usize {
        self.source.n_genes()
    }

    /// The order of an epoch's cells.
    pub fn shuffling(&self, args: &ShuffleArgs) -> Shuffling {
        let blocks =
            Shuffling::Blocks { block_size: args.block_size, buffer_size: args.buffer_size };
        match args.shuffle {
            Shuffle::Cells => Shuffling::Cells,
            Shuffle::Blocks => blocks,
            Shuffle::Auto if self.is_streamed => blocks,
            Shuffle::Auto => Shuffling::Cells,
        }
    }
}

impl From<CsrMatrix> for Counts {
    fn from(counts: CsrMatrix) -> Self {
        Self { source: Box::new(counts), is_streamed: false }
    }
}
