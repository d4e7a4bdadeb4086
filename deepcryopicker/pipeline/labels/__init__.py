"""Label the micrographs of a dataset and write the labels."""
