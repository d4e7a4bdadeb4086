"""Fitting a network to labelled micrographs: on windows, then on crops."""
