"""What every writer shares: the stage of tasks, class ids, file names, reports, videos and sequences."""
