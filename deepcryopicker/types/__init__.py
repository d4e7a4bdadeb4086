"""Data passed between the stages of the pipeline: shapes, units and frames, documented once.

Two pixel frames exist. *Original* pixels are those of the micrograph's file; *working* pixels are
those of the rescaled image that labelers and networks see. In both, x is the column, y the row,
and 0 is the centre of the top-left pixel. ``deepcryopicker.frames`` converts between them.
All output is in original pixels.
"""

from deepcryopicker.types.arrays import (
    BACKGROUND,
    DEVICES,
    NEGATIVE,
    PARTICLE,
    SHAPES,
    Floats,
    Image,
    Labels,
    Mask,
    Strings,
)
from deepcryopicker.types.picks import Picks
from deepcryopicker.types.stages import (
    CONTAMINANT,
    CUT_BY_EDGE,
    NO_MARGINS,
    UNCALIBRATED,
    UNCERTAIN,
    WEAK,
    Calibration,
    Candidates,
    Margins,
    Micrograph,
    ScoreMap,
    TrainingSet,
    particle_classes,
)

__all__ = [
    "BACKGROUND",
    "CONTAMINANT",
    "CUT_BY_EDGE",
    "DEVICES",
    "NEGATIVE",
    "NO_MARGINS",
    "PARTICLE",
    "SHAPES",
    "UNCALIBRATED",
    "UNCERTAIN",
    "WEAK",
    "Calibration",
    "Candidates",
    "Floats",
    "Image",
    "Labels",
    "Margins",
    "Mask",
    "Micrograph",
    "Picks",
    "ScoreMap",
    "Strings",
    "TrainingSet",
    "particle_classes",
]
