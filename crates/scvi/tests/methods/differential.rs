//! Differential expression: against plain formulae over decoded samples, and that every option
//! works.

use std::ops::ControlFlow;

use scvi::Cpu;
use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi::model::{
    Batches, Cells, Change, Comparison, Contrast, Delta, DifferentialError, DifferentialOptions,
    Group, Hypotheses, ImportanceOptions, Progress, TaskError, Test, Values, Weights,
    differential_expression, latent_representation, unwatched,
};
use scvi::module::{MinifiedDataType, PosteriorRows, Vae, VaeConfig};

use crate::{every_option, model};

const GENES: usize = 90;

pub(crate) fn simulated() -> Simulated {
    let config =
        SimulateConfig { n_cells: 120, n_genes: GENES, density: 0.3, ..Default::default() };
    simulate(&config)
}

pub(crate) fn config() -> VaeConfig {
    VaeConfig { n_input: GENES, n_batch: 2, n_hidden: 8, n_latent: 3, ..VaeConfig::default() }
}

/// Three groups of a third of the cells each.
pub(crate) fn groups() -> Vec<Group> {
    let cells = |k: u32| (0..120).filter(|cell| cell % 3 == k).collect();
    (0..3).map(|k| Group { name: format!("g{k}"), cells: cells(k) }).collect()
}

pub(crate) fn options(test: Test) -> DifferentialOptions {
    DifferentialOptions { test, n_samples_overall: 600, ..Default::default() }
}

pub(crate) const PAIR: Contrast = Contrast { group1: 0, group2: Some(1) };
pub(crate) const REST: Contrast = Contrast { group1: 2, group2: None };

pub(crate) fn compare(
    vae: &Vae<Cpu<f32>>,
    data: &Dataset,
    contrasts: &[Contrast],
    options: &DifferentialOptions,
) -> Vec<Comparison> {
    differential_expression(vae, data, &groups(), contrasts, options, &mut unwatched).unwrap()
}

/// A column in the order of genes.
pub(crate) fn by_gene(comparison: &Comparison, name: &str) -> Vec<f64> {
    let mut values = vec![f64::NAN; GENES];
    for (&gene, &value) in comparison.genes.iter().zip(comparison.numbers(name).unwrap()) {
        values[gene as usize] = value;
    }
    values
}

fn names(comparison: &Comparison) -> Vec<&str> {
    comparison.columns.iter().map(|column| column.name.as_str()).collect()
}

/// Every number, to be compared to the last bit.
pub(crate) fn bits(comparisons: &[Comparison]) -> Vec<u64> {
    let values = comparisons.iter().flat_map(|c| &c.columns).flat_map(|c| match &c.values {
        Values::Numbers(values) => values.iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
        Values::Flags(flags) => flags.iter().map(|&flag| u64::from(flag)).collect(),
    });
    let genes = comparisons.iter().flat_map(|c| &c.genes).map(|&gene| u64::from(gene));
    values.chain(genes).collect()
}

#[test]
fn has_the_columns_of_scvi_tools_in_its_order() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let vae = model(&config());
    let raw = [
        "raw_mean1",
        "raw_mean2",
        "non_zeros_proportion1",
        "non_zeros_proportion2",
        "raw_normalized_mean1",
        "raw_normalized_mean2",
    ];
    let vanilla = ["proba_m1", "proba_m2", "bayes_factor", "scale1", "scale2"];
    let found = compare(&vae, &data, &[PAIR], &options(Test::Vanilla));
    assert_eq!(names(&found[0]), [&vanilla[..], &raw].concat());
    let change = Change { cred_interval_lvls: vec![0.5], ..Change::default() };
    let found = compare(&vae, &data, &[PAIR], &options(Test::Change(change)));
    let first = ["proba_de", "proba_not_de", "bayes_factor", "scale1", "scale2"];
    let second = ["pseudocounts", "delta", "lfc_mean", "lfc_median", "lfc_std", "lfc_min"];
    let third = ["lfc_max", "lfc_confidence_interval_0.5_min", "lfc_confidence_interval_0.5_max"];
    let want = [&first[..], &second, &third, &raw, &["is_de_fdr_0.05"]].concat();
    assert_eq!(names(&found[0]), want);
    assert!(found[0].flags("is_de_fdr_0.05").is_some());
    let de = found[0].numbers("proba_de").unwrap();
    assert!(de.windows(2).all(|pair| pair[0] >= pair[1]));
    let options = DifferentialOptions { all_stats: false, ..options(Test::Vanilla) };
    assert_eq!(names(&compare(&vae, &data, &[PAIR], &options)[0]), vanilla);
}

