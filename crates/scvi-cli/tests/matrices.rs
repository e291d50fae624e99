//! Which matrix of a file is read: X, raw, or a layer, by every verb.

mod common;

use common::matrices::{Matrices, Matrix};
use common::{Folder, Ran, counts};
use scvi_io::anndata::{AnnDataFile, MatrixKey};

const CELLS: usize = 60;
const GENES: usize = 12;
const MATRICES: [&str; 3] = ["X", "raw", "counts"];

/// Counts of all genes.
fn all() -> Matrix {
    Matrix::of(&counts(CELLS, GENES))
}

/// A file whose counts are in one matrix only: X, raw or the layer counts. The others hold logs.
fn with_counts_in(place: &str) -> Matrices {
    let of = |key: &str| if key == place { all() } else { all().log1p() };
    Matrices::new(of("X")).layer("counts", of("counts")).raw(of("raw"))
}

fn train(folder: &Folder, input: &str, model: &str, more: &[&str]) -> Ran {
    let args = ["train", input, "--model", model, "--batch-key", "batch", "--max-epochs", "1"];
    let small = ["--n-hidden", "4", "--n-latent", "2", "--quiet"];
    folder.scvi(&[&args[..], &small, more].concat())
}

fn latent(folder: &Folder, model: &str, input: &str, more: &[&str]) -> Ran {
    folder.scvi(&[&["latent", "--model", model, input, "--output", "-"], more].concat())
}

/// A file for each place of counts, and a model trained on each, all alike but for the place.
fn folder(ending: &str) -> Folder {
    let folder = Folder::new();
    for place in MATRICES {
        let input = format!("{place}.{ending}");
        with_counts_in(place).write(&folder.path(&input));
        train(&folder, &input, &format!("on_{place}"), &["--layer", place]).ok();
    }
    folder
}

#[test]
fn counts_and_models_of_every_place() {
    for ending in ["h5ad", "zarr"] {
        let folder = folder(ending);
        let weights = |place: &str| {
            std::fs::read(folder.path(&format!("on_{place}")).join("model.safetensors")).unwrap()
        };
        assert!(MATRICES.iter().all(|place| weights(place) == weights("X")));
        let wanted = latent(&folder, "on_X", &format!("X.{ending}"), &[]).ok();
        for trained_on in MATRICES {
            let model = format!("on_{trained_on}");
            for place in MATRICES {
                let input = format!("{place}.{ending}");
                for reading in [&[][..], &["--in-memory", "never"]] {
                    let named = [&["--layer", place], reading].concat();
                    let told = latent(&folder, &model, &input, &named).ok();
                    assert_eq!(told, wanted, "{model} {input} {reading:?}");
                }
            }
            let own = format!("{trained_on}.{ending}");
            assert_eq!(latent(&folder, &model, &own, &[]).ok(), wanted, "{model}");
        }
    }
}

#[test]
fn a_file_without_the_matrix_of_the_model_names_those_it_has() {
    let folder = folder("h5ad");
    Matrices::new(all()).write(&folder.path("only_x.h5ad"));
    let wanted = latent(&folder, "on_X", "only_x.h5ad", &[]).ok();
    for (model, key) in [("on_raw", "raw/X"), ("on_counts", "layers/counts")] {
        let told = format!("only_x.h5ad has no {key}, which the model was trained on (it has: X)");
        latent(&folder, model, "only_x.h5ad", &[])
            .fails_with(&[&told, "hint: read another matrix: `--layer X`"]);
        assert_eq!(latent(&folder, model, "only_x.h5ad", &["--layer", "X"]).ok(), wanted);
    }
    let told = "only_x.h5ad has no layers/count (it has: X)";
    latent(&folder, "on_X", "only_x.h5ad", &["--layer", "count"]).fails_with(&[told, "--layer"]);
}

