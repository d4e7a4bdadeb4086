"""Scale factors in steps of 0.125, as in the paper (Table 4)."""

import math

from deepcryopicker.preprocessing.operators.resize import scaled_length

GRID_STEP = 0.125
_BELOW_GRID = 0.97  # of the largest factor, where no step fits


def grid_factor(side: float, limit: float) -> float:
    """Choose the largest multiple of 0.125 that keeps a patch within the limit (Table 4).

    If even 0.125 is too large, which the paper does not consider, the patch is scaled to 97 % of
    the limit.

    Parameters
    ----------
    side : float
        Side of a patch around a particle, original pixels.
    limit : float
        Largest side after scaling: the input size of the network, 227 in the paper.

    Returns
    -------
    float
        Scaled pixels per original pixel.

    Examples
    --------
    >>> grid_factor(94, 227)
    2.375
    """
    steps = math.floor(limit / side / GRID_STEP)
    return steps * GRID_STEP if steps else _BELOW_GRID * limit / side


def scaled_shape(shape: tuple[int, int], factor: float) -> tuple[int, int]:
    """Return height and width of a micrograph after scaling, as ``resize.rescale`` makes them."""
    return scaled_length(shape[0], factor), scaled_length(shape[1], factor)


def even_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """Return height and width padded to even numbers, as the paper's network gets them."""
    return shape[0] + shape[0] % 2, shape[1] + shape[1] % 2
