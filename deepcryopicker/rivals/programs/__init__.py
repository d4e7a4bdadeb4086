"""RELION and Topaz, run as programs, and picks imported from others."""
