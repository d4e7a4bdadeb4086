"""Trained pickers of others, built anew: they find particles in whole micrographs."""
