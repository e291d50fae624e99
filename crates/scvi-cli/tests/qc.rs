//! `scvi qc`: numbers of quality control under scanpy's names.

mod common;

use std::path::Path;
use std::process::Command;

use common::matrices::{Matrices, Matrix};
use common::{Folder, counts, names};
use scvi_io::h5ad::{NewAnnData, write_h5ad};

fn run(folder: &Folder, words: &str) -> common::Ran {
    folder.scvi(&words.split_whitespace().collect::<Vec<_>>())
}

/// Writes counts whose first three genes are called mitochondrial.
fn write(folder: &Folder, name: &str, counts: &scvi::data::CsrMatrix) {
    let mut genes = names("gene", counts.n_genes());
    (0..3).for_each(|g| genes[g] = format!("mt-{g}"));
    let cells = names("cell", counts.n_cells());
    write_h5ad(folder.path(name), &NewAnnData::new(counts, cells, genes), true).unwrap();
}

#[test]
fn numbers_of_a_small_file() {
    let folder = Folder::new();
    // Cell c has 1 + (c + g) % 3 of every third gene, from c % 3 on; the last one is empty.
    let mut all = counts(3, 6);
    all.append(&scvi::data::CsrMatrix::new(6, vec![0, 0], vec![], vec![]).unwrap());
    write(&folder, "data.h5ad", &all);
    let csv = run(&folder, "qc data.h5ad --output -").ok();
    let mut lines = csv.lines();
    let columns = "cell,n_genes_by_counts,log1p_n_genes_by_counts,total_counts,log1p_total_counts,\
                   total_counts_mt,log1p_total_counts_mt,pct_counts_mt";
    assert_eq!(lines.next(), Some(columns));
    let totals = [(2, 2.0, 1.0), (2, 6.0, 3.0), (2, 4.0, 2.0), (0, 0.0, 0.0)];
    for (cell, (n_genes, total, mt)) in totals.into_iter().enumerate() {
        let fields: Vec<&str> = lines.next().unwrap().split(',').collect();
        assert_eq!(fields[..2], [format!("cell_{cell}"), n_genes.to_string()]);
        let numbers = [f64::from(n_genes).ln_1p(), total, total.ln_1p(), mt, mt.ln_1p()];
        for (field, want) in fields[2..7].iter().zip(numbers) {
            let found: f64 = field.parse().unwrap();
            assert!((found - want).abs() < 1e-12 && !field.starts_with('-'), "{fields:?}");
        }
        // Of no counts there is no percentage.
        assert_eq!(fields[7], if total > 0.0 { "50.0" } else { "" });
    }
    let told = run(&folder, "qc data.h5ad --output qc.tsv --json").json();
    assert_eq!((&told["cells"], &told["median_counts"]), (&4.into(), &3.0.into()));
    let tsv = std::fs::read_to_string(folder.path("qc.tsv")).unwrap();
    assert_eq!(tsv.replace('\t', ","), csv);
    let by_prefix = run(&folder, "qc data.h5ad --mito-prefix gene_3 --output -").ok();
    let fields: Vec<&str> = by_prefix.lines().nth(1).unwrap().split(',').collect();
    assert_eq!((fields[3], fields[5], fields[7]), ("2.0", "1.0", "50.0"));
}

#[test]
fn the_columns_are_those_of_scanpy() {
    let folder = Folder::new();
    let simulate = "simulate --n-cells 300 --n-genes 600 --density 0.3 --output sim.h5ad --quiet";
    run(&folder, simulate).ok();
    let csv = run(&folder, "qc sim.h5ad --output sim.csv --mito-prefix gene_1 --json").json();
    assert!(csv["mitochondrial_genes"].as_u64() > Some(100), "{csv}");
    let text = std::fs::read_to_string(folder.path("sim.csv")).unwrap();
    for n in [50, 100, 200, 500] {
        assert!(text.lines().next().unwrap().contains(&format!("pct_counts_in_top_{n}_genes")));
    }
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!("skipped: what scanpy says (set SCVI_REFERENCE_PYTHON)");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_qc.py");
    let files = ["sim.h5ad", "sim.csv"].map(|name| folder.path(name));
    let output = Command::new(python).arg(script).args(files).arg("gene_1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn several_inputs_stand_one_below_the_other() {
    let folder = Folder::new();
    write(&folder, "a.h5ad", &counts(3, 6));
    write(&folder, "b.h5ad", &counts(2, 6));
    let csv = run(&folder, "qc a.h5ad b.h5ad --output -").ok();
    let cells: Vec<(&str, &str)> = csv
        .lines()
        .map(|line| {
            let mut fields = line.split(',');
            (fields.next().unwrap(), fields.next().unwrap())
        })
        .collect();
    let want = [
        ("cell", "sample"),
        ("cell_0-a", "a"),
        ("cell_1-a", "a"),
        ("cell_2-a", "a"),
        ("cell_0-b", "b"),
        ("cell_1-b", "b"),
    ];
    assert_eq!(cells, want);
    let of_a = run(&folder, "qc a.h5ad --output -").ok();
    let numbers = |text: &str, skipped: usize| -> Vec<String> {
        let of = |line: &str| line.splitn(skipped + 1, ',').nth(skipped).unwrap().to_owned();
        text.lines().take(4).map(of).collect()
    };
    assert_eq!(numbers(&csv, 2), numbers(&of_a, 1));
}

#[test]
fn what_holds_no_counts_is_refused_and_missing_mitochondria_are_told() {
    let folder = Folder::new();
    let counts = Matrix::of(&counts(6, 4));
    let logs = counts.log1p();
    Matrices::new(logs).layer("counts", counts).write(&folder.path("data.h5ad"));
    run(&folder, "qc data.h5ad --output -").fails_with(&["X holds no counts", "--layer counts"]);
    let ran = run(&folder, "qc data.h5ad --layer counts --output -");
    assert!(!ran.ok().contains("_mt"));
    assert!(ran.stderr().contains("no columns of mitochondrial genes"), "{}", ran.stderr());
    run(&folder, "qc data.h5ad --layer counts --mito-prefix MT --output -")
        .fails_with(&["no name of a gene begins with MT", "--mito-prefix"]);
    run(&folder, "qc data.h5ad --layer counts --output x.npy").fails_with(&[".csv or .tsv"]);
    assert!(!folder.path("x.npy").exists());
}
