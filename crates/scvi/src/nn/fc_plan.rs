//! Which layers a stack of hidden layers has.

use scvi_kernels::ops::activation::Activation;

/// Everything a stack is made from: computed once from the specification.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FcPlan {
    /// Width of the stack's own input.
    pub(crate) n_in: usize,
    /// Continuous covariates beside it.
    pub(crate) n_continuous: usize,
    /// Width of the batch's embedding beside it.
    pub(crate) n_embedded: usize,
    /// One-hot columns of all categorical covariates together; 0 for none.
    pub(crate) n_categories: usize,
    /// How many of those columns are 1 in a cell.
    pub(crate) categories_per_cell: usize,
    /// Width of every hidden layer.
    pub(crate) n_hidden: usize,
    /// Number of layers; without any the stack hands on its own input, which is dense.
    pub(crate) n_layers: usize,
    /// Whether the categories enter every layer or the first alone.
    pub(crate) inject: bool,
    /// Whether layers have a bias.
    pub(crate) bias: bool,
    /// Whether layers are batch-normalised.
    pub(crate) batch_norm: bool,
    /// Whether layers are normalised over their features.
    pub(crate) layer_norm: bool,
    /// The activation function.
    pub(crate) activation: Activation,
    /// Dropout probability.
    pub(crate) dropout_rate: f64,
}

impl FcPlan {
    /// Widths of the parts of layer `i`'s input, in the order of torch's columns: what comes from
    /// below, continuous covariates, the embedding, categories.
    pub(crate) fn parts(&self, i: usize) -> [usize; 4] {
        let (first, categories) = (i == 0, self.n_categories);
        if first {
            [self.n_in, self.n_continuous, self.n_embedded, categories]
        } else {
            [self.n_hidden, 0, 0, if self.inject { categories } else { 0 }]
        }
    }

    /// Width of the stack's output.
    pub(crate) fn n_out(&self) -> usize {
        if self.n_layers == 0 { self.n_in } else { self.n_hidden }
    }

    /// Numbers that weights and biases hold together.
    pub(crate) fn n_parameters(&self) -> u128 {
        if self.n_layers == 0 {
            return 0;
        }
        let wide = |n: usize| n as u128;
        let fixed = u128::from(self.bias) + if self.batch_norm { 2 } else { 0 };
        let layer = |i| self.parts(i).into_iter().map(wide).sum::<u128>() + fixed;
        (layer(0) + wide(self.n_layers - 1) * layer(1)) * wide(self.n_hidden)
    }
}
