"""The picker of the project: scan, score map, cleaning, suppression."""

from collections.abc import Callable

from deepcryopicker.picker.particles import locate
from deepcryopicker.picker.schema import MapConfig
from deepcryopicker.types import Image, Micrograph, Picks, ScoreMap

Scan = Callable[[Image], ScoreMap]
"""From an image at working scale to its score map; :func:`scanning.scan.build_scan` makes one."""


def pick(
    micrograph: Micrograph, scan: Scan, working_diameter: float, config: MapConfig
) -> tuple[Picks, ScoreMap]:
    """Pick one preprocessed micrograph.

    Parameters
    ----------
    micrograph : Micrograph
        Working scale, preprocessed as for the training of the network.
    scan : callable
    working_diameter : float
        Particle diameter, working pixels.
    config : MapConfig

    Returns
    -------
    Picks
        Every candidate, original pixels, best first.
    ScoreMap
        Score map in which they were found.
    """
    scores = scan(micrograph.image)
    return locate(scores, micrograph, working_diameter, config), scores
