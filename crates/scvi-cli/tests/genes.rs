//! Genes chosen by their counts: `scvi genes`, and what training makes of the same options.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::cells::Cells;
use common::{Folder, names};
use scvi::data::CsrMatrix;
use scvi_io::anndata::{AnnDataFile, Column, MatrixKey};
use scvi_io::h5ad::{NewAnnData, write_h5ad};
use scvi_io::load_model;

const FLAVORS: [&str; 3] = ["seurat_v3", "pearson_residuals", "cell_ranger"];
const SMALL: &str = "--n-hidden 8 --n-latent 2 --max-epochs 1";

fn run(folder: &Folder, words: &str) -> common::Ran {
    folder.scvi(&words.split(' ').collect::<Vec<_>>())
}

/// 200 cells and 150 genes of which some have no counts, or in few cells.
fn cells() -> Folder {
    let folder = Folder::new();
    let order: Vec<usize> = (0..120).collect();
    let mut cells = Cells::new(200, 120, 5).with_genes(&order).column("donor", &["b", "a", "c"]);
    let places: Vec<Option<u32>> = (0..120).map(Some).collect();
    cells.counts = cells.counts.place_genes(&places, 150);
    cells.genes = names("gene", 150);
    cells.write(&folder.path("in.h5ad"));
    folder
}

/// A table's header, and its rows.
fn table(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let text = fs::read_to_string(path).unwrap();
    let fields = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let mut lines = text.lines().map(fields);
    (lines.next().unwrap(), lines.collect())
}

/// Genes that a table says are chosen.
fn chosen((header, rows): &(Vec<String>, Vec<Vec<String>>)) -> Vec<String> {
    let last = header.len() - 1;
    assert_eq!(header[last], "highly_variable");
    rows.iter().filter(|row| row[last] == "True").map(|row| row[0].clone()).collect()
}

#[test]
fn each_flavor_has_scanpys_columns_and_is_what_training_uses() {
    let folder = cells();
    let columns = [
        "means,variances,variances_norm,highly_variable_rank",
        "means,variances,residual_variances,highly_variable_rank",
        "means,dispersions,dispersions_norm",
    ];
    for (flavor, columns) in FLAVORS.into_iter().zip(columns) {
        let options = format!("--n-top-genes 40 --flavor {flavor}");
        let told = run(&folder, &format!("genes in.h5ad {options} --output g.csv --overwrite"));
        assert!(told.ok().contains("genes without counts  30"), "{}", told.stdout());
        let one = table(&folder.path("g.csv"));
        assert_eq!(one.0.join(","), format!("gene,{columns},highly_variable"));
        assert_eq!((one.1.len(), chosen(&one).len()), (150, 40));
        let options = format!("{options} --batch-key donor");
        run(&folder, &format!("genes in.h5ad {options} --output g.csv --overwrite")).ok();
        let batches = table(&folder.path("g.csv"));
        let intersection = if flavor == "seurat_v3" { "" } else { "highly_variable_intersection," };
        let nbatches = "highly_variable_nbatches";
        assert_eq!(
            batches.0.join(","),
            format!("gene,{columns},{nbatches},{intersection}highly_variable")
        );
        assert_ne!(chosen(&batches), chosen(&one));
        let told = run(&folder, &format!("train in.h5ad {options} --model m --overwrite {SMALL}"));
        told.ok();
        let line = format!("chose 40 of 150 genes ({flavor}; 30 have no count in any cell)");
        assert!(told.stderr().contains(&line), "{}", told.stderr());
        let meta = load_model(folder.path("m")).unwrap().1;
        assert_eq!(meta.var_names, chosen(&batches));
        let selection = meta.gene_selection.unwrap();
        assert_eq!(selection.flavor.as_deref(), Some(flavor));
        assert_eq!((selection.n_genes, selection.n_genes_without_counts), (150, 30));
        let told = run(&folder, "inspect m").ok();
        assert!(told.contains(&format!("of 150 genes those most variable by {flavor}")), "{told}");
    }
}

#[test]
fn genes_in_few_cells_are_dropped_only_if_asked() {
    let folder = cells();
    run(&folder, "genes in.h5ad --min-cells 30 --n-top-genes 20 --output g.csv").ok();
    let (header, rows) = table(&folder.path("g.csv"));
    assert_eq!(header[..3].join(","), "gene,n_cells,means");
    let n_cells = |row: &Vec<String>| row[1].parse::<usize>().unwrap();
    let known: Vec<String> =
        rows.iter().filter(|row| n_cells(row) >= 30).map(|row| row[0].clone()).collect();
    assert!(known.len() > 20 && known.len() < 120, "{}", known.len());
    for row in &rows {
        let says_nothing = row[2..header.len() - 1].iter().all(String::is_empty);
        assert_eq!(says_nothing, n_cells(row) < 30, "{row:?}");
    }
    let told = run(&folder, &format!("train in.h5ad --min-cells 30 --model m {SMALL}"));
    told.ok();
    let line =
        format!("left out {} of 150 genes with counts in fewer than 30 cells", 150 - known.len());
    assert!(told.stderr().contains(&line), "{}", told.stderr());
    let meta = load_model(folder.path("m")).unwrap().1;
    assert_eq!(meta.var_names, known);
    let selection = meta.gene_selection.unwrap();
    assert_eq!(selection.n_genes_in_too_few_cells, 150 - known.len());
    assert_eq!((selection.min_cells, selection.n_top_genes), (Some(30), None));
    // Unasked nothing is dropped, but a line says what could be.
    let told = run(&folder, &format!("train in.h5ad --model all {SMALL}"));
    told.ok();
    assert!(told.stderr().contains("30 of 150 genes have no count"), "{}", told.stderr());
    let meta = load_model(folder.path("all")).unwrap().1;
    assert_eq!((meta.var_names.len(), meta.gene_selection), (150, None));
    // Tasks find the model's genes in the file.
    run(&folder, "latent --model m in.h5ad --output z.csv").ok();
}

