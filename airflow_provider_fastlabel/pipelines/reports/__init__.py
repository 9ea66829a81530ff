"""A report of a data set: one page that shows its figures and its most suspicious pictures, see :mod:`.run`."""
