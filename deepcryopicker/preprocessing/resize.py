"""Resampling between the original micrograph and the working scale."""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from deepcryopicker.types import Image

_CUBIC = -0.5  # Keys' parameter


def rescale(image: Image, scale: float) -> Image:
    """Resample by `scale` with an antialiased bicubic kernel and mirrored borders.

    Output pixel i samples input position ``(i + 0.5) / scale - 0.5`` exactly, so that
    :mod:`deepcryopicker.frames` holds over the whole image whatever its size. This is MATLAB's
    ``imresize`` (METHOD.md 1.2).

    Parameters
    ----------
    image : (H, W) float32
    scale : float
        Output pixels per input pixel, > 0.

    Returns
    -------
    (ceil(H * scale), ceil(W * scale)) float32
    """
    if scale == 1.0:
        return image
    rows, columns = (_bicubic_weights(n, scale) for n in image.shape)
    return np.ascontiguousarray((columns @ (rows @ image).T).T, np.float32)


def _bicubic_weights(length: int, scale: float) -> sparse.csr_array:
    """Weights of the inputs (columns) in each output (rows); every row sums to one."""
    size = int(np.ceil(length * scale - 1e-9))
    shrink = min(scale, 1.0)
    taps = int(np.ceil(4.0 / shrink)) + 2
    centre = (np.arange(size) + 0.5) / scale - 0.5
    index = np.floor(centre - 2.0 / shrink).astype(int)[:, None] + np.arange(taps)
    weight = _keys(shrink * (centre[:, None] - index))
    weight /= weight.sum(axis=1, keepdims=True)
    mirrored = np.mod(index, 2 * length)
    mirrored = np.where(mirrored >= length, 2 * length - 1 - mirrored, mirrored)
    row = np.repeat(np.arange(size), taps)
    return sparse.coo_array(
        (weight.ravel().astype(np.float32), (row, mirrored.ravel())), shape=(size, length)
    ).tocsr()


def _keys(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x = np.abs(x)
    near = (_CUBIC + 2) * x**3 - (_CUBIC + 3) * x**2 + 1
    far = _CUBIC * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
