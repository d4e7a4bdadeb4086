"""The outcome of every pick of one micrograph in a file: hit, false or ignored, and its particle.

A run matches the picks of a micrograph once and writes the result to this file, which overlays,
scores and reports read. Row i belongs to row i of ``picks/<name>.csv``::

    # matched within 29.5 pixels
    outcome,particle
    hit,3
    false,
    ignored,

``particle`` is the row of the particle in ``truth/<name>.csv``, counted from 0.
"""

import math
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.matching import FALSE, HIT, IGNORED
from deepcryopicker.evaluation.scores import Evaluated
from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.io.files.tables import read_rows
from deepcryopicker.io.files.text import text_lines
from deepcryopicker.types import Picks

_WORDS = {HIT: "hit", FALSE: "false", IGNORED: "ignored"}
_VALUES = {word: value for value, word in _WORDS.items()}
_HEADER = "outcome,particle"
_RADIUS = re.compile(r"# matched within (\S+) pixels\s*")
_ROUNDING = 0.01  # pixels; picks and truth are written with three decimals


def write_outcomes(path: Path, evaluated: Evaluated) -> None:
    """Write the outcome of every pick and the matching radius, atomically.

    Parameters
    ----------
    path : Path
    evaluated : Evaluated
        Its picks in the order of ``picks/<name>.csv``, its truth in that of ``truth/<name>.csv``.
    """
    rows = [
        f"{_WORDS[outcome]},{particle if particle >= 0 else ''}\n"
        for outcome, particle in zip(
            evaluated.outcome.tolist(), evaluated.found.tolist(), strict=True
        )
    ]
    first = f"# matched within {float(evaluated.radius)!r} pixels\n{_HEADER}\n"
    write_text(path, first + "".join(rows))


def read_outcomes(
    path: Path,
    name: str,
    picks: Picks,
    truth: Picks,
    uncertain: Picks,
    shape: tuple[int, int] | None = None,
) -> Evaluated:
    """Read outcomes, and check that they belong to the picks and the truth.

    Parameters
    ----------
    path : Path
    name : str
        Name of the micrograph.
    picks, truth, uncertain : Picks
        N picks, M true particles and uncertain positions, in one frame, original pixels.
    shape : tuple of int, optional
        Height and width of the micrograph.

    Raises
    ------
    UsageError
        If the file is missing or damaged, or was written for other picks or another truth.
    """
    radius = _read_radius(path)
    header, rows = read_rows(path, _HEADER)
    if header != _HEADER.split(","):
        raise UsageError(f"{path}: the header must be {_HEADER}, found {','.join(header)}")
    outcome, found = [], []
    for line, (word, cell) in rows:
        if word not in _VALUES or (word == "hit") != bool(cell):
            raise UsageError(f"{path}: line {line} is not an outcome: {word},{cell}")
        outcome.append(_VALUES[word])
        found.append(_index(cell, len(truth), path, line) if cell else -1)
    if len(outcome) != len(picks):
        raise UsageError(f"{path}: {len(outcome)} outcomes of {len(picks)} picks")
    evaluated = Evaluated(
        name,
        picks,
        np.array(outcome, np.int8),
        np.array(found, np.int64),
        truth,
        uncertain,
        radius,
        shape,
    )
    _check_hits(path, evaluated)
    return evaluated


def _read_radius(path: Path) -> float:
    """Read the matching radius, original pixels, from the first line."""
    found = _RADIUS.fullmatch(next(text_lines(path), ""))
    try:
        radius = float(found[1]) if found else math.nan
    except ValueError:
        radius = math.nan
    if not (math.isfinite(radius) and radius >= 0):
        raise UsageError(f"{path}: the first line must be '# matched within RADIUS pixels'")
    return radius


def _index(cell: str, count: int, path: Path, line: int) -> int:
    """Read the row of a particle in a truth of `count` particles."""
    digits = cell.isascii() and cell.isdigit() and len(cell) <= len(str(count))
    if not digits or int(cell) >= count:
        raise UsageError(f"{path}: line {line} names particle {cell[:20]} of {count}")
    return int(cell)


def _check_hits(path: Path, evaluated: Evaluated) -> None:
    """Refuse a particle that was found twice, or by a pick outside the radius."""
    hit: npt.NDArray[np.bool_] = evaluated.found >= 0
    particle = evaluated.found[hit]
    if len(np.unique(particle)) < len(particle):
        raise UsageError(f"{path}: a particle is the hit of two picks")
    shift = evaluated.picks.positions[hit] - evaluated.truth.positions[particle]
    if np.hypot(*shift.T).max(initial=0.0) > evaluated.radius + _ROUNDING:
        raise UsageError(f"{path}: a hit lies farther from its particle than the radius")
