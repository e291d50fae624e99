use super::*;

const CELLS: u64 = 40;
const GENES: u64 = 30;
const DRAWS: u64 = 10;

/// Counts whose checks scvi-tools was asked for; draw 0 is observed.
fn count(cell: u64, gene: u64, draw: u64) -> f32 {
    let hash = (cell * 7919 + gene * 104_729 + draw * 1_299_709 + cell * gene * 31) % 1009;
    let marker = if gene % 3 == cell % 3 { 6 } else { 2 };
    if hash.is_multiple_of(3) { 0.0 } else { ((hash % 11) * marker / 9) as f32 }
}

fn rows(cells: std::ops::Range<u64>, draw: u64) -> Vec<f32> {
    cells.flat_map(|cell| (0..GENES).map(move |gene| count(cell, gene, draw))).collect()
}

/// The checks, with this many cells at a time.
fn checks(at_a_time: u64) -> PredictiveChecks {
    let mut observed = CsrRows::default();
    observed.clear();
    for cell in 0..CELLS {
        let counts = rows(cell..cell + 1, 0);
        let genes: Vec<u32> = (0..GENES as u32).filter(|&g| counts[g as usize] > 0.0).collect();
        let counts: Vec<f32> = counts.into_iter().filter(|&x| x > 0.0).collect();
        observed.push(&genes, &counts);
    }
    let groups = Categories::new(&(0..CELLS as u32).map(|cell| cell % 3).collect::<Vec<_>>());
    let mut checks = Comparison::new(&observed, GENES as usize, Some(groups), DRAWS as u32);
    for first in (0..CELLS).step_by(at_a_time as usize) {
        for draw in 0..DRAWS {
            let values = rows(first..CELLS.min(first + at_a_time), draw + 1);
            checks.add(&SampledRows { draw: draw as u32, first: first as usize, values: &values });
        }
    }
    checks.finish()
}

fn assert_close(found: f64, expected: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs().max(1e-3);
    assert!(error < 1e-4, "{what}: {found}, expected {expected}");
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum()
}

/// `PosteriorPredictiveCheck` of scvi-tools 1.4.2 on the same counts.
#[test]
fn agrees_with_scvi_criticism() {
    let checks = checks(16);
    let genes = [(1.855_921, 1.599_389), (1.277_265, 1.504_589), (1.505_533, 1.563_961)];
    for (gene, (observed, drawn)) in genes.into_iter().enumerate() {
        assert_close(checks.cv_gene.observed[gene].into(), observed, "cv_gene, observed");
        assert_close(checks.cv_gene.drawn[gene].into(), drawn, "cv_gene, drawn");
    }
    assert_close(sum(&checks.cv_gene.observed), 46.010_605, "sum of cv_gene, observed");
    assert_close(sum(&checks.cv_gene.drawn), 47.352_234, "sum of cv_gene, drawn");
    assert_close(sum(&checks.cv_cell.observed), 61.469_429, "sum of cv_cell, observed");
    assert_close(sum(&checks.cv_cell.drawn), 62.667_400, "sum of cv_cell, drawn");
    // Its zero_fraction is the share of counts that are not zero.
    assert_close(30.0 - sum(&checks.zero_fraction.observed), 13.475, "not zero, observed");
    assert_close(30.0 - sum(&checks.zero_fraction.drawn), 12.8075, "not zero, drawn");
    assert_close(checks.calibration_error, 0.021_008, "calibration error");
    let expected = [
        (14, 0.0, 1.190_565, 0.773_331, 0.800_222),
        (13, 0.0, 2.539_300, 0.565_559, 0.597_330),
        (13, 0.666_667, 1.379_324, 0.661_297, 0.604_004),
    ];
    for (found, (n_cells, f1, mae, pearson, spearman)) in checks.groups.iter().zip(expected) {
        assert_eq!(found.n_cells, n_cells);
        assert_close(found.gene_f1, f1, "gene_f1");
        assert_close(found.lfc_mae, mae, "lfc_mae");
        assert_close(found.lfc_pearson, pearson, "lfc_pearson");
        assert_close(found.lfc_spearman, spearman, "lfc_spearman");
    }
    assert_eq!(checks.groups.len(), 3);
}

#[test]
fn how_many_cells_come_at_a_time_does_not_matter() {
    let all = checks(CELLS);
    assert_eq!(all, checks(7));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(5).build().unwrap();
    assert_eq!(all, pool.install(|| checks(7)));
}

#[test]
fn the_worst_are_farthest_apart() {
    let statistic =
        Statistic { observed: vec![1.0, 5.0, 2.0, 0.0], drawn: vec![1.5, 1.0, f32::NAN, 1.0] };
    assert_eq!(statistic.worst(2), [1, 3]);
    assert_eq!(statistic.worst(9), [1, 3, 0]);
}
