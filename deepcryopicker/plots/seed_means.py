"""Means over seeds: jobs of a sweep that differ in nothing else become one row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from deepcryopicker.io.files.tables import is_number
from deepcryopicker.plots.sweep_table import PAPER

SEED = "seed"
_CONFIDENCE = 0.95
_TEXT = ("error", "status")  # decided here, not taken from the first job

Row = Mapping[str, Any]


def means_over_seeds(rows: Sequence[Row], varied: Sequence[str]) -> list[dict[str, Any]]:
    """Average the numbers of jobs that differ in their seed alone.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of ``sweep.csv``.
    varied : sequence of str
        Keys of the choices that vary between the jobs.

    Returns
    -------
    list of dict
        One row for each combination of the other choices: ``job`` (all of them), ``seeds`` (how
        many have ended), and of every number its mean, ``<number>_lowest`` and ``_highest``, and
        ``_low`` and ``_high``, the 95 % interval of the mean (Student's t), instead of the
        intervals of single jobs. Empty if the seed does not vary.
    """
    if SEED not in varied:
        return []
    others = [key for key in varied if key != SEED]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in others), []).append(row)
    return [_mean(group, others) for group in groups.values()]


def _mean(group: Sequence[Row], others: Sequence[str]) -> dict[str, Any]:
    done = [row for row in group if row["status"] == "done"] or list(group)
    ended = sum(row["status"] == "done" for row in group)
    whole = ended == len(group)
    found: dict[str, Any] = {
        "job": ",".join(str(row["job"]) for row in group),
        "status": "done" if whole else f"{ended} of {len(group)} done",
        **{key: group[0].get(key) for key in others},
        "seeds": ended,
    }
    names = dict.fromkeys(key for row in done for key in row)
    for key in names:
        values = [row.get(key) for row in done]
        numbers = [float(value) for value in values if is_number(value)]
        if key in found or key in _TEXT or key == SEED or key.endswith(("_low", "_high")):
            continue
        if not numbers or key.startswith(PAPER):  # published numbers have no seeds
            found[key] = values[0] if len({str(value) for value in values}) == 1 else None
            continue
        found |= _spread(key, numbers)
    return {**found, "error": next((row["error"] for row in group if row.get("error")), None)}


def _spread(key: str, numbers: Sequence[float]) -> dict[str, float | None]:
    """Return mean, range and interval of a number under the names of its columns."""
    mean = float(np.mean(numbers))
    low = high = None
    if len(numbers) > 1:
        error = float(np.std(numbers, ddof=1)) / len(numbers) ** 0.5
        width = float(stats.t.ppf((1 + _CONFIDENCE) / 2, len(numbers) - 1)) * error
        low, high = mean - width, mean + width
    names = (key, f"{key}_lowest", f"{key}_highest", f"{key}_low", f"{key}_high")
    return dict(zip(names, (mean, min(numbers), max(numbers), low, high), strict=True))
