"""The paper's figures, drawn from whatever runs are given."""
