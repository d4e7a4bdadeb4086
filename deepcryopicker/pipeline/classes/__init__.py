"""Class averages of the picks of a dataset."""
