"""Match and score picks, of this program or any other."""
