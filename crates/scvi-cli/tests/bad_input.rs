//! Bad input: a clear message that names the place, exit code 1, nothing written, no panic.

mod common;

use common::{Folder, Ran, categorical, counts, names, write};
use scvi_io::anndata::Column;
use scvi_io::h5ad::{NewAnnData, write_h5ad};

/// Runs `scvi train` on `x.h5ad`.
fn train(folder: &Folder, more: &[&str]) -> Ran {
    let mut args = vec!["train", "x.h5ad", "--model", "m", "--n-hidden", "8"];
    for default in [["--output", "o.h5ad"], ["--max-epochs", "1"]] {
        if !more.contains(&default[0]) {
            args.extend(default);
        }
    }
    args.extend(more);
    folder.scvi(&args)
}

/// The run fails with the message and leaves the folder as it was.
#[track_caller]
fn refuses(folder: &Folder, more: &[&str], parts: &[&str]) {
    let before = folder.names();
    train(folder, more).fails_with(parts);
    assert_eq!(folder.names(), before, "something was written");
}

fn with_counts(cells: usize, genes: usize) -> Folder {
    let folder = Folder::new();
    write(&folder.path("x.h5ad"), &counts(cells, genes), vec![]);
    folder
}

#[test]
fn files_that_are_none() {
    let folder = Folder::new();
    refuses(&folder, &[], &["x.h5ad", "does not exist"]);
    std::fs::write(folder.path("x.h5ad"), "cell,gene,count\n").unwrap();
    refuses(&folder, &[], &["x.h5ad", "not an HDF5 file", "hint:"]);
    write(&folder.path("x.h5ad"), &counts(40, 30), vec![]);
    let whole = std::fs::read(folder.path("x.h5ad")).unwrap();
    for share in [1, 3, 9] {
        std::fs::write(folder.path("x.h5ad"), &whole[..whole.len() * share / 10]).unwrap();
        refuses(&folder, &[], &["x.h5ad"]);
    }
}

/// Overwrites the bytes of one stored count (uncompressed) with another value.
fn corrupt(folder: &Folder, value: f32) {
    let marked = scvi::data::CsrMatrix::new(
        3,
        vec![0, 1, 3, 5],
        vec![0, 0, 1, 0, 2],
        vec![1.0, 2.0, 12345.678, 1.0, 3.0],
    )
    .unwrap();
    let mut data = NewAnnData::new(&marked, names("cell", 3), names("gene", 3));
    data.gzip_level = 0;
    write_h5ad(folder.path("x.h5ad"), &data, true).unwrap();
    let mut bytes = std::fs::read(folder.path("x.h5ad")).unwrap();
    let mark = 12345.678f32.to_le_bytes();
    let at = bytes.windows(4).position(|w| w == mark).expect("stored as it is");
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    std::fs::write(folder.path("x.h5ad"), bytes).unwrap();
}

