"""Input and output files: micrographs, coordinates, and folders that RELION reads."""