/// Each gene of each contrast is a test, and at the end all of them are done.
#[test]
fn progress_counts_tests_up_to_their_number() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let vae = model(&config());
    let estimated = Change { delta: Delta::Estimated, ..Change::default() };
    let given = Change { pseudocount: Some(1e-4), ..Change::default() };
    let none_is_low = Change { threshold_counts: 0.0, ..Change::default() };
    let tests = [given, none_is_low, estimated, Change::default()].map(Test::Change);
    for test in tests.into_iter().chain([Test::Vanilla]) {
        let mut told = Vec::new();
        let watch = &mut |progress| {
            told.push(progress);
            ControlFlow::Continue(())
        };
        let options = options(test);
        differential_expression(&vae, &data, &groups(), &[PAIR, REST], &options, watch).unwrap();
        assert!(told.iter().all(|progress: &Progress| progress.total == 2 * GENES));
        assert!(told.windows(2).all(|pair| pair[0].done <= pair[1].done));
        assert_eq!(told.last().map(|progress| progress.done), Some(2 * GENES), "{options:?}");
    }
}

/// A group against itself: other draws, and no evidence for either side.
#[test]
fn finds_nothing_between_equal_groups() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let vae = model(&config());
    let mut groups = groups();
    groups[1].cells = groups[0].cells.clone();
    let options = DifferentialOptions { n_samples_overall: 4000, ..options(Test::Vanilla) };
    let found =
        differential_expression(&vae, &data, &groups, &[PAIR], &options, &mut unwatched).unwrap();
    for p in by_gene(&found[0], "proba_m1") {
        // five standard errors
        assert!((p - 0.5).abs() < 5.0 * 0.5 / 4000f64.sqrt(), "{p}");
    }
    let scales = [1, 2].map(|side| by_gene(&found[0], &format!("scale{side}")));
    assert!((scales[0].iter().sum::<f64>() - 1.0).abs() < 1e-4);
    for (a, b) in scales[0].iter().zip(&scales[1]) {
        assert!((a / b - 1.0).abs() < 0.1, "{a} {b}");
    }
}

#[test]
fn neither_threads_nor_company_nor_minibatches_show() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let vae = model(&config());
    let change = Change { delta: Delta::Estimated, ..Change::default() };
    let base = DifferentialOptions {
        batches: Batches::Corrected([None, None]),
        m_permutation: Some(500),
        ..options(Test::Change(change))
    };
    let all = [PAIR, REST, Contrast { group1: 1, group2: None }];
    let run = |threads, contrasts: &[Contrast], options: &DifferentialOptions| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| compare(&vae, &data, contrasts, options))
    };
    let near = |a: &Comparison, b: &Comparison| {
        // Products of other shapes may round otherwise, and a pair of equals then fall apart.
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 2e-3;
        ["scale1", "scale2", names(a)[0]]
            .iter()
            .all(|name| by_gene(a, name).iter().zip(&by_gene(b, name)).all(close))
    };
    for options in [options(Test::Vanilla), base] {
        let one = run(1, &all, &options);
        assert!(bits(&one) == bits(&run(2, &all, &options)), "threads show");
        let small = run(2, &all, &DifferentialOptions { batch_size: 7, ..options.clone() });
        assert!(one.iter().zip(&small).all(|(a, b)| near(a, b)), "minibatches show");
        let alone = all.iter().flat_map(|&contrast| run(2, &[contrast], &options));
        assert!(one.iter().zip(alone).all(|(a, b)| near(a, &b)), "other contrasts show");
        let other = run(2, &all, &DifferentialOptions { seed: 1, ..options });
        assert!(!near(&one[0], &other[0]), "the seed does not show");
    }
}

#[test]
fn every_model_and_option_works() {
    let tests = [
        Test::Vanilla,
        Test::Change(Change {
            delta: Delta::Estimated,
            hypotheses: Hypotheses::Two,
            cred_interval_lvls: vec![0.5, 0.95],
            ..Change::default()
        }),
    ];
    for (name, config) in every_option::options() {
        let (counts, batch) = every_option::cells(33, &config);
        let data = crate::dataset(&counts, &batch, &config);
        let vae = model(&config);
        let n = data.n_cells() as u32;
        let groups = [
            Group { name: "one".into(), cells: vec![1] },
            Group { name: "half".into(), cells: (0..n / 2).collect() },
        ];
        let contrasts =
            [Contrast { group1: 0, group2: Some(1) }, Contrast { group1: 1, group2: None }];
        for test in &tests {
            for batches in [Batches::Observed, Batches::Corrected([None, Some(vec![0])])] {
                let options =
                    DifferentialOptions { batches, n_samples_overall: 40, ..options(test.clone()) };
                let watch = &mut unwatched;
                let found =
                    differential_expression(&vae, &data, &groups, &contrasts, &options, watch);
                for comparison in found.unwrap() {
                    assert!(comparison.genes.len() == data.n_genes(), "{name}");
                    for column in &comparison.columns {
                        if let Values::Numbers(values) = &column.values {
                            let what = &column.name;
                            assert!(values.iter().all(|v| v.is_finite()), "{name}: {what}");
                        }
                    }
                }
            }
        }
    }
}