#[test]
fn counts_that_are_none() {
    let folder = Folder::new();
    for (value, shown) in [(-1.0, "-1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        corrupt(&folder, value);
        refuses(&folder, &[], &["X/data", shown, "cell_1", "gene_1", "hint:"]);
    }
    corrupt(&folder, 2.5);
    let ran = train(&folder, &[]);
    ran.ok();
    assert!(ran.stderr().contains("not whole numbers"), "{}", ran.stderr());
}

#[test]
fn keys_and_columns() {
    let folder = Folder::new();
    let codes: Vec<Option<u32>> = (0..12).map(|c| (c != 5 && c != 7).then_some(c % 2)).collect();
    let obs = vec![("donor".to_owned(), categorical(&codes, &["a", "b"]))];
    write(&folder.path("x.h5ad"), &counts(12, 9), obs);
    refuses(&folder, &["--batch-key", "batch"], &["'batch'", "there are: donor"]);
    let missing = ["missing values in column 'donor'", "2 of 12", "cell_5", "cell_7"];
    refuses(&folder, &["--batch-key", "donor"], &missing);
    refuses(&folder, &["--layer", "raw"], &["no raw/X", "it has: X"]);
}

#[test]
fn too_little_data() {
    for (cells, message) in [(1, "has 1 cells"), (0, "has 0 cells")] {
        let folder = with_counts(cells, 5);
        refuses(&folder, &[], &["x.h5ad", message, "at least 2"]);
    }
    let folder = with_counts(4, 0);
    refuses(&folder, &[], &["x.h5ad", "no genes"]);
    let folder = with_counts(4, 5);
    refuses(&folder, &["--train-size", "0.2"], &["1 of 4 cells"]);
}

#[test]
fn options_that_mean_nothing() {
    let folder = with_counts(12, 9);
    refuses(&folder, &["--gene-likelihood", "znib"], &["gene_likelihood", "zinb, nb, poisson"]);
    refuses(&folder, &["--dispersion", "genes"], &["dispersion", "gene, gene-batch"]);
    refuses(&folder, &["--use-batch-norm", "yes"], &["both, encoder, decoder, none"]);
    refuses(&folder, &["--n-latent", "0"], &["n_latent is 0"]);
    refuses(&folder, &["--dropout-rate", "1"], &["dropout_rate is 1"]);
    refuses(&folder, &["--lr", "nan"], &["lr is NaN"]);
    refuses(&folder, &["--batch-size", "1"], &["batch_size is 1"]);
    refuses(&folder, &["--max-epochs", "0"], &["max_epochs is 0"]);
    refuses(&folder, &["--train-size", "1.5"], &["train_size is 1.5"]);
    refuses(&folder, &["--n-epochs-kl-warmup", "soon"], &["n_epochs_kl_warmup", "or auto"]);
    refuses(&folder, &["--early-stopping", "--train-size", "1"], &["validation cells"]);
}

#[test]
fn outputs_that_cannot_be_written() {
    let folder = with_counts(12, 9);
    std::fs::write(folder.path("o.h5ad"), "mine").unwrap();
    refuses(&folder, &[], &["o.h5ad", "exists already", "--overwrite"]);
    assert_eq!(std::fs::read(folder.path("o.h5ad")).unwrap(), b"mine");
    std::fs::remove_file(folder.path("o.h5ad")).unwrap();
    refuses(&folder, &["--output", "none/o.h5ad"], &["none"]);
    std::fs::create_dir(folder.path("m")).unwrap();
    std::fs::write(folder.path("m").join("thesis.txt"), "mine").unwrap();
    // A folder that holds anything but a model is never replaced.
    refuses(&folder, &["--overwrite"], &["m"]);
    assert!(folder.path("m").join("thesis.txt").exists());
}

#[test]
fn models_and_data_that_do_not_fit() {
    let folder = Folder::new();
    let codes: Vec<Option<u32>> = (0..12).map(|c| Some(c % 2)).collect();
    let obs = |names: &[&str]| vec![("batch".to_owned(), categorical(&codes, names))];
    write(&folder.path("x.h5ad"), &counts(12, 9), obs(&["a", "b"]));
    train(&folder, &["--batch-key", "batch"]).ok();
    let latent = |input| folder.scvi(&["latent", "--model", "m", input, "--output", "l.npy"]);
    write(&folder.path("genes.h5ad"), &counts(12, 8), obs(&["a", "b"]));
    latent("genes.h5ad").fails_with(&["genes.h5ad has 8 genes", "trained on 9", "hint:"]);
    write(&folder.path("batch.h5ad"), &counts(12, 9), obs(&["a", "c"]));
    latent("batch.h5ad").fails_with(&[
        "'batch'",
        "does not know: 'c' (text)",
        "knows 'a', 'b' (text)",
    ]);
    write(&folder.path("column.h5ad"), &counts(12, 9), vec![]);
    latent("column.h5ad").fails_with(&["'batch'", "there are: none"]);
    let x = counts(12, 9);
    let mut data = NewAnnData::new(&x, names("cell", 12), names("gen", 9));
    data.obs = obs(&["a", "b"]);
    write_h5ad(folder.path("names.h5ad"), &data, false).unwrap();
    latent("names.h5ad").fails_with(&["gene 'gene_0'", "9 of 9"]);
    assert!(!folder.path("l.npy").exists());

    folder
        .scvi(&["latent", "--model", "x.h5ad", "x.h5ad", "--output", "l.npy"])
        .fails_with(&["x.h5ad"]);
    folder.scvi(&["inspect", "nothing"]).fails_with(&["nothing"]);
    for name in ["model.json", "model.safetensors"] {
        let path = folder.path("m").join(name);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        latent("x.h5ad").fails_with(&["m"]);
        std::fs::write(&path, whole).unwrap();
    }
    latent("x.h5ad").ok();
}

#[test]
fn numbers_that_no_model_takes() {
    let folder = Folder::new();
    for (value, option, expected) in [
        (f64::INFINITY, "--continuous-covariate-key", "finite and below 3.4e38 in size; it is inf"),
        (f64::NEG_INFINITY, "--continuous-covariate-key", "in size; it is -inf"),
        (1e39, "--size-factor-key", "finite and below 3.4e38 in size; it is 1.00000e39"),
        (0.0, "--size-factor-key", "above 0; it is 0"),
        (-1.5, "--size-factor-key", "above 0; it is -1.5"),
    ] {
        let score = (0..12).map(|cell| if cell % 5 == 3 { value } else { 1.0 }).collect();
        let obs = vec![("score".to_owned(), Column::Floats(score))];
        write(&folder.path("x.h5ad"), &counts(12, 9), obs);
        let place = " for cell cell_3 (2 of 12 cells are wrong)";
        let parts = ["x.h5ad", "column 'score' must be ", expected, place, "leave these cells out"];
        refuses(&folder, &[option, "score"], &parts);
    }
}
