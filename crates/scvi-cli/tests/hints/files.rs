//! Hints about files that are read and written.

use std::path::Path;
use std::{fs, io};

use scvi_io::output::OutputLock;

use crate::common::cells::Cells;
use crate::common::matrices::{Matrices, Matrix};
use crate::common::{Folder, categorical, counts, write};
use crate::walk::Walk;

pub const TRAIN: &str = "scvi train x.h5ad --model n --max-epochs 1 --n-hidden 4";

/// Cells of two batches as `x.h5ad`, and a model of them as `m`.
pub fn folder() -> Folder {
    let folder = Folder::new();
    let cells = Cells::new(60, 12, 1).column("batch", &["a", "b"]);
    cells.column("kind", &["p", "q", "r"]).write(&folder.path("x.h5ad"));
    let train = "scvi train x.h5ad --model m --batch-key batch --max-epochs 1 --n-hidden 4 --quiet";
    folder.typed(train).ok();
    folder
}

pub fn walk(walk: &mut Walk) {
    let folder = folder();
    no_files(walk, &folder);
    matrices(walk);
    contents(walk);
    unread(walk);
    outputs(walk, &folder);
    outputs_in_use(walk, &folder);
    copies(walk, &folder);
    links(walk);
}

fn no_files(walk: &mut Walk, folder: &Folder) {
    fs::write(folder.path("text.h5ad"), "cell,gene,count\n").unwrap();
    walk.provoke(folder, &TRAIN.replace("x.h5ad", "text.h5ad"), "AnnData.write_h5ad");
    walk.provoke(folder, &TRAIN.replace("x.h5ad", "m"), "AnnData.write_zarr");
    fs::create_dir(folder.path("bare.zarr")).unwrap();
    fs::write(folder.path("bare.zarr/.zgroup"), r#"{"zarr_format": 2}"#).unwrap();
    walk.provoke(folder, &TRAIN.replace("x.h5ad", "bare.zarr"), "current anndata");
    fs::write(folder.path("genes.txt"), [0xff, 0xfe, b'g', 0, b'\n', 0]).unwrap();
    let normalize = "scvi normalize --model m x.h5ad --gene-list genes.txt --output o.csv";
    walk.provoke(folder, normalize, "plain text");
}

fn matrices(walk: &mut Walk) {
    let folder = Folder::new();
    let all = Matrix::of(&counts(40, 12));
    let few = all.with_genes(&[3, 1]);
    let both = Matrices::new(all.clone()).layer("counts", all.clone()).layer("raw", all.clone());
    both.raw(all.clone()).write(&folder.path("x.h5ad"));
    Matrices::new(all.clone()).write(&folder.path("only_x.h5ad"));
    Matrices::new(few).raw(all.clone()).write(&folder.path("few.h5ad"));
    Matrices::new(all.clone()).write(&folder.path("x.zarr"));
    walk.provoke(
        &folder,
        &format!("{TRAIN} --layer raw"),
        "`--layer layers/raw` or `--layer raw/X`",
    );
    walk.provoke(&folder, &format!("{TRAIN} --layer spliced"), "read another matrix: `--layer X`");
    let logs = Matrices::new(all.log1p()).raw(all.clone());
    logs.layer("my counts", all.clone()).write(&folder.path("logs.h5ad"));
    let words = "read the counts: `--layer 'my counts'` or `--layer raw`; `--allow-non-counts`";
    walk.provoke(&folder, &TRAIN.replace("x.h5ad", "logs.h5ad"), words);
    let scaled = Matrices::new(all.map(|count| count - 1.0)).raw(all.clone());
    scaled.write(&folder.path("scaled.h5ad"));
    walk.provoke(&folder, &TRAIN.replace("x.h5ad", "scaled.h5ad"), "counts: `--layer raw`");
    folder.typed(&format!("{TRAIN} --layer counts")).ok();
    for verb in ["latent", "evaluate", "normalize", "parameters", "sample", "correlate"] {
        let output = match verb {
            "evaluate" => "",
            "parameters" => "--output o.npz",
            "sample" => "--output o.h5ad",
            _ => "--output o.csv",
        };
        let line = format!("scvi {verb} --model n only_x.h5ad {output}");
        walk.provoke(&folder, &line, "read another matrix: `--layer X`");
    }
    folder.typed("scvi train few.h5ad --layer raw --model r --max-epochs 1 --n-hidden 4").ok();
    for (verb, words) in [
        ("normalize", "`--output o.npy`"),
        ("parameters", "`--output o.npz`"),
        ("minify", "`--keep-counts`"),
    ] {
        walk.provoke(&folder, &format!("scvi {verb} --model r few.h5ad --output o.h5ad"), words);
    }
    let latent = "scvi latent --model n x.zarr --layer X --output o.h5ad";
    walk.provoke(&folder, latent, "name it: `--output o.zarr`");
}

fn contents(walk: &mut Walk) {
    let folder = Folder::new();
    let negative = Matrix::of(&counts(12, 9)).map(|count| -count);
    Matrices::new(negative).write(&folder.path("x.h5ad"));
    walk.provoke(&folder, TRAIN, "raw counts are needed");
    let codes: Vec<Option<u32>> = (0..12).map(|c| (c != 5).then_some(c % 2)).collect();
    let obs = |categories| vec![("batch".to_owned(), categorical(&codes, categories))];
    write(&folder.path("x.h5ad"), &counts(12, 9), obs(&["a", "b"]));
    walk.provoke(&folder, &format!("{TRAIN} --batch-key batch"), "fill in the missing values");
    write(&folder.path("x.h5ad"), &counts(12, 9), obs(&["a", "a"]));
    walk.provoke(&folder, &format!("{TRAIN} --batch-key batch"), "anndata cannot read");
}

/// Layers that lie in other files or are packed by filters that are not read.
fn unread(walk: &mut Walk) {
    let folder = Folder::new();
    unpack(&folder, "refused.h5ad");
    for (layer, words) in [
        ("other_file", "writes all of it into one file"),
        ("szip", "writes it plain"),
        ("bzip2", "`pip install hdf5plugin`, then"),
    ] {
        let train = TRAIN.replace("x.h5ad", &format!("refused.h5ad --layer {layer}"));
        // Only with the other files, and what reads the filters, could these be rewritten.
        walk.provoke_only(&folder, &train, words);
    }
}

/// Writes a file that the tests of the readers have.
pub fn unpack(folder: &Folder, name: &str) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scvi-io/tests/data");
    let packed = fs::read(data.join(format!("{name}.gz"))).unwrap();
    let mut file = fs::File::create(folder.path(name)).unwrap();
    io::copy(&mut flate2::read::GzDecoder::new(&packed[..]), &mut file).unwrap();
}

