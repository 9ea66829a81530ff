"""Benchmarks: ours beside the official SDK, other tools and a straight-line floor."""
