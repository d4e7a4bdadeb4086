"""Microscopes, cameras, film scanners, and what programs make of their micrographs.

``exposure`` turns a specimen into a counted image, ``cameras`` adds what detectors and scanners
leave, ``export`` what programs change, and ``catalogued`` names the combinations.
"""
