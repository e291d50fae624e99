//! From groups to tables.

use scvi_kernels::Backend;

use super::context::Context;
use super::delta;
use super::draws::{Population, Populations};
use super::error::DifferentialError;
use super::genes::{Case, for_each_gene};
use super::meter::Meter;
use super::options::{Batches, Change, Contrast, Delta, DifferentialOptions, Group, Test};
use super::outliers::leave_out;
use super::plan::{Planned, rounds};
use super::pseudocount;
use super::raw_of::{Raw, Wanted};
use super::result::Comparison;
use super::round::{DecodedRound, decode};
use super::statistics::{ChangeTest, Changed, Vanilla, largest_scales, mean_change};
use super::table::Table;
use crate::data::Dataset;
use crate::model::cells::Cells;
use crate::model::error::TaskError;
use crate::model::importance::Weights;
use crate::model::pass::{check_cells, decode_as};
use crate::model::watch::Watch;
use crate::module::{Inference, Vae};

/// Compares groups of cells gene by gene; a result a contrast, in their order.
///
/// Of minified data without counts there are no raw statistics, and a pseudocount must be given.
/// What a contrast gives depends on the seed, the groups and their order, not on the other
/// contrasts. Where both groups are decoded as different numbers of batches, as many pairs are
/// compared as the smaller group has samples.
///
/// Progress counts tests: each gene of each contrast is one.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model or cannot be read, a group is empty, or an
/// option is out of its range.
pub fn differential_expression(
    model: &impl Inference,
    data: &Dataset,
    groups: &[Group],
    contrasts: &[Contrast],
    options: &DifferentialOptions,
    watch: &mut Watch,
) -> Result<Vec<Comparison>, TaskError> {
    let vae = model.vae();
    for group in groups {
        check_cells(vae, Cells::chosen(data, &group.cells, options.batch_size))?;
    }
    check(vae, options)?;
    let mut populations = Populations::new(groups, data.n_cells(), options.seed);
    for &contrast in contrasts {
        populations.check(contrast)?;
    }
    let n_tests = data.n_genes() * contrasts.len();
    let mut meter = Meter::new(n_tests, n_passes(options), watch);
    let raw = Wanted::new(vae, options)?;
    if options.filter_outlier_cells {
        leave_out(vae, data, &mut populations, contrasts, options, &mut meter)?;
    }
    let context = Context { vae, data, populations: &populations, options };
    let raw = Raw::read(&context, raw, groups, contrasts, &mut meter)?;
    let n_batch = vae.spec().config().n_batch;
    let rounds = rounds(contrasts, &populations, options, n_batch);
    let mut results = Vec::with_capacity(contrasts.len());
    for round in rounds {
        let round = decode(&context, round, &mut meter)?;
        let tables = match &options.test {
            Test::Vanilla => vanilla(&context, &round, &mut meter)?,
            Test::Change(change) => changed(&context, change, &round, &raw, &mut meter)?,
        };
        for (planned, (mut table, chosen)) in round.contrasts.iter().zip(tables) {
            let contrast = planned.contrast;
            if let Some(means) = raw.shown(contrast).filter(|_| options.all_stats) {
                table.raw(means);
            }
            let change = match &options.test {
                Test::Vanilla => None,
                Test::Change(change) => Some(change),
            };
            let (genes, columns) = table.sorted(change);
            let name = |group: usize| groups[group].name.clone();
            let compared = [0, 1].map(|side| Population::of(contrast, side));
            results.push(Comparison {
                group1: name(contrast.group1),
                group2: contrast.group2.map(name),
                n_cells: compared.map(|population| populations.all_cells(population).len()),
                n_outliers: compared.map(|population| populations.n_left_out(population)),
                genes,
                columns,
                pseudocount: chosen.map(|chosen| chosen[0]),
                delta: chosen.map(|chosen| chosen[1]),
            });
        }
    }
    Ok(results)
}

/// A table, and the pseudocount and delta of change mode.
type Tested = (Table, Option<[f64; 2]>);

fn vanilla<B: Backend<Elem = f32>>(
    context: &Context<B>,
    round: &DecodedRound<B>,
    meter: &mut Meter,
) -> Result<Vec<Tested>, TaskError> {
    let genes = all_genes(context.data);
    let answers = for_each_gene(context.vae, round, &genes, meter, &|case| Vanilla::of(&case))?;
    Ok(answers.iter().map(|genes| (Table::vanilla(genes), None)).collect())
}

