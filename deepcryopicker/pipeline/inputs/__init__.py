"""Open a dataset, determine the particle diameter, hold out micrographs."""
