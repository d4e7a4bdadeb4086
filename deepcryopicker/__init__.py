"""DeepCryoPicker: particle picking in cryo-EM micrographs without labels."""

__version__ = "0.1.0"
