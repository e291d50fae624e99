"""A notebook that a kernel executes, where nbconvert and ipykernel are installed."""

from __future__ import annotations

import html

import pytest

nbformat = pytest.importorskip("nbformat")
execute = pytest.importorskip("nbconvert.preprocessors")
pytest.importorskip("ipykernel")

SETUP = """
adata = scvi_rs.data.synthetic_iid()
scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch", labels_key="labels")
model = scvi_rs.model.SCVI(adata, n_latent=3)
"""
CELLS = [
    "import scvi_rs",
    SETUP,
    "model.train(max_epochs=2)",
    "model",
    "print(model)",
    "model.adata_manager",
    "scvi_rs.settings",
    "model.module",
    "[name for name in dir(model) if 'hist' in name]",
    "model.differential_expression(groupby='labels', mode='change').shape",
]


def test_a_notebook_shows_models_and_works(tmp_path):
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    run = execute.ExecutePreprocessor(timeout=120, kernel_name="python3")
    run.preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
    outputs = [cell["outputs"] for cell in notebook.cells]

    def result(index: int) -> dict:
        return next(o["data"] for o in outputs[index] if o["output_type"] == "execute_result")

    page = html.unescape(result(3)["text/html"])
    assert "<b>SCVI</b>" in page and "Trained (2 epochs)" in page and "obs['batch']" in page
    assert result(3)["text/plain"].startswith("SCVI model with the following parameters")
    assert "Data: 400 cells, 100 genes, 2 batches, 3 labels" in outputs[4][0]["text"]
    assert "adata.obs['labels']" in html.unescape(result(5)["text/html"])
    assert result(6)["text/plain"].startswith("settings(")
    assert result(7)["text/plain"].startswith("VAE(n_input=100")
    assert result(8)["text/plain"] == "['history']"
    assert result(9)["text/plain"].startswith("(300, ")
    assert " at 0x" not in str(outputs)
