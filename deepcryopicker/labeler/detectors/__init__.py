"""Labelers that learn a threshold for blobs and class averages."""
