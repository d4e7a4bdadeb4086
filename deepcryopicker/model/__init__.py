"""Networks, their weights on disk, and the general weights that come with the program."""