#[test]
fn words_that_mean_two_matrices_are_refused_with_their_spellings() {
    let folder = Folder::new();
    // Each matrix is the counts times a number of its own, so that models tell which was read.
    let times = |n: f32| all().map(|count| count * n);
    Matrices::new(times(1.0))
        .raw(times(2.0))
        .layer("X", times(3.0))
        .layer("raw", times(4.0))
        .layer("my counts", times(5.0))
        .layer("-x", times(6.0))
        .write(&folder.path("all.h5ad"));
    Matrices::new(times(1.0)).raw(times(2.0)).write(&folder.path("plain.h5ad"));
    let total = |input: &str, spelled: &str| {
        let layer = format!("--layer={spelled}");
        train(&folder, input, "m", &[&layer, "--overwrite", "--output", "z.h5ad"]).ok();
        let args = ["latent", "--model", "m", input, "--output", "l.csv", "--library-size"];
        folder.scvi(&[&args[..], &["--overwrite", "--quiet"]].concat()).ok();
        let table = std::fs::read_to_string(folder.path("l.csv")).unwrap();
        let last = table.lines().nth(1).unwrap().rsplit(',').next().unwrap();
        last.parse::<f32>().unwrap()
    };
    let one = total("plain.h5ad", "X");
    let spellings = [
        ("/X", 1.0),
        ("raw/X", 2.0),
        ("/raw/X", 2.0),
        ("layers/X", 3.0),
        ("layers/raw", 4.0),
        ("/layers/raw", 4.0),
        ("my counts", 5.0),
        ("layers/my counts", 5.0),
        ("-x", 6.0),
    ];
    for (spelled, n) in spellings {
        assert_eq!(total("all.h5ad", spelled), n * one, "{spelled}");
    }
    assert_eq!(total("plain.h5ad", "raw"), 2.0 * one);
    for (word, layer, other) in [("X", "layers/X", "/X"), ("raw", "layers/raw", "raw/X")] {
        let told = format!("all.h5ad: '{word}' may mean the layer of that name ({layer})");
        let hint = format!("hint: say which: `--layer {layer}` or `--layer {other}`");
        let ran = train(&folder, "all.h5ad", "n", &["--layer", word]);
        ran.fails_with(&[&told, &hint]);
    }
    for nothing in ["layers/raw/X", "raw/var", "/", "", "layers/", "x", "../X", "layers/../X"] {
        let ran = train(&folder, "all.h5ad", "n", &[&format!("--layer={nothing}")]);
        ran.fails_with(&["all.h5ad has no ", "it has: X, layers/-x, layers/X, "]);
    }
}

/// Every verb on `input`, read as `more` says: the verb, and what it tells or writes.
fn results(folder: &Folder, input: &str, more: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
    let verbs = [
        ("latent", "out.csv", ""),
        ("evaluate", "--per-cell out.csv", ""),
        ("normalize", "out.csv", ""),
        ("parameters", "out.npz", ""),
        ("sample", "out.h5ad", ""),
        ("correlate", "out.csv", ""),
        ("de", "out.csv", "--groupby batch --n-samples-overall 50"),
        ("map", "out.csv", "--reference on_raw --model mapped --max-epochs 1"),
    ];
    let of = |(verb, output, options): (&'static str, &str, &str)| {
        let output = match output.starts_with("--") {
            true => output.to_owned(),
            false => format!("--output {output}"),
        };
        let model = if options.contains("--reference") { "" } else { "--model on_raw" };
        let words = format!("{verb} {input} {model} {options} {output} --overwrite --quiet");
        let words: Vec<&str> = words.split_whitespace().chain(more.iter().copied()).collect();
        folder.scvi(&words).ok();
        let file = output.split(' ').next_back().unwrap();
        (verb, std::fs::read(folder.path(file)).unwrap())
    };
    verbs.map(of).to_vec()
}

