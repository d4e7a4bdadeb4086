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
        "signal_low": (-0.322, -0.619, 0.220),
        "signal_middle": (0.741, -1.401, 0.652),
        "signal_high": (-0.532, -2.257, 1.330),
        "extent": (5.403, -0.214, 0.182),
        "off_centre": (4.030, -0.103, 0.213),
        "contrast": (2.873, -1.026, 0.798),
        "residual": (-2.171, -0.473, 0.713),
        "explained": (-2.017, -0.390, 0.304),
        "score": (0.092, -7.103, 4.427),
        "correlation": (0.063, -0.409, 0.179),
        "norm": (-0.759, -1.373, 0.850),
        "blob": (0.277, -6.965, 0.000),
    },
)
"""Features of a candidate less the median of the picks: weight, low, high."""

FOLDER = LinearModel.of(
    {
        "signal_low, median": (0.689, -1.467, -0.715),
        "signal_middle, median": (0.181, -2.869, -0.864),
        "signal_high, median": (0.194, -4.746, -1.307),
        "off_centre, median": (-9.287, 0.018, 0.334),
        "score, median": (0.319, -0.535, 9.335),
        "correlation, median": (0.000, 0.389, 0.948),
        "signal_low, upper": (0.000, -1.214, -0.705),
        "correlation, upper": (0.000, 0.484, 0.970),
        "gain": (0.179, -1.286, 3.188),
        "sure": (4.270, 0.071, 0.991),
    },
    -0.552,
)
"""Features of the picks of a folder: weight, low, high. Signs were given: sharper averages, surer
scores and centred particles never speak against particles, on whatever micrographs."""
