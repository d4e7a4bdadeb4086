"""Scores of a run, per group and overall, as numbers and a table."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.plots.result_tables import score_table

if TYPE_CHECKING:
    from deepcryopicker.evaluation.scores import Evaluated

Summary = Callable[["list[Evaluated]", float, float], dict[str, Any]]


def score(picked: list[Picked], threshold: float) -> dict[str, Any]:
    """Score all micrographs with truth.

    Returns
    -------
    dict
        Result of :func:`deepcryopicker.evaluation.all_rules.describe`, with ``groups`` (as
        :func:`deepcryopicker.evaluation.scores.summarise`) and the median ``snr``. Without truth
        only ``picks``, ``candidates`` and ``micrographs``.
    """
    scored = [one for one in picked if one.evaluated is not None]
    if not scored:
        return _counts(picked)
    # Imported on demand, because most picked micrographs have no truth.
    from deepcryopicker.evaluation.all_rules import describe
    from deepcryopicker.evaluation.scores import summarise

    overall = _summary(scored, threshold, describe)
    names = list(dict.fromkeys(one.entry.group for one in scored))
    groups = {
        name: _summary([one for one in scored if one.entry.group == name], threshold, summarise)
        for name in names
    }
    return {**overall, "groups": groups, "micrographs_without_truth": len(picked) - len(scored)}


def tabulate(scores: dict[str, dict[str, Any]], title: str) -> Table:
    """Make one table of the scores of several pickers, a row for each group and picker.

    Parameters
    ----------
    scores : dict
        From the name of a picker to the result of :func:`score`; the overall row of the first
        picker comes last.
    title : str
    """
    first = next(iter(scores.values()))
    rows = []
    for group in first.get("groups", {}):
        for name, summary in scores.items():
            if group in summary.get("groups", {}):
                rows.append({"what": f"{group}, {name}", **summary["groups"][group]})
    several = len(first.get("groups", {})) != 1
    if several:
        rows += [{"what": f"overall, {name}", **summary} for name, summary in scores.items()]
    return score_table(rows, title=title)


def _summary(scored: list[Picked], threshold: float, summary_of: Summary) -> dict[str, Any]:
    evaluated = [one.evaluated for one in scored if one.evaluated is not None]
    ratios = [one.record.snr for one in scored if one.record.snr is not None]
    radius = float(np.median([one.radius for one in evaluated]))
    snr = float(np.median(ratios)) if ratios else None
    return {**summary_of(evaluated, threshold, radius), "snr": snr}


def _counts(picked: list[Picked]) -> dict[str, Any]:
    return {
        "micrographs": len(picked),
        "candidates": sum(one.record.candidates for one in picked),
        "picks": sum(one.record.picks for one in picked),
    }
