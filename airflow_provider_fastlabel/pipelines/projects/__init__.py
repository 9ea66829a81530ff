"""Projects as a file in git defines them: the definition is read, compared with FastLabel, and applied."""
