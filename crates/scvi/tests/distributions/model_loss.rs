//! The model's loss against the distributions.

use scvi::Cpu;
use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::distributions::Distribution;
use scvi::module::{Dispersion, GeneLikelihood, Minibatch, Vae, VaeConfig};

use crate::{assert_close, nb, poisson};

/// -Σ_g ln p(x) of each cell, from what the model lets read; and the model's own.
fn losses(config: &VaeConfig) -> (Vec<f64>, Vec<f64>) {
    let [n_cells, n_genes] = [21, config.n_input];
    let sim = simulate(&SimulateConfig { n_cells, n_genes, density: 0.4, ..Default::default() });
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let mut batch = Minibatch::default();
    data.fill(&(0..n_cells as u32).collect::<Vec<_>>(), &mut batch).unwrap();

    let vae = Vae::new(Cpu::<f64>::new(), config.validate().unwrap(), 4);
    let mut ws = vae.workspace(n_cells, batch.rows.counts.len(), false);
    ws.load(vae.backend(), &batch);
    vae.inference(&mut ws, None);
    vae.generative(&mut ws, None);
    let (px_rate, px_dropout) = (vae.px_rate(&ws), vae.px_dropout(&ws));
    let loss = ws.cell_outputs(vae.backend()).reconstruction_loss;
    let px_r = vae.state_dict().remove("px_r"); // (genes) or (genes, batches)

    let log_prob = |cell: usize, gene: usize, x: f64| {
        let at = cell * n_genes + gene;
        let Some(px_r) = &px_r else { return poisson(px_rate[at]).log_prob(x) };
        let n_groups = px_r.data.len() / n_genes;
        let group = if n_groups > 1 { batch.batch[cell] as usize } else { 0 };
        let nb = nb(px_rate[at], px_r.data[gene * n_groups + group].exp());
        match &px_dropout {
            Some(logits) => nb.zero_inflated(logits[at]).unwrap().log_prob(x),
            None => nb.log_prob(x),
        }
    };
    let cell_loss = |cell: usize| {
        let (genes, counts) = sim.counts.row(cell);
        let mut x = vec![0.0; n_genes];
        genes.iter().zip(counts).for_each(|(&g, &count)| x[g as usize] = f64::from(count));
        -x.iter().enumerate().map(|(gene, &x)| log_prob(cell, gene, x)).sum::<f64>()
    };
    ((0..n_cells).map(cell_loss).collect(), loss)
}

#[test]
fn the_reconstruction_loss_is_minus_the_sum_of_log_probabilities() {
    for gene_likelihood in [GeneLikelihood::Zinb, GeneLikelihood::Nb, GeneLikelihood::Poisson] {
        for dispersion in [Dispersion::Gene, Dispersion::GeneBatch] {
            let sizes = VaeConfig { n_input: 43, n_batch: 2, n_hidden: 9, ..Default::default() };
            let config = VaeConfig { gene_likelihood, dispersion, ..sizes };
            let (want, loss) = losses(&config);
            for (cell, (loss, want)) in loss.into_iter().zip(want).enumerate() {
                assert_close(loss, want, 1e-9, (gene_likelihood, dispersion, cell));
            }
        }
    }
}
