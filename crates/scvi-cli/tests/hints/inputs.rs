//! Hints about 10x matrices and several inputs.

use std::fs;

use hdf5_pure::FileBuilder;

use crate::common::cells::Cells;
use crate::common::{Folder, names};
use crate::files::TRAIN;
use crate::walk::Walk;

const GENES: usize = 12;

pub fn walk(walk: &mut Walk) {
    let folder = Folder::new();
    let train = |input: &str| TRAIN.replace("x.h5ad", input);
    matrix_folder(&folder, "a");
    matrix_folder(&folder, "sub/a");
    walk.provoke(&folder, &train("a sub/a"), "with `--batch-name`");

    let symbols = |rename: &dyn Fn(usize) -> String, name: &str| {
        let mut cells = Cells::new(20, GENES, 1);
        cells.genes = (0..GENES).map(rename).collect();
        cells.write(&folder.path(name));
    };
    symbols(&|gene| format!("ENSG{gene}"), "ids.h5ad");
    walk.provoke(&folder, &train("a ids.h5ad"), "`--gene-names id`");
    symbols(&|gene| format!("gene_{gene}"), "symbols.h5ad");
    let line = train("a symbols.h5ad");
    walk.provoke(&folder, &format!("{line} --gene-names id"), "`--gene-names symbol`");
    symbols(&|gene| format!("gene_{}", gene / 2), "twice.h5ad");
    walk.provoke(&folder, &train("a twice.h5ad"), "make names unique");

    matrix_folder(&folder, "raw_feature_bc_matrix");
    walk.provoke(&folder, &train("raw_feature_bc_matrix"), "give the filtered matrix");
    matrix_folder(&folder, "filtered_feature_bc_matrix");
    walk.provoke(&folder, &train("raw_feature_bc_matrix"), "which holds the cells");

    fs::create_dir(folder.path("two")).unwrap();
    for name in ["matrix.mtx", "barcodes.tsv", "features.tsv"] {
        for prefix in ["x_", "y_"] {
            let to = folder.path(&format!("two/{prefix}{name}"));
            fs::copy(folder.path("a").join(name), to).unwrap();
        }
    }
    walk.provoke(&folder, &train("two"), "give one of them");
    fs::write(folder.path("x.loom"), "").unwrap();
    walk.provoke_only(&folder, &train("x.loom"), "x.loom x.h5ad` converts it");
    genomes(&folder);
    walk.provoke(&folder, &train("genomes.h5"), "`--genome hg19` or `--genome mm10`");
}

/// Counts of 30 cells as Cell Ranger writes them since version 3, not compressed.
fn matrix_folder(folder: &Folder, name: &str) {
    let path = folder.path(name);
    fs::create_dir_all(&path).unwrap();
    let lines = |lines: Vec<String>| lines.join("\n") + "\n";
    let counts = Cells::new(30, GENES, 2).counts;
    let gene = |gene| format!("ENSG{gene}\tgene_{gene}\tGene Expression");
    fs::write(path.join("features.tsv"), lines((0..GENES).map(gene).collect())).unwrap();
    fs::write(path.join("barcodes.tsv"), lines(names("barcode", 30))).unwrap();
    let mut matrix = vec!["%%MatrixMarket matrix coordinate integer general".to_owned()];
    matrix.push(format!("{GENES} 30 {}", counts.nnz()));
    for cell in 0..30 {
        let (genes, values) = counts.row(cell);
        matrix.extend(genes.iter().zip(values).map(|(g, v)| format!("{} {} {v}", g + 1, cell + 1)));
    }
    fs::write(path.join("matrix.mtx"), lines(matrix)).unwrap();
}

/// A matrix for each of two genomes, as Cell Ranger wrote them before version 3.
fn genomes(folder: &Folder) {
    let counts = Cells::new(30, GENES, 2).counts;
    let barcodes = names("barcode", 30);
    let barcodes: Vec<&str> = barcodes.iter().map(String::as_str).collect();
    let genes = names("gene", GENES);
    let genes: Vec<&str> = genes.iter().map(String::as_str).collect();
    let (mut data, mut indices, mut indptr) = (Vec::new(), Vec::new(), vec![0i64]);
    for cell in 0..30 {
        let (columns, values) = counts.row(cell);
        data.extend(values.iter().map(|&value| value as i32));
        indices.extend(columns.iter().map(|&gene| i64::from(gene)));
        indptr.push(data.len() as i64);
    }
    let mut file = FileBuilder::new();
    for genome in ["hg19", "mm10"] {
        let mut group = file.create_group(genome);
        group.create_dataset("barcodes").with_vlen_strings(&barcodes);
        group.create_dataset("genes").with_vlen_strings(&genes);
        group.create_dataset("gene_names").with_vlen_strings(&genes);
        group.create_dataset("data").with_i32_data(&data);
        group.create_dataset("indices").with_i64_data(&indices);
        group.create_dataset("indptr").with_i64_data(&indptr);
        group.create_dataset("shape").with_i32_data(&[GENES as i32, 30]);
        file.add_group(group.finish());
    }
    file.write(folder.path("genomes.h5")).unwrap();
}
