//! SCANVI: trained on labels, from an SCVI too, and used by every task.

mod common;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use common::running::model_files;
use common::{Folder, Ran, names};
use scvi::data::CsrMatrix;
use scvi_io::anndata::{AnnDataFile, Column};
use scvi_io::h5ad::{NewAnnData, write_h5ad};
use scvi_io::{SavedModel, open_model};
use serde_json::json;

const GENES: usize = 40;
const TYPES: [&str; 3] = ["B", "NK", "T"];

/// Type of a cell.
fn type_of(cell: usize) -> &'static str {
    TYPES[cell % 3]
}

/// Counts of cells whose types have genes of their own.
fn counts(cells: usize, seed: usize) -> CsrMatrix {
    let (mut indptr, mut genes, mut values) = (vec![0], Vec::new(), Vec::new());
    for cell in 0..cells {
        for gene in 0..GENES {
            let noise = (cell + 1000 * seed).wrapping_mul(7919) ^ gene.wrapping_mul(104_729);
            let count = noise.wrapping_mul(2_654_435_761) >> 7 & 3;
            let count = count + if gene % 3 == cell % 3 { 4 } else { 0 };
            if count > 0 {
                genes.push(gene as u32);
                values.push(count as f32);
            }
        }
        indptr.push(genes.len() as u64);
    }
    CsrMatrix::new(GENES, indptr, genes, values).unwrap()
}

type Label = Option<&'static str>;

/// Writes cells of two batches, named by `batches`, with these labels.
fn write(
    folder: &Folder,
    file: &str,
    cells: usize,
    batches: [&str; 2],
    label: impl Fn(usize) -> Label,
) {
    let x = counts(cells, batches[0].len());
    let column =
        |value: &dyn Fn(usize) -> Option<String>| Column::Strings((0..cells).map(value).collect());
    let mut data = NewAnnData::new(&x, names("cell", cells), names("gene", GENES));
    data.obs = vec![
        ("batch".to_owned(), column(&|cell| Some(batches[cell / 3 % 2].to_owned()))),
        ("cell_type".to_owned(), column(&|cell| label(cell).map(str::to_owned))),
    ];
    write_h5ad(folder.path(file), &data, true).unwrap();
}

/// Every third cell of a type has its label.
fn third(cell: usize) -> Label {
    Some(if (cell / 3).is_multiple_of(3) { type_of(cell) } else { "Unknown" })
}

const SIZES: &str = "--n-hidden 16 --n-latent 4 --seed 1 --quiet";
const LABELS: &str = "--labels-key cell_type --unlabeled-category Unknown";

fn scvi(folder: &Folder, line: &str) -> Ran {
    folder.scvi(&line.split_whitespace().collect::<Vec<_>>())
}

/// A folder with `data.h5ad`, a SCANVI trained on it and an SCVI.
static TRAINED: LazyLock<Folder> = LazyLock::new(|| {
    let folder = Folder::new();
    write(&folder, "data.h5ad", 180, ["one", "two"], third);
    let train = format!("train data.h5ad --batch-key batch {SIZES}");
    scvi(&folder, &format!("{train} --model scvi --max-epochs 15")).ok();
    let more = "--max-epochs 40 --lr 1e-2 --check-val-every-n-epoch 1 --model m --json";
    let report = scvi(&folder, &format!("{train} {LABELS} {more}")).json();
    assert_eq!((&report["labels"], &report["labelled_cells"]), (&json!(3), &json!(60)));
    assert!(report["accuracy_train"].as_f64().unwrap() > 0.9, "{report}");
    folder
});

fn trained() -> Folder {
    TRAINED.copy()
}

/// The rows of a table by their first column.
fn table(text: &str) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let header = table.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = table.records().map(|row| {
        let mut row: Vec<String> = row.unwrap().iter().map(str::to_owned).collect();
        (row.remove(0), row)
    });
    (header, rows.collect())
}

fn predictions(folder: &Folder, model: &str, input: &str) -> String {
    scvi(folder, &format!("predict --model {model} {input} --soft --output -")).ok()
}

/// Share of the cells whose label is their type.
fn accuracy(folder: &Folder, model: &str, input: &str) -> f64 {
    let text = scvi(folder, &format!("predict --model {model} {input} --output -")).ok();
    let (header, rows) = table(&text);
    assert_eq!(header, ["cell", "scanvi_prediction", "scanvi_probability"]);
    let cell = |name: &str| name.trim_start_matches("cell_").parse::<usize>().unwrap();
    let right = rows.iter().filter(|(name, row)| row[0] == type_of(cell(name))).count();
    right as f64 / rows.len() as f64
}

