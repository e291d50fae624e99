//! Differential expression without outlier cells.

use scvi::data::Dataset;
use scvi::model::{
    Cells, Change, Contrast, DifferentialOptions, Group, Test, differential_expression,
    latent_representation, unwatched,
};
use scvi::module::{LatentDistribution, MinifiedDataType, PosteriorRows, VaeConfig};

use crate::differential::{PAIR, REST, bits, by_gene, compare, config, groups, options, simulated};
use crate::model;

fn filtered(test: Test) -> DifferentialOptions {
    DifferentialOptions { filter_outlier_cells: true, ..options(test) }
}

/// A tenth of 40 cells and of the 80 others, in normal and logistic-normal latent spaces.
#[test]
fn a_tenth_of_each_group_is_left_out() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    for latent_distribution in [LatentDistribution::Normal, LatentDistribution::Ln] {
        let vae = model(&VaeConfig { latent_distribution, ..config() });
        let contrasts = [PAIR, REST];
        let found = compare(&vae, &data, &contrasts, &filtered(Test::Vanilla));
        assert_eq!([found[0].n_outliers, found[1].n_outliers], [[Some(4); 2], [Some(4), Some(8)]]);
        assert_eq!([found[0].n_cells, found[1].n_cells], [[40, 40], [40, 80]]);
        let all = compare(&vae, &data, &contrasts, &options(Test::Vanilla));
        assert_eq!(all[0].n_outliers, [None; 2]);
        assert_ne!(by_gene(&found[0], "scale1"), by_gene(&all[0], "scale1"));
        assert_ne!(by_gene(&found[1], "scale2"), by_gene(&all[1], "scale2"));
        // Raw statistics are of all cells.
        for name in ["raw_mean1", "non_zeros_proportion2"] {
            assert_eq!(by_gene(&found[1], name), by_gene(&all[1], name));
        }
        let again = compare(&vae, &data, &[REST], &filtered(Test::Vanilla));
        assert_eq!(bits(&again), bits(&found[1..]));
    }
}

/// Genes are of little expression by the cells that are drawn from, not by the outliers.
#[test]
fn pseudocounts_come_from_the_cells_that_are_left() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let vae = model(&config());
    let test = Test::Change(Change { threshold_counts: 0.3, ..Change::default() });
    let full = compare(&vae, &data, &[PAIR, REST], &options(test.clone()));
    let found = compare(&vae, &data, &[PAIR, REST], &filtered(test));
    for (full, found) in full.iter().zip(&found) {
        assert!(found.pseudocount.unwrap() > 0.0);
        assert_ne!(found.pseudocount, full.pseudocount);
        assert_eq!(by_gene(found, "raw_mean2"), by_gene(full, "raw_mean2"));
    }
}

#[test]
fn groups_too_small_to_tell_keep_every_cell() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let vae = model(&config());
    let mut groups = groups();
    groups[0].cells.truncate(4);
    groups.push(Group { name: "twice".into(), cells: vec![7; 40] });
    let of = |options| {
        let contrast = [Contrast { group1: 0, group2: Some(3) }];
        differential_expression(&vae, &data, &groups, &contrast, &options, &mut unwatched).unwrap()
    };
    let found = of(filtered(Test::Vanilla));
    assert_eq!(found[0].n_outliers, [None; 2]);
    assert_eq!(bits(&found), bits(&of(options(Test::Vanilla))));
}

/// Stored posteriors have the same means, and so the same outliers.
#[test]
fn minified_data_has_the_same_outliers() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let mut vae = model(&config());
    let latent = latent_representation(&vae, Cells::all(&data, 64), &mut unwatched).unwrap();
    let options = DifferentialOptions { all_stats: false, ..filtered(Test::Vanilla) };
    let full = compare(&vae, &data, &[REST], &options);
    let posterior =
        PosteriorRows { qz_m: latent.mean, qz_v: latent.var, observed_lib_size: vec![1.0; 120] };
    let minified = data.clone().with_posterior(posterior).unwrap();
    vae.set_minified_data_type(Some(MinifiedDataType::LatentPosteriorParameters)).unwrap();
    let found = compare(&vae, &minified, &[REST], &options);
    assert_eq!(found[0].n_outliers, [Some(4), Some(8)]);
    for (a, b) in by_gene(&full[0], "scale2").iter().zip(by_gene(&found[0], "scale2")) {
        assert!((a - b).abs() < 5e-3 * (1.0 + a.abs()), "{a} {b}");
    }
}
