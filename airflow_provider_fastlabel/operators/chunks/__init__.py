"""Operators of an import in chunks: one plans, one is mapped over the chunks, one tells the whole."""
