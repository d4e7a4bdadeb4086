"""Picks of each run: folder of the coordinates, scores and threshold."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deepcryopicker.io.files.tables import is_number
from deepcryopicker.io.files.yaml_files import part
from deepcryopicker.reporting.reading.run_folders import RunFolder

LABELS = "labels"
_BASELINE = "baseline"
_CLOCK = re.compile(r"\d\d-\d\d-\d\d")  # default name of a run folder, the time of day
_LONGEST_NAME = 60


@dataclass(frozen=True)
class PickSet:
    """The picks of one picker in one run; a training run may also have picks of a baseline.

    Attributes
    ----------
    name : str
        Unique name for tables and legends.
    run : RunFolder
    folder : Path
        Folder with ``picks/`` and ``summary.csv``.
    threshold : float
    metrics : dict
        Result of ``evaluation.scores.summarise``; empty without truth.
    seconds : float or None
        Duration of the picking; None if unknown.
    """

    name: str
    run: RunFolder
    folder: Path
    threshold: float
    metrics: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None

    @property
    def dataset(self) -> str:
        """Name of the dataset; for foreign picks the folder of their truth."""
        if self.run.command == "evaluate":
            return Path(str(self.run.section("evaluate").get("truth", ""))).name or "evaluate"
        return str(self.run.section("dataset").get("name", ""))

    @property
    def label_use(self) -> str:
        """Labels on which the picker was trained."""
        if self.run.command == "filter":
            return "as the filtered picks"
        known = self.metrics.get("label_use") or self.run.metrics.get("label_use")
        if known and self.folder.name != _BASELINE:
            return str(known)
        if self.run.command == "evaluate":
            return "unknown"
        if self.folder.name == _BASELINE or not self.run.section("picker").get("weights"):
            trained = self.run.command == "train" and self.folder.name != _BASELINE
            return "truth" if trained and self.run.schemas.get("labeler") == "truth" else "none"
        return "as its weights"


def list_pick_sets(runs: Sequence[RunFolder]) -> list[PickSet]:
    """List the picks of all runs, each with a unique name."""
    pick_sets = [pick_set for run in runs if run.problem is None for pick_set in _pick_sets_of(run)]
    names = [pick_set.name for pick_set in pick_sets]
    return [
        replace(pick_set, name=f"{pick_set.name} ({pick_set.run.place})")
        if names.count(pick_set.name) > 1
        else pick_set
        for pick_set in pick_sets
    ]


def display_name(run: RunFolder) -> str:
    """Name a run by its picker or folder, or by its overrides if the folder is named by time."""
    if run.sweep is None and run.metrics.get("picker"):
        return str(run.metrics["picker"])
    if run.sweep is None and _CLOCK.fullmatch(run.path.name):
        return " ".join([str(run.command), *run.overrides])[:_LONGEST_NAME]
    return run.name


def _pick_sets_of(run: RunFolder) -> list[PickSet]:
    name, metrics = display_name(run), run.metrics
    if run.command == "evaluate":
        threshold = _threshold(run, "evaluate")
        return [PickSet(name, run, run.path, threshold, metrics, run.seconds)]
    if not (run.path / "picks").is_dir():
        return []
    if run.command == "filter":  # all that it holds are picks
        lowest = part(metrics, "filtered").get("lowest")
        return [PickSet(name, run, run.path, float(lowest) if is_number(lowest) else 0.0)]
    if run.command == "label":
        return [PickSet(f"{name}, {LABELS}", run, run.path, 0.0, seconds=run.seconds)]
    picking = run.timings.get("picking")
    seconds = picking if run.command == "train" and is_number(picking) else run.seconds
    pick_sets = [PickSet(name, run, run.path, _threshold(run, "picker"), metrics, seconds)]
    folder = run.path / _BASELINE
    if (folder / "picks").is_dir():
        scores, threshold = part(metrics, _BASELINE), _threshold(run, _BASELINE)
        pick_sets.append(PickSet(f"{name}, {_BASELINE}", run, folder, threshold, scores))
    return pick_sets


def _threshold(run: RunFolder, section: str) -> float:
    value = run.section(section).get("threshold")
    return float(value) if is_number(value) else 0.5
