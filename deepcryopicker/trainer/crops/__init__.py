"""Further training on crops of micrographs, at every output of the network."""
