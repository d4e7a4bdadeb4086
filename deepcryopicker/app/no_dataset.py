"""Ask for micrographs where none are chosen, instead of simulating some."""

import re
from collections.abc import Sequence

from deepcryopicker.errors import UsageError

# `train` without a dataset is an experiment on simulated micrographs; these are for one's own.
_ASKING = ("pick", "label")
_DEFAULT = "simulated"
_CHOOSING = re.compile(r"[+~]*(dataset|experiment)\b")


def require_dataset(command: str, dataset: str | None, overrides: Sequence[str]) -> None:
    """Refuse to pick or label simulated micrographs that nobody asked for.

    Parameters
    ----------
    command : str
        Such as ``pick``.
    dataset : str or None
        Chosen option; None if the configuration chooses none, as that of an earlier run.
    overrides : sequence of str
        As typed, such as ``picker.weights=RUN``.

    Raises
    ------
    UsageError
        If neither a dataset, nor a key of one, nor an experiment is given.

    Examples
    --------
    >>> require_dataset("pick", "simulated", ["picker=log", "dataset.kinds=[klh]"])
    """
    if command not in _ASKING or dataset != _DEFAULT:
        return
    if not any(_CHOOSING.match(each) for each in overrides):
        raise UsageError(
            f"{command} needs micrographs: add dataset=folder dataset.micrographs=DIR\n"
            f"or dataset={_DEFAULT}, to try it on simulated ones"
        )
