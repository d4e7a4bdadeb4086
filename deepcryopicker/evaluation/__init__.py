"""Evaluation of picks: one-to-one matching with truth, the paper's scores, particle contrast."""
