"""From labels to weights: training set, training, calibration, self-training, adaptation."""
