//! AnnData with several matrices and raw, as an .h5ad file or a zarr store of version 2.

use std::fs;
use std::path::Path;

use hdf5_pure::{AttrValue, FileBuilder, GroupBuilder};
use scvi::data::CsrMatrix;
use serde_json::{Value, json};

use super::names;

/// A dense matrix with names for its columns.
#[derive(Clone)]
pub struct Matrix {
    pub genes: Vec<String>,
    /// `(cells, genes)`
    pub values: Vec<f32>,
}

impl Matrix {
    /// Counts of genes `gene_0` and so on.
    pub fn of(counts: &CsrMatrix) -> Self {
        let genes = names("gene", counts.n_genes());
        let mut values = vec![0.0; counts.n_cells() * genes.len()];
        for cell in 0..counts.n_cells() {
            let (columns, row) = counts.row(cell);
            for (&gene, &count) in columns.iter().zip(row) {
                values[cell * genes.len() + gene as usize] = count;
            }
        }
        Self { genes, values }
    }

    /// ln(1 + x) of every count.
    pub fn log1p(&self) -> Self {
        self.map(f32::ln_1p)
    }

    pub fn map(&self, f: impl Fn(f32) -> f32) -> Self {
        Self { genes: self.genes.clone(), values: self.values.iter().copied().map(f).collect() }
    }

    /// The genes of these numbers, in this order.
    pub fn with_genes(&self, order: &[usize]) -> Self {
        let rows = self.values.chunks_exact(self.genes.len());
        Self {
            genes: order.iter().map(|&gene| self.genes[gene].clone()).collect(),
            values: rows.flat_map(|row| order.iter().map(|&gene| row[gene])).collect(),
        }
    }

    fn shape(&self) -> [u64; 2] {
        let columns = self.genes.len() as u64;
        [self.values.len() as u64 / columns, columns]
    }
}

/// An AnnData: two batches that take turns, and matrices.
#[derive(Clone)]
pub struct Matrices {
    pub x: Matrix,
    pub layers: Vec<(&'static str, Matrix)>,
    pub raw: Option<Matrix>,
}

impl Matrices {
    /// Only X.
    pub fn new(x: Matrix) -> Self {
        Self { x, layers: Vec::new(), raw: None }
    }

    pub fn layer(mut self, name: &'static str, values: Matrix) -> Self {
        self.layers.push((name, values));
        self
    }

    pub fn raw(mut self, values: Matrix) -> Self {
        self.raw = Some(values);
        self
    }

    /// Writes what the ending says.
    pub fn write(&self, path: &Path) {
        match path.extension().is_some_and(|ending| ending == "zarr") {
            true => self.write_zarr(path),
            false => self.write_h5ad(path),
        }
    }

    fn cells(&self) -> Vec<String> {
        names("cell", self.x.shape()[0] as usize)
    }

    fn batches(&self) -> Vec<String> {
        (0..self.cells().len()).map(|cell| ["a", "b"][cell % 2].to_owned()).collect()
    }

    fn write_h5ad(&self, path: &Path) {
        let mut file = FileBuilder::new();
        encode(|key, value| file.set_attr(key, value), "anndata", "0.1.0");
        dense(|name| file.create_dataset(name), "X", &self.x);
        let mut obs = file.create_group("obs");
        frame(&mut obs, &self.cells(), &[("batch", self.batches())]);
        file.add_group(obs.finish());
        let mut var = file.create_group("var");
        frame(&mut var, &self.x.genes, &[]);
        file.add_group(var.finish());
        let mut layers = file.create_group("layers");
        encode(|key, value| layers.set_attr(key, value), "dict", "0.1.0");
        for (name, matrix) in &self.layers {
            dense(|name| layers.create_dataset(name), name, matrix);
        }
        file.add_group(layers.finish());
        if let Some(matrix) = &self.raw {
            let mut raw = file.create_group("raw");
            encode(|key, value| raw.set_attr(key, value), "raw", "0.1.0");
            dense(|name| raw.create_dataset(name), "X", matrix);
            let mut var = raw.create_group("var");
            frame(&mut var, &matrix.genes, &[]);
            raw.add_group(var.finish());
            file.add_group(raw.finish());
        }
        file.write(path).unwrap();
    }

