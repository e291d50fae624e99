"""The documentation site: ``sphinx-build -W docs target/docs/html``.

Needs docs/requirements.txt, the package scvi_rs, and the command scvi (on PATH, or named by
SCVI_COMMAND), whose help the command reference is made from. With SCVI_DOCS_NOTEBOOKS=force the
notebooks are run and shown with their pictures; a cell that fails fails the build.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import scvi_rs

project = "scvi-rs"
author = "The scvi-rs developers"
copyright = author
version = release = scvi_rs.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "command_reference",
    "mathml",
]
exclude_patterns = ["checks", "extensions", "requirements.txt"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
smartquotes = False
nb_execution_mode = os.environ.get("SCVI_DOCS_NOTEBOOKS", "off")
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"scvi-rs {release}"
html_theme_options = {"source_repository": "https://github.com/scvi-rs/scvi-rs"}
