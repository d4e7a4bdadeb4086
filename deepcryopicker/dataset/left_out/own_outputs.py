"""Pictures and images that runs of this program have written, wherever their run folder lies."""

import os
from pathlib import Path

from deepcryopicker.io.images.own_pictures import is_own_picture

_CONFIG = "config.yaml"  # names this program in its first line
_HEAD = 300  # bytes of it
_FOLDERS = frozenset(
    {
        "averages",
        "baseline",
        "figures",
        "label_overlays",
        "masks",
        "noise",
        "overlays",
        "panels",
        "program",
        "score_maps",
        "stages",
        "wandb",
        "windows",
    }
)
_PICTURES = frozenset(
    {
        "averages.png",
        "classes.mrcs",
        "classes.png",
        "confusion.png",
        "patches.png",
        "precision_recall.png",
        "precision_recall_classes.png",
        "samples.png",
        "training.png",
    }
)
_OF_SWEEPS = "sweep.png"


class OwnOutputs:
    """Recognises what runs of this program have written; each folder is examined once.

    In a run folder only the folders and pictures that a run writes are outputs: micrographs that
    lie there too stay micrographs.
    """

    def __init__(self) -> None:
        self._own: dict[str, bool] = {}
        self._runs: dict[str, bool] = {}

    def hold(self, path: Path) -> bool:
        """Whether a file is an output, by its place."""
        folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100 - keeps links
        if self._is_own_folder(folder):
            return True
        if name in _PICTURES and self._is_run(folder):
            return True
        return name == _OF_SWEEPS and _is_sweep(folder)

    @staticmethod
    def drew(path: Path) -> bool:
        """Whether a picture bears the mark of this program, wherever it lies."""
        return path.suffix.lower() == ".png" and is_own_picture(path)

    def _is_own_folder(self, folder: str) -> bool:
        """Whether a folder, or one above it, is one that a run writes into its run folder."""
        if folder not in self._own:
            above, name = os.path.split(folder)
            below_own = above != folder and self._is_own_folder(above)
            self._own[folder] = below_own or (name in _FOLDERS and self._is_run(above))
        return self._own[folder]

    def _is_run(self, folder: str) -> bool:
        if folder not in self._runs:
            self._runs[folder] = _is_run(folder)
        return self._runs[folder]


def _is_run(folder: str) -> bool:
    path = Path(folder, _CONFIG)
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return b"deepcryopicker" in stream.read(_HEAD)
    except OSError:
        return False


def _is_sweep(folder: str) -> bool:
    return Path(folder, "sweep.csv").is_file() or Path(folder, "multirun.yaml").is_file()
