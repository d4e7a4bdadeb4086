"""STAR files: tables, optics groups, and folders that RELION reads."""
