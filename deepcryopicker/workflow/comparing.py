"""Compare two folders of coordinates."""

from pathlib import Path

import numpy as np

from deepcryopicker.config import EvaluateSection
from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.scores import Evaluated, evaluate_micrograph
from deepcryopicker.io.coordinates import READERS, read_picks
from deepcryopicker.progress import console
from deepcryopicker.runs import Run
from deepcryopicker.types import Picks

_UNCERTAIN = ".uncertain"
_JOBS = ("_autopick", "_manualpick")  # what RELION adds to the name of a micrograph


def compare_folders(settings: EvaluateSection, run: Run) -> tuple[list[Evaluated], float]:
    """Match the picks of every micrograph that has truth.

    Returns
    -------
    list of Evaluated, and the radius used, original pixels

    Raises
    ------
    UsageError
        If a folder is missing, or no picks belong to any truth.
    """
    truth = _coordinate_files("truth", settings.truth)
    picks = _coordinate_files("picks", settings.picks)
    uncertain = {
        name.removesuffix(_UNCERTAIN): path
        for name, path in truth.items()
        if name.endswith(_UNCERTAIN)
    }
    truth = {name: path for name, path in truth.items() if not name.endswith(_UNCERTAIN)}
    shared = sorted(set(truth) & set(picks))
    if not shared:
        raise UsageError(
            "evaluate.picks and evaluate.truth share no file name.\n"
            f"picks: {', '.join(sorted(picks)[:3])}; truth: {', '.join(sorted(truth)[:3])}"
        )
    if len(shared) < len(truth):
        console.print(f"{len(truth) - len(shared)} of {len(truth)} truth files have no picks")
    loaded = {name: read_picks(truth[name]) for name in shared}
    radius = settings.radius or _half_diameter(list(loaded.values()))
    evaluated = []
    for name in shared:
        vague = read_picks(uncertain[name]) if name in uncertain else Picks.empty()
        evaluated.append(
            evaluate_micrograph(name, read_picks(picks[name]), loaded[name], vague, radius)
        )
    return evaluated, radius


def _coordinate_files(key: str, given: str) -> dict[str, Path]:
    root = Path(given)
    if not root.is_dir():
        raise UsageError(f"evaluate.{key}: there is no folder {given}")
    files = [path for path in sorted(root.rglob("*")) if path.suffix.lower() in READERS]
    return {_micrograph(path.relative_to(root).with_suffix("")): path for path in files}


def _micrograph(path: Path) -> str:
    name = str(path)
    for job in _JOBS:
        name = name.removesuffix(job)
    return name


def _half_diameter(truth: list[Picks]) -> float:
    diameters = np.concatenate([picks.diameter for picks in truth])
    diameters = diameters[np.isfinite(diameters)]
    if len(diameters) == 0:
        raise UsageError("the truth has no diameters; give evaluate.radius=PIXELS")
    return float(np.median(diameters)) / 2.0
