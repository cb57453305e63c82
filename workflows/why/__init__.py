"""Why the steps of a run ran, and what differs between two runs: read from their records, never from a guess."""
