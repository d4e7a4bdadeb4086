"""Build the configured picker and pick a dataset or a watched folder."""
