"""After PIXER: segmentation, a grid search for maxima, and a classification network."""

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deepcryopicker.detection.peaks import refine
from deepcryopicker.detection.suppression import suppress_by_distance
from deepcryopicker.rivals.learned.rival import Found
from deepcryopicker.rivals.learned.two_stage import Plan, TwoStage
from deepcryopicker.types import Floats, Image

_WIDTHS = (8, 16, 32)
_WINDOW = 40  # of the classifier, pixels: 1.7 diameters
_CELL = 0.5  # side of the grid's cells, as a share of the distance between picks


class Pixer(TwoStage):
    """PIXER-style: segmentation, maxima on a grid, classification.

    As in its article: the probability map of a segmentation network, the grid-based search for
    local maxima, and the classification network after it. Our choices: both networks (the
    originals are larger, and trained on particles of several datasets), a Gaussian at each
    particle of the map, and training on the given micrographs.
    """

    def __init__(self) -> None:
        plan = Plan(
            map_sizes=(96, 64, 48),
            window=_WINDOW,
            stride=1,
            unit=4,
            margin=28,
            sigma=0.15,
            batch=8,
            rate=3e-3,
            one_cycle=True,
        )
        super().__init__(Segmentation(), _classifier(), plan)

    def search(self, heat: Image, distance: float, floor: float) -> Found:
        """Find the maxima of a map on a grid; parameters as in `TwoStage.search`."""
        return grid_maxima(heat, distance, floor)


class Segmentation(nn.Module):
    """A small U-Net with three resolutions and skip connections."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = _WIDTHS
        self.down = nn.ModuleList([_pair(1, fine), _pair(fine, middle), _pair(middle, coarse)])
        self.up = nn.ModuleList([_pair(coarse + middle, middle), _pair(middle + fine, fine)])
        self.out = nn.Conv2d(fine, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, 1, H, W) of images (N, 1, H, W); H and W are multiples of 4."""
        passed: list[Tensor] = []
        for level in self.down:
            image = level(functional.max_pool2d(image, 2) if passed else image)
            passed.append(image)
        for level, finer in zip(self.up, reversed(passed[:-1]), strict=True):
            image = level(torch.cat([functional.interpolate(image, scale_factor=2), finer], dim=1))
        return self.out(image)


def grid_maxima(heat: Image, distance: float, floor: float) -> Found:
    """Find local maxima on a grid: the maximum of each cell, if higher than its neighbours.

    Parameters
    ----------
    heat : (h, w) float32
    distance : float
        Minimum distance between two maxima, map pixels; cells are half as wide.
    floor : float
        Minimum height of a maximum.

    Returns
    -------
    (N,) x, (N,) y, (N,) height; map pixels, highest first
    """
    cell = max(1, round(_CELL * distance))
    below, right = (-length % cell for length in heat.shape)
    padded = np.pad(heat, ((0, below), (0, right)), constant_values=-1.0)
    rows, columns = padded.shape[0] // cell, padded.shape[1] // cell
    cells = padded.reshape(rows, cell, columns, cell).transpose(0, 2, 1, 3)
    inner_row, inner_column = np.divmod(cells.reshape(rows, columns, -1).argmax(axis=2), cell)
    row = (np.arange(rows)[:, None] * cell + inner_row).ravel()
    column = (np.arange(columns) * cell + inner_column).ravel()
    neighbours = cv2.dilate(padded, np.ones((3, 3), np.uint8))
    top = (padded[row, column] >= floor) & (padded[row, column] == neighbours[row, column])
    row, column = row[top], column[top]
    height: Floats = padded[row, column].astype(np.float64)
    x, y = refine(heat, row, column)
    kept = suppress_by_distance(x, y, height, distance)
    return x[kept], y[kept], height[kept]


def _pair(fan_in: int, fan_out: int) -> nn.Sequential:
    return nn.Sequential(*_convolution(fan_in, fan_out, 3), *_convolution(fan_out, fan_out, 3))


def _convolution(fan_in: int, fan_out: int, kernel: int) -> list[nn.Module]:
    return [
        nn.Conv2d(fan_in, fan_out, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(fan_out),
        nn.ReLU(inplace=True),
    ]


def _classifier() -> nn.Sequential:
    fine, middle, coarse = _WIDTHS
    return nn.Sequential(
        *_convolution(1, fine, 5),
        nn.MaxPool2d(2),
        *_convolution(fine, middle, 3),
        nn.MaxPool2d(2),
        *_convolution(middle, coarse, 3),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(coarse * (_WINDOW // 8) ** 2, 1),
        nn.Flatten(0),
    )
