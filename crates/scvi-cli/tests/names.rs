//! Cells and genes looked up by name: lists as editors save them, names that are numbers, names that
//! stand for several.

mod common;

use common::{Folder, Ran, names};
use scvi::data::CsrMatrix;
use scvi_io::h5ad::{NewAnnData, write_h5ad};

const CELLS: usize = 30;

/// Cells of which each has counts of its own gene only, so that mean counts tell cells apart.
fn write(folder: &Folder, file: &str, cells: &[String], genes: &[String]) {
    let n = CELLS as u32;
    let x = CsrMatrix::new(CELLS, (0..=n.into()).collect(), (0..n).collect(), vec![3.0; CELLS]);
    let x = x.unwrap();
    let data = NewAnnData::new(&x, cells.to_vec(), genes.to_vec());
    write_h5ad(folder.path(file), &data, true).unwrap();
}

fn train(folder: &Folder, file: &str, model: &str) -> Ran {
    let small = ["--n-hidden", "4", "--n-latent", "2", "--max-epochs", "1"];
    folder.scvi(&[&["train", file, "--model", model][..], &small].concat())
}

/// A model of cells of that kind, named `cell_0` and so on.
fn trained() -> Folder {
    let folder = Folder::new();
    write(&folder, "data.h5ad", &names("cell", CELLS), &names("gene", CELLS));
    train(&folder, "data.h5ad", "m").ok();
    folder
}

fn de(folder: &Folder, file: &str, more: &[&str]) -> Ran {
    let common = ["de", file, "--model", "m", "--n-samples-overall", "2", "--quiet"];
    folder.scvi(&[&common, more, &["--output", "-"]].concat())
}

/// The cells that `--idx1` chose of a file.
#[track_caller]
fn chosen(folder: &Folder, file: &str, more: &[&str]) -> Vec<usize> {
    let text = de(folder, file, more).ok();
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let raw = table.headers().unwrap().iter().position(|name| name == "raw_mean1").unwrap();
    let rows = table.records().map(|row| {
        let row = row.unwrap();
        (row[0].trim_start_matches("gene_").parse().unwrap(), row[raw].parse::<f64>().unwrap())
    });
    let mut cells: Vec<usize> =
        rows.filter(|(_, mean)| *mean > 0.0).map(|(gene, _)| gene).collect();
    cells.sort_unstable();
    cells
}

/// Writes a list, and names it.
fn list<'a>(folder: &Folder, lines: impl AsRef<[u8]>) -> [&'a str; 2] {
    std::fs::write(folder.path("list"), lines).unwrap();
    ["--idx1", "list"]
}

/// Names as a filter leaves them that kept every second of numbered cells.
fn even() -> Vec<String> {
    (0..CELLS).map(|cell| (2 * cell).to_string()).collect()
}

#[test]
fn a_list_of_cells_is_of_names_or_of_rows() {
    let folder = trained();
    let choose = |lines: &str| chosen(&folder, "data.h5ad", &list(&folder, lines));
    assert_eq!(choose("cell_4\ncell_2\ncell_4\n"), [2, 4]);
    assert_eq!(choose("0\n29\n"), [0, 29]);
    let fails = |lines: &str, more: &[&str], parts: &[&str]| {
        let args = [&list(&folder, lines)[..], more].concat();
        de(&folder, "data.h5ad", &args).fails_with(parts);
    };
    let hint = "hint: a list of cells has a cell name or a row number (from 0) per line";
    fails("cell_1\n3\n", &[], &["list, line 2: '3' names no cell", hint]);
    fails("3\ncell_1\n", &[], &["list, line 1: '3' names no cell"]);
    fails("3\n30\n", &[], &["line 2: '30' is neither a cell's name nor a row number below 30"]);
    for row in ["-1", "+3", "03", "3.0", "1e1", "99999999999999999999999"] {
        fails(row, &[], &[&format!("'{row}' is neither")]);
    }
    fails(" \r\n\n", &[], &["list: it lists no cell"]);
    fails("cell_1", &["--cells-by", "row"], &["'cell_1' is no row number from 0 to 29"]);
    fails("3", &["--cells-by", "name"], &["'3' names no cell"]);
    let query = ["--idx1", "gene == 'x'", "--cells-by", "row"];
    de(&folder, "data.h5ad", &query).fails_with(&["cells-by", "no group is a file"]);
}

