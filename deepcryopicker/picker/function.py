"""The interface of every picker: a function from a preprocessed micrograph to its candidates."""

from collections.abc import Callable

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Picks

Picker = Callable[[Entry, Preprocessed], Picks]
"""From a preprocessed micrograph to its candidates, original pixels."""