fn outputs(walk: &mut Walk, folder: &Folder) {
    let latent = "scvi latent --model m x.h5ad --output there.csv";
    folder.typed(latent).ok();
    for line in [latent, &TRAIN.replace("--model n", "--model m")] {
        walk.provoke(folder, line, "`--overwrite` replaces it");
    }
}

fn outputs_in_use(walk: &mut Walk, folder: &Folder) {
    for (output, words) in [("n", "`--model n.1`"), ("o.csv", "`--output o.1.csv`")] {
        let _lock = OutputLock::acquire(folder.path(output)).unwrap();
        walk.provoke(folder, &format!("{TRAIN} --output o.csv"), words);
    }
}

fn copies(walk: &mut Walk, folder: &Folder) {
    let counts = Cells::new(60, 12, 1).counts;
    let plain = Matrices::new(Matrix::of(&counts));
    plain.write(&folder.path("linked.zarr"));
    std::os::unix::fs::symlink("X", folder.path("linked.zarr/link")).unwrap();
    let latent = "scvi latent --model m linked.zarr --output o.zarr";
    walk.provoke(folder, latent, "write the result without the file: `--output o.npy`");
    let minify = "scvi minify --model m linked.zarr --output o.zarr";
    walk.provoke(folder, minify, "linked_rewritten.zarr` writes one that can be copied");
}

/// A file whose parts lie behind soft links, which the copy without counts would lose.
fn links(walk: &mut Walk) {
    let folder = Folder::new();
    unpack(&folder, "soft_links.h5ad");
    let path = folder.path("soft_links.h5ad");
    let mut bytes = fs::read(&path).unwrap();
    // Layers that lead nowhere, at which anndata stops, lead to X.
    for target in ["/nowhere\0", "/layers/round\0"] {
        let places = bytes.windows(target.len()).enumerate();
        let mut places = places.filter(|(_, part)| *part == target.as_bytes()).map(|(at, _)| at);
        let (at, end) = (places.next().expect("a target"), target.len() - 1);
        drop(places);
        bytes[at..at + end].fill(b'/');
        bytes[at + end - 1] = b'X';
    }
    fs::write(path, bytes).unwrap();
    let minify = "scvi minify --model n soft_links.h5ad --output o.h5ad";
    walk.provoke(&folder, minify, "soft_links_rewritten.h5ad` writes one that can be copied");
}
