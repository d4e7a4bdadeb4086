"""From labels to weights: training set, fit, calibration, self-training, adaptation."""
