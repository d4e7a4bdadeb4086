"""The interface of every picker: a function from a preprocessed micrograph to its candidates."""

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Picks

logger = logging.getLogger(__name__)

Picker = Callable[[Entry, Preprocessed], Picks]
"""From a preprocessed micrograph to its candidates, original pixels."""


def none_in_blanks(picker: Picker) -> Picker:
    """Spare a picker images without any contrast: these have no particles, and no scale."""

    def pick(entry: Entry, preprocessed: Preprocessed) -> Picks:
        if not preprocessed.is_blank:
            return picker(entry, preprocessed)
        logger.warning("%s: every pixel has the same value, so there are no picks", entry.path)
        return Picks.empty()

    return pick


def as_mrc_files(picker: Picker) -> Picker:
    """Show a picker the rows of pictures in the order of the MRC files from which they were made.

    A network is not symmetric: it would place the picks of a mirror image up to some pixels off.
    """

    def pick(entry: Entry, preprocessed: Preprocessed) -> Picks:
        if not entry.turned_over:
            return picker(entry, preprocessed)
        turned = in_order_of_mrc(entry, preprocessed)
        return picker(entry, turned).flipped(len(turned.micrograph.image))

    return pick


def picks_in_order_of_mrc(entry: Entry, picks: Picks, height: int) -> Picks:
    """Return picks of a micrograph of `height` rows in the order of :func:`in_order_of_mrc`."""
    return picks.flipped(height) if entry.turned_over else picks


def in_order_of_mrc(entry: Entry, preprocessed: Preprocessed) -> Preprocessed:
    """Return a micrograph with its rows in the order of the MRC file of a picture."""
    if not entry.turned_over:
        return preprocessed
    micrograph = preprocessed.whole
    image = np.ascontiguousarray(micrograph.image[::-1])
    return replace(preprocessed, micrograph=replace(micrograph, image=image), again=None)
