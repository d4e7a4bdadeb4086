"""Picks in our own run folders: where they are, and the threshold of the run."""

from pathlib import Path
from typing import Any

from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.yaml_files import read_yaml

THRESHOLD = 0.5
"""Score from which a candidate of ours counts as a pick, unless the run has another threshold."""

UNLIMITED = float("-inf")
"""Threshold that leaves out nothing."""

_PICKS = "picks"
_CONFIG = "config.yaml"
_MARKS = (_CONFIG, "status.json", "summary.csv", "made_by.json")
_LEVELS = 4  # RUN/relion/<dataset>/<sub-folder>


def picks_of_run(folder: Path) -> Path:
    """Return the folder of the picks in a run folder; any other folder as it is."""
    inside = folder / _PICKS
    is_run = inside.is_dir() and any((folder / mark).is_file() for mark in _MARKS)
    return inside if is_run else folder


def threshold_near(place: Path) -> float:
    """Return the threshold of the run that a file or folder belongs to, or else `THRESHOLD`.

    A run of ``filter`` holds nothing but picks, whatever their scores: `UNLIMITED`.

    Parameters
    ----------
    place : Path
        A run folder, or a file or folder inside one.
    """
    place = place.absolute()
    for folder in (place, *place.parents)[: _LEVELS + 1]:
        if (folder / _CONFIG).is_file():
            baseline = "baseline" in place.relative_to(folder).parts
            return _threshold(folder / _CONFIG, "baseline" if baseline else "picker")
    return THRESHOLD


def _threshold(config: Path, section: str) -> float:
    """Return the threshold in a configuration; `THRESHOLD` if there is none, or no number."""
    try:
        content: Any = read_yaml(config)
    except UsageError:  # not our configuration
        return THRESHOLD
    if isinstance(content, dict) and "filter" in content:
        return UNLIMITED
    picker = content.get(section) if isinstance(content, dict) else None
    value = picker.get("threshold") if isinstance(picker, dict) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return THRESHOLD
