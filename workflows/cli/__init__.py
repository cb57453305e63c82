"""The command `mco`."""
