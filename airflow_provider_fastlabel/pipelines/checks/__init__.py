"""Checks whether a published data set is good enough: a list says what it should be, and results say what it is."""
