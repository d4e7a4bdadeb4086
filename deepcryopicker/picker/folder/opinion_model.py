"""Coefficients of the second opinion, fitted to simulated micrographs.

``python tests/bench/second_opinion.py`` simulates them, fits the coefficients and prints this
module's tables (docs/verdicts.md). No real micrograph had a part in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from deepcryopicker.types import Floats

MEDIANS = ("signal_low", "signal_middle", "signal_high", "off_centre", "score", "correlation")
UPPER_QUANTILES = ("signal_low", "correlation")
"""Features of the picks of a folder that the second model uses."""


@dataclass(frozen=True)
class LinearModel:
    """A linear function of features that are limited to the range they were fitted in.

    Attributes
    ----------
    weight, low, high : (F,) float64
    bias : float
    """

    weight: Floats
    low: Floats
    high: Floats
    bias: float = 0.0

    @classmethod
    def of(cls, table: Mapping[str, tuple[float, float, float]], bias: float = 0.0) -> Self:
        """Build from weight, low and high of each feature, in the order of the features."""
        weight, low, high = np.array(list(table.values())).T
        return cls(weight, low, high, bias)

    def value(self, features: Floats) -> Floats:
        """Return the value at features, (..., F) float64."""
        return np.asarray(np.clip(features, self.low, self.high) @ self.weight + self.bias)


CANDIDATES = LinearModel.of(
    {
        "signal_low": (0.260, -1.107, 0.292),
        "signal_middle": (0.001, -1.530, 0.716),
        "signal_high": (0.134, -2.371, 1.538),
        "extent": (4.484, -0.218, 0.289),
        "off_centre": (-3.100, -0.147, 0.350),
        "contrast": (3.195, -1.743, 0.713),
        "residual": (-0.286, -0.565, 0.721),
        "explained": (-5.731, -0.460, 0.346),
        "score": (0.287, -5.729, 3.695),
        "correlation": (2.913, -0.531, 0.195),
        "norm": (0.050, -2.306, 0.860),
    },
)
"""Features of a candidate less the median of the picks: weight, low, high."""

FOLDER = LinearModel.of(
    {
        "signal_low, median": (0.571, -1.511, -0.715),
        "signal_middle, median": (0.279, -2.816, -0.882),
        "signal_high, median": (0.000, -4.775, -1.205),
        "off_centre, median": (-11.592, 0.022, 0.384),
        "score, median": (0.372, -0.489, 9.106),
        "correlation, median": (0.000, 0.393, 0.943),
        "signal_low, upper": (0.000, -1.232, -0.706),
        "correlation, upper": (0.000, 0.495, 0.969),
        "gain": (0.084, -1.019, 3.163),
        "sure": (4.434, 0.073, 0.990),
    },
    -0.698,
)
"""Features of the picks of a folder: weight, low, high. Signs were given: sharper averages, surer
scores and centred particles never speak against particles, on whatever micrographs."""
