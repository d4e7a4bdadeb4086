"""Errors that users see as one or two lines instead of a traceback."""

import difflib
from collections.abc import Iterable


class DeepCryoPickerError(Exception):
    """Base of all errors whose message is meant for the user."""

    exit_code = 1


class UsageError(DeepCryoPickerError):
    """A wrong key, value or file list: nothing was done, and the user can mend it."""

    exit_code = 2


class MicrographError(DeepCryoPickerError):
    """One micrograph cannot be used; the batch goes on without it."""


class NothingUsableError(DeepCryoPickerError):
    """The run cannot produce anything, for example because every micrograph failed."""


class OutputError(DeepCryoPickerError):
    """An output cannot be written: no micrograph's fault, and no other one would fare better."""


class MissingProgramError(DeepCryoPickerError):
    """A program that somebody else wrote is needed and not installed."""


def nearest(given: str, choices: Iterable[str]) -> str | None:
    """Return the choice that looks most like what was given, or None.

    Examples
    --------
    >>> nearest("apoferitin", ["klh", "apoferritin"])
    'apoferritin'
    """
    matches = difflib.get_close_matches(given, list(choices), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown(kind: str, given: str, choices: Iterable[str]) -> str:
    """Word the refusal of an unknown name: what was given, the nearest choice, all choices."""
    names = sorted(choices)
    guess = nearest(given, names)
    hint = f" Did you mean {guess}?" if guess else ""
    return f"no {kind} called '{given}'.{hint}\nchoose from: {', '.join(names)}"
