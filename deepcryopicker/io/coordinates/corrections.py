"""The file ``corrections.json`` of a report: what a person changed in the picks.

One object with ``deepcryopicker_corrections`` (the version of the format, 1), ``threshold`` (from
which score candidates were shown as picks), ``weights`` (of the network that picked: a run folder,
``general`` or null), ``rules`` (what is left out on all micrographs: ``classes`` and ``drop``,
``contrast`` and ``maxscore``, as the keys of ``filter``) and ``micrographs``, a list of objects:
``name``;
``excluded``, whether the whole micrograph is left out; ``diameter`` of the particles; ``kept``,
``added`` and ``removed``, lists of ``[x, y]`` or ``[x, y, score]``; and ``seen``, rectangles
``[left, top, right, bottom]`` outside which nobody looked, null for the whole micrograph. All in
original pixels, y from the first row.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.checks import one_line
from deepcryopicker.types import Floats, Mask, Picks

SUFFIX = ".json"
VERSION = 1
_MARK = "deepcryopicker_corrections"
_LARGEST = 2**28  # bytes
_FARTHEST = 2.0**24  # pixels
_LISTS = ("kept", "added", "removed")

Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class Correction:
    """What a person changed in one micrograph.

    Attributes
    ----------
    kept : Picks
        Picks that were shown and left as they are.
    added : Picks
        Their score is 1.
    removed : Picks
        Picks that are not particles, or were moved.
    excluded : bool
        Whether the micrograph is left out as a whole.
    seen : tuple of (left, top, right, bottom), or None
        Rectangles that were looked at, original pixels; None for the whole micrograph.
    """

    kept: Picks
    added: Picks
    removed: Picks
    excluded: bool = False
    seen: tuple[Region, ...] | None = None

    @property
    def particles(self) -> Picks:
        """Added picks, and those kept where somebody looked."""
        return self.kept[in_regions(self.kept.positions, self.seen)].joined(self.added)

    @property
    def uncertain(self) -> Picks:
        """Picks where nobody looked."""
        return self.kept[~in_regions(self.kept.positions, self.seen)]


@dataclass(frozen=True)
class PageRules:
    """What is left out on all micrographs, as the keys of ``filter`` of the same names.

    Attributes
    ----------
    classes : str or None
        Run folder of ``classes``.
    drop : tuple of int
        Numbers of its classes to leave out.
    contrast : (low, high) or None
        Range of contrasts to keep.
    maxscore : float or None
        Largest score to keep.
    """

    classes: str | None = None
    drop: tuple[int, ...] = ()
    contrast: tuple[float, float] | None = None
    maxscore: float | None = None


@dataclass(frozen=True)
class Corrections:
    """Corrections of all micrographs.

    Attributes
    ----------
    by_name : mapping of Correction
        By name of the micrograph.
    threshold : float or None
        Score from which candidates were shown as picks.
    weights : str or None
        Weights of the network that found them: a run folder, or ``general``.
    rules : PageRules
    """

    by_name: Mapping[str, Correction] = field(default_factory=dict)
    threshold: float | None = None
    weights: str | None = None
    rules: PageRules = field(default_factory=PageRules)

    @property
    def included(self) -> list[Correction]:
        """Corrections of the micrographs that are not left out."""
        return [one for one in self.by_name.values() if not one.excluded]


def in_regions(positions: Floats, regions: tuple[Region, ...] | None) -> Mask:
    """Return which positions, (N, 2), lie in one of the rectangles; in all of them for None."""
    if regions is None:
        return np.ones(len(positions), np.bool_)
    inside = np.zeros(len(positions), np.bool_)
    for left, top, right, bottom in regions:
        x, y = positions.T
        inside |= (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    return inside


def read_corrections(path: Path) -> Corrections:
    """Read the file; the same unchanged file is read once.

    Raises
    ------
    UsageError
        It is missing, damaged, of another kind, or of a later version.
    """
    try:
        status = path.stat()
        if not path.is_file() or status.st_size > _LARGEST:
            raise UsageError(f"{path} is not a file of corrections: it is larger than any of them")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    return _read(path, (status.st_mtime_ns, status.st_size))


def read_corrected_by_micrograph(path: Path) -> dict[str, Picks]:
    """Read the particles of each corrected micrograph; excluded ones are not listed."""
    found = read_corrections(path).by_name.items()
    return {name: one.particles for name, one in found if not one.excluded}


@lru_cache(maxsize=2)
def _read(path: Path, version: tuple[int, int]) -> Corrections:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is damaged: {one_line(error)}") from error
    return check_corrections(path, content)


def check_corrections(path: Path, content: Any) -> Corrections:
    """Check the content of a file of corrections, as read from JSON.

    Raises
    ------
    UsageError
        It is of another kind, or of a later version; names the file.
    """
    if not isinstance(content, dict) or _MARK not in content:
        raise UsageError(f"{path} holds no corrections: save them on the page of a report")
    if content[_MARK] != VERSION:
        raise UsageError(
            f"{path} has version {content[_MARK]!r} of corrections, this program reads {VERSION}"
        )
    threshold = content.get("threshold")
    if threshold is not None:
        threshold = _number(path, threshold)
    listed = content.get("micrographs")
    if not isinstance(listed, list):
        raise UsageError(f"{path}: micrographs must be a list")
    by_name: dict[str, Correction] = {}
    for one in listed:
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str) or not name or name in by_name:
            raise UsageError(f"{path}: every micrograph needs a name of its own, got {name!r}")
        by_name[name] = _correction(path, one)
    weights = content.get("weights")
    weights = weights if isinstance(weights, str) else None
    return Corrections(by_name, threshold, weights, _rules(path, content.get("rules")))


def _rules(path: Path, given: Any) -> PageRules:
    """Check the rules for all micrographs; files of earlier versions have none."""
    if given is None:
        return PageRules()
    if not isinstance(given, dict):
        raise UsageError(f"{path}: rules must be an object")
    classes, contrast, maxscore = (given.get(name) for name in ("classes", "contrast", "maxscore"))
    drop = given.get("drop") or []
    if not isinstance(drop, list) or (drop and not isinstance(classes, str)):
        raise UsageError(f"{path}: rules need drop, a list of numbers, and classes, a run folder")
    if contrast is not None and not (isinstance(contrast, list) and len(contrast) == 2):
        raise UsageError(f"{path}: contrast must be null or [low, high]")
    low_high = None if contrast is None else [_number(path, value) for value in contrast]
    return PageRules(
        classes if drop else None,
        tuple(int(_number(path, value)) for value in drop),
        None if low_high is None else (low_high[0], low_high[1]),
        None if maxscore is None else _number(path, maxscore),
    )


def _correction(path: Path, one: dict[str, Any]) -> Correction:
    diameter = one.get("diameter")
    size = np.nan if diameter is None else _number(path, diameter)
    kept, added, removed = (_picks(path, one.get(key, []), size) for key in _LISTS)
    seen = one.get("seen")
    if seen is not None:
        if not isinstance(seen, list) or not all(
            isinstance(each, list) and len(each) == 4 for each in seen
        ):
            raise UsageError(f"{path}: seen must be null or a list of [left, top, right, bottom]")
        seen = tuple(tuple(_number(path, value) for value in each) for each in seen)
    return Correction(kept, added, removed, one.get("excluded") is True, seen)


def _picks(path: Path, rows: Any, diameter: float) -> Picks:
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and 2 <= len(row) <= 3 for row in rows
    ):
        raise UsageError(f"{path}: picks must be a list of [x, y] or [x, y, score]")
    table = np.array([[_number(path, value) for value in (*row, 1.0)[:3]] for row in rows])
    x, y, score = table.reshape(-1, 3).T
    return Picks.create(x, y, score, diameter=diameter)


def _number(path: Path, value: Any) -> float:
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if not right or not -_FARTHEST <= value <= _FARTHEST:
        raise UsageError(f"{path}: not a position, size or score: {str(value)[:40]}")
    return float(value)
