"""Checks whether a published data set is good enough: what a list of checks asks of it, what it is, and what is amiss."""
