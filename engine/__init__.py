"""The engine: runs one workflow script from text to result. Knows nobody above it."""
