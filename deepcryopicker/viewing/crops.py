"""Parts of micrographs as pictures, at the resolution of a screen."""

from collections.abc import Mapping
from functools import lru_cache
from threading import Lock

import cv2
import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.plots.tiles import Rgb
from deepcryopicker.reporting.page.thumbnails import webp
from deepcryopicker.types import Micrograph

LARGEST = 2048  # longer side of a picture, pixels
_KEPT = 3  # micrographs in memory, 64 MB each
_QUALITY = 80
_METHOD = 2  # of WebP: encoded while the user waits
_RANGE = (0.5, 99.5)  # percentiles shown black and white
_SAMPLE = 7  # every so manieth pixel along both axes decides the contrast


class Crops:
    """Reads micrographs when a part of them is asked for, and keeps the last few.

    Parameters
    ----------
    entries : mapping of Entry
        By name of the micrograph.
    """

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries
        self._lock = Lock()
        self._load = lru_cache(maxsize=_KEPT)(self._read)

    def draw(self, name: str, part: tuple[int, int, int, int], width: int) -> bytes | None:
        """Draw a part of a micrograph as WebP.

        Parameters
        ----------
        name : str
            Of the micrograph.
        part : (left, top, right, bottom)
            Original pixels; clipped to the micrograph.
        width : int
            Of the picture, pixels; it is never enlarged.

        Returns
        -------
        bytes or None
            None if there is no such micrograph or part.

        Raises
        ------
        MicrographError
            The file cannot be read.
        """
        entry = self.entries.get(name)
        if entry is None:
            return None
        with self._lock:  # one reader at a time: a micrograph takes 64 MB
            micrograph, low, high = self._load(entry)
        height, whole = micrograph.image.shape
        left, top = max(part[0], 0), max(part[1], 0)
        right, bottom = min(part[2], whole), min(part[3], height)
        if left >= right or top >= bottom:
            return None
        image = micrograph.image[top:bottom, left:right]
        scale = min(1.0, max(width, 1) / image.shape[1], LARGEST / max(image.shape))
        return webp(_visible(image, scale, low, high), _QUALITY, _METHOD)

    def _read(self, entry: Entry) -> tuple[Micrograph, float, float]:
        micrograph = entry.load()
        low, high = np.percentile(micrograph.image[::_SAMPLE, ::_SAMPLE], _RANGE)
        return micrograph, float(low), float(high)


def _visible(image: np.ndarray, scale: float, low: float, high: float) -> Rgb:
    """Reduce an image and stretch its contrast, (h, w) uint8."""
    if scale < 1:
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        # Averages vary less than pixels.
        low, high = (float(each) for each in np.percentile(image, _RANGE))
    stretched = (image - low) / max(high - low, float(np.finfo(np.float32).tiny))
    return (np.clip(stretched, 0.0, 1.0) * 255.0).astype(np.uint8)
