"""Runs read back from their folders, for the report."""
