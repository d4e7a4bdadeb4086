"""Kinds of micrographs by name, and how a micrograph of each is made.

``micrograph_kinds`` lists them, ``randomised`` makes those of random contrast, ``composed`` those
whose contrast follows from theory, with the particles of ``specimen``; ``plans`` decides which kind
a seed gets.
"""
