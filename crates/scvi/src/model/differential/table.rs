//! From the statistics of each gene to scvi-tools' columns, sorted.

use super::fdr;
use super::options::Change;
use super::raw::RawMeans;
use super::result::{Column, Values};
use super::statistics::{ChangeTest, Changed, Vanilla};

/// Keeps the logarithms of probabilities finite.
const EPS: f64 = 1e-8;

/// Columns in the making, genes in their order.
#[derive(Default)]
pub(super) struct Table {
    columns: Vec<(String, Vec<f64>)>,
}

impl Table {
    fn add(&mut self, name: impl Into<String>, values: impl Iterator<Item = f64>) {
        self.columns.push((name.into(), values.collect()));
    }

    pub(super) fn vanilla(genes: &[Vanilla]) -> Self {
        let mut table = Self::default();
        table.add("proba_m1", genes.iter().map(|g| g.proba_m1));
        table.add("proba_m2", genes.iter().map(|g| 1.0 - g.proba_m1));
        table.add("bayes_factor", genes.iter().map(|g| bayes_factor(g.proba_m1)));
        table.add("scale1", genes.iter().map(|g| g.scales[0]));
        table.add("scale2", genes.iter().map(|g| g.scales[1]));
        table
    }

    pub(super) fn change(genes: &[Changed], test: ChangeTest) -> Self {
        let mut table = Self::default();
        table.add("proba_de", genes.iter().map(|g| g.proba_de));
        table.add("proba_not_de", genes.iter().map(|g| 1.0 - g.proba_de));
        table.add("bayes_factor", genes.iter().map(|g| bayes_factor(g.proba_de)));
        table.add("scale1", genes.iter().map(|g| g.scales[0]));
        table.add("scale2", genes.iter().map(|g| g.scales[1]));
        table.add("pseudocounts", genes.iter().map(|_| test.pseudocount));
        table.add("delta", genes.iter().map(|_| test.delta));
        table.add("lfc_mean", genes.iter().map(|g| g.moments.mean));
        table.add("lfc_median", genes.iter().map(|g| g.median));
        table.add("lfc_std", genes.iter().map(|g| g.moments.std));
        table.add("lfc_min", genes.iter().map(|g| g.moments.min));
        table.add("lfc_max", genes.iter().map(|g| g.moments.max));
        for (k, level) in test.levels.iter().enumerate() {
            for (end, name) in ["min", "max"].into_iter().enumerate() {
                let level: String = format!("{level:?}").chars().take(5).collect();
                let name = format!("lfc_confidence_interval_{level}_{name}");
                table.add(name, genes.iter().map(|g| g.intervals[k][end]));
            }
        }
        table
    }

    pub(super) fn raw(&mut self, raw: [RawMeans; 2]) {
        let [first, second] = raw;
        self.add("raw_mean1", first.mean.into_iter());
        self.add("raw_mean2", second.mean.into_iter());
        self.add("non_zeros_proportion1", first.non_zeros.into_iter());
        self.add("non_zeros_proportion2", second.non_zeros.into_iter());
        self.add("raw_normalized_mean1", first.normalized.into_iter());
        self.add("raw_normalized_mean2", second.normalized.into_iter());
    }

    /// Genes by falling evidence, those of equal evidence in their order, with the genes that
    /// change mode calls.
    pub(super) fn sorted(self, change: Option<&Change>) -> (Vec<u32>, Vec<Column>) {
        let key = if change.is_some() { "proba_de" } else { "bayes_factor" };
        let of_key = self.columns.iter().find(|(name, _)| name == key);
        let evidence = of_key.map_or(&[][..], |(_, values)| values);
        let mut genes: Vec<u32> = (0..evidence.len() as u32).collect();
        genes.sort_by(|&a, &b| evidence[b as usize].total_cmp(&evidence[a as usize]));
        let in_order = |values: &[f64]| genes.iter().map(|&gene| values[gene as usize]).collect();
        let called = change.map(|change| {
            let probabilities: Vec<f64> = in_order(evidence);
            Column {
                name: format!("is_de_fdr_{:?}", change.fdr_target),
                values: Values::Flags(fdr::calls(&probabilities, change.fdr_target)),
            }
        });
        let numbers = self.columns.iter().map(|(name, values)| Column {
            name: name.clone(),
            values: Values::Numbers(in_order(values)),
        });
        let columns = numbers.chain(called).collect();
        (genes, columns)
    }
}

/// ln p - ln (1 - p), with 1e-8 added to both.
fn bayes_factor(p: f64) -> f64 {
    (p + EPS).ln() - (1.0 - p + EPS).ln()
}
