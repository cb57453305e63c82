"""Finds, checks, runs and watches workflows. Imports the engine; nothing in the engine imports it."""
