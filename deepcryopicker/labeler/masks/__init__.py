"""Labelers by intensity clusters and the shapes in their mask (AutoCryoPicker, SuperCryoPicker)."""
