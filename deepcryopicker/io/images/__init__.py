"""Micrograph files: MRC, TIFF, PNG and JPG, frame stacks, compressed files."""
