"""Open a dataset, settle the particle diameter, hold micrographs out."""
