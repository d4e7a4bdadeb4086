"""Micrographs of a known structure, simulated like given ones: transfer, noise and crowding."""
