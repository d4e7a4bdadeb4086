"""Picks imported from the files of another program, used like those of a picker."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.special import expit

from deepcryopicker.errors import MicrographError
from deepcryopicker.io.coordinates.assigned_coordinates import assign_sources, nothing_matched
from deepcryopicker.io.coordinates.coordinate_sets import find_sources
from deepcryopicker.io.files.missing_scores import are_probabilities
from deepcryopicker.types import Picks


class Imported:
    """Picks by the name of their micrograph.

    Parameters
    ----------
    source : Path
        Folder or file of coordinates, see :func:`find_sources`.
    names : sequence of str
        Micrographs to pick: paths below the folder of the dataset, without suffix.

    Raises
    ------
    UsageError
        If the folder or file is missing or damaged, or has no coordinates of these micrographs.
    """

    def __init__(self, source: Path, names: Sequence[str]) -> None:
        sources = find_sources("picker.picks", str(source))
        self._source = source
        self._found = assign_sources(sources, names)
        if not self._found:
            raise nothing_matched(sources, names)

    @cached_property
    def _mapped(self) -> bool:
        """Whether scores are mapped to probabilities: all are, if a single one is not in [0, 1]."""
        return not all(are_probabilities(one.read_scores().score) for one in self._found.values())

    def find(self, name: str, diameter: float) -> Picks:
        """Return the picks of a micrograph, with scores in [0, 1].

        Other scores, such as log-odds, are mapped by a logistic function; no score becomes 1.

        Parameters
        ----------
        name : str
            Path below the folder of the dataset, without suffix.
        diameter : float
            Diameter of picks without their own, original pixels.

        Raises
        ------
        MicrographError
            If there is no file, not even an empty one, for this micrograph.
        """
        picks = self._read(name)
        score = expit(picks.score) if self._mapped else picks.score
        known = np.isfinite(picks.diameter)
        return Picks.create(
            picks.x,
            picks.y,
            np.where(np.isnan(picks.score), 1.0, score),
            picks.label,
            np.where(known, picks.diameter, diameter),
        )

    def _read(self, name: str) -> Picks:
        if name not in self._found:
            raise MicrographError(f"{self._source} has no picks for it")
        return self._found[name].read_scores()
