"""Two-dimensional classification of particle windows, and what class averages show."""
