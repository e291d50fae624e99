//! Importance weights against those that scvi-tools gives to the same samples.

use scvi::Cpu;
use scvi::data::Dataset;
use scvi::model::{
    Anchors, Cells, ExpressionOptions, ImportanceOptions, LatentSamples, LogSumExp, Overall,
    TaskError, Weights, normalized_expression_overall, unwatched,
};
use scvi::module::Vae;

use crate::common::{Tensors, all, importance};
use crate::differential::{config, simulated};
use crate::{counts, dataset, model, trained};

#[test]
fn weights_are_those_of_scvi_tools() {
    let expected = importance();
    let mut compared = 0;
    for fixture in &all() {
        let name = &fixture.entry.name;
        let Some(of) = expected.under(name) else { continue };
        let batch = fixture.minibatch();
        let counts = counts(&batch, fixture.entry.config.n_input);
        let data = dataset(&counts, &batch, &fixture.entry.config);
        let vae = trained(fixture);
        let found = normalised(&log_weights(&vae, &data, &of));
        let want = of.get("log_weights");
        let spread = want.iter().fold(0.0f64, |a, &w| a.max((w - want[0]).abs()));
        assert!(spread > 1.0, "{name}: all weights are alike");
        // Of the weights, whose logarithms these are; likelihoods of counts far from what a sample
        // was decoded to are large numbers, in single precision here.
        let error = |(found, want): (&f64, &f64)| (found - want).abs() / want.abs().max(1.0);
        let worst = found.iter().zip(want).map(error).fold(0.0, f64::max);
        assert!(worst < 3e-4, "{name}: weights differ by {worst}");
        compared += 1;
    }
    assert_eq!(compared, 7);
}

fn log_weights(vae: &Vae<Cpu<f32>>, data: &Dataset, of: &Tensors) -> Vec<f64> {
    let codes = |name| of.get(name).iter().map(|&cell| cell as u32).collect::<Vec<_>>();
    let (anchors, cells) = (codes("anchors"), codes("cells"));
    let z: Vec<f32> = of.get("z").iter().map(|&z| z as f32).collect();
    let log_px = of.get("log_px").to_vec();
    let anchors = Cells::chosen(data, &anchors, 4);
    let anchors = Anchors::with_marginal_ll(vae, anchors, log_px, &mut unwatched).unwrap();
    let samples =
        LatentSamples { cells: &cells, z: &z, untransformed_z: &z, transform_batch: None };
    anchors.log_weights(vae, data, samples, &mut unwatched).unwrap()
}

fn normalised(log_weights: &[f64]) -> Vec<f64> {
    let total = log_weights.iter().copied().collect::<LogSumExp>().value();
    log_weights.iter().map(|weight| weight - total).collect()
}

/// Rows of expression, and the cells they are of.
fn overall(
    weights: Weights,
    options: &ExpressionOptions,
) -> Result<(Vec<u32>, Vec<f32>), TaskError> {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let (vae, mut values) = (model(&config()), Vec::new());
    let overall = Overall { n_samples: 200, seed: 3, weights };
    let cells = Cells::all(&data, 37);
    let drawn = normalized_expression_overall(
        &vae,
        cells,
        overall,
        options,
        &mut unwatched,
        &mut |_, rows| {
            values.extend_from_slice(rows);
            Ok(())
        },
    )?;
    Ok((drawn, values))
}

/// Weighed rows are rows of the uniform draw, some of them several times.
#[test]
fn expression_is_drawn_again_by_its_weights() {
    let options = ExpressionOptions { genes: Some(&[5, 2]), ..Default::default() };
    let importance = ImportanceOptions { max_cells: 30, truncation: false, n_mc_samples: 20 };
    let (cells, uniform) = overall(Weights::Uniform, &options).unwrap();
    let (again, weighed) = overall(Weights::Importance(importance), &options).unwrap();
    let rows = |values: &[f32], cells: &[u32]| -> Vec<(u32, Vec<u32>)> {
        let bits = values.chunks(2).map(|row| row.iter().map(|v| v.to_bits()).collect());
        cells.iter().copied().zip(bits).collect()
    };
    let (all, drawn) = (rows(&uniform, &cells), rows(&weighed, &again));
    assert_eq!((all.len(), drawn.len()), (200, 200));
    let near = |a: &(u32, Vec<u32>), b: &(u32, Vec<u32>)| {
        let close =
            |(&a, &b): (&u32, &u32)| (f32::from_bits(a) / f32::from_bits(b) - 1.0).abs() < 1e-5;
        a.0 == b.0 && a.1.iter().zip(&b.1).all(close)
    };
    assert!(drawn.iter().all(|row| all.iter().any(|of| near(row, of))), "a row of no draw");
    let mut different = again.clone();
    different.sort_unstable();
    different.dedup();
    let mut before = cells.clone();
    before.sort_unstable();
    before.dedup();
    assert!(different.len() < before.len(), "no sample was preferred");
    let same = overall(Weights::Importance(importance), &options).unwrap();
    assert_eq!((again, weighed), same);
}

#[test]
fn says_what_cannot_be_weighed() {
    let told = |importance, transform_batch| {
        let options = ExpressionOptions { transform_batch, ..Default::default() };
        overall(Weights::Importance(importance), &options).unwrap_err().to_string()
    };
    let few = ImportanceOptions { max_cells: 2, n_mc_samples: 1, ..Default::default() };
    assert!(told(few, &[0, 1]).contains("2 batches"));
    assert!(told(few, &[7]).contains("transform_batch is 7"));
    let none = ImportanceOptions { max_cells: 0, ..few };
    assert!(told(none, &[]).contains("max_cells"));
    let none = ImportanceOptions { n_mc_samples: 0, ..few };
    assert!(told(none, &[]).contains("n_mc_samples"));
}
