"""Localisation error: the distance between hits and their particles."""

from typing import Any

import numpy as np

from deepcryopicker.types import Floats


def localise(shift: Floats, diameter: Floats) -> dict[str, Any]:
    """Summarise the distance between hits and the particles that they found.

    Parameters
    ----------
    shift : (N, 2) float64
        Position of the pick minus that of the particle, x and y, original pixels.
    diameter : (N,) float64
        Diameter of the particle, original pixels.

    Returns
    -------
    dict
        ``hits``: N; ``pixels``: ``median``, ``mean`` and ``rms`` of the distance; ``diameters``:
        the same in particle diameters; ``offset``: median of the shift along ``x`` and ``y``,
        pixels, which reveals a different coordinate convention. Values are None without hits.

    Examples
    --------
    >>> localise(np.array([[3.0, 4.0]]), np.array([50.0]))["diameters"]
    {'median': 0.1, 'mean': 0.1, 'rms': 0.1}
    """
    distance = np.hypot(shift[:, 0], shift[:, 1])
    x, y = np.median(shift, axis=0).tolist() if len(shift) else (None, None)
    return {
        "hits": len(distance),
        "pixels": _spread(distance),
        "diameters": _spread(distance / diameter),
        "offset": {"x": x, "y": y},
    }


def _spread(distance: Floats) -> dict[str, float | None]:
    if not len(distance):
        return {"median": None, "mean": None, "rms": None}
    return {
        "median": float(np.median(distance)),
        "mean": float(np.mean(distance)),
        "rms": float(np.sqrt(np.mean(distance**2))),
    }
