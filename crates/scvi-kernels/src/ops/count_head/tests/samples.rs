//! px_scale of many samples, gene by gene, against the pass over all genes.

use super::named::{Named, Norms};
use super::{Case, Kind, read};
use crate::ops::count_head::{HeadDims, HeadOutput};
use crate::testing::{bits, same_in_every_pool};
use crate::{Cpu, HeadOps};

/// px_scale of the listed genes: `(genes, samples)`.
fn scale_rows(case: &Case, genes: &[u32]) -> Vec<f32> {
    let (d, cpu) = (case.dims, Cpu::<f32>::new());
    let hidden: Vec<f32> = case.h.iter().map(|&v| v as f32).collect();
    let mut parameters = case.fresh_parameters();
    let named = Named::new(case, &mut parameters);
    let mut norms = [0, 1].map(|_| Norms { training: false, ..Norms::new(case) });
    let [sums, rows] = norms.each_mut().map(|norms| named.params(norms).scale);
    let activation = case.kind.plan(false).activation;
    let samples = cpu.head_samples(&hidden, sums, activation, d);
    let stride = cpu.samples_stride(&samples);
    let mut out = vec![f32::NAN; genes.len() * stride];
    cpu.head_scale_rows(&samples, rows, activation, genes, d, &mut out);
    out.chunks(stride).flat_map(|row| &row[..d.cells]).copied().collect()
}

#[test]
fn are_what_the_pass_over_all_genes_gives() {
    for kind in Kind::all() {
        for shape in [[1, 1, 1], [17, 257, 5], [530, 300, 3]] {
            let case = Case::new(shape, kind, 2);
            let HeadDims { cells, genes, .. } = case.dims;
            let mut head = case.head::<f32>();
            case.decode(&mut head);
            let want = read(&head, HeadOutput::Scale, case.dims);
            let listed: Vec<u32> = (0..genes as u32).rev().step_by(3).collect();
            let found = scale_rows(&case, &listed);
            for (row, &gene) in found.chunks(cells).zip(&listed) {
                for (cell, &v) in row.iter().enumerate() {
                    let want = want[cell * genes + gene as usize];
                    assert!((v - want).abs() <= 1e-5 * want, "{}: {v} {want}", case.name());
                }
            }
        }
    }
}

#[test]
fn threads_do_not_show() {
    let case = Case::new([1500, 600, 9], Kind::all()[0], 3);
    same_in_every_pool(|| scale_rows(&case, &[5, 0, 599]));
    let some = bits(&scale_rows(&case, &[5]));
    assert_eq!(some, bits(&scale_rows(&case, &[5, 0, 599])[..1500]));
}

/// A sum of exponentials that no f32 could hold.
#[test]
fn huge_logits_do_not_overflow() {
    let mut case = Case::new([3, 300, 2], Kind::all()[0], 4);
    case.fill("scale bias", || 500.0);
    let genes: Vec<u32> = (0..300).collect();
    let rows = scale_rows(&case, &genes);
    for sample in 0..3 {
        let total: f64 = rows.iter().skip(sample).step_by(3).map(|&v| v as f64).sum();
        assert!((total - 1.0).abs() < 1e-4, "{total}");
    }
}
