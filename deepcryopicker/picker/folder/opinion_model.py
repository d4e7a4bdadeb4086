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


SLOPE = 0.8
"""Of the logits of scores: corrected ones are less extreme."""

CANDIDATES = LinearModel.of(
    {
        "signal_low": (0.224, -1.028, 0.292),
        "signal_middle": (0.054, -1.528, 0.716),
        "signal_high": (0.139, -2.283, 1.508),
        "extent": (4.460, -0.218, 0.287),
        "off_centre": (-3.115, -0.143, 0.350),
        "contrast": (3.202, -1.743, 0.688),
        "residual": (-0.242, -0.565, 0.705),
        "explained": (-5.817, -0.452, 0.341),
        "score": (0.281, -5.777, 3.695),
        "correlation": (2.920, -0.532, 0.195),
        "norm": (0.052, -2.306, 0.859),
    },
)
"""Features of a candidate less the median of the picks: weight, low, high."""

FOLDER = LinearModel.of(
    {
        "signal_low, median": (1.087, -1.511, -0.715),
        "signal_middle, median": (0.552, -2.816, -0.871),
        "signal_high, median": (-0.127, -4.775, -1.219),
        "off_centre, median": (-9.536, 0.022, 0.384),
        "score, median": (0.325, -0.489, 9.193),
        "correlation, median": (0.048, 0.393, 0.944),
        "signal_low, upper": (1.947, -1.232, -0.705),
        "correlation, upper": (-5.564, 0.495, 0.969),
        "gain": (0.255, -1.019, 3.163),
        "sure": (4.463, 0.073, 0.990),
    },
    5.502,
)
"""Features of the picks of a folder: weight, low, high."""
