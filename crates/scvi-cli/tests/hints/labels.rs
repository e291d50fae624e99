//! Hints about labels.

use scvi_io::anndata::Column;

use crate::common::{Folder, counts, write};
use crate::walk::Walk;

pub fn walk(walk: &mut Walk) {
    let folder = Folder::new();
    let file = |name: &str, labels: [Option<&str>; 3]| {
        let labels = (0..30).map(|cell| labels[cell % 3].map(str::to_owned)).collect();
        let column = ("cell_type".to_owned(), Column::Strings(labels));
        write(&folder.path(name), &counts(30, 12), vec![column]);
    };
    file("x.h5ad", [Some("B"), Some("T"), Some("Unknown")]);
    file("missing.h5ad", [Some("B"), Some("T"), None]);
    file("other.h5ad", [Some("B"), Some("NK"), Some("Unknown")]);
    let train = "scvi train x.h5ad --max-epochs 2 --n-hidden 4";
    let labels = "--labels-key cell_type";
    let line = format!("{train} {labels} --model n --model-class scanvi");
    walk.provoke_only(&folder, &line, "`--unlabeled-category`; nan stands for");
    let line = format!("{train} {labels} --model n --unlabeled-category Unknown");
    walk.provoke(&folder, &line.replace("x.h5ad", "missing.h5ad"), "`--unlabeled-category nan`");
    folder.typed(&format!("{train} --model m")).ok();
    let predict = "scvi predict --model m x.h5ad --output labels.csv";
    walk.provoke(&folder, predict, "`scvi train x.h5ad --from m --labels-key cell_type");
    folder.typed(&line).ok();
    let map = "scvi map other.h5ad --reference n --model o --max-epochs 1";
    walk.provoke(&folder, map, "such as 'Unknown' for none");
}
