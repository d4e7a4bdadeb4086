"""Scan a micrograph with a network: densely, or window by window as in the paper."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from rich.markup import escape

from deepcryopicker.detection.windows import extend
from deepcryopicker.errors import MicrographError
from deepcryopicker.io.console import console
from deepcryopicker.io.files.checks import one_line
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import Trained, name_of
from deepcryopicker.picker.scanning.chunks import OutOfMemoryError, Piece, in_pieces
from deepcryopicker.picker.scanning.eight_bit import in_eight_bits
from deepcryopicker.picker.scanning.prepare import choose_device, prepare
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig
from deepcryopicker.types import Image, ScoreMap

_SMALLEST_TILE = 64  # working pixels, but at least one position
_TILE = 1024
# Neighbouring tiles overlap by a window minus a stride; at 12 windows this costs a sixth more.
_WINDOWS_A_TILE = 12


def build_scan(
    trained: Trained, config: DenseConfig | SlidingConfig
) -> Callable[[Image], ScoreMap]:
    """Make the configured scan: a function from an image at working scale to its score map.

    Where the outputs of a larger image are not those of its windows, windows are scanned one by
    one. If a GPU fails, or not even the smallest tile fits into its memory, the scan continues on
    the CPU.

    Raises
    ------
    UsageError
        If the network cannot have the stride, or the device is missing.
    """
    device = choose_device(config.device).type
    if isinstance(config, DenseConfig) and not trained.network.dense:
        _say_one_by_one(name_of(trained.config))
        config = SlidingConfig(
            step=config.stride,
            padding=config.padding,
            device=config.device,
            precision=config.precision,
        )
    ready = _ready(trained, config, device, config.precision)

    def scores_of(image: Image) -> ScoreMap:
        nonlocal device, ready
        try:
            scores = _scores(ready, image, trained.classes, config)
        except (OutOfMemoryError, RuntimeError) as error:
            if device == "cpu" or not _of_the_device(error):
                raise
            console.print(
                f"[yellow]{escape(one_line(error))}\nGPU failed; continuing on the CPU[/]"
            )
            # Built anew from the weights: after some errors a GPU's memory cannot be read.
            device, ready = "cpu", _ready(trained, config, "cpu", "auto")
            scores = _scores(ready, image, trained.classes, config)
        return replace(scores, calibration=trained.calibration)

    return scores_of


def _ready(
    trained: Trained, config: DenseConfig | SlidingConfig, device: str, precision: str
) -> Network:
    network, stride = trained.network, None
    if isinstance(config, DenseConfig):
        stride = config.stride
        if (device, precision) == ("cpu", "auto") and stride in (None, network.stride):
            converted = in_eight_bits(network, trained.preprocessing)
            if converted is not None:
                return converted
    return prepare(network, device, precision, stride)


def _scores(
    network: Network, image: Image, classes: tuple[str, ...], config: DenseConfig | SlidingConfig
) -> ScoreMap:
    """Scan densely or window by window, as configured."""
    if isinstance(config, SlidingConfig):
        step = config.step or network.stride
        return slide(network, image, classes, step, config.batch, config.padding)
    return scan(network, image, classes, config.tile, config.padding)


@cache
def _say_one_by_one(name: str) -> None:
    """Say once why a scan is slow."""
    console.print(
        f"the edges of a window change what model={name} finds: windows are scanned one by one"
    )


def _of_the_device(error: Exception) -> bool:
    """Whether a scan failed because of memory, the GPU or its driver."""
    words = ("CUDA", "cuDNN", "CUBLAS", "HIP error", "MPS")
    return isinstance(error, OutOfMemoryError) or any(word in str(error) for word in words)


def scan(
    network: Network,
    image: Image,
    classes: tuple[str, ...],
    tile: int | None = None,
    padding: str = "mean",
) -> ScoreMap:
    """Compute the class probabilities at every `network.stride`-th pixel, all windows at once.

    Tiles overlap by a window minus a stride: if the layers of the network do not pad, the result
    equals that of a single pass and that of :func:`slide`.

    Parameters
    ----------
    network : Network
        In evaluation mode, on its device.
    image : (H, W) float32
        Working scale, preprocessed as for training.
    classes : tuple of str
    tile : int or None
        Side of a tile, working pixels; None for 1024 or twelve windows, whichever is more. Halved
        whenever memory runs out.
    padding : str
        ``mean`` and ``reflect`` enlarge the image by half a window, so that particles at its
        edges are found, see :func:`extend`; with ``none`` windows lie completely inside (paper).

    Returns
    -------
    ScoreMap
        Position i lies at working pixel ``i * stride``, plus half a window for ``none``.

    Raises
    ------
    MicrographError
        If the image is smaller than a window, or a tile does not fit into memory.
    """
    padded, offset = _padded(image, network.window, padding)
    stride = network.stride
    tile = tile or max(_TILE, _WINDOWS_A_TILE * network.window)
    shape = _positions(padded, network.window, stride)
    probability = np.empty((len(classes), *shape), np.float32)

    def compute(piece: Piece) -> None:
        top, bottom, left, right = piece
        crop = padded[
            top * stride : (bottom - 1) * stride + network.window,
            left * stride : (right - 1) * stride + network.window,
        ]
        batch = torch.from_numpy(np.ascontiguousarray(crop))[None, None]
        probability[:, top:bottom, left:right] = _probabilities(network, batch)[0]

    in_pieces(shape, max(tile // stride, 1), max(_SMALLEST_TILE // stride, 1), compute)
    return ScoreMap(probability, classes, float(stride), offset)


def slide(
    network: Network,
    image: Image,
    classes: tuple[str, ...],
    step: int,
    batch: int,
    padding: str = "mean",
) -> ScoreMap:
    """Compute the class probabilities at every `step`-th pixel, one window after the other.

    This is the paper's scan and the reference for :func:`scan`, with the same result.

    Parameters
    ----------
    network, image, classes, padding
        As in :func:`scan`.
    step : int
        Distance of neighbouring windows, working pixels.
    batch : int
        Number of windows classified at once; halved whenever memory runs out.
    """
    padded, offset = _padded(image, network.window, padding)
    rows, columns = shape = _positions(padded, network.window, step)
    windows = torch.from_numpy(padded).unfold(0, network.window, step)
    windows = windows.unfold(1, network.window, step)  # a view, (rows, columns, window, window)
    probability = np.empty((len(classes), rows * columns), np.float32)

    def compute(piece: Piece) -> None:
        _, _, first, last = piece
        row, column = divmod(torch.arange(first, last).numpy(), columns)
        chosen = windows[torch.from_numpy(row), torch.from_numpy(column)]
        probability[:, first:last] = _probabilities(network, chosen[:, None])[..., 0, 0].T

    in_pieces((1, rows * columns), batch, 1, compute)
    return ScoreMap(probability.reshape(-1, *shape), classes, float(step), offset)


def _padded(image: Image, window: int, padding: str) -> tuple[Image, float]:
    """Return the padded image, and the centre of its first window in pixels of `image`."""
    half = window // 2
    if padding == "none":
        return image, float(half)
    after = window - 1 - half
    return extend(image, (half, after, half, after), padding), 0.0


def _positions(padded: Image, window: int, stride: int) -> tuple[int, int]:
    rows, columns = ((size - window) // stride + 1 for size in padded.shape)
    if rows < 1 or columns < 1:
        raise MicrographError(
            f"the micrograph, {padded.shape[1]} x {padded.shape[0]} working pixels, is smaller "
            f"than a window of {window}; picker.padding=mean accepts any size"
        )
    return rows, columns


@torch.inference_mode()
def _probabilities(network: Network, images: torch.Tensor) -> Image:
    # Without the network's temperature: it is fitted to windows of which half show a particle,
    # and a map of more extreme scores ranks worse once smoothed (docs/experiments.md).
    logits = network(images.to(network.temperature.device)).float()
    return torch.softmax(logits, dim=1).cpu().numpy()
