"""Pickers re-implemented after EMAN2, PIXER and FastParticlePicker."""
