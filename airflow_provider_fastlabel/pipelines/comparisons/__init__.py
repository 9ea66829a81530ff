"""Compares two versions of a data set: which pictures and objects came, went or changed, see :mod:`.run`."""
