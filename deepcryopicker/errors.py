"""Errors that users see as one or two lines instead of a traceback."""

import difflib
from collections.abc import Iterable


class DeepCryoPickerError(Exception):
    """Base of all errors whose message is meant for the user."""

    exit_code = 1


class UsageError(DeepCryoPickerError):
    """A wrong key, value or list of files: nothing was done, and the user can correct it."""

    exit_code = 2


class MissingDatasetError(UsageError):
    """A public dataset is needed and not there."""


class MicrographError(DeepCryoPickerError):
    """One micrograph cannot be used; the batch continues without it."""


class NothingUsableError(DeepCryoPickerError):
    """The run cannot produce anything, for example because every micrograph failed."""


class OutputError(DeepCryoPickerError):
    """An output cannot be written (disk full, no permission); stops the run."""


class PrunedError(DeepCryoPickerError):
    """A search has stopped this training, because others are better at the same epoch."""


class MissingProgramError(DeepCryoPickerError):
    """An external program is needed and not installed."""


def nearest(given: str, choices: Iterable[str]) -> str | None:
    """Return the choice with the most similar spelling, or None if none is similar.

    Examples
    --------
    >>> nearest("apoferitin", ["klh", "apoferritin"])
    'apoferritin'
    """
    matches = difflib.get_close_matches(given, list(choices), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown(kind: str, given: str, choices: Iterable[str]) -> str:
    """Return the message for an unknown name: the name, the nearest choice and all choices.

    Parameters
    ----------
    kind : str
        What the name is of, for example ``labeler``.
    given : str
        The unknown name.
    choices : iterable of str
        Known names.
    """
    names = sorted(choices)
    guess = nearest(given, names)
    hint = f" Did you mean {guess}?" if guess else ""
    return f"no {kind} called '{given}'.{hint}\nchoose from: {', '.join(names)}"
