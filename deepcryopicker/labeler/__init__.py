"""Labelers: find training particles in unlabelled micrographs."""
