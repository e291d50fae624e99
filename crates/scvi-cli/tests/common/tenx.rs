//! Counts in the layouts of Cell Ranger, as each of its generations writes them.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use hdf5_pure::{DatasetBuilder, FileBuilder, GroupBuilder};
use scvi::data::CsrMatrix;

/// Counts with the names of cells and genes.
pub struct Tenx<'a> {
    pub counts: &'a CsrMatrix,
    pub cells: &'a [String],
    pub genes: &'a [String],
}

/// Since Cell Ranger 3 a matrix may have features that are no genes: here an antibody stands behind
/// so many genes.
const ANTIBODY: usize = 3;

impl Tenx<'_> {
    /// Rows of the table of features: identifier, symbol, type.
    fn features(&self, is_legacy: bool) -> Vec<[String; 3]> {
        let gene = |(k, name): (usize, &String)| {
            [format!("ENSG{k:05}"), name.clone(), "Gene Expression".to_owned()]
        };
        let mut features: Vec<_> = self.genes.iter().enumerate().map(gene).collect();
        if !is_legacy {
            let antibody = ["AB1", "CD3_TotalSeq", "Antibody Capture"].map(str::to_owned);
            features.insert(ANTIBODY, antibody);
        }
        features
    }

    /// Features and values of a cell.
    fn entries(&self, cell: usize, is_legacy: bool) -> Vec<(usize, i32)> {
        let (genes, values) = self.counts.row(cell);
        let feature = |gene: usize| gene + usize::from(!is_legacy && gene >= ANTIBODY);
        let mut entries: Vec<(usize, i32)> =
            genes.iter().zip(values).map(|(&g, &v)| (feature(g as usize), v as i32)).collect();
        if !is_legacy {
            entries.push((ANTIBODY, 100 + cell as i32));
        }
        // Cell Ranger does not sort the features of a cell.
        entries.reverse();
        entries
    }

    /// A matrix folder of Cell Ranger 2 (`genes.tsv`) or later (`features.tsv`).
    pub fn write_mtx(&self, folder: &Path, is_legacy: bool, is_packed: bool) {
        fs::create_dir_all(folder).unwrap();
        let write = |name: &str, lines: Vec<String>| {
            let text = lines.join("\n") + "\n";
            let mut bytes = text.into_bytes();
            let mut name = name.to_owned();
            if is_packed {
                let mut gz = GzEncoder::new(Vec::new(), Compression::default());
                gz.write_all(&bytes).unwrap();
                (bytes, name) = (gz.finish().unwrap(), name + ".gz");
            }
            fs::write(folder.join(name), bytes).unwrap();
        };
        let features = self.features(is_legacy);
        let n_columns = if is_legacy { 2 } else { 3 };
        let table = if is_legacy { "genes.tsv" } else { "features.tsv" };
        write(table, features.iter().map(|row| row[..n_columns].join("\t")).collect());
        write("barcodes.tsv", self.cells.to_vec());
        let mut values = Vec::new();
        for cell in 0..self.cells.len() {
            let of = self.entries(cell, is_legacy).into_iter();
            values.extend(of.map(|(feature, n)| format!("{} {} {n}", feature + 1, cell + 1)));
        }
        let header = "%%MatrixMarket matrix coordinate integer general\n%metadata_json: {}";
        let shape = format!("{} {} {}", features.len(), self.cells.len(), values.len());
        let lines = [header.to_owned(), shape].into_iter().chain(values).collect();
        write("matrix.mtx", lines);
    }

    /// The `.h5` of Cell Ranger 2, a group for the genome, or later.
    pub fn write_h5(&self, path: &Path, is_legacy: bool, is_packed: bool) {
        let pack = |dataset: &mut DatasetBuilder| {
            if is_packed {
                dataset.with_chunks(&[256]).with_shuffle().with_deflate(4);
            }
        };
        let (mut data, mut indices, mut indptr) = (Vec::new(), Vec::new(), vec![0_i64]);
        for cell in 0..self.cells.len() {
            for (feature, n) in self.entries(cell, is_legacy) {
                data.push(n);
                indices.push(feature as i64);
            }
            indptr.push(data.len() as i64);
        }
        let features = self.features(is_legacy);
        let mut file = FileBuilder::new();
        let mut group = file.create_group(if is_legacy { "GRCh38" } else { "matrix" });
        let strings = |group: &mut GroupBuilder, name: &str, of: &[String]| {
            let of: Vec<&str> = of.iter().map(String::as_str).collect();
            group.create_dataset(name).with_vlen_strings(&of);
        };
        strings(&mut group, "barcodes", self.cells);
        pack(group.create_dataset("data").with_i32_data(&data));
        pack(group.create_dataset("indices").with_i64_data(&indices));
        pack(group.create_dataset("indptr").with_i64_data(&indptr));
        let shape = [features.len() as i32, self.cells.len() as i32];
        group.create_dataset("shape").with_i32_data(&shape);
        let column = |k: usize| features.iter().map(|row| row[k].clone()).collect::<Vec<_>>();
        if is_legacy {
            strings(&mut group, "genes", &column(0));
            strings(&mut group, "gene_names", &column(1));
        } else {
            let mut of = group.create_group("features");
            for (k, name) in ["id", "name", "feature_type"].into_iter().enumerate() {
                strings(&mut of, name, &column(k));
            }
            strings(&mut of, "genome", &vec!["GRCh38".to_owned(); features.len()]);
            let of = of.finish();
            group.add_group(of);
        }
        let group = group.finish();
        file.add_group(group);
        file.write(path).unwrap();
    }
}