#[test]
fn a_file_that_is_named_like_a_query_is_asked_for() {
    let folder = trained();
    std::fs::write(folder.path("index == 'cell_3'"), "cell_4\n").unwrap();
    let choose = |idx1: &str| chosen(&folder, "data.h5ad", &["--idx1", idx1]);
    de(&folder, "data.h5ad", &["--idx1", "index == 'cell_3'"])
        .fails_with(&["is a file, and a query", "hint: write `./` before the file"]);
    assert_eq!(choose("./index == 'cell_3'"), [4]);
    assert_eq!(choose("(index == 'cell_3')"), [3]);
}

#[test]
fn where_names_are_numbers_it_is_asked_which() {
    let folder = trained();
    write(&folder, "even.h5ad", &even(), &names("gene", CELLS));
    let args = |lines: &str, by: &'static str| {
        let listed = list(&folder, lines);
        if by.is_empty() { listed.to_vec() } else { [&listed[..], &["--cells-by", by]].concat() }
    };
    let choose = |lines: &str, by| chosen(&folder, "even.h5ad", &args(lines, by));
    // No row has so large a number, and no name is odd.
    assert_eq!(choose("4\n58\n", ""), [2, 29]);
    assert_eq!(choose("1\n3\n", ""), [1, 3]);
    // The first is in both the same.
    assert_eq!(choose("0\n", ""), [0]);
    for (lines, told) in [
        (
            "0\n4\n",
            "list: every line is both a cell's name and a row number, which give other cells: line 2, '4', is the name of row 2",
        ),
        ("4\n5\n", "list, line 2: '5' names no cell, and '4' in line 1 does"),
    ] {
        let hint = "hint: say what the lines are: `--cells-by name` or `--cells-by row`";
        de(&folder, "even.h5ad", &args(lines, "")).fails_with(&[told, hint]);
    }
    assert_eq!(choose("0\n4\n", "name"), [0, 2]);
    assert_eq!(choose("0\n4\n", "row"), [0, 4]);
    assert_eq!(choose("4\n5\n", "row"), [4, 5]);
    de(&folder, "even.h5ad", &args("4\n5\n", "name")).fails_with(&["'5' names no cell"]);
    // Where both readings give the same cells nothing needs to be asked.
    let mut same: Vec<String> = (0..CELLS).map(|cell| cell.to_string()).collect();
    same.swap(3, 4);
    write(&folder, "same.h5ad", &same, &names("gene", CELLS));
    let choose = |lines: &str| chosen(&folder, "same.h5ad", &list(&folder, lines));
    assert_eq!(choose("7\n9\n"), [7, 9]);
    assert_eq!(choose("4\n3\n"), [3, 4]);
    let one = list(&folder, "4\n");
    de(&folder, "same.h5ad", &one).fails_with(&["line 1, '4', is the name of row 3"]);
}

#[test]
fn a_name_of_several_cells_names_none() {
    let folder = trained();
    let mut cells = names("cell", CELLS);
    (cells[7], cells[20]) = (cells[3].clone(), cells[3].clone());
    write(&folder, "repeated.h5ad", &cells, &names("gene", CELLS));
    let told = train(&folder, "repeated.h5ad", "again");
    told.ok();
    let warning = "warning: 1 cell name stands more than once: 'cell_3' (3 times)";
    assert!(told.stderr().contains(warning), "{}", told.stderr());
    let file = "repeated.h5ad";
    de(&folder, file, &list(&folder, "cell_1\ncell_3\n")).fails_with(&[
        "list, line 2: 3 cells are named 'cell_3' (rows 3, 7, 20, from 0)",
        "hint: list row numbers and say so with `--cells-by row`",
    ]);
    assert_eq!(chosen(&folder, file, &list(&folder, "cell_1\n")), [1]);
    let rows = [&list(&folder, "1\n7\n")[..], &["--cells-by", "row"]].concat();
    assert_eq!(chosen(&folder, file, &rows), [1, 7]);
}

