"""What every reader shares: the result with its problems, and how points become annotations."""
