"""What reviews found: read from a run's result, and written for other tools."""
