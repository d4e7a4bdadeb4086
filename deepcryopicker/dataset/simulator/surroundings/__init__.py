"""What lies round the particles: ice, support film, contamination, cracks, stain.

Every function adds a layer to the specimen: a phase shift, a loss of electrons, and the places
where a particle cannot lie. ``canvas`` holds the layers, ``materials`` their physics.
"""
