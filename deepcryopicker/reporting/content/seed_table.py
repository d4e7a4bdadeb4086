"""Means over the seeds of a sweep, as a table of the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from deepcryopicker.io.files.yaml_files import part
from deepcryopicker.plots.seed_means import SEED, means_over_seeds
from deepcryopicker.plots.sweep_table import short_names
from deepcryopicker.reporting.content.cells import interval_note, number_cell
from deepcryopicker.reporting.page.page_model import Cell, PageTable, Row
from deepcryopicker.reporting.reading.run_folders import RunFolder

_COLUMNS = {
    "f1": "F1",
    "best_f1": "Best F1",
    "average_precision": "AP",
    "precision": "Precision",
    "recall": "Recall",
    "patches.accuracy": "Accuracy of windows",
    "patches.average_precision": "AP of windows",
}


def seeds_table(runs: Sequence[RunFolder]) -> PageTable | None:
    """Make the table of means over seeds: a row for each other choice of every sweep."""
    sweeps: dict[str, list[RunFolder]] = {}
    for run in runs:
        if run.sweep is not None:
            sweeps.setdefault(str(run.path.parent), []).append(run)
    rows = [row for jobs in sweeps.values() for row in _rows(jobs)]
    if not rows:
        return None
    return PageTable(
        "Means over seeds",
        ["Sweep", "Seeds", *_COLUMNS.values()],
        rows,
        "Runs that differ in their seed alone, as far as they are finished: the mean, and below it "
        "the range and, in brackets, the 95 % interval of the mean (Student's t).",
    ).without_empty_columns()


def _rows(jobs: Sequence[RunFolder]) -> list[Row]:
    varied = list(dict.fromkeys(key for job in jobs for key in job.choices))
    means = means_over_seeds([_numbers(job) for job in jobs], varied)
    others = [key for key in varied if key != SEED]
    names = dict(zip(others, short_names(others), strict=True))
    rows = []
    for mean in means:
        chosen = ", ".join(f"{name}={mean[key]}" for key, name in names.items())
        what = Cell(", ".join(each for each in (str(jobs[0].sweep), chosen) if each))
        count = number_cell(mean["seeds"], "g", "" if mean["status"] == "done" else mean["status"])
        rows.append(Row([what, count, *(_cell(mean, key) for key in _COLUMNS)]))
    return rows


def _numbers(job: RunFolder) -> dict[str, Any]:
    """Return a row of a job as :func:`means_over_seeds` takes it."""
    numbers = {
        **job.metrics,
        **{f"patches.{key}": n for key, n in part(job.metrics, "patches").items()},
    }
    return {
        "job": job.path.name,
        "status": "failed" if job.problem else "done",
        "error": job.problem or None,
        **job.choices,
        **{key: numbers.get(key) for key in _COLUMNS},
    }


def _cell(mean: Mapping[str, Any], key: str) -> Cell:
    low, high = mean.get(f"{key}_lowest"), mean.get(f"{key}_highest")
    if low is None or high is None:
        return number_cell(None, ".3f")
    interval = interval_note([mean[f"{key}_low"], mean[f"{key}_high"]], ".3f")
    return number_cell(mean[key], ".3f", f"{low:.3f} to {high:.3f} {interval}".rstrip())
