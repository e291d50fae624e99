//! What a laboratory has, as input: 10x matrices, several samples, lists of them.

mod common;

use std::fs;
use std::path::Path;

use common::Folder;
use scvi::data::CsrMatrix;
use scvi_io::anndata::{AnnDataFile, Column, MatrixKey};
use scvi_io::h5ad::{NewAnnData, write_h5ad};
use scvi_io::load_model;

const GENES: usize = 30;
const SMALL: &str = "--n-hidden 8 --n-latent 2 --max-epochs 2 --quiet --overwrite";

/// Counts of a sample that no other has.
fn counts(sample: usize, n_cells: usize) -> CsrMatrix {
    let value = |cell: usize, gene: usize| ((cell * 7 + gene * 5 + sample * 3) % 11) as f32;
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for cell in 0..n_cells {
        for gene in 0..GENES {
            let value = value(cell, gene);
            if value > 6.0 {
                indices.push(gene as u32);
                values.push(value);
            }
        }
        indptr.push(values.len() as u64);
    }
    CsrMatrix::new(GENES, indptr, indices, values).unwrap()
}

fn names(of: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{of}{i:02}")).collect()
}

fn write(path: &Path, counts: &CsrMatrix, cells: Vec<String>, batch: Option<&[&str]>) {
    let mut data = NewAnnData::new(counts, cells, names("gene", GENES));
    if let Some(batch) = batch {
        let column = Column::Strings(batch.iter().map(|&b| Some(b.to_owned())).collect());
        data.obs.push(("sample".into(), column));
    }
    write_h5ad(path, &data, true).unwrap();
}

/// A matrix folder as Cell Ranger writes it since version 3, not compressed.
fn write_mtx(folder: &Path, counts: &CsrMatrix, cells: &[String]) {
    fs::create_dir_all(folder).unwrap();
    let lines = |lines: Vec<String>| lines.join("\n") + "\n";
    let gene = |g: usize| format!("ENSG{g}\tgene{g:02}\tGene Expression");
    fs::write(folder.join("features.tsv"), lines((0..GENES).map(gene).collect())).unwrap();
    fs::write(folder.join("barcodes.tsv"), lines(cells.to_vec())).unwrap();
    let mut matrix = vec!["%%MatrixMarket matrix coordinate integer general".to_owned()];
    matrix.push(format!("{GENES} {} {}", cells.len(), counts.nnz()));
    for cell in 0..counts.n_cells() {
        let (genes, values) = counts.row(cell);
        matrix.extend(genes.iter().zip(values).map(|(g, v)| format!("{} {} {v}", g + 1, cell + 1)));
    }
    fs::write(folder.join("matrix.mtx"), lines(matrix)).unwrap();
}

/// Samples `a.h5ad` and `b/` (a matrix folder), and `all.h5ad` with both.
fn samples() -> Folder {
    let folder = Folder::new();
    let (a, b) = (counts(0, 40), counts(1, 30));
    let (in_a, in_b) = (names("cell", 40), names("cell", 30));
    write(&folder.path("a.h5ad"), &a, in_a.clone(), None);
    write_mtx(&folder.path("b"), &b, &in_b);
    let mut both = a.clone();
    both.append(&b);
    let suffixed = |names: &[String], s: &str| {
        names.iter().map(|name| format!("{name}-{s}")).collect::<Vec<_>>()
    };
    let cells = [suffixed(&in_a, "a"), suffixed(&in_b, "b")].concat();
    let batch = [vec!["a"; 40], vec!["b"; 30]].concat();
    write(&folder.path("all.h5ad"), &both, cells, Some(&batch));
    folder
}

fn run(folder: &Folder, words: &str) -> String {
    folder.scvi(&words.split(' ').collect::<Vec<_>>()).ok()
}

fn failed(folder: &Folder, words: &str) -> String {
    let ran = folder.scvi(&words.split(' ').collect::<Vec<_>>());
    assert_eq!(ran.code(), 1, "{words}: {}", ran.stderr());
    ran.stderr()
}

fn weights(folder: &Folder, model: &str) -> Vec<u8> {
    fs::read(folder.path(model).join("model.safetensors")).unwrap()
}

#[test]
fn several_samples_train_as_the_one_file_that_holds_them() {
    let folder = samples();
    run(
        &folder,
        &format!("train all.h5ad --batch-key sample --model one --output one.h5ad {SMALL}"),
    );
    run(&folder, &format!("train a.h5ad b --model two --output two.h5ad {SMALL}"));
    assert_eq!(weights(&folder, "one"), weights(&folder, "two"));
    let [one, two] = ["one", "two"].map(|name| {
        let history = fs::read(folder.path(name).join("history.csv")).unwrap();
        let file = AnnDataFile::open(folder.path(&format!("{name}.h5ad"))).unwrap();
        let batch = file.obs_column("sample").unwrap().to_categorical();
        let counts = file.counts(&MatrixKey::X).unwrap();
        assert_eq!(file.obsm_keys(), ["X_scVI"]);
        (history, file.obs_names().to_vec(), batch.codes, counts)
    });
    assert_eq!(one, two);
    // From the file, not from memory.
    let streamed = "--in-memory never --shuffle cells";
    run(&folder, &format!("train a.h5ad b --model three {streamed} {SMALL}"));
    assert_eq!(weights(&folder, "one"), weights(&folder, "three"));
    // A list of samples, with other names and a column of its own.
    fs::write(folder.path("samples.csv"), "path,name,donor\na.h5ad,a,d1\nb,b,d2\n").unwrap();
    let sheet = "@samples.csv --categorical-covariate-key donor";
    run(&folder, &format!("train {sheet} --model four {SMALL}"));
    let registry = load_model(folder.path("four")).unwrap().1.registry;
    assert_eq!(registry.batch.unwrap().categories, ["a", "b"]);
    assert_eq!(registry.categorical_covariates[0].categories, ["d1", "d2"]);
    assert!(
        fs::read_dir(folder.path("."))
            .unwrap()
            .flatten()
            .all(|entry| { !entry.file_name().to_string_lossy().starts_with(".scvi-inputs") })
    );
}

