"""Which image files in a folder are not micrographs, and why."""
