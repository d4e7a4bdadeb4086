"""Coordinate files: CSV, BOX, CBOX and Topaz's table, and readers of every format."""
