"""Preprocessing of a micrograph for the labeler and the network."""
