"""Files in and out: micrographs, coordinates, and folders that RELION reads."""
