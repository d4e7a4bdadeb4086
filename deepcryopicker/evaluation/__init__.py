"""How good picks are: one-to-one matching with truth, the paper's scores, particle contrast."""
