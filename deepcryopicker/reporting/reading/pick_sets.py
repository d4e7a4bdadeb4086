"""What each run picked: where its coordinates, its scores and its threshold are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deepcryopicker.reporting.reading.run_files import is_number, part
from deepcryopicker.reporting.reading.run_folders import RunFolder

LABELS = "labels"
_BASELINE = "baseline"
_CLOCK = re.compile(r"\d\d-\d\d-\d\d")  # a folder that Hydra named
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Lot:
    """The picks of one picker in one run: a run that trains may have picked with a baseline too.

    Attributes
    ----------
    name : str
        For tables and legends; no two are the same.
    run : RunFolder
    folder : Path
        That of ``picks/`` and ``summary.csv``.
    threshold : float
    metrics : dict
        As ``evaluation.scores.summarise`` gives; empty where there is no truth.
    seconds : float or None
        Of the run; None where the run did more than this picking.
    """

    name: str
    run: RunFolder
    folder: Path
    threshold: float
    metrics: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None

    @property
    def dataset(self) -> str:
        """Name of the dataset; of foreign picks the folder of their truth."""
        if self.run.command == "evaluate":
            return Path(str(self.run.section("evaluate").get("truth", ""))).name or "evaluate"
        return str(self.run.section("dataset").get("name", ""))

    @property
    def label_use(self) -> str:
        """Which labels the picker has seen."""
        known = self.metrics.get("label_use") or self.run.metrics.get("label_use")
        if known and self.folder.name != _BASELINE:
            return str(known)
        if self.run.command == "evaluate":
            return "unknown"
        if self.folder.name == _BASELINE or not self.run.section("picker").get("weights"):
            trained = self.run.command == "train" and self.folder.name != _BASELINE
            return "truth" if trained and self.run.schemas.get("labeler") == "truth" else "none"
        return "as its weights"


def list_lots(runs: Sequence[RunFolder]) -> list[Lot]:
    """List the picks that the runs have left, with a name of its own for each."""
    lots = [lot for run in runs if run.problem is None for lot in _lots(run)]
    names = [lot.name for lot in lots]
    return [
        replace(lot, name=f"{lot.name} ({lot.run.place})") if names.count(lot.name) > 1 else lot
        for lot in lots
    ]


def display_name(run: RunFolder) -> str:
    """Name a run: by its picker, its folder, or what was typed where the folder is but a time."""
    if run.sweep is None and run.metrics.get("picker"):
        return str(run.metrics["picker"])
    if run.sweep is None and _CLOCK.fullmatch(run.path.name):
        return " ".join([str(run.command), *run.overrides])[:_LONGEST_NAME]
    return run.name


def _lots(run: RunFolder) -> list[Lot]:
    name, metrics = display_name(run), run.metrics
    if run.command == "evaluate":
        threshold = _threshold(run, "evaluate")
        return [Lot(name, run, run.path, threshold, metrics, run.seconds)]
    if not (run.path / "picks").is_dir():
        return []
    if run.command == "label":
        return [Lot(f"{name}, {LABELS}", run, run.path, 0.0, seconds=run.seconds)]
    picking = run.timings.get("picking")
    seconds = picking if run.command == "train" and is_number(picking) else run.seconds
    lots = [Lot(name, run, run.path, _threshold(run, "picker"), metrics, seconds)]
    folder = run.path / _BASELINE
    if (folder / "picks").is_dir():
        scores, threshold = part(metrics, _BASELINE), _threshold(run, _BASELINE)
        lots.append(Lot(f"{name}, {_BASELINE}", run, folder, threshold, scores))
    return lots


def _threshold(run: RunFolder, section: str) -> float:
    value = run.section(section).get("threshold")
    return float(value) if is_number(value) else 0.5
