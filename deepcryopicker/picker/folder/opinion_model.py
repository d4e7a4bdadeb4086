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
        "signal_low": (-0.107, -1.021, 0.267),
        "signal_middle": (0.121, -1.518, 0.732),
        "signal_high": (0.163, -2.354, 1.473),
        "extent": (8.483, -0.214, 0.290),
        "off_centre": (-3.146, -0.149, 0.366),
        "contrast": (3.676, -1.810, 0.691),
        "residual": (-0.630, -0.534, 0.670),
        "explained": (-4.253, -0.493, 0.332),
        "score": (0.234, -5.879, 3.718),
        "correlation": (1.481, -0.527, 0.193),
        "norm": (-0.514, -2.379, 0.860),
        "blob": (0.503, -8.000, 0.000),
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