/// With one anchor the weights favour samples that explain it.
#[test]
fn importance_weights_favour_what_explains_the_group() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let vae = model(&config());
    let importance = ImportanceOptions { max_cells: 8, truncation: false, n_mc_samples: 20 };
    let weighted = |weights| {
        let options =
            DifferentialOptions { weights, n_samples_overall: 130, ..options(Test::Vanilla) };
        compare(&vae, &data, &[PAIR, REST], &options)
    };
    let uniform = weighted(Weights::Uniform);
    let found = weighted(Weights::Importance(importance));
    assert_ne!(bits(&found), bits(&uniform));
    assert_eq!(bits(&found), bits(&weighted(Weights::Importance(importance))));
    let truncated = ImportanceOptions { truncation: true, ..importance };
    assert_ne!(bits(&found), bits(&weighted(Weights::Importance(truncated))));
    for comparison in &found {
        let total: f64 = by_gene(comparison, "scale1").iter().sum();
        assert!((total - 1.0).abs() < 1e-4, "{total}");
    }
}

#[test]
fn minified_data_gives_the_same_without_raw_statistics() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let mut vae = model(&config());
    let latent = latent_representation(&vae, Cells::all(&data, 64), &mut unwatched).unwrap();
    let change = Change { pseudocount: Some(1e-4), ..Change::default() };
    let options = options(Test::Change(change));
    let full = compare(&vae, &data, &[PAIR, REST], &options);
    let posterior =
        PosteriorRows { qz_m: latent.mean, qz_v: latent.var, observed_lib_size: vec![1.0; 120] };
    let minified = data.clone().with_posterior(posterior).unwrap();
    vae.set_minified_data_type(Some(MinifiedDataType::LatentPosteriorParameters)).unwrap();
    let found = compare(&vae, &minified, &[PAIR, REST], &options);
    assert!(!names(&found[0]).contains(&"raw_mean1"));
    for (a, b) in full.iter().zip(&found) {
        for name in ["proba_de", "lfc_mean", "scale2"] {
            for (a, b) in by_gene(a, name).iter().zip(by_gene(b, name)) {
                assert!((a - b).abs() < 5e-3 * (1.0 + a.abs()), "{name}: {a} {b}");
            }
        }
    }
    let estimated = DifferentialOptions { test: Test::Change(Change::default()), ..options };
    let watch = &mut unwatched;
    let refused = differential_expression(&vae, &minified, &groups(), &[PAIR], &estimated, watch);
    let no_counts = DifferentialError::NoCounts;
    assert!(matches!(refused, Err(TaskError::Differential(found)) if found == no_counts));
}

#[test]
fn refuses_what_makes_no_comparison() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let vae = model(&config());
    let told = |options: DifferentialOptions| {
        let watch = &mut unwatched;
        let found = differential_expression(&vae, &data, &groups(), &[PAIR], &options, watch);
        found.unwrap_err().to_string()
    };
    let with = |change| options(Test::Change(change));
    let delta = |delta| with(Change { delta: Delta::Given(delta), ..Change::default() });
    assert!(told(delta(-1.0)).contains("delta is -1"));
    assert!(told(delta(f64::NAN)).contains("delta"));
    assert!(
        told(with(Change { cred_interval_lvls: vec![1.0], ..Change::default() })).contains("cred")
    );
    assert!(told(with(Change { pseudocount: Some(0.0), ..Change::default() })).contains("pseudo"));
    let none = DifferentialOptions { n_samples_overall: 0, ..options(Test::Vanilla) };
    assert!(told(none).contains("n_samples_overall is 0"));
    let batches = Batches::Corrected([None, Some(vec![5])]);
    let text = told(DifferentialOptions { batches, ..options(Test::Vanilla) });
    assert!(text.contains('5') && text.contains("2 batches"), "{text}");
    let mut stop = |_| std::ops::ControlFlow::Break(());
    let options = options(Test::Vanilla);
    let found = differential_expression(&vae, &data, &groups(), &[PAIR], &options, &mut stop);
    assert!(matches!(found, Err(TaskError::Stopped)));
}
