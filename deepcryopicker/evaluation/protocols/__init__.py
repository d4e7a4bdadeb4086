"""The scoring rules of other articles."""
