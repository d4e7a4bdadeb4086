"""Every format of coordinate files, and whose they are: matching with micrographs."""
