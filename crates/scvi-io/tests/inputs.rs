//! Samples as laboratories have them, written as one AnnData.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::samples::{BARCODES, Folder, open, written};
use scvi::data::CsrMatrix;
use scvi_io::anndata::{AnnDataFile, Column, MatrixKey};
use scvi_io::inputs::{
    GeneNames, InputError, Join, JoinOptions, NamedSample, SampleOptions, sample_name, write_joined,
};

fn named(name: &str, path: &Path) -> NamedSample {
    let sample = open(path, &SampleOptions::default()).unwrap();
    NamedSample { name: name.into(), sample, columns: Vec::new() }
}

fn labels(column: &Column) -> Vec<Option<String>> {
    (0..column.len()).map(|i| column.label(i)).collect()
}

fn dense(counts: &CsrMatrix) -> Vec<Vec<f32>> {
    let row = |cell: usize| {
        let mut row = vec![0.0; counts.n_genes()];
        let (genes, values) = counts.row(cell);
        genes.iter().zip(values).for_each(|(&gene, &value)| row[gene as usize] = value);
        row
    };
    (0..counts.n_cells()).map(row).collect()
}

#[test]
fn every_layout_of_10x_gives_the_same_cells_and_genes() {
    let folder = Folder::new();
    let since_3 = [
        folder.tenx("v3.h5", &[]),
        folder.mtx("v3", false, "\n"),
        folder.mtx("windows", false, "\r\n"),
    ];
    for path in &since_3 {
        let sample = open(path, &SampleOptions::default()).unwrap();
        assert_eq!(sample.left_out(), [("Antibody Capture".to_owned(), 1)], "{path:?}");
        let file = written(path, &SampleOptions::default()).unwrap();
        assert_eq!(file.obs_names(), BARCODES);
        assert_eq!(file.var_names(), ["CD3E", "MT-CO1", "CD3E-1"]);
        let ids = labels(&file.var_column("gene_ids").unwrap());
        assert_eq!(ids, ["ENSG1", "ENSG2", "ENSG3"].map(|id| Some(id.to_owned())));
        let want = [[5.0, 0.0, 0.0], [0.0; 3], [0.0, 2.0, 7.0]];
        assert_eq!(dense(&file.counts(&MatrixKey::X).unwrap()), want, "{path:?}");
        let by_id = SampleOptions { gene_names: GeneNames::Id, ..SampleOptions::default() };
        let file = written(path, &by_id).unwrap();
        assert_eq!(file.var_names(), ["ENSG1", "ENSG2", "ENSG3"]);
    }
    // Before version 3 every feature is a gene.
    for path in [folder.tenx("v2.h5", &["hg19"]), folder.mtx("v2", true, "\n")] {
        let file = written(&path, &SampleOptions::default()).unwrap();
        assert_eq!(file.var_names(), ["CD3E", "MT-CO1", "CD19_TotalSeq", "CD3E-1"]);
        let want = [[5.0, 0.0, 100.0, 0.0], [0.0; 4], [0.0, 2.0, 0.0, 7.0]];
        assert_eq!(dense(&file.counts(&MatrixKey::X).unwrap()), want, "{path:?}");
    }
}

#[test]
fn one_genome_of_several_is_chosen() {
    let folder = Folder::new();
    let of = |genome: &str| SampleOptions { genome: Some(genome.into()), ..Default::default() };
    let barnyard = folder.tenx("v3.h5", &[]);
    assert_eq!(written(&barnyard, &of("mm10")).unwrap().var_names(), ["MT-CO1"]);
    let legacy = folder.tenx("v2.h5", &["hg19", "mm10"]);
    assert!(matches!(
        written(&legacy, &SampleOptions::default()),
        Err(InputError::SeveralGenomes { genomes, .. }) if genomes == ["hg19", "mm10"]
    ));
    assert_eq!(written(&legacy, &of("mm10")).unwrap().n_vars(), 4);
    for path in [barnyard, legacy] {
        assert!(matches!(written(&path, &of("rn6")), Err(InputError::NoGenome { .. })));
    }
}

