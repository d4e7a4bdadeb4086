"""Copy a finished run folder to W&B: scores, pictures, and files with their lineage."""

import json
from collections.abc import Mapping
from pathlib import Path

from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.logger.identity import Identity
from deepcryopicker.logger.schema import LoggerConfig
from deepcryopicker.logger.tracker import Tracker, open_tracker

_INPUTS = ("inputs.csv", "data.csv")
_MODEL = ("model.safetensors", "model.yaml")
_PICKS, _PAGE = "picks", "report.html"


def mirror(
    config: LoggerConfig, folder: Path, identity: Identity, curves: Mapping[str, Curve] | None
) -> None:
    """Record a finished run as one W&B run.

    Parameters
    ----------
    config : LoggerConfig
    folder : Path
        Run folder.
    identity : Identity
    curves : mapping, optional
        Precision-recall curves by method.
    """
    with open_tracker(config, folder, identity) as tracker:
        scores = folder / "metrics.json"
        if scores.is_file():
            tracker.log_scores(json.loads(scores.read_text(encoding="utf-8")))
        if curves:
            tracker.log_curves("precision_recall", curves)
        for picture in sorted(folder.glob("*.png")):
            tracker.log_pictures(picture.stem, [picture])
        log_results(tracker, folder)


def log_results(tracker: Tracker, folder: Path) -> None:
    """Record the files of a finished run: what it was made from, weights, picks, page."""
    inputs = [folder / name for name in _INPUTS if (folder / name).is_file()]
    tracker.log_files("data", "dataset", inputs, used=True)
    tracker.log_files(
        "model", "model", [path for name in _MODEL if (path := folder / name).is_file()]
    )
    tracker.log_files(_PICKS, _PICKS, sorted((folder / _PICKS).rglob("*.csv")))
    tracker.log_files("page", "report", [path for path in [folder / _PAGE] if path.is_file()])
