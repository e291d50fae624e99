//! Hints about cells, genes and columns.

use std::fs;

use scvi_io::anndata::Column;
use scvi_io::h5ad::{NewAnnData, write_h5ad};

use crate::common::cells::Cells;
use crate::common::{Folder, names};
use crate::files::{TRAIN, folder};
use crate::walk::Walk;

pub fn walk(walk: &mut Walk) {
    let folder = folder();
    empty_cells(walk, &folder);
    genes(walk, &folder);
    lists(walk, &folder);
    columns(walk, &folder);
    overlap(walk, &folder);
    minified(walk, &folder);
}

fn cells() -> Cells {
    Cells::new(60, 12, 1).column("batch", &["a", "b"])
}

fn empty_cells(walk: &mut Walk, folder: &Folder) {
    let mut cells = cells();
    cells.empty(&[4]);
    cells.write(&folder.path("empty.h5ad"));
    let latent = "scvi latent --model m empty.h5ad --output o.csv";
    for line in [latent, &TRAIN.replace("x.h5ad", "empty.h5ad")] {
        walk.provoke(folder, line, "`--drop-empty-cells` leaves them out");
    }
    let named = "scvi latent --model m x.h5ad --output-dir o --batch-name a/b";
    walk.provoke(folder, named, "give each input a name without slashes");
    let mito = "scvi latent --model m x.h5ad --output o.csv --max-pct-mito 5";
    walk.provoke(folder, mito, "say what names of mitochondrial genes begin with");
    let minify = "scvi minify --model m empty.h5ad --output o.h5ad";
    walk.provoke(folder, minify, "empty_with_counts.h5ad` writes the file without them");
    let mut more = Cells::new(60, 13, 1).column("batch", &["a", "b"]);
    more.empty(&[4]);
    more.write(&folder.path("more.h5ad"));
    let minify = "scvi minify --model m more.h5ad --keep-counts --output o.h5ad";
    walk.provoke(folder, minify, "leave these cells out of the file");
}

fn genes(walk: &mut Walk, folder: &Folder) {
    cells().with_genes(&[0, 1, 2]).write(&folder.path("few.h5ad"));
    let latent = "scvi latent --model m few.h5ad --output o.csv";
    walk.provoke(folder, latent, "`scvi inspect m --json` lists them");
    let mut other = cells();
    other.genes[3] = "other".to_owned();
    other.write(&folder.path("other.h5ad"));
    walk.provoke(folder, &latent.replace("few", "other"), "select the genes");
    let mut repeated = cells();
    repeated.genes[3] = "gene_4".to_owned();
    repeated.write(&folder.path("repeated.h5ad"));
    walk.provoke(folder, &latent.replace("few", "repeated"), "make names unique");
    folder.typed("scvi train repeated.h5ad --model r --max-epochs 1 --n-hidden 4").ok();
    walk.provoke(folder, "scvi latent --model r x.h5ad --output o.csv", "unique names");
    fs::write(folder.path("list"), "gene_4\n").unwrap();
    let normalize = "scvi normalize --model r repeated.h5ad --gene-list list --output o.csv";
    walk.provoke(folder, normalize, "leave it out of the list");
    for list in ["", "gene_x\n"] {
        fs::write(folder.path("list"), list).unwrap();
        walk.provoke(folder, &normalize.replace("model r", "model m"), "one name per line");
    }
}

fn lists(walk: &mut Walk, folder: &Folder) {
    let counts = Cells::new(20, 9, 2).counts;
    let write_named = |name: &str, cell: &dyn Fn(usize) -> String| {
        let cells = (0..20).map(cell).collect();
        let data = NewAnnData::new(&counts, cells, names("gene", 9));
        write_h5ad(folder.path(name), &data, false).unwrap();
    };
    write_named("even.h5ad", &|cell| (2 * cell % 20 + cell / 10).to_string());
    write_named("twice.h5ad", &|cell| format!("cell_{}", cell / 2));
    folder.typed("scvi train even.h5ad --model e --max-epochs 1 --n-hidden 4").ok();
    let de = "scvi de --model e even.h5ad --idx1 list --output o.csv --n-samples-overall 20";
    fs::write(folder.path("list"), "2\n4\n").unwrap();
    walk.provoke(folder, de, "say what the lines are");
    fs::write(folder.path("list"), "cell_1\n").unwrap();
    walk.provoke(folder, de, "a list of cells has");
    let repeated = de.replace("even.h5ad", "twice.h5ad");
    // Row numbers have to be listed first.
    walk.provoke_only(folder, &repeated, "`--cells-by row`");
    fs::write(folder.path("index==index"), "cell_1\n").unwrap();
    let named = de.replace("--idx1 list", "--idx1 index==index");
    walk.provoke(folder, &named, "parentheses around the query");
    let query = de.replace("--idx1 list", "--idx1 'cell_type is B'");
    walk.provoke(folder, &query, "a query is such as");
    fs::write(folder.path("kind == 'p'"), "cell_1\n").unwrap();
    let line = "scvi de --model m x.h5ad --idx1 \"kind == 'p'\" --output o.csv";
    walk.provoke(folder, line, "write `./` before the file");
}

