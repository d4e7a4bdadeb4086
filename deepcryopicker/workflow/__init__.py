"""The steps that commands are made of: each streams over a dataset and writes into the run."""