fn changed<B: Backend<Elem = f32>>(
    context: &Context<B>,
    change: &Change,
    round: &DecodedRound<B>,
    raw: &Raw,
    meter: &mut Meter,
) -> Result<Vec<Tested>, TaskError> {
    let (vae, genes) = (context.vae, all_genes(context.data));
    let pseudocounts = match change.pseudocount {
        Some(given) => vec![given; round.contrasts.len()],
        None => pseudocounts(context, change, round, raw, meter)?,
    };
    let deltas = match change.delta {
        Delta::Given(given) => vec![given; round.contrasts.len()],
        Delta::Estimated => {
            let mean = |case: Case| mean_change(&case, pseudocounts[case.contrast]);
            let means = for_each_gene(vae, round, &genes, meter, &mean)?;
            means.iter().map(|means| delta::estimate(means)).collect()
        }
    };
    let test = |contrast: usize| ChangeTest {
        pseudocount: pseudocounts[contrast],
        delta: deltas[contrast],
        hypotheses: change.hypotheses,
        levels: &change.cred_interval_lvls,
    };
    let of = |case: Case| Changed::of(&case, test(case.contrast));
    let answers = for_each_gene(vae, round, &genes, meter, &of)?;
    let table = |(k, genes): (usize, &Vec<Changed>)| {
        (Table::change(genes, test(k)), Some([pseudocounts[k], deltas[k]]))
    };
    Ok(answers.iter().enumerate().map(table).collect())
}

/// The pseudocount of each contrast, from the genes of little expression in its groups.
fn pseudocounts<B: Backend<Elem = f32>>(
    context: &Context<B>,
    change: &Change,
    round: &DecodedRound<B>,
    raw: &Raw,
    meter: &mut Meter,
) -> Result<Vec<f64>, TaskError> {
    let n_genes = context.data.n_genes();
    let is_low = |planned: &Planned| {
        let of = |mean: &f64| *mean < change.threshold_counts;
        let means = raw.drawn(planned.contrast, context.populations)?;
        Some(means.map(|means| means.mean.iter().map(of).collect()))
    };
    let is_low: Option<Vec<[Vec<bool>; 2]>> = round.contrasts.iter().map(is_low).collect();
    let is_low = is_low.ok_or(DifferentialError::NoCounts)?;
    let is_wanted = |&gene: &u32| is_low.iter().flatten().any(|low| low[gene as usize]);
    let genes: Vec<u32> = all_genes(context.data).into_iter().filter(is_wanted).collect();
    let scales = for_each_gene(context.vae, round, &genes, meter, &|case| largest_scales(&case))?;
    // The others have no part in this pass.
    meter.add((n_genes - genes.len()) * round.contrasts.len())?;
    let estimate = |(scales, is_low): (&Vec<[f64; 2]>, &[Vec<bool>; 2])| {
        let mut largest = [0, 1].map(|side| {
            let of = genes.iter().zip(scales).filter(|&(&gene, _)| is_low[side][gene as usize]);
            of.map(|(_, scales)| scales[side]).collect()
        });
        pseudocount::estimate(&mut largest, n_genes)
    };
    Ok(scales.iter().zip(&is_low).map(estimate).collect())
}

fn all_genes(data: &Dataset) -> Vec<u32> {
    (0..data.n_genes() as u32).collect()
}

fn check<B: Backend<Elem = f32>>(
    vae: &Vae<B>,
    options: &DifferentialOptions,
) -> Result<(), TaskError> {
    let require = |option, found: f64, holds: bool, range| match holds {
        true => Ok(()),
        false => Err(DifferentialError::Option { option, found, range }),
    };
    let positive = |option, found: usize| {
        // Numbers of samples are counted in 31 bits.
        let holds = (1..1 << 31).contains(&found);
        require(option, found as f64, holds, "1 or more and below 2^31")
    };
    positive("n_samples_overall", options.n_samples_overall)?;
    options.m_permutation.map_or(Ok(()), |m| positive("m_permutation", m))?;
    if let Batches::Corrected(sides) = &options.batches {
        for batches in sides.iter().flatten() {
            positive("the number of batches of a group", batches.len())?;
            decode_as(vae, batches)?;
        }
    }
    if let Weights::Importance(importance) = options.weights {
        importance.check()?;
    }
    let Test::Change(change) = &options.test else { return Ok(()) };
    let is_share = |v: f64| v > 0.0 && v < 1.0;
    if let Delta::Given(delta) = change.delta {
        require("delta", delta, delta >= 0.0 && delta.is_finite(), "0 or more")?;
    }
    if let Some(c) = change.pseudocount {
        require("pseudocounts", c, (1e-30..1e30).contains(&c), "within 1e-30 and 1e30")?;
    }
    let threshold = change.threshold_counts;
    require("threshold_counts", threshold, threshold >= 0.0, "0 or more")?;
    let fdr = change.fdr_target;
    require("fdr_target", fdr, (0.0..=1.0).contains(&fdr), "within 0 and 1")?;
    for &level in &change.cred_interval_lvls {
        require("cred_interval_lvls", level, is_share(level), "above 0 and below 1")?;
    }
    Ok(())
}

/// How often every gene of a contrast is looked at.
fn n_passes(options: &DifferentialOptions) -> usize {
    match &options.test {
        Test::Vanilla => 1,
        Test::Change(change) => {
            1 + usize::from(change.pseudocount.is_none())
                + usize::from(change.delta == Delta::Estimated)
        }
    }
}
