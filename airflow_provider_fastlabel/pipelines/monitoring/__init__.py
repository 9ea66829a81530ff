"""Results of models in production are read and checked for FastLabel's monitoring."""
