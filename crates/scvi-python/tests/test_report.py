"""The page of a report: what is on it, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import scvi_rs
from scvi_rs.exceptions import FileError, ReportError


@pytest.fixture(scope="module")
def model():
    adata = scvi_rs.data.synthetic_iid(batch_size=60, n_genes=30)
    adata.obs["score"] = np.linspace(0, 1, adata.n_obs)
    adata.obs["<b>"] = ["</script><script>alert(1)</script>", "ok"] * (adata.n_obs // 2)
    scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch")
    model = scvi_rs.model.SCVI(adata, n_hidden=8, n_latent=3)
    model.train(max_epochs=3)
    return model


def test_the_page_shows_what_was_asked_for(model, tmp_path):
    path = tmp_path / "report.html"
    gene = model.adata.var_names[4]
    written = scvi_rs.report(
        model, path=path, labels_keys=["labels"], color_by=["score", "<b>", gene]
    )
    assert written == str(path)
    page = path.read_text(encoding="utf-8")
    for label in ("labels", "batch", "score", "&lt;b&gt;", f"{gene} (log-normalized)"):
        assert f"<option>{label}</option>" in page, label
    assert "alert(1)</script>" not in page
    again = tmp_path / "again.html"
    arguments = {"labels_keys": ["labels"], "color_by": ["score", "<b>", gene]}
    scvi_rs.report(model, path=again, **arguments)
    assert again.read_text(encoding="utf-8") == page
    scvi_rs.report(model, path=again, **arguments, seed=7, overwrite=True)
    assert again.read_text(encoding="utf-8") != page


def test_a_table_of_differential_expression_is_shown(model, tmp_path):
    table = model.differential_expression(groupby="labels", mode="change")
    table.to_csv(tmp_path / "de.csv")
    path = scvi_rs.report(model, path=tmp_path / "r.html", de=tmp_path / "de.csv")
    with open(path, encoding="utf-8") as file:
        assert '<section id="expression"' in file.read()


def test_what_is_not_there_is_refused(model, tmp_path):
    path = tmp_path / "report.html"
    with pytest.raises(ReportError, match="no obs column and no gene 'nothing'"):
        scvi_rs.report(model, path=path, color_by=["nothing"])
    with pytest.raises(ReportError, match="no column 'nothing'"):
        scvi_rs.report(model, path=path, labels_keys=["nothing"])
    with pytest.raises(TypeError, match="a list is expected"):
        scvi_rs.report(model, path=path, color_by="score")
    (tmp_path / "no.csv").write_text("gene,other\na,1\n")
    with pytest.raises(ReportError, match="lfc_mean"):
        scvi_rs.report(model, path=path, de=tmp_path / "no.csv")
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(FileError, match="overwrite=True"):
        scvi_rs.report(model, path=path)
    with pytest.raises(FileError, match="cannot be written"):
        scvi_rs.report(model, path=tmp_path / "none" / "report.html")
    assert path.read_text() == "mine"