#[test]
fn folders_lead_to_their_filtered_matrix() {
    let folder = Folder::new();
    folder.tenx("run/outs/filtered_feature_bc_matrix.h5", &[]);
    folder.mtx("run/outs/raw_feature_bc_matrix", false, "\n");
    folder.mtx("old/filtered_gene_bc_matrices/hg19", true, "\n");
    folder.mtx("old/raw_gene_bc_matrices/hg19", true, "\n");
    folder.mtx("both/a", true, "\n");
    folder.mtx("both/b", true, "\n");
    for name in ["run", "run/outs", "old", "old/filtered_gene_bc_matrices"] {
        assert!(open(&folder.path(name), &SampleOptions::default()).is_ok(), "{name}");
    }
    let raw = [
        "run/outs/raw_feature_bc_matrix",
        "old/raw_gene_bc_matrices/hg19",
        "old/raw_gene_bc_matrices",
    ];
    for name in raw {
        let path = folder.path(name);
        let refused = open(&path, &SampleOptions::default()).map(drop).unwrap_err();
        assert!(matches!(refused, InputError::RawMatrix { .. }), "{name}: {refused}");
        let allowed = SampleOptions { allow_raw_matrix: true, ..SampleOptions::default() };
        assert!(open(&path, &allowed).is_ok() || name.ends_with("matrices"), "{name}");
    }
    let several = open(&folder.path("both"), &SampleOptions::default()).map(drop).unwrap_err();
    assert!(matches!(several, InputError::SeveralMatrices { found, .. } if found.len() == 2));
    fs::create_dir(folder.path("empty")).unwrap();
    let empty = open(&folder.path("empty"), &SampleOptions::default()).map(drop).unwrap_err();
    assert!(matches!(empty, InputError::NoMatrix { .. }), "{empty}");
    let name = |path: &str| sample_name(&folder.path(path));
    assert_eq!(name("run/outs/filtered_feature_bc_matrix.h5"), "run");
    assert_eq!(name("old/filtered_gene_bc_matrices"), "old");
    assert_eq!([name("x/s1.h5"), name("x/GSM1_S2_matrix.mtx.gz")], ["s1", "GSM1_S2"]);
}

#[test]
fn prefixes_tell_the_matrices_of_a_folder_apart() {
    let folder = Folder::new();
    let from = folder.mtx("one", false, "\n");
    for prefix in ["GSM1_a_", "GSM1_b_"] {
        for name in ["matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz"] {
            fs::copy(from.join(name), folder.path(&format!("geo/{prefix}{name}"))).unwrap();
        }
    }
    let both = open(&folder.path("geo"), &SampleOptions::default()).map(drop).unwrap_err();
    let InputError::SeveralMatrices { found, .. } = both else { panic!("{both}") };
    for path in found {
        assert_eq!(open(Path::new(&path), &SampleOptions::default()).unwrap().n_obs(), 3);
    }
}

#[test]
fn a_matrix_in_no_order_is_sorted() {
    let folder = Folder::new();
    let path = folder.mtx("m", true, "\n");
    let header = "%%MatrixMarket matrix coordinate real general\n4 3 5\n";
    // Cell 3 before cell 1, and gene 4 of cell 3 twice.
    folder.write("m/matrix.mtx", &(header.to_owned() + "4 3 6\n2 3 2\n3 1 100\n1 1 5\n4 3 1\n"));
    let file = written(&path, &SampleOptions::default()).unwrap();
    let want = [[5.0, 0.0, 100.0, 0.0], [0.0; 4], [0.0, 2.0, 0.0, 7.0]];
    assert_eq!(dense(&file.counts(&MatrixKey::X).unwrap()), want);
}

