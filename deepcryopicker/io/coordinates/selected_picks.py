"""Which rows of a coordinate file count as particles: labels and truth are selected by score.

Our own CSV, CBOX and Topaz tables hold every candidate with its probability, so that a threshold
belongs to them. Other programs write their picks, with scores of other kinds.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepcryopicker.io.coordinates.candidate_csv import read_above
from deepcryopicker.io.coordinates.coordinate_tables import (
    read_one_of_table,
    table_has_probabilities,
)
from deepcryopicker.io.coordinates.formats import (
    READERS,
    read_labelled_csv,
    reader_of,
    with_scores,
)
from deepcryopicker.io.coordinates.run_picks import THRESHOLD, UNLIMITED
from deepcryopicker.io.coordinates.topaz_table import is_topaz
from deepcryopicker.io.files.missing_scores import are_probabilities
from deepcryopicker.io.files.text import text_lines
from deepcryopicker.io.star import relion_star
from deepcryopicker.io.star.relion_folder import refuse_turned_over
from deepcryopicker.types import Floats, Picks

_CANDIDATES = (".csv", ".cbox", ".txt", ".tsv")
"""Formats in which we, and crYOLO, write every candidate with its probability."""
_OUR_BOX = re.compile(r"[-.\d]+\t[-.\d]+\t\d+\t\d+\t[01]\.\d{6}\n")


@dataclass(frozen=True)
class Selection:
    """What is read from a coordinate file as particles.

    Attributes
    ----------
    name : str or None
        Name of the micrograph in a table of many; None for a file of one.
    threshold : float or None
        Least score of a particle; None is `own_threshold` for files of ours, and no threshold for
        those of others. Positions without a score are always particles.
    own_threshold : float
        Threshold of the run that wrote the files.
    classes : bool
        Whether RELION's class numbers are kinds of views.
    """

    name: str | None = None
    threshold: float | None = None
    own_threshold: float = THRESHOLD
    classes: bool = False


@dataclass(frozen=True)
class Selected:
    """Particles of one micrograph, and what they were selected from.

    Attributes
    ----------
    picks : Picks
        Particles, original pixels, without NaN among their scores.
    given : int
        Number of positions in the file.
    threshold : float or None
        Threshold that was applied; None without one.
    flagged : bool
        Whether the file marks which candidates are good, and those alone were selected.
    scores : (N,) float64
        The scores in the file, without positions that have none.
    """

    picks: Picks
    given: int
    threshold: float | None
    flagged: bool
    scores: Floats


def read_selected(path: Path, selection: Selection | None = None) -> Selected:
    """Read the particles of one micrograph.

    Raises
    ------
    UsageError
        The file is damaged, or does not hold the micrograph.
    """
    selection = selection or Selection()
    found = _read_candidates(path, selection)
    if found is not None:
        return found
    picks, good = _read(path, selection)
    scored = picks.score[~np.isnan(picks.score)]
    threshold = selection.threshold
    if threshold is None and good is None and _ours(path, selection, scored):
        threshold = selection.own_threshold
    threshold = None if threshold == UNLIMITED else threshold
    kept = np.ones(len(picks), np.bool_)
    if threshold is not None:
        kept = np.isnan(picks.score) | (picks.score >= threshold)
    elif good is not None:
        kept = good
    flagged = threshold is None and good is not None
    return Selected(with_scores(picks)[kept], len(picks), threshold, flagged, scored)


def _read_candidates(path: Path, selection: Selection) -> Selected | None:
    """Read a CSV file that is ours to the letter; None for any other."""
    if selection.name is not None or path.suffix.lower() != ".csv":
        return None
    threshold = selection.own_threshold if selection.threshold is None else selection.threshold
    found = read_above(path, threshold)
    if found is None:
        return None
    picks, scores = found
    applied = None if threshold == UNLIMITED else threshold
    return Selected(picks, len(scores), applied, False, scores)


def _read(path: Path, selection: Selection) -> tuple[Picks, npt.NDArray[np.bool_] | None]:
    """Read the positions of a micrograph with NaN for no score, and their flags if there are."""
    suffix = path.suffix.lower()
    if selection.name is not None:
        return read_one_of_table(path, selection.name, selection.classes), None
    refuse_turned_over(path)
    if suffix == ".csv" and not is_topaz(path):
        return read_labelled_csv(path)
    if suffix == ".star":
        return relion_star.read_star(path, selection.classes), None
    return reader_of(path, READERS, "coordinates")(path), None


def _ours(path: Path, selection: Selection, scores: Floats) -> bool:
    """Whether the scores of a file are probabilities as we write them."""
    suffix = path.suffix.lower()
    if suffix == ".star":
        return relion_star.written_by_us(path)
    if suffix == ".box":
        return _OUR_BOX.fullmatch(next(text_lines(path), "")) is not None
    if suffix not in _CANDIDATES:
        return False
    if selection.name is None:
        return are_probabilities(scores)
    return table_has_probabilities(path, selection.classes)
