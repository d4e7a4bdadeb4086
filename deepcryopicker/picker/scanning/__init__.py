"""Scan a micrograph with a network: stride, precision, tiles."""