fn columns(walk: &mut Walk, folder: &Folder) {
    let texts = Column::Strings((0..60).map(|c| Some(format!("v{}", c % 3))).collect());
    let mut data = cells();
    data.obs.push(("age".to_owned(), Column::Floats((0..60).map(f64::from).collect())));
    data.obs.push(("plate".to_owned(), Column::Integers((0..60).map(|c| Some(c % 2)).collect())));
    data.obs.push((
        "unique".to_owned(),
        Column::Strings(names("u", 60).into_iter().map(Some).collect()),
    ));
    data.write(&folder.path("age.h5ad"));
    let mut data = cells();
    data.obs.push(("age".to_owned(), texts));
    let plates = (0..60).map(|c| Some((c % 2).to_string())).collect();
    data.obs.push(("plate".to_owned(), Column::Strings(plates)));
    data.write(&folder.path("texts.h5ad"));
    let train = TRAIN.replace("x.h5ad", "texts.h5ad");
    let continuous = format!("{train} --continuous-covariate-key age");
    walk.provoke(folder, &continuous, "`--categorical-covariate-key`");
    let train = "scvi train age.h5ad --model a --continuous-covariate-key age --max-epochs 1";
    folder.typed(&format!("{train} --n-hidden 4")).ok();
    let latent = "scvi latent --model a texts.h5ad --output o.csv";
    walk.provoke(folder, latent, "trained on numbers");
    let mut data = cells();
    let ages = (0..60).map(|c| if c == 3 { f64::INFINITY } else { f64::from(c) }).collect();
    data.obs.push(("age".to_owned(), Column::Floats(ages)));
    data.write(&folder.path("infinite.h5ad"));
    let latent = "scvi latent --model a infinite.h5ad --output o.csv";
    walk.provoke(folder, latent, "correct the values");
    let train = TRAIN.replace("x.h5ad", "age.h5ad");
    walk.provoke(folder, &format!("{train} --batch-key unique"), "`--allow-many-categories`");
    folder.typed(&format!("{train} --batch-key plate")).ok();
    let latent = "scvi latent --model n texts.h5ad --output o.csv";
    walk.provoke(folder, latent, "python3 -c");
    fs::rename(folder.path("texts.h5ad"), folder.path("it's.h5ad")).unwrap();
    let latent = "scvi latent --model n \"it's.h5ad\" --output o.csv";
    walk.provoke(folder, latent, "convert the column");
    Cells::new(60, 12, 1).column("batch", &["a", "c"]).write(&folder.path("new.h5ad"));
    let latent = "scvi latent --model m new.h5ad --output o.csv";
    walk.provoke(folder, latent, "teaches the model new categories");
}

fn overlap(walk: &mut Walk, folder: &Folder) {
    let map = "scvi map --reference m q.h5ad --model mapped --max-epochs 1";
    let query = |rename: &dyn Fn(usize) -> String| {
        let mut cells = cells();
        cells.genes = (0..12).map(rename).collect();
        cells
    };
    query(&|gene| format!("id_{gene}")).write(&folder.path("q.h5ad"));
    walk.provoke(folder, map, "names of another kind");
    let mut symbols = query(&|gene| format!("id_{gene}"));
    let column = names("gene", 12).into_iter().map(Some).collect();
    symbols.var.push(("symbol".to_owned(), Column::Strings(column)));
    symbols.write(&folder.path("q.h5ad"));
    walk.provoke(folder, map, "`--var-names-column symbol`");
    query(&|gene| format!("{}_{gene}", if gene < 2 { "gene" } else { "id" }))
        .write(&folder.path("q.h5ad"));
    let map = format!("{map} --drop-empty-cells");
    walk.provoke(folder, &map, "`--min-overlap 0.166` takes so many");
}

fn minified(walk: &mut Walk, folder: &Folder) {
    folder.typed("scvi minify --model m x.h5ad --output mini.h5ad").ok();
    let evaluate = "scvi evaluate --model m mini.h5ad";
    let train = TRAIN.replace("x.h5ad --model n", "mini.h5ad --model o");
    for line in [evaluate, &train] {
        walk.provoke(folder, line, "the minified one was made from");
    }
    let de = "scvi de --model m mini.h5ad --groupby batch --mode change --output o.csv";
    walk.provoke(folder, &format!("{de} --n-samples-overall 20"), "`--pseudocounts 1e-5`");
    let minify = "scvi minify --model m mini.h5ad --output o.h5ad";
    walk.provoke(folder, minify, "it is used as it is");
}
