//! Posterior predictive checks of a model trained here.

use std::ops::ControlFlow;

use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::model::unwatched;
use scvi::module::{GeneLikelihood, VaeConfig};
use scvi::train::{TrainPlan, train};
use scvi_report::metrics::Categories;
use scvi_report::{AnalysisError, CheckOptions, PredictiveChecks, posterior_predictive_checks};

#[test]
fn a_trained_model_is_checked_the_same_for_any_number_of_threads() {
    let (n_cells, n_genes) = (240, 120);
    let sim = simulate(&SimulateConfig { n_cells, n_genes, density: 0.3, ..Default::default() });
    let config = VaeConfig {
        n_input: n_genes,
        n_batch: 2,
        n_hidden: 32,
        n_latent: 5,
        gene_likelihood: GeneLikelihood::Nb,
        ..Default::default()
    };
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let plan = TrainPlan { max_epochs: Some(30), ..Default::default() };
    let spec = config.validate().unwrap();
    let trained = train(spec, &data, &plan, &mut |_| ControlFlow::Continue(())).unwrap();
    let cells: Vec<u32> =
        (0..n_cells as u32).filter(|cell| sim.cell_type[*cell as usize] != 1).collect();
    let types = Categories::new(&sim.cell_type);
    let options = CheckOptions { n_samples: 4, seed: 3 };
    let check = |cells: &[u32]| -> Result<PredictiveChecks, AnalysisError> {
        let (model, counts) = (&trained.module, &sim.counts);
        posterior_predictive_checks(
            model,
            &data,
            counts,
            cells,
            Some(&types),
            &options,
            &mut unwatched,
        )
    };
    let with_threads = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| check(&cells).unwrap())
    };
    let checks = with_threads(1);
    assert_eq!(checks, with_threads(3));

    // Groups bear the codes they came with, though one of them was left out.
    let groups: Vec<u32> = checks.groups.iter().map(|group| group.group).collect();
    assert_eq!(groups, [0, 2, 3, 4]);
    assert_eq!(checks.n_cells, cells.len());
    assert_eq!(checks.cv_cell.observed.len(), cells.len());
    assert_eq!(checks.mean.drawn.len(), n_genes);
    // The scale of every cell is observed: drawn counts have the observed total, nearly.
    let total = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>();
    let ratio = total(&checks.mean.drawn) / total(&checks.mean.observed);
    assert!((0.9..1.1).contains(&ratio), "drawn counts are {ratio} times those observed");

    let error = check(&[0, 999]).unwrap_err();
    assert!(error.to_string().contains("cell 999"), "{error}");
}
