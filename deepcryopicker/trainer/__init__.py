"""Training of a network with Lightning: losses, augmentation, checkpoints, curves."""
