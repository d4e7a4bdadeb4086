"""Run the networks of the rivals over a micrograph, with bounded memory."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from deepcryopicker.detection.windows import extend
from deepcryopicker.picker.scanning.chunks import Piece, in_pieces
from deepcryopicker.types import Image

TILE = 512  # working pixels
_SMALLEST_TILE = 64


def in_tiles(
    image: Image,
    unit: int,
    margin: int,
    compute: Callable[[Tensor, Piece], None],
    tile: int = TILE,
) -> tuple[int, int]:
    """Process an image tile by tile.

    Parameters
    ----------
    image : (H, W) float32
        Mirrored beyond its edges.
    unit : int
        Tiles begin at multiples of this many pixels, aligned with the pooling of the network.
    margin : int
        Margin added to each side of a tile, pixels, a multiple of `unit`.
    compute : callable
        Called with the tile, (1, 1, h, w), and its rows and columns without the margin, in units.
    tile : int
        Side of a tile without its margin, pixels.

    Returns
    -------
    (int, int)
        Rows and columns of the whole image, in units.
    """
    rows, columns = (-(-length // unit) for length in image.shape)
    below, right = rows * unit - image.shape[0], columns * unit - image.shape[1]
    padded = extend(image, (margin, margin + below, margin, margin + right), "reflect")

    def compute_piece(piece: Piece) -> None:
        top, bottom, left, right = (edge * unit for edge in piece)
        crop = padded[top : bottom + 2 * margin, left : right + 2 * margin]
        compute(torch.from_numpy(np.ascontiguousarray(crop))[None, None], piece)

    in_pieces((rows, columns), max(tile // unit, 1), max(_SMALLEST_TILE // unit, 1), compute_piece)
    return rows, columns


@torch.inference_mode()
def probability_map(
    network: nn.Module,
    image: Image,
    unit: int,
    stride: int,
    margin: int,
    tile: int = TILE,
) -> Image:
    """Compute the probability map of a network with one logit every `stride` pixels.

    Parameters
    ----------
    network : nn.Module
        From images (1, 1, h, w) to logits (1, 1, h / stride, w / stride), in evaluation mode.
    image : (H, W) float32
    unit, margin, tile : int
        As in :func:`in_tiles`; the margin is at least half of the network's receptive field.
    stride : int
        A divisor of `unit`.

    Returns
    -------
    (ceil(H / stride), ceil(W / stride)) float32
    """
    shape = [-(-length // unit) * unit // stride for length in image.shape]
    result = np.empty(shape, np.float32)
    device = next(network.parameters()).device

    def compute(crop: Tensor, piece: Piece) -> None:
        top, bottom, left, right = (edge * unit // stride for edge in piece)
        border = margin // stride
        found = torch.sigmoid(network(crop.to(device)))[0, 0].cpu().numpy()
        inner = found[border : border + bottom - top, border : border + right - left]
        result[top:bottom, left:right] = inner

    in_tiles(image, unit, margin, compute, tile)
    return result[: -(-image.shape[0] // stride), : -(-image.shape[1] // stride)]
