"""One function runs over many items: a bounded pool, and its progress in the log."""
