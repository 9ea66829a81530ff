"""Imports in chunks: a planner checks and cuts a folder, chunks are imported anywhere, one account tells the whole."""
