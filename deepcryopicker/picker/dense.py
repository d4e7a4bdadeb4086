"""The picker of the project: dense scan, score map, cleaning, suppression."""

from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.particles import locate
from deepcryopicker.picker.scan import scan
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.types import Micrograph, Picks, ScoreMap


def pick(
    micrograph: Micrograph, trained: Trained, working_diameter: float, config: DenseConfig
) -> tuple[Picks, ScoreMap]:
    """Pick one preprocessed micrograph.

    Parameters
    ----------
    micrograph : Micrograph
        Working scale, at the stage that the network was trained on.
    trained : Trained
    working_diameter : float
        Particle diameter, working pixels.
    config : DenseConfig

    Returns
    -------
    Picks
        Every candidate, original pixels, best first.
    ScoreMap
        What they were found in.
    """
    scores = scan(trained.network, micrograph.image, trained.classes, config.tile)
    return locate(scores, micrograph, working_diameter, config), scores
