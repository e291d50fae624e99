//! Against scvi-tools on given samples (`reference/differential.py`).

use std::path::Path;

use safetensors::SafeTensors;

use super::delta;
use super::genes::Case;
use super::meter::Meter;
use super::options::{Change, Contrast, Group, Hypotheses};
use super::pseudocount;
use super::raw::RawStatistics;
use super::result::{Column, Values};
use super::statistics::{ChangeTest, Changed, Vanilla, largest_scales, mean_change};
use super::table::Table;
use crate::data::CsrMatrix;
use crate::model::unwatched;

const CONTRAST: Contrast = Contrast { group1: 0, group2: Some(1) };

pub(super) struct Fixture(Vec<u8>);

impl Fixture {
    pub(super) fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference");
        let file = folder.join("fixtures_differential/differential.safetensors");
        Self(std::fs::read(file).unwrap())
    }

    pub(super) fn numbers<const N: usize, T>(
        &self,
        name: &str,
        of: fn([u8; N]) -> T,
    ) -> (Vec<T>, usize) {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        let values = tensor.data().as_chunks().0.iter().map(|bytes| of(*bytes)).collect();
        (values, *tensor.shape().last().unwrap())
    }

    pub(super) fn doubles(&self, name: &str) -> Vec<f64> {
        self.numbers(name, f64::from_le_bytes).0
    }

    /// Samples of each gene: `(genes)` lists.
    fn samples(&self, name: &str) -> Vec<Vec<f32>> {
        let (values, genes) = self.numbers(name, f32::from_le_bytes);
        (0..genes).map(|gene| values.iter().skip(gene).step_by(genes).copied().collect()).collect()
    }

    /// What a function says of every gene.
    fn each<T>(&self, of: impl Fn(&Case) -> T) -> Vec<T> {
        let (a, b) = (self.samples("samples1"), self.samples("samples2"));
        let case = |(a, b): (&Vec<f32>, &Vec<f32>)| {
            let samples = [&a[..], &b[..]];
            of(&Case { contrast: 0, samples, pairs: samples })
        };
        a.iter().zip(&b).map(case).collect()
    }

    fn raw(&self) -> RawStatistics {
        let (counts, n_genes) = self.numbers("counts", f32::from_le_bytes);
        let of = self.numbers("group", i64::from_le_bytes).0;
        let (mut indptr, mut genes, mut values) = (vec![0], vec![], vec![]);
        for row in counts.chunks(n_genes) {
            for (gene, &count) in row.iter().enumerate().filter(|&(_, &count)| count != 0.0) {
                genes.push(gene as u32);
                values.push(count);
            }
            indptr.push(genes.len() as u64);
        }
        let matrix = CsrMatrix::new(n_genes, indptr, genes, values).unwrap();
        let group = |k: i64| Group {
            name: k.to_string(),
            cells: (0..of.len() as u32).filter(|&cell| of[cell as usize] == k).collect(),
        };
        let (groups, watch) = ([group(1), group(2)], &mut unwatched);
        RawStatistics::read(&matrix, &groups, &[CONTRAST], &mut Meter::new(0, 1, watch)).unwrap()
    }

    /// The pseudocount by the genes of little expression.
    fn pseudocount(&self) -> f64 {
        let (raw, scales) = (self.raw().of(CONTRAST), self.each(largest_scales));
        let mut largest = [0, 1].map(|side| {
            let low = raw[side].mean.iter().zip(&scales).filter(|(mean, _)| **mean < 0.01);
            low.map(|(_, scales)| scales[side]).collect::<Vec<_>>()
        });
        assert!(largest.iter().all(|genes| genes.len() > 2), "no gene is of little expression");
        pseudocount::estimate(&mut largest, scales.len())
    }

    /// Holds sorted columns to those of a case, in the reference's order of genes.
    fn check(&self, case: &str, (genes, columns): (Vec<u32>, Vec<Column>), tolerance: f64) {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let prefix = format!("{case}/");
        let n = file.names().iter().filter(|name| name.starts_with(&prefix)).count();
        assert_eq!(columns.len(), n, "{case}");
        for Column { name, values } in columns {
            let want = self.doubles(&format!("{case}/{name}"));
            let found = match values {
                Values::Numbers(values) => values,
                Values::Flags(flags) => {
                    // Which of equally probable genes are called, only their order decides.
                    let called = flags.iter().filter(|&&flag| flag).count();
                    assert_eq!(called, want.iter().filter(|&&v| v == 1.0).count(), "{case}");
                    continue;
                }
            };
            for (&gene, found) in genes.iter().zip(found) {
                let want = want[gene as usize];
                let close = (found - want).abs() <= tolerance * (1.0 + want.abs());
                assert!(close, "{case} {name} of {gene}: {found} for {want}");
            }
        }
    }
}

#[test]
fn vanilla_is_scvi_tools() {
    let fixture = Fixture::read();
    let table = Table::vanilla(&fixture.each(Vanilla::of));
    fixture.check("vanilla", table.sorted(None), 1e-12);
}

#[test]
fn change_is_scvi_tools() {
    let fixture = Fixture::read();
    let three = ChangeTest {
        pseudocount: fixture.pseudocount(),
        delta: 0.25,
        hypotheses: Hypotheses::Three,
        levels: &[],
    };
    let levels = &[0.5, 0.95];
    let two = ChangeTest { pseudocount: 1e-3, delta: 0.5, hypotheses: Hypotheses::Two, levels };
    for (case, test) in [("change", three), ("two", two)] {
        let genes = fixture.each(|case| Changed::of(case, test));
        let table = Table::change(&genes, test).sorted(Some(&Change::default()));
        fixture.check(case, table, 3e-6);
    }
}

/// The mixture is fitted from another start there, and one that is drawn.
#[test]
fn the_estimated_delta_is_near_scvi_tools() {
    let fixture = Fixture::read();
    let c = fixture.pseudocount();
    let means = fixture.each(|case| mean_change(case, c));
    let (found, want) = (delta::estimate(&means), fixture.doubles("estimated/delta")[0]);
    assert!((found / want - 1.0).abs() < 0.02, "{found} for {want}");
}

#[test]
fn raw_statistics_are_scvi_tools() {
    let fixture = Fixture::read();
    let [first, second] = fixture.raw().of(CONTRAST);
    for (k, raw) in [first, second].iter().enumerate() {
        for (name, found) in [
            ("raw_mean", &raw.mean),
            ("non_zeros_proportion", &raw.non_zeros),
            ("raw_normalized_mean", &raw.normalized),
        ] {
            let want = fixture.doubles(&format!("raw/{name}{}", k + 1));
            for (found, want) in found.iter().zip(want) {
                // Sums in single precision there.
                assert!((found - want).abs() <= 1e-6 * (1.0 + want), "{name}: {found} {want}");
            }
        }
    }
}
