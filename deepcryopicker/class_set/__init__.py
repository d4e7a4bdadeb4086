"""The training set: which windows become particles, contaminants and background."""
