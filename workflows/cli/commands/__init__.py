"""One file for each command, or for a few that are about the same thing."""
