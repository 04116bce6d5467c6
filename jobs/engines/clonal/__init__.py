"""Clonal clustering."""