#[test]
fn every_verb_reads_raw_with_its_genes() {
    let folder = Folder::new();
    // X has some of raw's genes, in another order.
    let few = all().log1p().with_genes(&[7, 1, 4]);
    for ending in ["h5ad", "zarr"] {
        let input = format!("data.{ending}");
        Matrices::new(few.clone()).raw(all()).write(&folder.path(&input));
        Matrices::new(all()).write(&folder.path(&format!("plain.{ending}")));
    }
    train(&folder, "data.h5ad", "on_raw", &["--layer", "raw"]).ok();
    let wanted = results(&folder, "plain.h5ad", &["--layer", "X"]);
    for input in ["data.h5ad", "data.zarr"] {
        assert_eq!(results(&folder, input, &[]), wanted, "{input}");
        let streamed = ["--layer", "raw", "--in-memory", "never"];
        assert_eq!(results(&folder, input, &streamed[..2]), wanted, "{input}");
        assert_eq!(results(&folder, input, &streamed)[0], wanted[0], "{input}");
    }
}

#[test]
fn copies_of_a_file_have_the_genes_of_var() {
    let folder = Folder::new();
    let turned: Vec<usize> = (0..GENES).rev().collect();
    Matrices::new(all().log1p().with_genes(&turned)).raw(all()).write(&folder.path("same.h5ad"));
    Matrices::new(all().log1p().with_genes(&[3])).raw(all()).write(&folder.path("few.h5ad"));
    Matrices::new(all().with_genes(&turned)).write(&folder.path("plain.h5ad"));
    train(&folder, "same.h5ad", "m", &["--layer", "raw"]).ok();
    let copy = |verb: &str, input: &str, more: &[&str]| {
        let args = [verb, input, "--model", "m", "--output", "out.h5ad", "--overwrite"];
        folder.scvi(&[&args[..], more].concat())
    };
    let layer = |key: &str| {
        let file = AnnDataFile::open(folder.path("out.h5ad")).unwrap();
        file.counts(&MatrixKey::Layer(key.to_owned())).unwrap()
    };
    for (verb, key) in [("normalize", "scvi_normalized"), ("parameters", "scvi_mean")] {
        copy(verb, "plain.h5ad", &["--posterior-mean", "--layer", "X"]).ok();
        let wanted = layer(key);
        copy(verb, "same.h5ad", &["--posterior-mean"]).ok();
        assert_eq!(layer(key), wanted, "{verb}");
        let told = "few.h5ad: a copy has a value for each of the 1 genes of var, and the model has others: 12";
        copy(verb, "few.h5ad", &[])
            .fails_with(&[told, "hint: write the result alone: `--output out.np"]);
    }
    std::fs::write(folder.path("genes.txt"), "gene_5\n").unwrap();
    copy("normalize", "few.h5ad", &["--gene-list", "genes.txt"]).ok();

    copy("minify", "few.h5ad", &[]).fails_with(&["few.h5ad", "hint: `--keep-counts` keeps raw"]);
    copy("minify", "few.h5ad", &["--keep-counts"]).ok();
    assert_eq!(
        latent(&folder, "m", "out.h5ad", &[]).ok(),
        latent(&folder, "m", "few.h5ad", &[]).ok()
    );
    copy("minify", "same.h5ad", &[]).ok();
    assert_eq!(
        latent(&folder, "m", "out.h5ad", &[]).ok(),
        latent(&folder, "m", "same.h5ad", &[]).ok()
    );
}

#[test]
fn raw_may_have_more_genes_than_the_model() {
    let folder = Folder::new();
    let chosen = [4, 0, 9, 5];
    Matrices::new(all().with_genes(&chosen)).write(&folder.path("chosen.h5ad"));
    Matrices::new(all().log1p().with_genes(&chosen)).raw(all()).write(&folder.path("data.h5ad"));
    train(&folder, "chosen.h5ad", "m", &[]).ok();
    let wanted = latent(&folder, "m", "chosen.h5ad", &[]).ok();
    let ran = latent(&folder, "m", "data.h5ad", &["--layer", "raw"]);
    assert_eq!(ran.ok(), wanted);
    assert!(ran.stderr().contains("left out 8 genes of raw/X"), "{}", ran.stderr());
    // All of raw's genes are not too few, as X's are.
    train(&folder, "data.h5ad", "all", &["--layer", "raw"]).ok();
    latent(&folder, "all", "chosen.h5ad", &["--layer", "X"])
        .fails_with(&["chosen.h5ad has 4 genes in X, the model was trained on 12"]);
}

