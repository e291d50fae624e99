"""Renders equations as MathML, which browsers show by themselves: the site works without network."""

from __future__ import annotations

from docutils.nodes import SkipNode
from latex2mathml.converter import convert


def visit_math(translator, node):
    translator.body.append(convert(node.astext()))
    raise SkipNode


def visit_displaymath(translator, node):
    equation = convert(node.astext().replace("\n", " "), display="block")
    translator.body.append(f'<div class="math">{equation}</div>')
    raise SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True}
