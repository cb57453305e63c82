"""The engine: runs one workflow script from text to result. Knows nobody above it."""

__version__ = "0.1.0"
