"""Weights & Biases: a copy of what the run folder holds."""