#[test]
fn minified_files_hold_no_matrix_of_the_model() {
    let folder = folder("h5ad");
    for place in ["raw", "counts"] {
        let input = format!("{place}.h5ad");
        let model = format!("on_{place}");
        let args = ["minify", "--model", &model, &input, "--output", "mini.h5ad", "--overwrite"];
        folder.scvi(&args).ok();
        let wanted = latent(&folder, &model, &input, &[]).ok();
        assert_eq!(latent(&folder, &model, "mini.h5ad", &[]).ok(), wanted, "{place}");
    }
}

#[test]
fn a_resumed_run_reads_the_same_matrix() {
    let folder = Folder::new();
    with_counts_in("raw")
        .layer("twice", all().map(|count| 2.0 * count))
        .write(&folder.path("data.h5ad"));
    let args = ["train", "data.h5ad", "--model", "m", "--n-hidden", "4", "--max-epochs", "600"];
    let mut run = folder.start(&[&args[..], &["--layer", "raw"]].concat());
    run.wait_for("epoch 1/600");
    run.signal("INT");
    assert_eq!(run.end().0.code(), Some(130));
    folder
        .scvi(&["train", "data.h5ad", "--model", "m", "--resume", "--layer", "twice"])
        .fails_with(&["the input's layer is twice, and was raw/X"]);
    folder.scvi(&["train", "data.h5ad", "--model", "m", "--resume", "--quiet"]).ok();
    let told = folder.scvi(&["inspect", "m", "--json"]).json();
    assert_eq!(told["layer"], "raw/X");
}

#[test]
fn values_that_are_no_counts_are_refused_where_others_are() {
    let folder = Folder::new();
    let log = || all().log1p();
    let scaled = || all().map(|count| count - 1.0);
    let raw = |x: Matrix| Matrices::new(x).raw(all());
    raw(log()).write(&folder.path("raw.h5ad"));
    raw(log()).write(&folder.path("raw.zarr"));
    raw(scaled()).write(&folder.path("scaled.h5ad"));
    Matrices::new(log())
        .layer("my counts", all())
        .layer("logs", log())
        .write(&folder.path("layer.h5ad"));
    raw(log()).layer("raw", all()).write(&folder.path("both.h5ad"));
    raw(log()).layer("zeros", all().map(|_| 0.0)).write(&folder.path("zeros.h5ad"));
    let verdicts = [
        (
            "raw.h5ad",
            "X holds no counts (0.6931472 in cell 'cell_0', gene 'gene_0'); counts are in raw/X",
        ),
        (
            "raw.zarr",
            "counts are in raw/X\nhint: read the counts: `--layer raw`; `--allow-non-counts` reads X\n",
        ),
        (
            "scaled.h5ad",
            "X holds no counts (-1 in cell 'cell_0', gene 'gene_1'); counts are in raw/X\nhint: read the counts: `--layer raw`\n",
        ),
        (
            "layer.h5ad",
            "counts are in layers/my counts\nhint: read the counts: `--layer 'my counts'`; `--allow",
        ),
        (
            "both.h5ad",
            "counts are in layers/raw, raw/X\nhint: read the counts: `--layer layers/raw` or `--layer raw/X`; `--allow",
        ),
        ("zeros.h5ad", "counts are in raw/X\nhint: read the counts: `--layer raw`; `--allow"),
    ];
    for (input, told) in verdicts {
        for reading in [&[][..], &["--in-memory", "never"]] {
            let ran = train(&folder, input, "m", &[&["--overwrite"], reading].concat());
            ran.fails_with(&[told]);
            let hint = ran.stderr().split("`--layer ").nth(1).unwrap().to_owned();
            let named = hint.split('`').next().unwrap();
            let layer = ["--layer", named.trim_matches('\'')];
            let more = ["--overwrite"];
            assert_eq!(
                train(&folder, input, "m", &[&layer[..], &more, reading].concat()).stderr(),
                ""
            );
        }
    }
    assert!(!folder.names().contains(&"n".to_owned()));
    train(&folder, "layer.h5ad", "n", &["--layer", "logs"])
        .fails_with(&["layers/logs holds no counts", "--layer 'my counts'"]);

    // Those who mean it.
    let meant = ["--allow-non-counts", "--max-epochs", "1", "--n-hidden", "4", "--model", "n"];
    let ran = folder.scvi(&[&["train", "raw.h5ad"], &meant[..]].concat());
    ran.ok();
    let warned = "warning: X holds values that are not whole numbers (0.6931472 in cell 'cell_0', gene 'gene_0')";
    assert!(ran.stderr().contains(warned), "{}", ran.stderr());
    latent(&folder, "n", "raw.h5ad", &[]).fails_with(&["X holds no counts", "--allow-non-counts"]);
    latent(&folder, "n", "raw.h5ad", &["--allow-non-counts"]).ok();
    train(&folder, "scaled.h5ad", "o", &["--allow-non-counts"])
        .fails_with(&["-1", "`--layer raw`\n"]);
    // Where nothing is better there is only the warning.
    Matrices::new(log()).write(&folder.path("only.h5ad"));
    train(&folder, "only.h5ad", "p", &[]).ok();
    Matrices::new(scaled()).write(&folder.path("negative.h5ad"));
    train(&folder, "negative.h5ad", "q", &[]).fails_with(&["-1", "no other matrix with counts"]);
}

