//! Which cells' raw counts are wanted: those of the groups, those that samples are drawn from.

use scvi_kernels::Backend;

use super::context::Context;
use super::draws::Populations;
use super::error::DifferentialError;
use super::meter::Meter;
use super::options::{Change, Contrast, DifferentialOptions, Group, Test};
use super::raw::{RawMeans, RawStatistics};
use crate::model::error::TaskError;
use crate::module::Vae;

/// Whose statistics are wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    groups: bool,
    /// Where they are not the groups'.
    inliers: bool,
}

impl Wanted {
    /// The table shows those of the groups; pseudocounts are estimated from those of the cells that
    /// samples are drawn from.
    pub(super) fn new<B: Backend<Elem = f32>>(
        vae: &Vae<B>,
        options: &DifferentialOptions,
    ) -> Result<Self, DifferentialError> {
        let has_counts = vae.require_counts("raw statistics").is_ok();
        let estimated = matches!(&options.test, Test::Change(Change { pseudocount: None, .. }));
        if !has_counts && estimated {
            return Err(DifferentialError::NoCounts);
        }
        let inliers = estimated && options.filter_outlier_cells;
        Ok(Self { groups: has_counts && (options.all_stats || (estimated && !inliers)), inliers })
    }
}

/// Statistics of raw counts, those that are wanted.
pub(super) struct Raw {
    groups: Option<RawStatistics>,
    inliers: Option<RawStatistics>,
}

impl Raw {
    /// Reads the counts, once for each.
    pub(super) fn read<B: Backend>(
        context: &Context<B>,
        wanted: Wanted,
        groups: &[Group],
        contrasts: &[Contrast],
        meter: &mut Meter,
    ) -> Result<Self, TaskError> {
        let Context { data, populations, .. } = context;
        let read = || RawStatistics::read(data.counts(), groups, contrasts, meter);
        let groups = wanted.groups.then(read).transpose()?;
        let read = || {
            let drawn: Vec<_> = contrasts.iter().map(|&c| populations.of_drawn(c)).collect();
            RawStatistics::read(data.counts(), &populations.drawn_groups(contrasts), &drawn, meter)
        };
        Ok(Self { groups, inliers: wanted.inliers.then(read).transpose()? })
    }

    /// Of both groups of a contrast.
    pub(super) fn shown(&self, contrast: Contrast) -> Option<[RawMeans; 2]> {
        Some(self.groups.as_ref()?.of(contrast))
    }

    /// Of the cells of both that samples are drawn from.
    pub(super) fn drawn(
        &self,
        contrast: Contrast,
        populations: &Populations,
    ) -> Option<[RawMeans; 2]> {
        match &self.inliers {
            Some(inliers) => Some(inliers.of(populations.of_drawn(contrast))),
            None => self.shown(contrast),
        }
    }
}
