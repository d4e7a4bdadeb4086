"""Duration of scans of a micrograph by device and size: the paper's Table 8."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import console, track
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.model.network import Network
from deepcryopicker.picker.scanning.prepare import prepare
from deepcryopicker.picker.scanning.scan import scan, slide
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig
from deepcryopicker.plots.result_tables import make_table
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Image

SIZES = (1024, 2048, 4096)
"""Sides of the micrographs, working pixels."""

PUBLISHED = "minutes"
"""Key of ``reference`` for the published minutes per micrograph, by device."""

_COLUMNS = {
    "device": "device",
    "side": "side, px",
    "windows": "windows",
    "sliding": "sliding, min",
    "dense": "dense, min",
    "ratio": "ratio",
    "paper": "paper, min",
}
_WINDOWS_TIMED = 128


def show_speed(config: TrainConfig, run: Run, network: Network | None) -> None:
    """Print the duration of scans, and write it to ``speed.csv``.

    The network is not trained, as its weights do not affect the speed. The sliding scan is timed
    on a few windows and extrapolated.

    Parameters
    ----------
    config : TrainConfig
    run : Run
    network : Network or None
        Network to time; None if the picker has no network.

    Raises
    ------
    UsageError
        If the picker is not the dense one.
    """
    if network is None or not isinstance(config.picker, DenseConfig):
        raise UsageError("until=speed compares picker=dense with sliding: leave picker out")
    published = config.reference.get(PUBLISHED, {})
    classes = tuple(config.class_set.classes)
    rows = [
        {"device": device, **measured, "paper": published.get(device)}
        for device in _devices(config.picker.device)
        for measured in measure(network, classes, replace(config.picker, device=device), SIZES)
    ]
    step = config.picker.stride or network.stride
    title = f"minutes per micrograph, a window every {step} pixels; sliding is extrapolated"
    console.print(make_table(rows, _COLUMNS, title=title))
    write_rows(run.folder / "speed.csv", rows, tuple(_COLUMNS))
    run.write_metrics({"speed": {f"{row['device']}_{row['side']}": row for row in rows}})


def measure(
    network: Network, classes: tuple[str, ...], config: DenseConfig, sides: Sequence[int]
) -> list[dict[str, Any]]:
    """Time the dense and the sliding scan of square micrographs at equal step.

    Parameters
    ----------
    network : Network
    classes : tuple of str
    config : DenseConfig
    sides : sequence of int
        Working pixels.

    Returns
    -------
    list of dict
        One for each side: ``windows``, minutes of ``sliding`` and ``dense``, and their ``ratio``.
    """
    dense = prepare(network, config.device, config.precision, config.stride)
    single = prepare(network, config.device, config.precision)
    step, window, batch = dense.stride, network.window, SlidingConfig().batch
    strip = _noise(window, window + (_WINDOWS_TIMED - 1) * step)
    per_window = _minutes(lambda: slide(single, strip, classes, step, batch, "none"))
    per_window /= _WINDOWS_TIMED
    rows = []
    for side in track(sides, f"timing on {config.device}:", "image size"):
        image = _noise(side, side)
        windows = ((side - 1) // step + 1) ** 2
        minutes = _minutes(partial(scan, dense, image, classes, config.tile))
        sliding = windows * per_window
        rows.append(
            {
                "side": side,
                "windows": windows,
                "sliding": sliding,
                "dense": minutes,
                "ratio": sliding / minutes,
            }
        )
    return rows


def _minutes(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) / 60.0


def _noise(height: int, width: int) -> Image:
    return np.random.default_rng(0).standard_normal((height, width), dtype=np.float32)


def _devices(name: str) -> list[str]:
    """Return all available devices for ``auto``, else the given one."""
    if name != "auto":
        return [name]
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
