"""Networks, their weights on disk, and the general weights of the program."""
