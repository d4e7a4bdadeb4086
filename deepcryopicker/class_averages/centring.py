"""Where particles lie in their windows, by correlation with the average of their class."""

import cv2
import numpy as np
from scipy import fft

from deepcryopicker.class_averages.polar import Indices
from deepcryopicker.types import Floats, Image

_CHUNK = 256  # windows that are correlated at a time


def centred_averages(averages: Image) -> Image:
    """Move the centre of mass of what stands out in each average to the middle pixel.

    Parameters
    ----------
    averages : (K, S, S) float32
        Masked, particles positive.
    """
    side = averages.shape[1]
    offset = np.arange(side) - side // 2
    positive = np.maximum(averages, 0.0)
    total = np.maximum(positive.sum(axis=(1, 2)), 1e-12)
    x = (positive.sum(axis=1) * offset).sum(axis=1) / total
    y = (positive.sum(axis=2) * offset).sum(axis=1) / total
    return np.stack(
        [
            cv2.warpAffine(
                average,
                np.array([[1.0, 0.0, -dx], [0.0, 1.0, -dy]]),
                (side, side),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            for average, dx, dy in zip(averages, x, y, strict=True)
        ]
    )


def find_shifts(
    windows: Image, averages: Image, label: Indices, angles: Floats, most: float
) -> Floats:
    """Find where the average of its class, rotated, fits each window best.

    Parameters
    ----------
    windows : (N, S, S) float32
        As cut, neither shifted nor rotated.
    averages : (K, S, S) float32
        Masked, without a mean.
    label : (N,) int64
        Class of each window.
    angles : (N,) float64
        Radian, by which each window is rotated onto its average.
    most : float
        Largest shift along each axis, pixels.

    Returns
    -------
    (N, 2) float64
        (x, y) from pixel ``S // 2``, whole pixels.
    """
    side = windows.shape[1]
    middle, farthest = side // 2, int(most)
    near = np.arange(-farthest, farthest + 1)
    shifts = np.empty((len(windows), 2))
    for start in range(0, len(windows), _CHUNK):
        part = slice(start, start + _CHUNK)
        templates = np.stack(
            [
                cv2.warpAffine(
                    averages[which],
                    cv2.getRotationMatrix2D((middle, middle), np.degrees(turn), 1.0),
                    (side, side),
                    flags=cv2.INTER_LINEAR,
                )
                for which, turn in zip(label[part], angles[part], strict=True)
            ]
        )
        product = fft.rfft2(windows[part]) * fft.rfft2(templates).conj()
        found = fft.irfft2(product, s=(side, side))[:, near][:, :, near]
        best = found.reshape(len(found), -1).argmax(axis=1)
        shifts[part] = np.column_stack([near[best % len(near)], near[best // len(near)]])
    return shifts
