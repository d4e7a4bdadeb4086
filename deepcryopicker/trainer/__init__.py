"""Fit a network with Lightning: losses, augmentation, checkpoints, curves."""
