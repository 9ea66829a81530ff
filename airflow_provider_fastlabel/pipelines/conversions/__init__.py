"""Data sets from one format to another, on this machine: what was read and what of it arrived is counted."""
