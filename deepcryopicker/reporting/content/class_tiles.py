"""The averages of a run of ``classes``, and the class of every pick on the page."""

from collections.abc import Sequence
from dataclasses import replace

import mrcfile
import numpy as np

from deepcryopicker.detection.pick_rules import nearest_within
from deepcryopicker.errors import UsageError
from deepcryopicker.pipeline.classes.class_files import MEMBERS, STACK, TABLE, read_members
from deepcryopicker.plots.class_sheet import draw_average
from deepcryopicker.reporting.page.page_model import ClassTiles, ShownPicker
from deepcryopicker.reporting.page.thumbnails import encode
from deepcryopicker.reporting.reading.run_files import UnreadableError, read_rows
from deepcryopicker.reporting.reading.run_folders import RunFolder
from deepcryopicker.types import Floats, Image

_MOST = 200  # classes
_LARGEST = 64 * 2**20  # bytes of a stack
_SIDE, _PICTURE = 256, 96  # pixels of an average, and of its picture
_SAME_PLACE = 0.01  # pixels

Members = dict[str, tuple[Floats, np.ndarray]]
"""Positions of the picks of each micrograph, and their classes."""


def class_tiles(runs: Sequence[RunFolder]) -> tuple[ClassTiles, Members] | None:
    """Read the first run of ``classes``; None without one, or if its files are damaged."""
    for run in runs:
        if run.command != "classes" or not (run.path / MEMBERS).is_file():
            continue
        try:
            rows = read_rows(run.path / TABLE)
            count = [int(row["picks"]) for row in rows]
            like_random = [row["like_random"] == "1" for row in rows]
            members = read_members(run.path)
        except (UnreadableError, UsageError, KeyError, ValueError, TypeError):
            continue
        averages = _read_stack(run)
        if averages is None or not 0 < len(count) == len(averages) <= _MOST:
            continue
        pictures = [encode(draw_average(average, _PICTURE)) for average in averages]
        return ClassTiles(str(run.path), count, like_random, pictures), members
    return None


def with_classes(picker: ShownPicker, names: Sequence[str], members: Members) -> ShownPicker:
    """Add the class of every pick, 0 for none, if any of the picks has one.

    Parameters
    ----------
    picker : ShownPicker
    names : sequence of str
        Name of each micrograph of the picker on the page.
    members : dict
    """
    found, some = [], False
    for name, picked in zip(names, picker.picked, strict=True):
        number = np.zeros(len(picked.picks), np.int64)
        if name in members:
            places, classes = members[name]
            nearest = nearest_within(picked.picks.positions, places, _SAME_PLACE)
            number[nearest >= 0] = classes[nearest[nearest >= 0]]
        found.append(replace(picked, classes=number))
        some = some or bool(number.any())
    return replace(picker, picked=found) if some else picker


def _read_stack(run: RunFolder) -> Image | None:
    path = run.path / STACK
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        with mrcfile.open(path, permissive=False) as file:
            averages = np.asarray(file.data)
    except (OSError, ValueError):
        return None
    usual = averages.ndim == 3 and max(averages.shape[1:]) <= _SIDE and averages.dtype == np.float32
    return averages if usual and np.isfinite(averages).all() else None
