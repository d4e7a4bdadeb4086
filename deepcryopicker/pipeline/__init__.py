"""The steps of the commands; each processes a dataset one micrograph at a time."""
