//! `scvi simulate`.

mod common;

use common::Folder;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi_io::anndata::{AnnDataFile, MatrixKey};

#[test]
fn the_file_holds_the_simulated_cells() {
    let folder = Folder::new();
    let config = SimulateConfig { n_cells: 120, n_genes: 50, n_batches: 3, ..Default::default() };
    let sim = simulate(&config);
    for threads in ["1", "2"] {
        let sizes = ["--n-cells", "120", "--n-genes", "50", "--n-batches", "3"];
        let more = ["--output", "x.h5ad", "--json", "--overwrite", "--threads", threads];
        let json = folder.scvi(&[&["simulate"][..], &sizes, &more].concat()).json();
        let density = sim.counts.nnz() as f64 / (120.0 * 50.0);
        assert_eq!(json["density"].as_f64(), Some(density));
        let file = AnnDataFile::open(folder.path("x.h5ad")).unwrap();
        assert_eq!(file.counts(&MatrixKey::X).unwrap(), sim.counts);
        let column = |key: &str| file.obs_column(key).unwrap().to_categorical().codes;
        let codes = |codes: &[u32]| codes.iter().copied().map(Some).collect::<Vec<_>>();
        assert_eq!(column("batch"), codes(&sim.batch));
        assert_eq!(column("cell_type"), codes(&sim.cell_type));
        assert_eq!((&*file.obs_names()[119], &*file.var_names()[49]), ("cell_119", "gene_49"));
    }
}

#[test]
fn ctrl_c_leaves_nothing() {
    let folder = Folder::new();
    let sizes = ["--n-cells", "300000", "--n-genes", "2000", "--threads", "1"];
    let run = folder.start(&[&["simulate", "--output", "x.h5ad"][..], &sizes].concat());
    // Signals are listened to before anything is written.
    let is_writing = || {
        let files = std::fs::read_dir(folder.path("")).unwrap();
        files.flatten().any(|f| f.metadata().is_ok_and(|m| m.len() > 0))
    };
    while !is_writing() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    run.signal("INT");
    let (status, told) = run.end();
    assert_eq!(status.code(), Some(130), "{told}");
    assert!(told.contains("simulated cells: nothing was written"), "{told}");
    assert_eq!(folder.names(), Vec::<String>::new());
}
