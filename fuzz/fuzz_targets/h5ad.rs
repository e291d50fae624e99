//! No `.h5ad` makes the reader, or the copy with an array added, panic, hang, or take memory that
//! the file does not justify; and what is read is valid.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scvi_fuzz::Folder;
use scvi_io::anndata::{AnnDataFile, Slot};
use scvi_io::h5ad::{NewArray, write_with_arrays};

fuzz_target!(|data: &[u8]| {
    let folder = Folder::create();
    let path = folder.write("in.h5ad", data);
    let Ok(file) = AnnDataFile::open(&path) else { return };
    for key in file.matrices() {
        let _ = file.stored_counts(&key).and_then(|stored| stored.summary());
        let Ok(counts) = file.counts(&key) else { continue };
        let n_vars = file.genes_of(&key).unwrap().len();
        assert_eq!((counts.n_cells(), counts.n_genes()), (file.n_obs(), n_vars));
        for cell in 0..counts.n_cells() {
            let (genes, values) = counts.row(cell);
            assert!(genes.is_sorted_by(|a, b| a < b));
            assert!(genes.iter().all(|&gene| (gene as usize) < counts.n_genes()));
            assert!(values.iter().all(|v| v.is_finite() && *v >= 0.0));
        }
    }
    for key in file.obs_columns() {
        let Ok(column) = file.obs_column(key) else { continue };
        assert_eq!(column.len(), file.n_obs());
        let categorical = column.to_categorical();
        let n = categorical.categories.len();
        assert!(categorical.codes.iter().flatten().all(|&code| (code as usize) < n));
    }
    let values = vec![1.0; file.n_obs()];
    let array = NewArray { slot: Slot::Obsm, key: "X_scVI", values: &values, columns: 1 };
    let _ = write_with_arrays(&path, folder.path().join("out.h5ad"), &[array], true);
});
