"""The documentation site: ``sphinx-build -W docs target/docs/html``.

Needs docs/requirements.txt, the package scvi_rs, and the command scvi (on PATH, or named by
SCVI_COMMAND), whose help the command reference is made from.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import scvi_rs

project = "scvi-rs"
author = "The scvi-rs developers"
copyright = author
version = release = scvi_rs.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "command_reference",
]
exclude_patterns = ["checks", "extensions", "requirements.txt"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
smartquotes = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False

html_theme = "furo"
html_title = f"scvi-rs {release}"
html_theme_options = {"source_repository": "https://github.com/scvi-rs/scvi-rs"}
