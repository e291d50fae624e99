//! Integration before and after the model.

use super::{Follow, ReportInput, Role, stage};
use crate::metrics::{
    Categories, LISI_N_OTHERS, clisi_knn, graph_connectivity, ilisi_knn, knn_purity,
    silhouette_batch, silhouette_label, stratified,
};
use crate::sections::{Integration, Metric};
use crate::{AnalysisError, Embedding, Neighbors, PcaOptions, UmapOptions, neighbors, pca};

/// Cells that are measured, at most.
const MAX_CELLS: usize = 20_000;

/// A space that is measured.
struct Space<'a> {
    embedding: Embedding<'a>,
    /// As many as LISI takes.
    neighbors: Neighbors,
    /// As many as the other measures take.
    nearest: Neighbors,
}

impl<'a> Space<'a> {
    fn new(
        values: &'a [f32],
        n_dimensions: usize,
        follow: &mut dyn Follow,
    ) -> Result<Self, AnalysisError> {
        let embedding = Embedding::new(values, n_dimensions)?;
        let mut watch = stage(follow, "neighbors of integration");
        let neighbors = neighbors(embedding, LISI_N_OTHERS, &mut watch)?;
        let nearest = neighbors.nearest(UmapOptions::N_OTHERS);
        Ok(Self { embedding, neighbors, nearest })
    }
}

/// Measures the latent space of a sample of the cells against principal components of their log
/// counts; nothing where there is one batch and no labels.
///
/// `latent` has a row for each cell of the sample.
pub(super) fn integration(
    input: &ReportInput,
    sample: &[u32],
    latent: Embedding,
    follow: &mut dyn Follow,
) -> Result<Integration, AnalysisError> {
    let strata = input.strata();
    let of_sample: Vec<u32> = sample.iter().map(|&cell| strata[cell as usize]).collect();
    let places = stratified(&Categories::new(&of_sample), MAX_CELLS, input.seed);
    let cells: Vec<u32> = places.iter().map(|&place| sample[place as usize]).collect();
    let of_role = |role| -> Vec<(String, Categories)> {
        let columns = input.columns.iter().filter(|column| column.role == role);
        columns.filter_map(|c| Some((c.key.clone(), c.categories(&cells)?))).collect()
    };
    let batches = of_role(Role::Batch).pop().map(|(_, batches)| batches);
    let batches = batches.filter(|batches| batches.n_categories() > 1);
    let labels = of_role(Role::Labels);
    let mut found = Integration { n_cells: cells.len(), ..Integration::default() };
    if batches.is_none() && labels.is_empty() {
        return Ok(found);
    }
    let options = PcaOptions { seed: input.seed, ..PcaOptions::default() };
    let mut watch = stage(follow, "principal components");
    let before = pca(input.data.counts(), &cells, None, &options, &mut watch)?;
    drop(watch);
    let before = Space::new(&before.scores, before.n_components, follow)?;
    let rows = places.iter().flat_map(|&place| latent.row(place as usize));
    let after: Vec<f32> = rows.copied().collect();
    let after = Space::new(&after, latent.n_dimensions(), follow)?;
    follow.stage("integration");
    let seed = input.seed;
    let both = |of: &dyn Fn(&Space) -> Result<Option<f64>, AnalysisError>| {
        Ok::<_, AnalysisError>([of(&before)?, of(&after)?].map(|v| v.unwrap_or(f64::NAN)))
    };
    let metric = |name: &str, meaning: &str, [before, after]: [f64; 2]| Metric {
        name: name.to_owned(),
        meaning: meaning.to_owned(),
        before,
        after,
    };
    if let Some(batches) = &batches {
        let lisi = both(&|space| ilisi_knn(&space.neighbors, batches))?;
        found.batch_mixing.push(metric("iLISI", "batches around a cell", lisi));
        if let Some((_, labels)) = labels.first() {
            let by = both(&|space| silhouette_batch(space.embedding, labels, batches, seed))?;
            let meaning = "how little batches stand apart within a label";
            found.batch_mixing.push(metric("silhouette, batch", meaning, by));
        }
    }
    for (key, labels) in &labels {
        let lisi = both(&|space| clisi_knn(&space.neighbors, labels))?;
        let purity = both(&|space| knn_purity(&space.nearest, labels))?;
        let connected = both(&|space| graph_connectivity(&space.nearest, labels))?;
        let width = both(&|space| silhouette_label(space.embedding, labels, seed))?;
        let metrics = vec![
            metric("cLISI", "how few labels are around a cell", lisi),
            metric("kNN purity", "neighbors that have the label of a cell", purity),
            metric("graph connectivity", "cells of a label that hang together", connected),
            metric("silhouette, label", "how far labels stand apart", width),
        ];
        found.label_conservation.push((key.clone(), metrics));
    }
    Ok(found)
}
