"""Choose between class averages and blobs by the data, and learn a detector.

Round and square particles appear as circles and rectangles in the mask of the intensity clusters.
These seeds are few but reliable; their averages become templates for all other particles.
Particles without a specific shape give no such seeds and are found as blobs. The detector with the
better separation of its responses into particles and noise is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcryopicker.detection.windows import cut
from deepcryopicker.frames import to_original, to_working
from deepcryopicker.labeler.detectors.averages import Template, side_template, top_template
from deepcryopicker.labeler.detectors.blobs import learn_blobs
from deepcryopicker.labeler.detectors.detector import Detector, learn_detector
from deepcryopicker.labeler.detectors.responses import AverageFilter
from deepcryopicker.labeler.masks.mask_labeler import find_masked
from deepcryopicker.labeler.schema import AutoConfig
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Floats, Image, Strings

# Averages are used only if they separate particles clearly better than the blob filter.
_CLEARLY_BETTER = 1.25
_LEAST_SIDES = 0.03  # of the round and square seeds; rarer rectangles are accidental


@dataclass(frozen=True)
class Seeds:
    """Good shapes in the masks of several micrographs.

    Attributes
    ----------
    windows : (N, S, S) float32
        At the working scale.
    label : (N,) str
    angle : (N,) float64
        As in :class:`~deepcryopicker.labeler.masks.shapes.Shapes`.
    area : (N,) float64
        Of the ideal shape, in discs of the particle diameter.
    """

    windows: Image
    label: Strings
    angle: Floats
    area: Floats


def learn_auto(sample: Sequence[Preprocessed], config: AutoConfig) -> Detector:
    """Learn a detector from unlabelled micrographs of one kind.

    Parameters
    ----------
    sample : sequence of Preprocessed
    config : AutoConfig
    """
    blobs = learn_blobs(sample, config.blobs)
    averages = learn_averages(sample, find_seeds(sample, config), config)
    if averages is None or averages.total_separation <= _CLEARLY_BETTER * blobs.total_separation:
        return blobs
    return averages


def learn_averages(
    sample: Sequence[Preprocessed], seeds: Seeds, config: AutoConfig
) -> Detector | None:
    """Learn a detector of class averages of the seeds; None if no seed is round, or too few are.

    Side views are included only if they improve the separation over top views alone and find at
    least as many particles, because a few rectangles may be accidental: their average finds little,
    and with it the threshold of the top views rises.

    Parameters
    ----------
    sample : sequence of Preprocessed
    seeds : Seeds
        From the same micrographs.
    config : AutoConfig
    """
    templates = _average(seeds, config)
    learned = [
        learn_detector(
            AverageFilter(templates[:count], config.clip),
            [preprocessed.standard for preprocessed in sample],
            sample[0].working_diameter,
            config.blobs.distance,
            config.blobs.typical,
        )
        for count in range(1, len(templates) + 1)
    ]
    useful = [detector for detector in learned if detector.found >= learned[0].found]
    return max(useful, key=lambda detector: detector.total_separation, default=None)


def find_seeds(sample: Sequence[Preprocessed], config: AutoConfig) -> Seeds:
    """Find the good shapes in the masks of all micrographs."""
    found = [_seeds(preprocessed, config) for preprocessed in sample]
    return Seeds(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _seeds(preprocessed: Preprocessed, config: AutoConfig) -> tuple[Image, Strings, Floats, Floats]:
    chain = preprocessed.enhanced
    diameter = preprocessed.diameter * chain.scale
    masked = find_masked(chain, diameter, config.seeds)
    good, shapes = masked.reason == "", masked.shapes
    centres = np.column_stack(
        [
            to_working(to_original(position[good], chain.scale), preprocessed.standard.scale)
            for position in (shapes.x, shapes.y)
        ]
    )
    size = 2 * int(np.ceil(preprocessed.working_diameter)) + 1
    # The area of a rectangle is that of its component divided by the fraction filled.
    whole = np.where(
        shapes.label == "side",
        4.0 / np.pi * shapes.area / np.maximum(shapes.overlap, 1e-6),
        shapes.diameter**2,
    )
    return (
        cut(preprocessed.standard.image, centres, size),
        shapes.label[good],
        shapes.angle[good],
        whole[good] / diameter**2,
    )


def _average(seeds: Seeds, config: AutoConfig) -> tuple[Template, ...]:
    windows = np.clip(seeds.windows, -config.clip, config.clip)
    top, side = seeds.label == "top", seeds.label == "side"
    shaped = int((top | side).sum())
    if not top.any() or shaped < config.rarest_shape * len(seeds.label):
        return ()
    if side.sum() <= _LEAST_SIDES * shaped:
        return (top_template(windows[top]),)
    return top_template(windows[top]), side_template(windows[side], seeds.angle[side])
