//! Cells that filters leave out: of training, of tasks, of what is written.

mod common;

use std::fs;

use common::{Folder, names};
use scvi::data::CsrMatrix;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi_io::anndata::{AnnDataFile, Column, MatrixKey, write_subset};
use scvi_io::h5ad::{NewAnnData, write_h5ad};
use scvi_io::load_model;
use serde_json::{Value, json};

const CELLS: usize = 60;
const GENES: usize = 40;
/// Cells by the first filter that they fail.
const FEW_GENES: [usize; 3] = [0, 17, 59];
const FEW_COUNTS: [usize; 2] = [3, 30];
const MITO: [usize; 2] = [8, 31];
const EMPTY: usize = 40;
const FILTERS: &str = "--min-genes 4 --min-counts 20 --max-pct-mito 50";

fn kept() -> Vec<usize> {
    let dropped = [&FEW_GENES[..], &FEW_COUNTS, &MITO, &[EMPTY]].concat();
    (0..CELLS).filter(|cell| !dropped.contains(cell)).collect()
}

/// Cells with 5 genes or more and 20 counts or more, but for those that are to fail a filter.
fn counts() -> CsrMatrix {
    let config =
        SimulateConfig { n_cells: CELLS, n_genes: GENES, density: 0.5, ..Default::default() };
    let simulated = simulate(&config).counts;
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for cell in 0..CELLS {
        let mut row = [0.0; GENES];
        let (genes, of_genes) = simulated.row(cell);
        genes.iter().zip(of_genes).for_each(|(&gene, &value)| row[gene as usize] = value);
        // The first two genes are mitochondrial.
        row[..2].fill(1.0);
        (2..10).for_each(|gene| row[gene] += 4.0);
        match cell {
            _ if FEW_GENES.contains(&cell) => row[3..].fill(0.0),
            _ if FEW_COUNTS.contains(&cell) => row.fill(0.2),
            _ if MITO.contains(&cell) => row[1] = 10_000.0,
            EMPTY => row.fill(0.0),
            _ => {}
        }
        if FEW_GENES.contains(&cell) {
            row[2] = 100.0;
        }
        for (gene, &value) in row.iter().enumerate().filter(|(_, value)| **value > 0.0) {
            indices.push(gene as u32);
            values.push(value.ceil());
        }
        if FEW_COUNTS.contains(&cell) {
            let n = indices.len() - GENES;
            indices.truncate(n + 6);
            values.truncate(n + 6);
        }
        indptr.push(values.len() as u64);
    }
    CsrMatrix::new(GENES, indptr, indices, values).unwrap()
}

/// A folder with `all.h5ad` and `some.h5ad`, which has the cells that no filter leaves out.
fn folder() -> Folder {
    let folder = Folder::new();
    let counts = counts();
    let mut genes = names("gene", GENES);
    (genes[0], genes[1]) = ("MT-CO1".into(), "MT-ND1".into());
    let mut data = NewAnnData::new(&counts, names("cell", CELLS), genes);
    let batch = (0..CELLS).map(|cell| Some(format!("b{}", cell % 2))).collect();
    data.obs.push(("batch".into(), Column::Strings(batch)));
    data.layers.push(("twice".into(), (&counts).into()));
    data.obsm.push(("pca".into(), (0..2 * CELLS).map(|i| i as f32).collect(), 2));
    write_h5ad(folder.path("all.h5ad"), &data, false).unwrap();
    write_subset(folder.path("all.h5ad"), folder.path("some.h5ad"), &kept(), false).unwrap();
    folder
}

fn run(folder: &Folder, words: &str) -> common::Ran {
    folder.scvi(&words.split_whitespace().collect::<Vec<_>>())
}

fn train(folder: &Folder, words: &str) -> Value {
    let small = "--batch-key batch --n-hidden 4 --n-latent 2 --max-epochs 2 --quiet --json";
    run(folder, &format!("train {words} {small}")).json()
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path(name)).unwrap()
}

fn weights(folder: &Folder, model: &str) -> Vec<u8> {
    fs::read(folder.path(model).join("model.safetensors")).unwrap()
}

#[test]
fn filtered_cells_train_as_a_file_without_them() {
    let folder = folder();
    train(&folder, "some.h5ad --model some --output some_out.h5ad");
    let filters = format!("{FILTERS} --drop-empty-cells");
    for (model, more) in [("all", ""), ("streamed", "--in-memory never --shuffle cells")] {
        let told = train(
            &folder,
            &format!("all.h5ad --model {model} --output {model}_out.h5ad {filters} {more}"),
        );
        // The cell without counts fails the first filter.
        let want = json!({"min_genes": 4, "min_counts": 2, "max_pct_mito": 2});
        assert_eq!(told["dropped_cells"], want);
        assert_eq!(told["cells"], kept().len());
        assert_eq!(weights(&folder, model), weights(&folder, "some"), "{model}");
        assert_eq!(
            read(&folder, &format!("{model}/history.csv")),
            read(&folder, "some/history.csv")
        );
        let input = load_model(folder.path(model)).unwrap().1.input.unwrap();
        let filters: Vec<_> = input
            .dropped_cells
            .iter()
            .map(|d| (d.filter.as_str(), d.threshold, d.n_cells))
            .collect();
        let want = [
            ("min_genes", Some(4.0), 4),
            ("min_counts", Some(20.0), 2),
            ("max_pct_mito", Some(50.0), 2),
        ];
        assert_eq!(filters, want);
        let shown = run(&folder, &format!("inspect {model} --json")).json();
        assert_eq!(shown["dropped_cells"], told["dropped_cells"]);
        // The output has the cells in use, with everything that the file holds of them.
        let [some, all] = ["some", model].map(|name| {
            let file = AnnDataFile::open(folder.path(&format!("{name}_out.h5ad"))).unwrap();
            let layer = file.counts(&MatrixKey::Layer("twice".into())).unwrap();
            let keys = (file.obsm_keys().to_vec(), file.obs_column("batch").unwrap());
            (file.obs_names().to_vec(), file.counts(&MatrixKey::X).unwrap(), layer, keys)
        });
        assert_eq!(all, some);
    }
    assert!(!folder.names().iter().any(|name| name.starts_with(".scvi")), "{:?}", folder.names());
}

