"""Warn where particles of another size or polarity stand out more clearly from noise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import MicrographError
from deepcryopicker.picker.folder.assessment import FOUND
from deepcryopicker.picker.folder.curve import LEAST_GAIN, fit_curve
from deepcryopicker.picker.folder.noise_image import pick_noise_like
from deepcryopicker.picker.folder.score_counts import count_scores
from deepcryopicker.picker.function import Picker
from deepcryopicker.picker.masking.masked import leave_out, mask_of
from deepcryopicker.picker.schema import AUTO
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph

_FACTORS = (0.5, 2.0)  # of the diameter; the network is tolerant of less
_SIDE = 22.0  # given diameters: of the part that is picked
_FEWEST_ACROSS = 5.0  # diameters along the shorter side
_UNSURE = 1.5  # nats a particle
# Times the gain as given, and least gains, nats. Blobs of half the size are in many micrographs;
# particles of the other polarity in none (docs/verdicts.md).
_CLEARER, _CLEAR_SIZE, _CLEAR_POLARITY = 3.0, 100.0, 2.0 * LEAST_GAIN


class FitDoubt(NamedTuple):
    """A doubt about what was given.

    Attributes
    ----------
    subject : str
        ``size`` or ``polarity``.
    text : str
    """

    subject: str
    text: str


def is_unsure(verdict: Mapping[str, Any]) -> bool:
    """Whether the picks of a group are so doubtful that another size or polarity may fit."""
    return bool(verdict["verdict"] != FOUND or verdict["gain"] < _UNSURE)


def fit_doubt(entry: Entry, preprocessing: PreprocessingConfig, picker: Picker) -> FitDoubt | None:
    """Return a warning if half or twice the diameter, or the other polarity, fits clearly better.

    The middle of a micrograph, and noise like it, are picked in each way. Compared are
    the logarithms of how much likelier the candidates are with particles than without.

    Parameters
    ----------
    entry : Entry
    preprocessing : PreprocessingConfig
    picker : callable
        With a network for any diameter.
    """
    try:
        micrograph = entry.load()
    except MicrographError:  # moved away since it was picked
        return None
    diameter = entry.particle_diameter(micrograph)
    middle = _middle(micrograph, _SIDE * diameter)
    opposite = replace(middle, image=-middle.image)

    def gain(part: Micrograph, factor: float = 1.0) -> float:
        return _gain(entry, part, factor * diameter, preprocessing, picker)

    sizes = {factor * diameter: gain(middle, factor) for factor in _FACTORS}
    size = max(sizes, key=lambda each: sizes[each])
    given, turned = gain(middle), gain(opposite)
    if turned > max(_CLEARER * given, _CLEAR_POLARITY):
        other = "bright" if entry.polarity == "dark" else "dark"
        return FitDoubt(
            "polarity",
            f"{other} particles stand out from noise more clearly than {entry.polarity} ones; if "
            f"that is what they are, type dataset.polarity={other}",
        )
    if sizes[size] > max(_CLEARER * given, _CLEAR_SIZE):
        return FitDoubt(
            "size",
            f"particles of {size:.3g} pixels stand out from noise more clearly than those of "
            f"{diameter:.3g}; look at overlays/ and check the diameter",
        )
    return None


def _middle(micrograph: Micrograph, side: float) -> Micrograph:
    """Cut a square, at most `side` pixels wide, out of the middle of a micrograph."""
    half = max(round(side / 2.0), 1)
    rows, columns = (
        slice(max(size // 2 - half, 0), size // 2 + half) for size in micrograph.image.shape
    )
    return replace(micrograph, image=np.ascontiguousarray(micrograph.image[rows, columns]))


def _gain(
    entry: Entry,
    micrograph: Micrograph,
    diameter: float,
    preprocessing: PreprocessingConfig,
    picker: Picker,
) -> float:
    """Return how much likelier the candidates are with particles of a diameter, nats."""
    seen = Preprocessed(micrograph, diameter, preprocessing)
    if min(micrograph.image.shape) < _FEWEST_ACROSS * diameter or seen.is_blank:
        return 0.0
    try:
        found = leave_out(picker(entry, seen), mask_of(AUTO, entry, seen), seen.flat.scale)
        _, in_noise = pick_noise_like(picker, entry, seen, found)
    except MicrographError:  # too few pixels a particle
        return 0.0
    return fit_curve(count_scores(found.score), count_scores(in_noise.score)).gain
