"""Public datasets: where their files come from, downloads, and forms of truth."""
