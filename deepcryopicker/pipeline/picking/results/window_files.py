"""Windows of candidates in a run folder: one stack for each micrograph, in the order of scores."""

from pathlib import Path

import numpy as np

from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.picker.folder.candidate_windows import Stored
from deepcryopicker.picker.folder.window_features import SIDE

_LARGEST = 64 * 1024 * 1024  # bytes; the largest stack that is written has two megabytes


def write_windows(path: Path, windows: Stored) -> None:
    """Write a stack, (N, S, S) int8, as an MRC file; none without windows."""
    import mrcfile  # on demand: only scores that are calibrated on their folder need windows

    path.unlink(missing_ok=True)
    if len(windows):
        with replacing(path) as temporary, mrcfile.new(temporary, overwrite=True) as file:
            file.set_data(windows)
            file.header.label = b""  # the time, so that equal windows have equal bytes
            file.header.nlabl = 0


def read_windows(path: Path) -> Stored:
    """Read a stack; one without windows where the file is missing or not one of ours."""
    import mrcfile

    none = np.zeros((0, SIDE, SIDE), np.int8)
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return none
        with mrcfile.open(path) as file:
            windows = np.asarray(file.data)
    except (OSError, ValueError):
        return none
    usual = windows.ndim == 3 and windows.shape[1:] == (SIDE, SIDE) and windows.dtype == np.int8
    return windows if usual else none
