"""Labelers that cluster grey values and keep round shapes (AutoCryoPicker, SuperCryoPicker)."""
