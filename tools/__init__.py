"""Scripts for those who work on the provider; not part of it."""