#[test]
fn a_file_without_the_batch_column_is_one_batch() {
    let folder = samples();
    run(&folder, &format!("train all.h5ad --batch-key sample --model m {SMALL}"));
    run(&folder, "latent --model m all.h5ad --output all.csv");
    let all = fs::read_to_string(folder.path("all.csv")).unwrap();
    let of_b: Vec<&str> = all.lines().filter(|line| line.contains("-b,")).collect();
    run(&folder, "latent --model m b --batch-name b --output b.csv");
    let b = fs::read_to_string(folder.path("b.csv")).unwrap();
    let (numbers, want): (Vec<_>, Vec<_>) = (
        b.lines().skip(1).map(|line| line.split_once(',').unwrap().1).collect(),
        of_b.iter().map(|line| line.split_once(',').unwrap().1).collect(),
    );
    assert_eq!(numbers, want);
    run(&folder, "latent --model m a.h5ad --batch-name a --output a.csv");
    run(&folder, "latent --model m a.h5ad b --output both.csv");
    assert_eq!(fs::read_to_string(folder.path("both.csv")).unwrap(), all);
    for (words, part) in [
        ("latent --model m a.h5ad --output x.csv", "sample"),
        ("latent --model m a.h5ad --batch-name z --output x.csv", "'z'"),
        ("latent --model m all.h5ad --batch-name a --output x.csv", "for files without one"),
        ("latent --model m a.h5ad b --batch-name a --output x.csv", "1 batch names for 2 inputs"),
        ("latent --model m a.h5ad a.h5ad --output x.csv", "both named 'a'"),
    ] {
        let told = failed(&folder, words);
        assert!(told.contains(part), "{words}: {told}");
        assert!(!told.contains(".scvi-inputs"), "{told}");
    }
    // A new sample is mapped as a batch of its own.
    run(&folder, "map --reference m b --batch-name new --model mapped --max-epochs 1 --quiet");
    let registry = load_model(folder.path("mapped")).unwrap().1.registry;
    assert_eq!(registry.batch.unwrap().categories, ["a", "b", "new"]);
}

#[test]
fn a_model_of_some_genes_finds_them_in_a_file_of_all() {
    let folder = samples();
    let all = counts(0, 40);
    let places: Vec<Option<u32>> =
        (0..GENES as u32).map(|g| (g % 2 == 0).then_some(g / 2)).collect();
    let half = all.clone().place_genes(&places, GENES / 2);
    let genes: Vec<String> = names("gene", GENES).into_iter().step_by(2).collect();
    let data = NewAnnData::new(&half, names("cell", 40), genes);
    write_h5ad(folder.path("half.h5ad"), &data, false).unwrap();
    run(&folder, &format!("train half.h5ad --model m {SMALL}"));
    run(&folder, "latent --model m half.h5ad --output half.csv");
    run(&folder, "latent --model m a.h5ad --output a.csv");
    let read = |name: &str| fs::read_to_string(folder.path(name)).unwrap();
    assert_eq!(read("half.csv"), read("a.csv"));
    let told = failed(&folder, "normalize --model m a.h5ad --output n.h5ad");
    assert!(told.contains("30 genes of var") && told.contains("--output n.npy"), "{told}");
}

#[test]
fn chosen_genes_are_those_of_the_table() {
    let folder = Folder::new();
    run(&folder, "simulate --output sim.h5ad --n-cells 200 --n-genes 120 --density 0.3 --quiet");
    run(&folder, "genes sim.h5ad --n-top-genes 40 --batch-key batch --output genes.csv");
    let table = fs::read_to_string(folder.path("genes.csv")).unwrap();
    let columns = "gene,means,variances,variances_norm,highly_variable_rank,\
                   highly_variable_nbatches,highly_variable";
    assert_eq!(table.lines().next(), Some(columns));
    let chosen: Vec<String> = table
        .lines()
        .filter(|line| line.ends_with(",True"))
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect();
    assert_eq!((chosen.len(), table.lines().count()), (40, 121));
    let words = "train sim.h5ad --batch-key batch --n-top-genes 40 --model m --output out.h5ad";
    run(&folder, &format!("{words} {SMALL}"));
    assert_eq!(load_model(folder.path("m")).unwrap().1.var_names, chosen);
    // The copy keeps all genes, and tasks find those of the model in it.
    assert_eq!(AnnDataFile::open(folder.path("out.h5ad")).unwrap().n_vars(), 120);
    run(&folder, "latent --model m out.h5ad --output latent.csv");
    // Where counts lie does not show.
    run(&folder, "genes sim.h5ad --n-top-genes 40 --batch-key batch --output -");
    let streamed = words.replace("--model m", "--model n --in-memory never --shuffle cells");
    run(&folder, &format!("{streamed} {SMALL}"));
    assert_eq!(weights(&folder, "m"), weights(&folder, "n"));
}
