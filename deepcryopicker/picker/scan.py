"""Lay a network over a whole micrograph: the dense scan, and the paper's window by window."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import torch

from deepcryopicker.errors import MicrographError
from deepcryopicker.model.network import Network
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.pieces import Piece, in_pieces
from deepcryopicker.picker.prepare import prepare
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig
from deepcryopicker.types import Image, ScoreMap

_SMALLEST_TILE = 64  # working pixels, not less than one position
_TILE = 1024
# Neighbouring tiles share a window less a stride, which is computed twice: here a sixth more.
_WINDOWS_A_TILE = 12


def build_scan(
    trained: Trained, config: DenseConfig | SlidingConfig
) -> Callable[[Image], ScoreMap]:
    """Make the configured scan: a function from an image at working scale to its score map.

    Raises
    ------
    UsageError
        If the network cannot have the stride, or there is no such device.
    """
    classes, padding = trained.classes, config.padding
    if isinstance(config, SlidingConfig):
        network = prepare(trained.network, config.device, config.precision)
        step, batch = config.step or network.stride, config.batch

        def scores_of(image: Image) -> ScoreMap:
            return slide(network, image, classes, step, batch, padding)
    else:
        network = prepare(trained.network, config.device, config.precision, config.stride)
        tile = config.tile

        def scores_of(image: Image) -> ScoreMap:
            return scan(network, image, classes, tile, padding)

    return lambda image: replace(scores_of(image), calibration=trained.calibration)


def scan(
    network: Network,
    image: Image,
    classes: tuple[str, ...],
    tile: int | None = None,
    padding: str = "reflect",
) -> ScoreMap:
    """Compute the class probabilities at every `network.stride`-th pixel, all windows at once.

    Tiles overlap by a window less a stride: for a network without padding in its layers the
    result is exactly that of one pass, and exactly that of :func:`slide`.

    Parameters
    ----------
    network : Network
        In evaluation mode, on the device that it is to run on.
    image : (H, W) float32
        Working pixels, as the network was trained on.
    classes : tuple of str
    tile : int or None
        Side of a tile, working pixels; None for 1024, or twelve windows where that is more. Tiles
        halve where memory runs out.
    padding : str
        ``reflect`` mirrors the image by half a window at its edges, so that particles there can
        be found; with ``none`` windows lie wholly inside, as in the paper.

    Returns
    -------
    ScoreMap
        Position i lies at working pixel ``i * stride``, with ``none`` half a window farther.

    Raises
    ------
    MicrographError
        If no window fits into the image, or no tile into memory.
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
    padding: str = "reflect",
) -> ScoreMap:
    """Compute the class probabilities at every `step`-th pixel, one window after the other.

    The paper's scan, and the reference for :func:`scan`, whose arguments and result it shares.

    Parameters
    ----------
    step : int
        Working pixels.
    batch : int
        Windows that are classified at once; halves where memory runs out.
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
    """Return the image to scan, and where the centre of its first window lies in `image`."""
    half = window // 2
    if padding == "none":
        return image, float(half)
    after = window - 1 - half
    border = cv2.BORDER_REFLECT_101
    return cv2.copyMakeBorder(image, half, after, half, after, border), 0.0


def _positions(padded: Image, window: int, stride: int) -> tuple[int, int]:
    rows, columns = ((size - window) // stride + 1 for size in padded.shape)
    if rows < 1 or columns < 1:
        raise MicrographError(
            f"{padded.shape[1]} x {padded.shape[0]} working pixels are less than a window of "
            f"{window}; picker.padding=reflect takes micrographs of any size"
        )
    return rows, columns


@torch.inference_mode()
def _probabilities(network: Network, images: torch.Tensor) -> Image:
    # Not at the network's temperature: that is fitted to windows, of which half hold a particle,
    # and a map of surer scores ranks worse once it is smoothed (docs/experiments.md).
    logits = network(images.to(network.temperature.device)).float()
    return torch.softmax(logits, dim=1).cpu().numpy()