#[test]
fn filters_of_tasks_leave_cells_out_of_what_they_write() {
    let folder = folder();
    train(&folder, "some.h5ad --model m");
    for verb in ["latent", "normalize --posterior-mean"] {
        for ending in ["csv", "tsv", "npy"] {
            let output = |input: &str, more: &str| {
                let name = format!("{input}.{ending}");
                let words =
                    format!("{verb} --model m {input}.h5ad --output {name} --overwrite {more}");
                let told = run(&folder, &format!("{words} --json --quiet")).json();
                (told["dropped_cells"].clone(), fs::read(folder.path(&name)).unwrap())
            };
            let (dropped, all) = output("all", FILTERS);
            assert_eq!(dropped["min_genes"], 4);
            let (none, some) = output("some", "");
            assert!(all == some && none.is_null(), "{verb} {ending}");
            let (_, whole) = output("all", &format!("{FILTERS} --keep-dropped-cells"));
            assert!(whole.len() > all.len());
            if ending == "csv" {
                let whole = String::from_utf8(whole).unwrap();
                let nan = whole.lines().filter(|line| line.ends_with("NaN")).count();
                assert_eq!((whole.lines().count(), nan), (CELLS + 1, CELLS - kept().len()));
            }
        }
    }
    let words = "evaluate --model m all.h5ad --posterior-mean --quiet --json --per-cell e.csv";
    run(&folder, &format!("{words} {FILTERS}")).json();
    assert_eq!(read(&folder, "e.csv").lines().count(), kept().len() + 1);
    run(&folder, &format!("parameters --model m all.h5ad --output p.h5ad {FILTERS}")).ok();
    assert_eq!(AnnDataFile::open(folder.path("p.h5ad")).unwrap().n_obs(), kept().len());
    let map = "map --reference m all.h5ad --model q --output q.h5ad --max-epochs 1 --quiet --json";
    assert_eq!(run(&folder, &format!("{map} {FILTERS}")).json()["cells"], kept().len());
    assert_eq!(AnnDataFile::open(folder.path("q.h5ad")).unwrap().n_obs(), kept().len());
}

#[test]
fn genes_are_chosen_by_the_cells_in_use() {
    let folder = folder();
    let genes = "genes --n-top-genes 12 --min-cells 2 --batch-key batch --output -";
    let some = run(&folder, &format!("{genes} some.h5ad")).ok();
    let all = run(&folder, &format!("{genes} all.h5ad {FILTERS}"));
    assert!(all.stderr().contains("left out 8 of 60 cells"), "{}", all.stderr());
    assert_eq!(all.ok(), some);
    let chosen = "--n-top-genes 12 --min-cells 2 --drop-empty-cells";
    train(&folder, &format!("some.h5ad --model some {chosen}"));
    train(&folder, &format!("all.h5ad --model all {chosen} {FILTERS}"));
    assert_eq!(weights(&folder, "all"), weights(&folder, "some"));
}

#[test]
fn nothing_is_dropped_unasked_and_what_cannot_be_is_told() {
    let folder = folder();
    let model = "--model m --max-epochs 1 --n-hidden 4";
    let told = train(&folder, "some.h5ad --model plain");
    assert!(told.get("dropped_cells").is_none(), "{told}");
    let input = load_model(folder.path("plain")).unwrap().1.input.unwrap();
    assert!(input.dropped_cells.is_empty());
    // A filter that no cell fails is told, and copies are as they were.
    let told = train(&folder, "some.h5ad --model same --min-genes 1 --output same.h5ad");
    assert_eq!(told["dropped_cells"], json!({"min_genes": 0}));
    assert_eq!(weights(&folder, "same"), weights(&folder, "plain"));
    for (words, parts) in [
        ("--min-genes 41", &["no cell is left", "by --min-genes 41"][..]),
        ("--min-counts 0", &["min-counts is 0", "above 0"]),
        ("--max-pct-mito 101", &["max-pct-mito is 101"]),
        ("--max-pct-mito 5 --mito-prefix mito", &["begins with mito", "'MT-CO1'", "--mito-prefix"]),
        ("--max-pct-mito 50", &["1 of 60 cells", "cell_40", "--drop-empty-cells"]),
    ] {
        run(&folder, &format!("train all.h5ad {model} {words}")).fails_with(parts);
    }
    run(&folder, "minify --model plain some.h5ad --output mini.h5ad").ok();
    run(&folder, "latent --model plain mini.h5ad --output x.csv --min-genes 3")
        .fails_with(&["mini.h5ad is minified", "filtering cells"]);
    for words in ["--mito-prefix MT-", "--min-genes 0"] {
        assert_eq!(run(&folder, &format!("train all.h5ad {model} {words}")).code(), 2, "{words}");
    }
}
