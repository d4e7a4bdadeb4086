"""One page that shows runs: what is on it, and how it becomes one file."""
