"""Where not to pick: film, crystals, large ice blobs and bare holes, found without a network."""
