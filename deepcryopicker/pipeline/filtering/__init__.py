"""From the picks of a finished run, or of any program, to a new set of coordinate files."""
