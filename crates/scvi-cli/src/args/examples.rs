//! Two examples for each verb, the end of its help: they work as they stand where `counts.h5ad` and
//! `query.h5ad` are simulated files, and a test types them.

macro_rules! examples {
    ($($lines:literal)*) => {
        concat!("Examples:\n", $("  ", $lines, "\n",)*)
    };
}

pub const SCVI: &str = examples! {
    "# Train on simulated counts: the demonstration"
    "scvi train"
    "# Integrate the batches of a file, and write it back with obsm[\"X_scVI\"]"
    "scvi train counts.h5ad --batch-key batch --model model --output out.h5ad"
    "# Genes that differ between the groups of a column"
    "scvi de --model model counts.h5ad --groupby cell_type --output groups.csv"
};

pub const TRAIN: &str = examples! {
    "# Integrate batches, and write a copy of the file with obsm[\"X_scVI\"]"
    "scvi train counts.h5ad --batch-key batch --model model --output out.h5ad"
    "# Also learn the labels of a column, for scvi predict"
    "scvi train counts.h5ad --labels-key cell_type --unlabeled-category Unknown \\"
    "    --model scanvi"
};

pub const LATENT: &str = examples! {
    "# A table with a row per cell"
    "scvi latent --model model counts.h5ad --output latent.csv"
    "# A copy of the file with mean and variance of the posterior"
    "scvi latent --model model counts.h5ad --output latent.h5ad --return-dist"
};

pub const EVALUATE: &str = examples! {
    "# Mean ELBO and its terms; a higher ELBO is better"
    "scvi evaluate --model model counts.h5ad --posterior-mean"
    "# The marginal log-likelihood too, and a table with the terms of each cell"
    "scvi evaluate --model model counts.h5ad --n-mc-samples 10 \\"
    "    --per-cell elbo.csv"
};

pub const NORMALIZE: &str = examples! {
    "# Scaled to 10,000 counts per cell, as layers[\"scvi_normalized\"]"
    "scvi normalize --model model counts.h5ad --library-size 1e4 \\"
    "    --output normalized.h5ad"
    "# As if all cells came from one batch"
    "scvi normalize --model model counts.h5ad --transform-batch batch_0 \\"
    "    --output batch_0.npy"
};

pub const PARAMETERS: &str = examples! {
    "# Mean, dispersions and dropout as numpy arrays"
    "scvi parameters --model model counts.h5ad --output parameters.npz"
    "# As layers of a copy of the file, at the mean of the posterior"
    "scvi parameters --model model counts.h5ad --posterior-mean \\"
    "    --output parameters.h5ad"
};

pub const SAMPLE: &str = examples! {
    "# One posterior predictive draw of each cell"
    "scvi sample --model model counts.h5ad --output draw.h5ad"
    "# Five draws, as if all cells came from one batch"
    "scvi sample --model model counts.h5ad --n-samples 5 \\"
    "    --transform-batch batch_0 --output draws.h5ad"
};

pub const CORRELATE: &str = examples! {
    "# Spearman correlations of all genes"
    "scvi correlate --model model counts.h5ad --output correlations.csv"
    "# Pearson correlations over 25 draws of each cell"
    "scvi correlate --model model counts.h5ad --correlation-type pearson \\"
    "    --n-samples 25 --output pearson.npy"
};

pub const REPORT: &str = examples! {
    "# One page to open in a browser, with cells colored by type and by two genes"
    "scvi report --model model counts.h5ad --labels-key cell_type \\"
    "    --color-by gene_0 gene_1 --output report.html"
    "# Every chart as a picture"
    "scvi report --model model counts.h5ad --format png --output charts"
};

pub const UMAP: &str = examples! {
    "# A copy of the file with obsm[\"X_umap\"], which scanpy draws"
    "scvi umap --model model counts.h5ad --output umap.h5ad"
    "# A table with two numbers per cell"
    "scvi umap --model model counts.h5ad --n-neighbors 30 --output umap.csv"
};

pub const DE: &str = examples! {
    "# Each cell type against all other cells"
    "scvi de --model model counts.h5ad --groupby cell_type --output de.csv"
    "# Genes that change between two groups of cells, by queries"
    "scvi de --model model counts.h5ad --idx1 'cell_type == \"type_0\"' \\"
    "    --idx2 'cell_type == \"type_1\"' --mode change --output types.csv"
};

pub const GENES: &str = examples! {
    "# The 500 genes that vary most, chosen batch by batch"
    "scvi genes counts.h5ad --n-top-genes 500 --batch-key batch --output genes.csv"
    "# All genes to stdout, and the most variable first"
    "scvi genes counts.h5ad --output - | sort -t, -k5,5g"
};

pub const QC: &str = examples! {
    "# Genes, counts and mitochondrial share of each cell"
    "scvi qc counts.h5ad --output qc.csv"
    "# Cells by how many genes they have, fewest first"
    "scvi qc counts.h5ad --output - | sort -t, -k2,2n > by_genes.csv"
};

pub const PREDICT: &str = examples! {
    "# A table with the most probable label of each cell"
    "scvi predict --model scanvi query.h5ad --output labels.csv"
    "# A copy of the file with the probability of every label"
    "scvi predict --model scanvi query.h5ad --soft --output labels.h5ad"
};

pub const MAP: &str = examples! {
    "# Add the cells of a query to a reference model"
    "scvi map --reference model query.h5ad --model mapped --output mapped.h5ad"
    "# A query that has only some of the genes"
    "scvi map --reference model query.h5ad --model mapped_some \\"
    "    --min-overlap 0.1 --max-epochs 100"
};

pub const MINIFY: &str = examples! {
    "# A small file with the posterior of each cell instead of its counts"
    "scvi minify --model model counts.h5ad --output small.h5ad"
    "# With the counts"
    "scvi minify --model model counts.h5ad --keep-counts --output both.h5ad"
};

pub const SIMULATE: &str = examples! {
    "# 3,000 cells x 2,000 genes with two batches"
    "scvi simulate --output simulated.h5ad"
    "# More batches, and other random numbers"
    "scvi simulate --output other.h5ad --n-cells 1000 --n-batches 4 --seed 1"
};

pub const CONVERT: &str = examples! {
    "# For scvi.model.SCVI.load in Python"
    "scvi convert --model model --to scvi-tools --output for_scvi_tools"
    "# A model saved by scvi-tools as a folder of this program"
    "scvi convert --model for_scvi_tools --to native --output native"
};

pub const INSPECT: &str = examples! {
    "# Covariates, training and configuration of a model"
    "scvi inspect model"
    "# Matrices and columns of a file, for a program"
    "scvi inspect counts.h5ad --json"
};

pub const COMPLETIONS: &str = examples! {
    "# In the running bash"
    "source <(scvi completions bash)"
    "# In every zsh, where ~/.zfunc is one of its folders for functions"
    "mkdir -p ~/.zfunc; scvi completions zsh > ~/.zfunc/_scvi"
};

pub const MAN: &str = examples! {
    "# For man scvi, and man scvi-train"
    "scvi man --output ~/.local/share/man/man1"
    "# In a folder of the documentation"
    "scvi man --output manual"
};
