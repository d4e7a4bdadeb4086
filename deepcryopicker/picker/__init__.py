"""From the network's score map to picks: scan, cleaning, maxima, suppression, calibration."""
