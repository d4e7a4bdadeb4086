"""Labelers that learn thresholds for blobs and class averages."""
