//! Samples in the forms in which laboratories have them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use hdf5_pure::FileBuilder;
use scvi::data::CsrMatrix;
use scvi_io::anndata::{AnnDataFile, Column, MatrixKey};
use scvi_io::h5ad::{NewAnnData, write_h5ad};
use scvi_io::inputs::{
    Input, InputError, JoinOptions, NamedSample, Sample, SampleOptions, write_joined,
};
use tempfile::TempDir;

/// Features: three genes, one of a name that occurs before, and an antibody between them.
pub const IDS: [&str; 4] = ["ENSG1", "ENSG2", "AB1", "ENSG3"];
pub const SYMBOLS: [&str; 4] = ["CD3E", "MT-CO1", "CD19_TotalSeq", "CD3E"];
pub const TYPES: [&str; 4] =
    ["Gene Expression", "Gene Expression", "Antibody Capture", "Gene Expression"];
pub const BARCODES: [&str; 3] = ["AAAC-1", "AAAG-1", "AAAT-1"];
/// Counts by cell: feature and value.
pub const CELLS: [&[(u32, i32)]; 3] = [&[(0, 5), (2, 100)], &[], &[(1, 2), (3, 7)]];

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        let bytes = match name.ends_with(".gz") {
            false => text.as_bytes().to_vec(),
            true => {
                let mut gz = GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gz.write_all(text.as_bytes()).unwrap();
                gz.finish().unwrap()
            }
        };
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The sample as a matrix folder, before Cell Ranger 3 or since.
    pub fn mtx(&self, name: &str, is_legacy: bool, end: &str) -> PathBuf {
        let (gz, features) = if is_legacy { ("", "genes") } else { (".gz", "features") };
        let lines = |lines: Vec<String>| lines.join(end) + end;
        let feature = |i: usize| match is_legacy {
            true => format!("{}\t{}", IDS[i], SYMBOLS[i]),
            false => format!("{}\t{}\t{}", IDS[i], SYMBOLS[i], TYPES[i]),
        };
        let genes = (0..4).map(feature).collect();
        self.write(&format!("{name}/{features}.tsv{gz}"), &lines(genes));
        let barcodes = BARCODES.map(str::to_owned).to_vec();
        self.write(&format!("{name}/barcodes.tsv{gz}"), &lines(barcodes));
        let header = "%%MatrixMarket matrix coordinate integer general".to_owned();
        let mut matrix = vec![header, "%metadata: {}".to_owned(), "4 3 4".to_owned()];
        for (cell, counts) in CELLS.iter().enumerate() {
            let entry = |(feature, n): &(u32, i32)| format!("{} {} {n}", feature + 1, cell + 1);
            matrix.extend(counts.iter().map(entry));
        }
        self.write(&format!("{name}/matrix.mtx{gz}"), &lines(matrix));
        self.path(name)
    }

    /// The sample as Cell Ranger's `.h5`; before version 3 with a group for the genome.
    pub fn tenx(&self, name: &str, genomes: &[&str]) -> PathBuf {
        let path = self.path(name);
        let mut file = FileBuilder::new();
        let groups = if genomes.is_empty() { &["matrix"][..] } else { genomes };
        for name in groups {
            let mut group = file.create_group(name);
            group.create_dataset("barcodes").with_vlen_strings(&BARCODES);
            let entries = || CELLS.iter().flat_map(|cell| cell.iter());
            let data: Vec<i32> = entries().map(|(_, n)| *n).collect();
            let indices: Vec<i64> = entries().map(|(feature, _)| i64::from(*feature)).collect();
            group.create_dataset("data").with_i32_data(&data);
            group.create_dataset("indices").with_i64_data(&indices);
            group.create_dataset("indptr").with_i64_data(&[0, 2, 2, 4]);
            group.create_dataset("shape").with_i32_data(&[4, 3]);
            if genomes.is_empty() {
                let mut features = group.create_group("features");
                features.create_dataset("id").with_vlen_strings(&IDS);
                features.create_dataset("name").with_vlen_strings(&SYMBOLS);
                features.create_dataset("feature_type").with_vlen_strings(&TYPES);
                features
                    .create_dataset("genome")
                    .with_vlen_strings(&["GRCh38", "mm10", "", "GRCh38"]);
                let features = features.finish();
                group.add_group(features);
            } else {
                group.create_dataset("genes").with_vlen_strings(&IDS);
                group.create_dataset("gene_names").with_vlen_strings(&SYMBOLS);
            }
            let group = group.finish();
            file.add_group(group);
        }
        file.write(&path).unwrap();
        path
    }

    pub fn h5ad(
        &self,
        name: &str,
        genes: &[&str],
        cells: &[&str],
        batch: Option<&[&str]>,
    ) -> PathBuf {
        let n = genes.len() as u64;
        // Cell c has c + g + 1 of gene g.
        let values =
            (0..cells.len()).flat_map(|c| (0..genes.len()).map(move |g| (c + g + 1) as f32));
        let indptr = (0..=cells.len() as u64).map(|c| c * n).collect();
        let indices = (0..cells.len()).flat_map(|_| 0..n as u32).collect();
        let counts = CsrMatrix::new(genes.len(), indptr, indices, values.collect()).unwrap();
        let names = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        let mut data = NewAnnData::new(&counts, names(cells), names(genes));
        if let Some(batch) = batch {
            let column = Column::Strings(batch.iter().map(|&b| Some(b.to_owned())).collect());
            data.obs.push(("batch".into(), column));
        }
        let path = self.path(name);
        write_h5ad(&path, &data, true).unwrap();
        path
    }
}

pub fn open(path: &Path, options: &SampleOptions) -> Result<Sample, InputError> {
    match Input::open(path, options)? {
        Input::Other(sample) => Ok(*sample),
        Input::AnnData(path) => Sample::of_anndata(AnnDataFile::open(path)?, MatrixKey::X),
    }
}

/// The sample alone as an AnnData.
pub fn written(path: &Path, options: &SampleOptions) -> Result<AnnDataFile, InputError> {
    let folder = Folder::new();
    let sample = open(path, options)?;
    let one = vec![NamedSample { name: "s".into(), sample, columns: Vec::new() }];
    let output = folder.path("out.h5ad");
    write_joined(one, &JoinOptions::default(), &output, false)?;
    Ok(AnnDataFile::open(&output).inspect(|file| drop(file.counts(&MatrixKey::X).unwrap()))?)
}
