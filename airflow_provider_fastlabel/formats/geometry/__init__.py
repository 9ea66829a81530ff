"""Annotations become shapes, and shapes are measured, cut, joined, filled and traced.

Nothing here knows a file format. :mod:`.shape` is what a shape is, :mod:`.shapes` makes it of an annotation,
:mod:`.reasons` says why one could not be made.
"""