#[test]
fn labels_are_predicted_in_every_form() {
    let folder = trained();
    assert!(accuracy(&folder, "m", "data.h5ad") > 0.95);
    let (header, rows) = table(&predictions(&folder, "m", "data.h5ad"));
    assert_eq!(header, ["cell", "B", "NK", "T"], "without that of unlabelled cells");
    scvi(&folder, "predict --model m data.h5ad --output hard.csv").ok();
    let hard = std::fs::read_to_string(folder.path("hard.csv")).unwrap();
    let line = "predict --model m data.h5ad --soft --output out.h5ad --json";
    let report = scvi(&folder, line).json();
    let out = AnnDataFile::open(folder.path("out.h5ad")).unwrap();
    let label = out.obs_column("scanvi_prediction").unwrap();
    let probability = out.obs_column("scanvi_probability").unwrap().to_numbers().unwrap();
    assert!(out.obsm_keys().contains(&"scanvi_probabilities".to_owned()));
    for (cell, (name, row)) in table(&hard).1.iter().enumerate() {
        let soft: Vec<f32> = rows[name].iter().map(|p| p.parse().unwrap()).collect();
        let best = (0..3).max_by(|&a, &b| soft[a].total_cmp(&soft[b])).unwrap();
        assert!((soft.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}: {soft:?}");
        assert_eq!(row[0], TYPES[best], "{name}");
        assert_eq!(row[1].parse::<f32>().unwrap(), soft[best], "{name}");
        let at: usize = name.trim_start_matches("cell_").parse().unwrap();
        assert_eq!(label.label(at).unwrap(), row[0], "{name}, row {cell}");
        assert_eq!(probability[at] as f32, soft[best], "{name}");
    }
    let n: i64 = report["labels"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum();
    assert_eq!(n, 180);
    // A sample from the posterior, by its seed.
    let drawn = |seed: &str| {
        let line = "predict --model m data.h5ad --no-use-posterior-mean --soft --output - --seed";
        scvi(&folder, &format!("{line} {seed}")).ok()
    };
    assert_eq!(drawn("1"), drawn("1"));
    assert_ne!(drawn("1"), drawn("2"));
    // Cells that are left out, and an output for each of several inputs.
    let line = "predict --model m data.h5ad --min-counts 112 --keep-dropped-cells --output -";
    let (_, kept) = table(&scvi(&folder, line).ok());
    let empty = kept.values().filter(|row| row.iter().all(String::is_empty)).count();
    assert!(kept.len() == 180 && (1..180).contains(&empty), "{empty}");
    std::fs::copy(folder.path("data.h5ad"), folder.path("again.h5ad")).unwrap();
    let line = "predict --model m data.h5ad again.h5ad --output-dir each --output-format csv";
    scvi(&folder, line).ok();
    for name in ["data.csv", "again.csv"] {
        assert_eq!(std::fs::read_to_string(folder.path("each").join(name)).unwrap(), hard);
    }
    scvi(&folder, "predict --model m data.h5ad --output x.npy").fails_with(&["x.npy", ".csv"]);
}

#[test]
fn the_history_has_what_the_classifier_did() {
    let SavedModel { history, meta, .. } = open_model(TRAINED.path("m")).unwrap();
    for name in ["classification_loss", "accuracy", "f1_score", "calibration_error"] {
        for cells in ["train", "validation"] {
            let key = format!("{cells}_{name}");
            let column = history.columns.iter().position(|c| *c == key).expect(&key);
            assert!(history.rows.iter().all(|row| row[column].is_finite()), "{key}");
        }
    }
    assert_eq!((meta.model_class.as_str(), meta.config.n_labels), ("SCANVI", 3));
    let labels = meta.registry.labels.unwrap();
    assert_eq!(labels.categories, ["B", "NK", "T", "Unknown"]);
    assert_eq!(meta.scanvi.unwrap().unlabeled_category, "Unknown");
}

#[test]
fn every_task_takes_such_a_model() {
    let folder = trained();
    // The labels of these cells are not read, and may be missing.
    let x = counts(60, 3);
    let mut data = NewAnnData::new(&x, names("cell", 60), names("gene", GENES));
    let batch = Column::Strings(vec![Some("one".to_owned()); 60]);
    let groups = (0..60).map(|cell| Some(type_of(cell).to_owned())).collect();
    data.obs = vec![("batch".to_owned(), batch), ("group".to_owned(), Column::Strings(groups))];
    write_h5ad(folder.path("new.h5ad"), &data, true).unwrap();
    let with = "--model m new.h5ad --quiet";
    for (verb, more) in [
        ("latent", "--output l.h5ad"),
        ("normalize", "--output n.csv"),
        ("parameters", "--output p.npz"),
        ("sample", "--output s.h5ad"),
        ("correlate", "--output c.csv"),
        ("de", "--groupby group --output de.csv"),
        ("minify", "--output small.h5ad"),
    ] {
        scvi(&folder, &format!("{verb} {with} {more}")).ok();
    }
    let evaluated = scvi(&folder, &format!("evaluate {with} --posterior-mean --json")).json();
    assert!(evaluated["elbo"].as_f64().unwrap().is_finite());
    let shown = scvi(&folder, "inspect m --json").json();
    assert_eq!((&shown["model_class"], &shown["format_version"]), (&json!("SCANVI"), &json!(3)));
    assert_eq!(shown["unlabeled_category"], "Unknown");
    let small = AnnDataFile::open(folder.path("small.h5ad")).unwrap();
    assert!(small.obsm_keys().contains(&"scanvi_latent_qzm".to_owned()), "as scvi-tools has it");
    // Minified cells have the labels of their stored posteriors.
    let whole = predictions(&folder, "m", "new.h5ad");
    assert_eq!(predictions(&folder, "m", "small.h5ad"), whole);
    assert!(accuracy(&folder, "m", "small.h5ad") > 0.9);
    // There and back again.
    scvi(&folder, "convert --model m --to scvi-tools --output save").ok();
    assert_eq!(predictions(&folder, "save", "new.h5ad"), whole);
    scvi(&folder, "convert --model save --to native --output back").ok();
    assert_eq!(predictions(&folder, "back", "new.h5ad"), whole);
}

#[test]
fn it_begins_with_an_scvi() {
    let folder = trained();
    let from = format!("train data.h5ad --from scvi {LABELS} --lr 1e-2 --quiet --json");
    let report = scvi(&folder, &format!("{from} --model a")).json();
    assert_eq!(report["epochs"], 10, "a third of the heuristic, at most 10");
    assert!(report["next"].as_str().unwrap().starts_with("scvi predict"), "{report}");
    let [scvi_model, a] = ["scvi", "a"].map(|m| open_model(folder.path(m)).unwrap());
    let without_labels = |model: &SavedModel| {
        let mut config = model.meta.config.clone();
        config.n_labels = 0;
        config
    };
    assert_eq!(without_labels(&a), without_labels(&scvi_model), "its arguments");
    assert_eq!(a.meta.registry.batch, scvi_model.meta.registry.batch);
    assert!(accuracy(&folder, "a", "data.h5ad") > 0.8);
    // One step of no length leaves its weights where they were.
    let still = "--max-steps 1 --weight-decay 0 --model still";
    scvi(&folder, &format!("{} {still}", from.replace("1e-2", "1e-30"))).ok();
    let still = open_model(folder.path("still")).unwrap().vae.state_dict();
    for (name, tensor) in scvi_model.vae.state_dict() {
        if !name.contains("running_") {
            assert_eq!(still[&name].data, tensor.data, "{name}");
        }
    }
    // So do a save of scvi-tools, and genes in another order.
    scvi(&folder, "convert --model scvi --to scvi-tools --output save").ok();
    let line = from.replace("--from scvi", "--from save");
    scvi(&folder, &format!("{line} --model b")).ok();
    assert_eq!(predictions(&folder, "b", "data.h5ad"), predictions(&folder, "a", "data.h5ad"));
    // What it was made from is not asked for again.
    let twice = scvi(&folder, &format!("{from} --model c --n-latent 7"));
    assert_eq!(twice.code(), 2, "{}", twice.stderr());
    // The categories of its columns are its own.
    write(&folder, "other.h5ad", 60, ["one", "three"], third);
    let line = from.replace("data.h5ad", "other.h5ad");
    scvi(&folder, &format!("{line} --model c")).fails_with(&["batch", "'three'"]);
    scvi(&folder, &format!("{} --model c", from.replace("--from scvi", "--from m")))
        .fails_with(&["m is a SCANVI"]);
}

#[test]
fn a_query_is_mapped_and_labelled() {
    let folder = trained();
    let map = "map --reference m --max-epochs 2 --quiet --json";
    let before = predictions(&folder, "m", "data.h5ad");
    // No column of labels.
    let x = counts(90, 5);
    let mut data = NewAnnData::new(&x, names("cell", 90), names("gene", GENES));
    let batch = Column::Strings(vec![Some("new".to_owned()); 90]);
    data.obs = vec![("batch".to_owned(), batch)];
    write_h5ad(folder.path("bare.h5ad"), &data, true).unwrap();
    let told = scvi(&folder, "map --reference m bare.h5ad --model bare --max-epochs 1");
    assert!(told.told().contains("all cells count as 'Unknown'"), "{}", told.told());
    let mapped = open_model(folder.path("bare")).unwrap().meta;
    assert_eq!(mapped.registry.labels.unwrap().categories, ["B", "NK", "T", "Unknown"]);
    assert_eq!(mapped.registry.batch.unwrap().categories, ["one", "two", "new"]);
    assert!(accuracy(&folder, "bare", "bare.h5ad") > 0.9);
    assert_eq!(predictions(&folder, "bare", "data.h5ad"), before, "the reference stays");
    // Some labels, and some cells without a value.
    let some = |cell: usize| cell.is_multiple_of(2).then_some(type_of(cell));
    write(&folder, "some.h5ad", 90, ["one", "new"], some);
    let report = scvi(&folder, &format!("{map} some.h5ad --model some")).json();
    assert_eq!(report["new_categories"], json!({"batch": ["new"]}));
    let classifier = "classifier.classifier.0.fc_layers.Layer 0.0.weight";
    let weight = |model: &str| open_model(folder.path(model)).unwrap().labels[classifier].clone();
    assert_eq!(weight("some"), weight("m"));
    let line = format!("{map} some.h5ad --model moved --no-freeze-classifier");
    let trained = scvi(&folder, &line).json();
    assert!(trained["trained"].to_string().contains(classifier), "{trained}");
    assert_ne!(weight("moved"), weight("m"));
    // A mapped model is a reference, too.
    scvi(&folder, "map --reference some bare.h5ad --model again --max-epochs 1 --quiet").ok();
    // Labels that the reference does not know are none that it could learn.
    write(&folder, "more.h5ad", 60, ["one", "new"], |cell| Some(["B", "monocyte"][cell % 2]));
    scvi(&folder, &format!("{map} more.h5ad --model x"))
        .fails_with(&["'monocyte'", "'Unknown' for none"]);
}

#[test]
fn a_stopped_run_is_resumed_to_the_same_bits() {
    let folder = trained();
    let line = format!("train data.h5ad {LABELS} {SIZES} --max-epochs 4 --n-samples-per-label 12");
    let from = format!("train data.h5ad --from scvi {LABELS} --max-epochs 4 --quiet");
    for (line, model) in [(line, "plain"), (from, "from")] {
        scvi(&folder, &format!("{line} --model {model}")).ok();
        let often = "--checkpoint-every-n-epoch 1 --checkpoint-every-minutes 0";
        let words = format!("{line} {often} --model stopped --verbose").replace("--quiet ", "");
        let words = words.replace(" --quiet", "");
        let mut run = folder.start(&words.split_whitespace().collect::<Vec<_>>());
        run.wait_for("checkpoint in");
        run.signal("TERM");
        run.end();
        assert!(folder.path("stopped.checkpoint").exists() || folder.path("stopped").exists());
        scvi(&folder, "train data.h5ad --model stopped --resume --overwrite --quiet").ok();
        assert_eq!(model_files(&folder.path("stopped")), model_files(&folder.path(model)));
        std::fs::remove_dir_all(folder.path("stopped")).unwrap();
    }
}

#[test]
fn counts_in_the_file_give_the_same_model() {
    let folder = trained();
    let line = format!("train data.h5ad {LABELS} {SIZES} --max-epochs 2 --shuffle cells");
    for (model, where_) in [("memory", "always"), ("file", "never")] {
        scvi(&folder, &format!("{line} --model {model} --in-memory {where_}")).ok();
    }
    assert_eq!(model_files(&folder.path("file")), model_files(&folder.path("memory")));
}

#[test]
fn labels_as_they_may_come() {
    let folder = Folder::new();
    let train = |input: &str, more: &str| {
        let line = "train --max-epochs 1 --overwrite --model m --json";
        let key = if more.contains("--labels-key") { "" } else { "--labels-key cell_type" };
        scvi(&folder, &format!("{line} {SIZES} {input} {key} {more}").replace("--quiet", ""))
    };
    // Missing values are unlabelled cells if that is said.
    let missing = |cell: usize| cell.is_multiple_of(4).then_some(type_of(cell));
    write(&folder, "missing.h5ad", 60, ["one", "two"], missing);
    train("missing.h5ad", "--unlabeled-category Unknown")
        .fails_with(&["45 of 60 cells have no value", "`--unlabeled-category nan`"]);
    let report = train("missing.h5ad", "--unlabeled-category nan").json();
    assert_eq!((&report["labels"], &report["labelled_cells"]), (&json!(3), &json!(15)));
    // A category that no cell has.
    write(&folder, "all.h5ad", 60, ["one", "two"], |cell| Some(type_of(cell)));
    let ran = train("all.h5ad", "--unlabeled-category Unknown");
    assert_eq!(ran.json()["labelled_cells"], 60);
    assert!(ran.told().contains("no cell has 'Unknown'"), "{}", ran.told());
    // A label as the unlabelled category changes place with the last one.
    train("all.h5ad", "--unlabeled-category B").ok();
    let labels = open_model(folder.path("m")).unwrap().meta.registry.labels.unwrap();
    assert_eq!(labels.categories, ["T", "NK", "B"]);
    // Labels that are numbers.
    let x = counts(60, 2);
    let mut data = NewAnnData::new(&x, names("cell", 60), names("gene", GENES));
    let numbers = (0..60).map(|cell| if cell % 4 == 3 { f64::NAN } else { (cell % 3) as f64 });
    let codes = (0..60).map(|cell| Some(cell % 3 - 1)).collect();
    data.obs = vec![
        ("cell_type".to_owned(), Column::Floats(numbers.collect())),
        ("code".to_owned(), Column::Integers(codes)),
    ];
    write_h5ad(folder.path("numbers.h5ad"), &data, true).unwrap();
    let report = train("numbers.h5ad", "--unlabeled-category nan").json();
    assert_eq!((&report["labels"], &report["labelled_cells"]), (&json!(3), &json!(45)));
    let report = train("numbers.h5ad", "--labels-key code --unlabeled-category -1");
    assert_eq!(report.json()["labelled_cells"], 40);
    // No cell with a label, and a label with one cell.
    write(&folder, "none.h5ad", 60, ["one", "two"], |_| Some("Unknown"));
    let ran = train("none.h5ad", "--unlabeled-category Unknown --n-samples-per-label 5");
    ran.ok();
    assert!(ran.told().contains("no cell has another label than 'Unknown'"), "{}", ran.told());
    assert_eq!(open_model(folder.path("m")).unwrap().meta.model_class, "SCVI");
    let one = |cell: usize| Some(if cell == 7 { "rare" } else { ["B", "Unknown"][cell % 2] });
    write(&folder, "one.h5ad", 60, ["one", "two"], one);
    let ran = train("one.h5ad", "--unlabeled-category Unknown");
    assert_eq!(ran.json()["labels"], 2);
    assert!(ran.told().contains("fewer than 3 cells: rare"), "{}", ran.told());
}

#[test]
fn options_that_do_not_go_together() {
    let folder = trained();
    let train = "train data.h5ad --model x";
    scvi(&folder, &format!("{train} --model-class scanvi --labels-key cell_type"))
        .fails_with(&["SCANVI needs", "--unlabeled-category"]);
    scvi(&folder, &format!("{train} --model-class scanvi --unlabeled-category Unknown"))
        .fails_with(&["SCANVI needs labels", "--labels-key"]);
    scvi(&folder, &format!("{train} --model-class scvi {LABELS}")).fails_with(&["model_class"]);
    scvi(&folder, &format!("{train} {LABELS} --dispersion gene-label")).fails_with(&["gene-label"]);
    for more in ["--from scvi", "--linear-classifier", "--n-samples-per-label 3"] {
        assert_eq!(scvi(&folder, &format!("{train} {more}")).code(), 2, "{more}");
    }
    scvi(&folder, &format!("{train} {LABELS} --classification-ratio=-1"))
        .fails_with(&["classification_ratio is -1"]);
    scvi(&folder, "map data.h5ad --reference scvi --model x --no-freeze-classifier")
        .fails_with(&["has learned no labels"]);
    scvi(&folder, "predict --model scvi data.h5ad --output -")
        .fails_with(&["scvi is a SCVI, which has learned no labels", "--from scvi"]);
}
