//! Products with weights, W: `(n_in, n_out)`.

use super::device::DenseCounts;
use super::sink::{take, value};
use super::{Reference, embedding};
use crate::backend::{GradSink, LinearOps};
use crate::ops::embedding::{EmbeddingDims, EmbeddingGrad, MaxNorm};
use crate::ops::linear::LinearDims;
use crate::ops::one_hot::OneHotBeside;
use crate::real::Real;

impl<F: Real> LinearOps for Reference<F> {
    /// y = X W + b, of the counts as the encoder sees them, X: `(cells, genes)`.
    fn sparse_linear(
        &self,
        x: &DenseCounts<F>,
        w: &Vec<F>,
        bias: Option<&Vec<F>>,
        y: &mut Vec<F>,
        n_out: usize,
    ) {
        let d = LinearDims { cells: x.n_cells(), n_in: x.n_genes, n_out };
        self.linear(&x.input, w, bias, y, d, false);
    }

    /// dW = Xᵀ dy.
    fn sparse_linear_grad(&self, x: &DenseCounts<F>, dy: &Vec<F>, n_out: usize, w: GradSink<Self>) {
        let d = LinearDims { cells: x.n_cells(), n_in: x.n_genes, n_out };
        self.linear_grad_weight(&x.input, dy, d, w);
    }

    /// y_cj = b_j + Σ_i x_ci W_ij, added to y to accumulate.
    fn linear(
        &self,
        x: &Vec<F>,
        w: &Vec<F>,
        bias: Option<&Vec<F>>,
        y: &mut Vec<F>,
        d: LinearDims,
        accumulate: bool,
    ) {
        for c in 0..d.cells {
            for j in 0..d.n_out {
                let mut sum = bias.map_or(0.0, |bias| bias[j].to_f64());
                if accumulate {
                    sum += y[c * d.n_out + j].to_f64();
                }
                for i in 0..d.n_in {
                    sum += x[c * d.n_in + i].to_f64() * w[i * d.n_out + j].to_f64();
                }
                y[c * d.n_out + j] = F::of(sum);
            }
        }
    }

    /// dx_ci = Σ_j dy_cj W_ij, added to dx to accumulate.
    fn linear_grad_input(
        &self,
        dy: &Vec<F>,
        w: &Vec<F>,
        dx: &mut Vec<F>,
        d: LinearDims,
        accumulate: bool,
    ) {
        for c in 0..d.cells {
            for i in 0..d.n_in {
                let mut sum = if accumulate { dx[c * d.n_in + i].to_f64() } else { 0.0 };
                for j in 0..d.n_out {
                    sum += dy[c * d.n_out + j].to_f64() * w[i * d.n_out + j].to_f64();
                }
                dx[c * d.n_in + i] = F::of(sum);
            }
        }
    }

    /// dW_ij = Σ_c x_ci dy_cj.
    fn linear_grad_weight(&self, x: &Vec<F>, dy: &Vec<F>, d: LinearDims, w: GradSink<Self>) {
        let mut dw = vec![0.0; d.n_in * d.n_out];
        for c in 0..d.cells {
            for i in 0..d.n_in {
                for j in 0..d.n_out {
                    dw[i * d.n_out + j] +=
                        x[c * d.n_in + i].to_f64() * dy[c * d.n_out + j].to_f64();
                }
            }
        }
        take(w, &dw);
    }

    /// db_j = Σ_c dy_cj.
    fn bias_grad(&self, dy: &Vec<F>, d: LinearDims, bias: GradSink<Self>) {
        let mut db = vec![0.0; d.n_out];
        for c in 0..d.cells {
            for j in 0..d.n_out {
                db[j] += dy[c * d.n_out + j].to_f64();
            }
        }
        take(bias, &db);
    }

    /// y_cj += Σ_k W_rj, r the row that covariate k of the cell names: `(cells, covariates)`.
    fn one_hot(&self, rows: &Vec<u32>, w: &Vec<F>, y: &mut Vec<F>, d: LinearDims) {
        for c in 0..d.cells {
            for j in 0..d.n_out {
                let mut sum = y[c * d.n_out + j].to_f64();
                for k in 0..d.n_in {
                    let row = rows[c * d.n_in + k] as usize;
                    sum += w[row * d.n_out + j].to_f64();
                }
                y[c * d.n_out + j] = F::of(sum);
            }
        }
    }

    /// dW_rj = Σ dy_cj over the cells that name row r.
    fn one_hot_grad(&self, rows: &Vec<u32>, dy: &Vec<F>, d: LinearDims, w: GradSink<Self>) {
        let mut dw = vec![0.0; value(&w).len()];
        for c in 0..d.cells {
            for k in 0..d.n_in {
                let row = rows[c * d.n_in + k] as usize;
                for j in 0..d.n_out {
                    dw[row * d.n_out + j] += dy[c * d.n_out + j].to_f64();
                }
            }
        }
        take(w, &dw);
    }

    /// y = [x, one-hot columns]: `(cells, n_in + n_columns)`.
    fn one_hot_beside(&self, x: &Vec<F>, columns: &Vec<u32>, y: &mut Vec<F>, d: OneHotBeside) {
        let width = d.n_in + d.n_columns;
        for c in 0..d.cells {
            let row = &mut y[c * width..][..width];
            row.fill(F::ZERO);
            row[..d.n_in].copy_from_slice(&x[c * d.n_in..][..d.n_in]);
            for k in 0..d.per_cell {
                row[d.n_in + columns[c * d.per_cell + k] as usize] = F::ONE;
            }
        }
    }

    /// y_cj = x_cj for the first columns j.
    fn first_columns(&self, x: &Vec<F>, y: &mut Vec<F>, cells: usize, [from, to]: [usize; 2]) {
        for c in 0..cells {
            y[c * to..][..to].copy_from_slice(&x[c * from..][..to]);
        }
    }

    fn embedding_renorm(
        &self,
        table: &mut Vec<F>,
        ids: &Vec<u32>,
        d: EmbeddingDims,
        bound: MaxNorm,
    ) {
        embedding::renorm(table, &ids[..d.cells], d.dim, bound);
    }

    /// out_c = E_r, r the cell's id; E: `(rows, dim)`.
    fn embedding(&self, ids: &Vec<u32>, table: &Vec<F>, out: &mut Vec<F>, d: EmbeddingDims) {
        for c in 0..d.cells {
            let row = &table[ids[c] as usize * d.dim..][..d.dim];
            out[c * d.dim..][..d.dim].copy_from_slice(row);
        }
    }

    fn embedding_grad(
        &self,
        ids: &Vec<u32>,
        d_out: &Vec<F>,
        d: EmbeddingDims,
        rule: EmbeddingGrad,
        table: GradSink<Self>,
    ) {
        take(table, &embedding::gradient(&ids[..d.cells], d_out, d, rule));
    }
}
