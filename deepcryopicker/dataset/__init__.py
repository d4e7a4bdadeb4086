"""Datasets: micrographs with their diameter, polarity, pixel size and truth."""
