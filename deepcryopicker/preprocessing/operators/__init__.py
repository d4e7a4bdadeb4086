"""Image operators of the preprocessing chain: pure functions."""