#[test]
fn broken_files_are_named_with_their_line() {
    let head = "%%MatrixMarket matrix coordinate integer general\n4 3 4\n";
    let body = "1 1 5\n3 1 100\n2 3 2\n4 3 7\n";
    let matrix = |text: String| ("matrix.mtx", text);
    let cases = [
        (matrix(head.replace("4 3 4", "5 3 4") + body), "line 2: expected 4 rows"),
        (matrix(head.replace("4 3 4", "3 4 4") + body), "a cell a row"),
        (matrix(head.replace("4 3 4", "4 3") + body), "line 2: expected rows, columns"),
        (matrix(head.replace("coordinate", "array") + body), "line 1"),
        (matrix(head.to_owned() + "1 1 5\n"), "cut off"),
        (matrix(head.to_owned() + body + "4 3 1\n"), "line 7: expected 4 values"),
        (matrix(head.to_owned() + "5 1 5\n"), "line 3: expected a row from 1 to 4, found 5"),
        (matrix(head.to_owned() + "0 1 5\n"), "line 3: expected a row from 1 to 4, found 0"),
        (matrix(head.to_owned() + "1 4 5\n"), "line 3: expected a column from 1 to 3, found 4"),
        (matrix(head.to_owned() + "1 1 -5\n"), "line 3: expected a count"),
        (matrix(head.to_owned() + "1 1 nan\n"), "line 3: expected a count"),
        (matrix(head.to_owned() + "1 1\n"), "line 3: expected a row, a column and a value"),
        (matrix(String::new()), "line 1"),
        (("barcodes.tsv", "a\nb\n".to_owned()), "as many as barcodes"),
        (("barcodes.tsv", "a\nb\na\n".to_owned()), "barcode 'a' occurs 2 times"),
        (("barcodes.tsv", String::new()), "as many as barcodes"),
        (("genes.tsv", "A\tB\n".to_owned()), "as many as features"),
        (("genes.tsv", "A\tB\n\nC\tD\n".to_owned()), "line 2: expected a feature's identifier"),
    ];
    for ((name, text), part) in cases {
        let folder = Folder::new();
        let path = folder.mtx("m", true, "\n");
        folder.write(&format!("m/{name}"), &text);
        let error = written(&path, &SampleOptions::default()).map(drop).unwrap_err().to_string();
        assert!(error.contains(part), "{name}: {error}");
    }
    let folder = Folder::new();
    let path = folder.mtx("m", false, "\n");
    let zipped = fs::read(path.join("matrix.mtx.gz")).unwrap();
    fs::write(path.join("matrix.mtx.gz"), &zipped[..zipped.len() / 2]).unwrap();
    let error = written(&path, &SampleOptions::default()).map(drop).unwrap_err().to_string();
    assert!(error.contains("complete file"), "{error}");
}

#[test]
fn samples_are_joined_as_anndata_joins_them() {
    let folder = Folder::new();
    let first = folder.h5ad("a.h5ad", &["z", "b", "c"], &["x", "y"], None);
    let second = folder.h5ad("b.h5ad", &["c", "d", "b"], &["x"], None);
    for (join, genes, want) in [
        (Join::Inner, &["b", "c"][..], vec![vec![2.0, 3.0], vec![3.0, 4.0], vec![3.0, 1.0]]),
        (
            Join::Outer,
            &["b", "c", "d", "z"],
            vec![vec![2.0, 3.0, 0.0, 1.0], vec![3.0, 4.0, 0.0, 2.0], vec![3.0, 1.0, 2.0, 0.0]],
        ),
    ] {
        let options = JoinOptions { join, label: Some("sample".into()) };
        let output = folder.path("out.h5ad");
        let samples = vec![named("B", &first), named("A", &second)];
        let joined = write_joined(samples, &options, &output, true).unwrap();
        assert_eq!(joined.cells, [2, 1]);
        let file = AnnDataFile::open(&output).unwrap();
        assert_eq!(file.var_names(), genes);
        assert_eq!(file.obs_names(), ["x-B", "y-B", "x-A"]);
        assert_eq!(dense(&file.counts(&MatrixKey::X).unwrap()), want);
        // Categories are in the order of the samples.
        let batches = file.obs_column("sample").unwrap().to_categorical();
        assert_eq!(batches.categories, ["B", "A"]);
        assert_eq!(batches.codes, [Some(0), Some(0), Some(1)]);
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let folder = Folder::new();
    let genes = ["a", "b", "c"];
    let plain = folder.h5ad("plain.h5ad", &genes, &["x"], None);
    let with = folder.h5ad("with.h5ad", &genes, &["x"], Some(&["b1"]));
    let other = folder.h5ad("other.h5ad", &["ENSG1", "ENSG2", "ENSG3"], &["x"], None);
    let twice = folder.h5ad("twice.h5ad", &["a", "b", "b", "d"], &["x"], None);
    let join = |first: &PathBuf, second: &PathBuf, names: [&str; 2]| {
        let options = JoinOptions { join: Join::Inner, label: Some("batch".into()) };
        let samples = vec![named(names[0], first), named(names[1], second)];
        write_joined(samples, &options, &folder.path("out.h5ad"), true)
    };
    assert!(join(&plain, &plain, ["1", "2"]).is_ok());
    assert!(matches!(join(&plain, &plain, ["1", "1"]), Err(InputError::SameName { .. })));
    assert!(matches!(join(&plain, &with, ["1", "2"]), Err(InputError::SomeHaveColumn { .. })));
    assert!(matches!(join(&plain, &twice, ["1", "2"]), Err(InputError::DuplicateGene { .. })));
    let error = join(&plain, &other, ["1", "2"]).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("share 0 gene names") && told.contains("'a'"), "{told}");
    assert!(told.contains("'ENSG1'"), "{told}");
}
