"""The training set: selection of windows of particles, contaminants and background."""