#[test]
fn a_name_of_several_genes_names_none() {
    let folder = Folder::new();
    let mut genes = names("gene", CELLS);
    (genes[7], genes[20]) = (genes[3].clone(), genes[3].clone());
    write(&folder, "data.h5ad", &names("cell", CELLS), &genes);
    let told = train(&folder, "data.h5ad", "m");
    told.ok();
    let warning = "warning: 1 gene name stands more than once: 'gene_3' (3 times)";
    assert!(told.stderr().contains(warning), "{}", told.stderr());
    // All genes, in their order, need no look-up.
    folder.scvi(&["latent", "data.h5ad", "--model", "m", "--output", "z.csv", "--quiet"]).ok();
    for (verb, output) in [("normalize", "-"), ("sample", "x.h5ad"), ("correlate", "-")] {
        let run = |listed: &str| {
            std::fs::write(folder.path("genes"), listed).unwrap();
            let args = ["--gene-list", "genes", "--output", output, "--quiet", "--overwrite"];
            folder.scvi(&[&[verb, "data.h5ad", "--model", "m"][..], &args].concat())
        };
        run("gene_1\ngene_2\n").ok();
        run("gene_1\ngene_3\n").fails_with(&[
            "genes, line 2: 3 genes of the model are named 'gene_3' (columns 3, 7, 20, from 0)",
            "hint: leave it out of the list",
        ]);
    }
    // Another order, or other genes, would have to be matched by name.
    let mut other = genes.clone();
    other.reverse();
    write(&folder, "other.h5ad", &names("cell", CELLS), &other);
    let matched = ["3 genes of the model are named 'gene_3'", "hint: give the genes"];
    let latent = ["latent", "other.h5ad", "--model", "m", "--output", "-"];
    folder.scvi(&latent).fails_with(&matched);
    write(&folder, "other.h5ad", &names("cell", CELLS), &names("gene", CELLS));
    folder.scvi(&latent).fails_with(&matched);
    let map = ["map", "--reference", "m", "other.h5ad", "--model", "mapped"];
    folder.scvi(&map).fails_with(&matched);
}

#[test]
fn lists_are_read_as_editors_save_them() {
    let folder = trained();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let normalize = || {
        let args = ["--gene-list", "list", "--output", "-", "--posterior-mean", "--quiet"];
        folder.scvi(&[&["normalize", "data.h5ad", "--model", "m"][..], &args].concat())
    };
    for saved in
        ["\u{feff}A_2\nA_5\n", "A_2\r\nA_5", "\u{feff}A_2\r\nA_5\r\n\r\n\r\n", "A_2\rA_5\r"]
    {
        let cells = list(&folder, saved.replace('A', "cell"));
        assert_eq!(chosen(&folder, "data.h5ad", &cells), [2, 5], "{saved:?}");
        list(&folder, saved.replace('A', "gene"));
        let table = normalize().ok();
        assert_eq!(table.lines().next(), Some("cell,gene_2,gene_5"), "{saved:?}");
    }
    let refused = ["list is not UTF-8 text", "UTF-16", "hint: save it as plain text"];
    let cells = list(&folder, utf16("\u{feff}cell_2\r\n"));
    de(&folder, "data.h5ad", &cells).fails_with(&refused);
    normalize().fails_with(&refused);
    list(&folder, "gene_2\u{200b}\n");
    normalize().fails_with(&["model's: gene_2\\u{200b}"]);
    let cells = list(&folder, "cell_2\u{a0}x");
    de(&folder, "data.h5ad", &cells).fails_with(&["'cell_2\\u{a0}x' is neither"]);
}
