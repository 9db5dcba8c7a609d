"""Rows of a source become batches: drawn, named, checked, put into normal form, cut."""
