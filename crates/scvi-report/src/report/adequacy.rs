//! Whether counts drawn from the model look like those that were observed.

use scvi::model::CellElbo;

use super::{Follow, ReportInput, Role, stage};
use crate::metrics::{Categories, stratified};
use crate::number::{count, shown};
use crate::sections::{Adequacy, Fit, Worst};
use crate::{
    AnalysisError, CheckOptions, PredictiveChecks, Statistic, posterior_predictive_checks,
};

/// Counts that are drawn, about: time goes by them.
const MAX_COUNTS: usize = 200_000_000;
/// Cells that are drawn for, at least and at most, of as many as there are.
const CELLS: [usize; 2] = [200, 5000];
/// Rows of tables of what is explained worst.
const N_WORST: usize = 10;

/// Checks the model on a sample of the cells; `terms` are of all of `sample`.
pub(super) fn adequacy(
    input: &ReportInput,
    sample: &[u32],
    terms: &CellElbo,
    follow: &mut dyn Follow,
) -> Result<Adequacy, AnalysisError> {
    let options = CheckOptions { seed: input.seed, ..CheckOptions::default() };
    let n_genes = input.model.meta.var_names.len();
    let [least, most] = CELLS;
    let n = (MAX_COUNTS / (n_genes * options.n_samples as usize).max(1)).clamp(least, most);
    let strata = input.strata();
    let of_sample: Vec<u32> = sample.iter().map(|&cell| strata[cell as usize]).collect();
    let places = stratified(&Categories::new(&of_sample), n, input.seed);
    let cells: Vec<u32> = places.iter().map(|&place| sample[place as usize]).collect();
    let all: Vec<u32> = (0..input.data.n_cells() as u32).collect();
    let labels = input.columns.iter().find(|column| column.role == Role::Labels);
    let groups = labels.and_then(|column| column.categories(&all));
    let (data, counts) = (input.data, input.data.counts());
    let checks = posterior_predictive_checks(
        &input.model.vae,
        data,
        counts,
        &cells,
        groups.as_ref(),
        &options,
        &mut stage(follow, "posterior predictive checks"),
    )?;
    let names: Vec<String> = cells.iter().map(|&c| input.cells[c as usize].clone()).collect();
    let mut worst = vec![worst_genes(input, &checks), worst_cells(input, sample, terms)];
    if let (Some(labels), false) = (labels, checks.groups.is_empty()) {
        worst.push(agreement(labels.names(), &checks));
    }
    Ok(Adequacy {
        n_samples: checks.n_samples,
        n_cells: checks.n_cells,
        genes: input.model.meta.var_names.clone(),
        by_gene: vec![
            fit("coefficient of variation", true, &checks.cv_gene),
            fit("share of zeros", false, &checks.zero_fraction),
            fit("mean", true, &checks.mean),
            fit("variance", true, &checks.variance),
        ],
        cells: names,
        by_cell: vec![fit("coefficient of variation", true, &checks.cv_cell)],
        summary: vec![[
            "calibration error".to_owned(),
            "observed counts within intervals of drawn ones, 0 is best".to_owned(),
            shown(checks.calibration_error),
        ]],
        worst,
    })
}

fn fit(name: &str, is_log: bool, statistic: &Statistic) -> Fit {
    let Statistic { observed, drawn } = statistic.clone();
    Fit { name: name.to_owned(), is_log, observed, drawn }
}

fn worst_genes(input: &ReportInput, checks: &PredictiveChecks) -> Worst {
    let Statistic { observed, drawn } = &checks.cv_gene;
    let row = |gene: u32| {
        let k = gene as usize;
        vec![
            input.model.meta.var_names[k].clone(),
            shown(observed[k].into()),
            shown(drawn[k].into()),
        ]
    };
    Worst {
        caption: "Genes whose coefficient of variation differs most".to_owned(),
        columns: ["gene", "observed", "drawn"].map(str::to_owned).to_vec(),
        rows: checks.cv_gene.worst(N_WORST).into_iter().map(row).collect(),
    }
}

fn worst_cells(input: &ReportInput, sample: &[u32], terms: &CellElbo) -> Worst {
    let mut cells: Vec<(f64, u32)> = terms.elbo().zip(sample.iter().copied()).collect();
    cells.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let row = |&(elbo, cell): &(f64, u32)| vec![input.cells[cell as usize].clone(), shown(elbo)];
    Worst {
        caption: "Cells with the lowest ELBO".to_owned(),
        columns: ["cell", "ELBO (nats)"].map(str::to_owned).to_vec(),
        rows: cells.iter().take(N_WORST).map(row).collect(),
    }
}

/// Differential expression of each label against all others, on observed counts and on drawn ones.
fn agreement(names: &[String], checks: &PredictiveChecks) -> Worst {
    let name = |code: u32| names.get(code as usize).map_or("no value", |name| &name[..]);
    let row = |group: &crate::GroupAgreement| {
        let numbers = [group.gene_f1, group.lfc_pearson, group.lfc_spearman, group.lfc_mae];
        let texts = [name(group.group).to_owned(), count(group.n_cells)].into_iter();
        texts.chain(numbers.map(shown)).collect()
    };
    let columns =
        ["label", "cells", "top genes shared", "LFC Pearson", "LFC Spearman", "LFC error"];
    Worst {
        caption: "Agreement of differential expression, observed against drawn".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: checks.groups.iter().map(row).collect(),
    }
}