/// A value that only a look at all of them finds.
#[test]
fn the_last_value_counts() {
    let folder = Folder::new();
    let (cells, genes) = (4000, 600);
    let mut x = Matrix::of(&counts(cells, genes));
    let at = 2000 * genes + 17;
    x.values[at] = 0.5;
    let data = Matrices::new(x).raw(Matrix::of(&counts(cells, 1)));
    data.write(&folder.path("data.h5ad"));
    let args = ["train", "data.h5ad", "--model", "m"];
    let told = "X holds no counts (0.5 in cell 'cell_2000', gene 'gene_17'); counts are in raw/X";
    folder.scvi(&args).fails_with(&[told]);
    folder.scvi(&[&args[..], &["--in-memory", "never"]].concat()).fails_with(&[told]);
}

#[test]
fn joined_samples_and_chosen_genes_are_read_from_counts() {
    let folder = Folder::new();
    for name in ["p", "q"] {
        let logs = Matrices::new(all().log1p()).layer("counts", all());
        logs.write(&folder.path(&format!("{name}.h5ad")));
        Matrices::new(all()).write(&folder.path(&format!("{name}_x.h5ad")));
    }
    let told = ["X holds no counts", "counts are in layers/counts", "`--layer counts`"];
    let small = ["--model", "n", "--max-epochs", "1", "--n-hidden", "4", "--n-latent", "2"];
    folder.scvi(&[&["train", "p.h5ad", "q.h5ad"], &small[..]].concat()).fails_with(&told);
    folder
        .scvi(&[&["train", "p.h5ad", "--n-top-genes", "5"], &small[..]].concat())
        .fails_with(&told);
    folder.scvi(&["genes", "p.h5ad", "--n-top-genes", "5", "--output", "g.csv"]).fails_with(&told);

    // A model without batches, so that samples have none to be.
    let plain = ["train", "p.h5ad", "--layer", "counts", "--quiet", "--model", "m"];
    folder.scvi(&[&plain[..], &small[2..]].concat()).ok();
    let latent = |inputs: [&str; 2], more: &[&str]| {
        let args = ["latent", "--model", "m", "--output", "-", inputs[0], inputs[1]];
        folder.scvi(&[&args[..], more].concat())
    };
    let rows = |table: String| -> Vec<String> {
        table.lines().skip(1).map(|line| line.split_once(',').unwrap().1.to_owned()).collect()
    };
    let wanted = latent(["p_x.h5ad", "q_x.h5ad"], &["--layer", "X"]).ok();
    assert_eq!(rows(latent(["p.h5ad", "q.h5ad"], &[]).ok()), rows(wanted));
    let told = ["p_x.h5ad has no layers/counts, which the model was trained on", "`--layer X`"];
    latent(["p_x.h5ad", "q_x.h5ad"], &[]).fails_with(&told);
}
