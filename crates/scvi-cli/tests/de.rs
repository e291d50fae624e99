//! Differential expression, as a user would ask for it.

mod common;

use common::{Folder, categorical, counts};

/// 120 simulated cells of 60 genes with a trained model.
fn trained() -> Folder {
    let folder = Folder::new();
    let sizes = ["--n-cells", "120", "--n-genes", "60", "--density", "0.3", "--quiet"];
    folder.scvi(&[&["simulate", "--output", "data.h5ad"][..], &sizes].concat()).ok();
    let small = ["--n-hidden", "8", "--n-latent", "3", "--max-epochs", "2", "--quiet"];
    let train = ["train", "data.h5ad", "--model", "m", "--batch-key", "batch"];
    folder.scvi(&[&train[..], &small].concat()).ok();
    folder
}

const DE: [&str; 6] = ["de", "--model", "m", "data.h5ad", "--n-samples-overall", "200"];

fn de<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&DE, args].concat()
}

#[test]
fn every_group_is_compared_with_the_rest() {
    let folder = trained();
    let args = de(&["--groupby", "cell_type", "--output", "out.csv", "--json"]);
    let json = folder.scvi(&args).json();
    assert_eq!((&json["comparisons"], &json["genes"]), (&5.into(), &60.into()));
    assert_eq!(json["files"], serde_json::json!(["out.csv", "out.csv.json"]));
    let text = std::fs::read_to_string(folder.path("out.csv")).unwrap();
    assert_eq!(text.lines().count(), 1 + 5 * 60);
    let header = "gene,proba_m1,proba_m2,bayes_factor,scale1,scale2,raw_mean1,raw_mean2,\
                  non_zeros_proportion1,non_zeros_proportion2,raw_normalized_mean1,\
                  raw_normalized_mean2,comparison,group1,group2";
    assert_eq!(text.lines().next(), Some(header));
    assert!(text.lines().nth(1).unwrap().ends_with(" vs Rest,type_0,Rest"), "{text}");
    let settings = std::fs::read_to_string(folder.path("out.csv.json")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(settings, json["settings"]);
    assert_eq!((&settings["mode"], &settings["seed"]), (&"vanilla".into(), &0.into()));

    let again = folder.scvi(&de(&["--groupby", "cell_type", "--output", "out.csv"]));
    again.fails_with(&["out.csv"]);
    let stdout = de(&["--groupby", "cell_type", "--output", "-", "--threads", "1"]);
    assert_eq!(folder.scvi(&stdout).ok(), text);
}

#[test]
fn change_mode_takes_its_options() {
    let folder = trained();
    let change = ["--mode", "change", "--delta", "estimate", "--cred-interval-lvls", "0.5"];
    let pair = ["--groupby", "cell_type", "--group1", "type_0", "type_2", "--group2", "type_1"];
    let batches = ["--batch-correction", "--batchid1", "batch_0", "--use-permutation"];
    let output = ["--output", "out.tsv", "--test-mode", "two", "--fdr-target", "0.1", "--json"];
    let json = folder.scvi(&de(&[&change[..], &pair, &batches, &output].concat())).json();
    let comparisons = json["settings"]["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 2);
    assert!(comparisons.iter().all(|c| c["delta"].as_f64().unwrap() >= 0.1));
    assert!(comparisons.iter().all(|c| c["pseudocounts"].as_f64().unwrap() > 0.0));
    let text = std::fs::read_to_string(folder.path("out.tsv")).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split('\t').collect();
    assert_eq!(header[1], "proba_de");
    assert!(header.contains(&"lfc_confidence_interval_0.5_max"));
    assert!(header.contains(&"is_de_fdr_0.1"));
    assert!(text.lines().nth(1).unwrap().ends_with("type_0 vs type_1\ttype_0\ttype_1"));
}

#[test]
fn outlier_cells_are_left_out_and_counted() {
    let folder = trained();
    let few = folder.path("few");
    std::fs::write(&few, "1\n2\n3\n").unwrap();
    let args = ["--idx1", "few", "--output", "out.csv", "--filter-outlier-cells"];
    let run = folder.scvi(&de(&args));
    run.ok();
    let told = run.stderr();
    assert!(told.contains("all 3 cells of 'idx1' are used"), "{told}");
    let settings = std::fs::read_to_string(folder.path("out.csv.json")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    assert_eq!(settings["filter_outlier_cells"], true);
    let comparison = &settings["comparisons"][0];
    assert_eq!((&comparison["n_cells1"], &comparison["n_cells2"]), (&3.into(), &117.into()));
    assert!(comparison["n_outliers1"].is_null());
    assert_eq!(comparison["n_outliers2"], 12);
}

#[test]
fn cells_come_from_queries_and_files() {
    let folder = trained();
    let by = |idx1: &str, idx2: &str| {
        folder.scvi(&de(&["--idx1", idx1, "--idx2", idx2, "--output", "-"])).ok()
    };
    let query = |name: &str| format!("cell_type == '{name}' and batch in ['batch_0', 'batch_1']");
    let want = by(&query("type_0"), &query("type_1"));
    assert!(want.lines().next().unwrap().ends_with("raw_normalized_mean2"), "{want}");
    // The same cells, by row and by name.
    let file = scvi_io::anndata::AnnDataFile::open(folder.path("data.h5ad")).unwrap();
    let types = file.obs_column("cell_type").unwrap();
    let rows =
        |name: &str| (0..120).filter(|&row| types.label(row).as_deref() == Some(name)).collect();
    let (first, second): (Vec<usize>, Vec<usize>) = (rows("type_0"), rows("type_1"));
    let lines = |items: Vec<String>| items.join("\n") + "\n";
    let numbers = lines(first.iter().map(usize::to_string).collect());
    let names = lines(second.iter().map(|&row| file.obs_names()[row].clone()).collect());
    std::fs::write(folder.path("first"), numbers).unwrap();
    std::fs::write(folder.path("second"), names).unwrap();
    assert_eq!(by("first", "second"), want);

    let fails = |idx1: &str, parts: &[&str]| {
        folder.scvi(&de(&["--idx1", idx1, "--output", "-"])).fails_with(parts);
    };
    fails("cell_type = 'a'", &["--idx1", "character 11", "hint: a query is such as"]);
    fails("age > 3", &["age", "cell_type"]);
    fails("batch == 'nothing'", &["'idx1' has no cells"]);
    fails("batch != 'nothing'", &["holds every cell"]);
    std::fs::write(folder.path("first"), "cell_x\n").unwrap();
    fails("first", &["line 1", "'cell_x'", "row number below 120"]);
}

#[test]
fn what_makes_no_comparison_is_refused() {
    let folder = trained();
    let fails = |args: &[&str], parts: &[&str]| {
        folder.scvi(&de(&[args, &["--output", "-"]].concat())).fails_with(parts);
    };
    let by = ["--groupby", "cell_type"];
    fails(&["--groupby", "type"], &["'type'", "cell_type"]);
    fails(&[&by[..], &["--group1", "x"]].concat(), &["no group 'x'", "type_0, type_1"]);
    fails(&[&by[..], &["--group2", "y"]].concat(), &["no group 'y'", "type_4"]);
    fails(&[&by[..], &["--delta", "x"]].concat(), &["delta", "'x'", "estimate"]);
    let batch = ["--batch-correction", "--batchid1", "z"];
    fails(&[&by[..], &batch].concat(), &["'z' is none of the model's batches", "batch_0, batch_1"]);
    let output = de(&["--groupby", "cell_type", "--output", "out.h5ad"]);
    folder.scvi(&output).fails_with(&["out.h5ad", ".csv"]);

    // One group, and one with a cell that has no value.
    let (x, codes) = (counts(120, 60), |k: u32| vec![Some(k); 120]);
    let mut two = codes(0);
    two[3] = Some(1);
    two[4] = None;
    let columns = |codes: &[Option<u32>]| {
        vec![
            ("batch".to_owned(), categorical(&codes_of_batches(), &["batch_0", "batch_1"])),
            ("kind".to_owned(), categorical(codes, &["a", "b"])),
        ]
    };
    // The model's genes.
    let file = scvi_io::anndata::AnnDataFile::open(folder.path("data.h5ad")).unwrap();
    let write_with = |codes: &[Option<u32>]| {
        let mut data = scvi_io::h5ad::NewAnnData::new(
            &x,
            common::names("cell", 120),
            file.var_names().to_vec(),
        );
        data.obs = columns(codes);
        scvi_io::h5ad::write_h5ad(folder.path("other.h5ad"), &data, true).unwrap();
    };
    let other = ["de", "--model", "m", "other.h5ad", "--groupby", "kind", "--output", "-"];
    write_with(&codes(0));
    folder.scvi(&other).fails_with(&["'kind' has a single group"]);
    write_with(&two);
    let found = folder.scvi(&[&other[..], &["--n-samples-overall", "50"]].concat());
    assert_eq!(found.ok().lines().count(), 1 + 2 * 60);
    assert!(found.stderr().contains("1 cells without a value in 'kind'"), "{}", found.stderr());
}

fn codes_of_batches() -> Vec<Option<u32>> {
    (0..120).map(|cell| Some(cell % 2)).collect()
}
