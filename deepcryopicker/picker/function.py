"""The interface of every picker: a function from a preprocessed micrograph to its candidates."""

import logging
from collections.abc import Callable

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
