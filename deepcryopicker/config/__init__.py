"""Schemas of the commands, their registration with Hydra, and the folder ``conf/``."""