#[test]
fn what_cannot_be_chosen_from_is_said() {
    let folder = cells();
    let failed = |words: &str, parts: &[&str]| {
        run(&folder, &format!("genes in.h5ad --output g.csv {words}")).fails_with(parts);
        assert!(!folder.path("g.csv").exists());
    };
    failed("--min-cells 500", &["no gene has counts in at least 500 cells"]);
    failed("--min-cells 190", &["genes vary; at least 14"]);
    let train = run(&folder, "train in.h5ad --model m --min-cells 500");
    train.fails_with(&["no gene has counts in at least 500 cells"]);
    // A cell may have counts, and none of them in a chosen gene.
    let mut some = Cells::new(200, 120, 5);
    some.counts =
        some.counts.place_genes(&(0..120).map(|g| (g > 0).then_some(g)).collect::<Vec<_>>(), 120);
    let lone = CsrMatrix::new(120, vec![0, 1], vec![0], vec![1.0]).unwrap();
    some.counts.append(&lone);
    some.write(&folder.path("lone.h5ad"));
    let train = run(&folder, "train lone.h5ad --model m --n-top-genes 40");
    train.fails_with(&["1 of 201 cells have no counts in the 40 genes that are used"]);
    let wrong = run(&folder, "train in.h5ad --model m --flavor cell_ranger");
    assert_eq!(wrong.code(), 2, "{}", wrong.stderr());
    assert!(wrong.stderr().contains("--n-top-genes"), "{}", wrong.stderr());
}

/// Cells with a column of batches, and how many genes to choose by them.
struct Case<'a> {
    input: &'a str,
    batch: &'a str,
    n_top_genes: usize,
}

impl Case<'_> {
    /// Compares with scanpy for every flavor, without and with batches.
    fn compare(&self, folder: &Folder) {
        let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
            eprintln!("skipped: what scanpy says (set SCVI_REFERENCE_PYTHON to a Python with it)");
            return;
        };
        for flavor in FLAVORS {
            // Among genes without counts scanpy's bins are equal, which it takes for an error.
            let more = if flavor == "cell_ranger" { " --min-cells 3" } else { "" };
            // Of genes that vary alike, numpy's choice goes by the processor.
            let least = if flavor == "seurat_v3" { 0.99 } else { 1.0 };
            for batch in [None, Some(self.batch)] {
                let share = self.share(folder, &python, flavor, more, batch);
                assert!(share >= least, "{}, {flavor}, {batch:?}: {share}", self.input);
            }
        }
    }

    /// The share of scanpy's genes that are chosen.
    fn share(
        &self,
        folder: &Folder,
        python: &str,
        flavor: &str,
        more: &str,
        batch: Option<&str>,
    ) -> f64 {
        let (input, n) = (self.input, self.n_top_genes.to_string());
        let key = batch.map_or_else(String::new, |key| format!(" --batch-key {key}"));
        let options = format!("--flavor {flavor} --n-top-genes {n}{key}{more}");
        run(folder, &format!("genes {input} {options} --output t.csv --overwrite")).ok();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_genes.py");
        let mut command = Command::new(python);
        command.arg(script).args([input, "t.csv", flavor, &n]).args(batch);
        let output = command.current_dir(folder.path(".")).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{input}, {options}: {told}");
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }
}

#[test]
fn scanpy_chooses_the_same_genes_of_simulated_counts() {
    let folder = Folder::new();
    let size = "--n-cells 900 --n-genes 3000 --n-batches 3 --density 0.2";
    run(&folder, &format!("simulate --output sim.h5ad --quiet {size}")).ok();
    Case { input: "sim.h5ad", batch: "batch", n_top_genes: 500 }.compare(&folder);
}

#[test]
fn scanpy_chooses_the_same_genes_of_pbmc3k() {
    let Some(path) = common::data("pbmc3k.h5ad") else { return };
    // Its own batches are one, and of some cell types there are too few cells for scanpy.
    let folder = Folder::new();
    let file = AnnDataFile::open(path).unwrap();
    let counts = file.counts(&MatrixKey::X).unwrap();
    let (cells, genes) = (file.obs_names().to_vec(), file.var_names().to_vec());
    let batch = |cell: usize| Some(["b", "a", "b"][cell % 3].to_owned());
    let batches = Column::Strings((0..cells.len()).map(batch).collect());
    let mut data = NewAnnData::new(&counts, cells, genes);
    data.obs.push(("part".into(), batches));
    write_h5ad(folder.path("pbmc.h5ad"), &data, false).unwrap();
    Case { input: "pbmc.h5ad", batch: "part", n_top_genes: 2000 }.compare(&folder);
}

#[test]
fn scanpy_chooses_the_same_genes_of_sc_mixology() {
    let Some(path) = common::data("sc_mixology_5batches.h5ad") else { return };
    let input = path.to_str().unwrap();
    Case { input, batch: "batch", n_top_genes: 2000 }.compare(&Folder::new());
}
