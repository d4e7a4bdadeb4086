"""Labelers: find training particles in micrographs without any label."""