    fn write_zarr(&self, path: &Path) {
        zarr_group(path, json!({"encoding-type": "anndata", "encoding-version": "0.1.0"}));
        zarr_dense(&path.join("X"), &self.x);
        zarr_frame(&path.join("obs"), &self.cells(), &[("batch", self.batches())]);
        zarr_frame(&path.join("var"), &self.x.genes, &[]);
        let dict = json!({"encoding-type": "dict", "encoding-version": "0.1.0"});
        zarr_group(&path.join("layers"), dict);
        for (name, matrix) in &self.layers {
            zarr_dense(&path.join("layers").join(name), matrix);
        }
        if let Some(matrix) = &self.raw {
            let raw = path.join("raw");
            zarr_group(&raw, json!({"encoding-type": "raw", "encoding-version": "0.1.0"}));
            zarr_dense(&raw.join("X"), matrix);
            zarr_frame(&raw.join("var"), &matrix.genes, &[]);
        }
    }
}

fn encode(mut set: impl FnMut(&str, AttrValue), kind: &str, version: &str) {
    set("encoding-type", AttrValue::VarLenString(kind.to_owned()));
    set("encoding-version", AttrValue::VarLenString(version.to_owned()));
}

fn dense<'a>(
    create: impl FnOnce(&str) -> &'a mut hdf5_pure::DatasetBuilder,
    name: &str,
    matrix: &Matrix,
) {
    let dataset = create(name).with_f32_data(&matrix.values).with_shape(&matrix.shape());
    encode(|key, value| _ = dataset.set_attr(key, value), "array", "0.2.0");
}

fn frame(group: &mut GroupBuilder, index: &[String], columns: &[(&str, Vec<String>)]) {
    encode(|key, value| group.set_attr(key, value), "dataframe", "0.2.0");
    group.set_attr("_index", AttrValue::VarLenString("_index".to_owned()));
    let order = columns.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
    if !order.is_empty() {
        group.set_attr("column-order", AttrValue::VarLenStringArray(order));
    }
    for (name, texts) in
        [("_index", index)].into_iter().chain(columns.iter().map(|(n, t)| (*n, &t[..])))
    {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let dataset = group.create_dataset(name).with_vlen_strings(&texts);
        encode(|key, value| _ = dataset.set_attr(key, value), "string-array", "0.2.0");
    }
}

fn zarr_node(folder: &Path, node: &str, meta: &Value, attrs: &Value) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(node), meta.to_string()).unwrap();
    fs::write(folder.join(".zattrs"), attrs.to_string()).unwrap();
}

fn zarr_group(folder: &Path, attrs: Value) {
    zarr_node(folder, ".zgroup", &json!({"zarr_format": 2}), &attrs);
}

/// An array of one chunk, uncompressed.
fn zarr_array(folder: &Path, dtype: &str, shape: &[u64], bytes: Vec<u8>, kind: &str) {
    let meta = json!({
        "zarr_format": 2, "shape": shape, "chunks": shape, "dtype": dtype, "compressor": null,
        "fill_value": null, "order": "C", "filters": null,
    });
    let attrs = json!({"encoding-type": kind, "encoding-version": "0.2.0"});
    zarr_node(folder, ".zarray", &meta, &attrs);
    fs::write(folder.join(vec!["0"; shape.len()].join(".")), bytes).unwrap();
}

fn zarr_dense(folder: &Path, matrix: &Matrix) {
    let bytes = matrix.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    zarr_array(folder, "<f4", &matrix.shape(), bytes, "array");
}

fn zarr_frame(folder: &Path, index: &[String], columns: &[(&str, Vec<String>)]) {
    let order: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    zarr_group(
        folder,
        json!({
            "encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index",
            "column-order": order,
        }),
    );
    const WIDTH: usize = 12;
    for (name, texts) in
        [("_index", index)].into_iter().chain(columns.iter().map(|(n, t)| (*n, &t[..])))
    {
        let padded = |text: &String| {
            let mut bytes = text.clone().into_bytes();
            bytes.resize(WIDTH, 0);
            bytes
        };
        let bytes = texts.iter().flat_map(padded).collect();
        zarr_array(
            &folder.join(name),
            &format!("|S{WIDTH}"),
            &[texts.len() as u64],
            bytes,
            "string-array",
        );
    }
}
