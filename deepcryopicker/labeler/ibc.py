"""AutoCryoPicker: particles found by intensity-based clustering, without labels."""

import numpy as np

from deepcryopicker.frames import picks_to_original
from deepcryopicker.labeler.clustering import clean_mask, intensity_clusters
from deepcryopicker.labeler.schema import IbcConfig
from deepcryopicker.labeler.selection import judge
from deepcryopicker.labeler.shapes import coverage, find_shapes
from deepcryopicker.types import Candidates, Mask, Micrograph, Picks


def particle_mask(micrograph: Micrograph, working_diameter: float, config: IbcConfig) -> Mask:
    """Return the cleaned mask of the darkest intensity cluster, (H, W) bool."""
    clusters = intensity_clusters(micrograph.image, config.clusters)
    smallest = config.smallest_component * np.pi * working_diameter**2 / 4.0
    return clean_mask(clusters == 0, smallest)


def label(micrograph: Micrograph, working_diameter: float, config: IbcConfig) -> Candidates:
    """Find candidate particles in a preprocessed micrograph and judge them.

    Parameters
    ----------
    micrograph : Micrograph
        Last stage of the preprocessing chain.
    working_diameter : float
        Particle diameter, working pixels.
    config : IbcConfig

    Returns
    -------
    Candidates
        Their score is the overlap with the ideal shape.
    """
    mask = particle_mask(micrograph, working_diameter, config)
    covered = coverage(mask, working_diameter)
    shapes = find_shapes(mask, covered, working_diameter, config)
    reason = judge(
        shapes, micrograph.image.shape, micrograph.margins, working_diameter, config.selection
    )
    picks = Picks(shapes.x, shapes.y, shapes.overlap, shapes.label, shapes.diameter)
    return Candidates(picks_to_original(picks, micrograph.scale), reason == "", reason, covered)
