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
        "signal_low": (0.592, -0.741, 0.278),
        "signal_middle": (0.132, -1.487, 0.770),
        "signal_high": (-0.003, -2.353, 1.399),
        "extent": (8.838, -0.223, 0.237),
        "off_centre": (-0.489, -0.147, 0.296),
        "contrast": (3.698, -1.571, 0.622),
        "residual": (-1.385, -0.558, 0.666),
        "explained": (-5.486, -0.426, 0.346),
        "score": (0.189, -6.247, 3.781),
        "correlation": (2.050, -0.495, 0.194),
        "norm": (-0.413, -1.868, 0.856),
        "blob": (0.527, -6.452, 0.000),
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
