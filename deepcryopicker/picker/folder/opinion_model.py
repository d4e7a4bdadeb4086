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
        "signal_low": (0.446, -0.834, 0.351),
        "signal_middle": (1.192, -1.602, 0.822),
        "signal_high": (-0.114, -2.267, 1.437),
        "extent": (5.533, -0.220, 0.193),
        "off_centre": (1.657, -0.090, 0.220),
        "contrast": (2.490, -1.371, 0.627),
        "residual": (-0.661, -0.597, 0.701),
        "explained": (-5.393, -0.438, 0.338),
        "score": (0.014, -8.638, 6.298),
        "correlation": (1.963, -0.471, 0.190),
        "norm": (-0.255, -1.685, 0.841),
        "blob": (0.314, -9.010, 0.000),
    },
)
"""Features of a candidate less the median of the picks: weight, low, high."""

FOLDER = LinearModel.of(
    {
        "signal_low, median": (0.000, -1.395, -0.715),
        "signal_middle, median": (0.634, -2.942, -0.852),
        "signal_high, median": (0.000, -4.754, -1.161),
        "off_centre, median": (-9.414, 0.013, 0.172),
        "score, median": (0.399, -0.704, 11.315),
        "correlation, median": (0.000, 0.414, 0.950),
        "signal_low, upper": (0.000, -1.169, -0.706),
        "correlation, upper": (0.000, 0.499, 0.970),
        "gain": (0.385, -0.961, 3.597),
        "sure": (3.741, 0.081, 0.995),
    },
    -1.146,
)
"""Features of the picks of a folder: weight, low, high. Signs were given: sharper averages, surer
scores and centred particles never speak against particles, on whatever micrographs."""
