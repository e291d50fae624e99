"""Genes chosen by raw counts. What scanpy does well with data in memory is left to it."""

from ._highly_variable_genes import highly_variable_genes

__all__ = ["highly_variable_genes"]
