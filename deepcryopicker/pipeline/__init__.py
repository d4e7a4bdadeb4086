"""The steps that the commands consist of; each streams over a dataset."""
