"""Damaged and hostile input for every parser: it ends with a result or with an error that was written for a reader."""
