"""Structures of particles, PDB, mmCIF or MRC, and their projections in physical units."""
