"""How a run ended, as its folder tells, and whether a folder holds the run that is asked for.

The jobs of a sweep may run in other processes and on other machines, and a sweep may go on days
after it was interrupted. What became of a job is therefore read from its folder.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.runs.saved_config import difference, read_settings

DONE, FAILED, WRONG_USAGE, SOME_FAILED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
"""Exit codes: of a run, of a sweep, and of a command that a signal ended."""

STATUS = "status.json"
REFUSED = "refused.json"
"""Instead of the former, where the folder holds another run that must not be touched."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    exit_code : int
    seconds : float
    error : str or None
        What the user was told, in one line.
    missing : bool
        Whether the run needs a program that is not installed. In a sweep that is no failure.
    """

    exit_code: int
    seconds: float
    error: str | None = None
    missing: bool = False

    @property
    def finished(self) -> bool:
        """Whether there are results; some micrographs may have failed."""
        return self.exit_code in (DONE, SOME_FAILED)

    def write(self, path: Path) -> None:
        """Write JSON, atomically."""
        write_text(path, json.dumps(asdict(self), indent=2) + "\n")


def read_outcome(folder: Path) -> Outcome | None:
    """Read how the latest attempt at a run ended; None if it has not ended.

    A refusal is later than the run that the folder holds: the next run removes it.
    """
    for name in (REFUSED, STATUS):
        path = folder / name
        if path.is_file():
            return Outcome(**json.loads(path.read_text(encoding="utf-8")))
    return None


def combine(outcomes: Sequence[Outcome | None]) -> int:
    """Exit code of a sweep: 0 all jobs succeeded, 3 some failed, 1 none did.

    Jobs whose program is not installed count neither way, unless all are.
    """
    tried = [each for each in outcomes if each is None or not each.missing] or outcomes
    codes = {None if outcome is None else outcome.exit_code for outcome in tried}
    if codes <= {DONE}:
        return DONE
    return SOME_FAILED if codes & {DONE, SOME_FAILED} else FAILED


class Held(Enum):
    """What a folder holds before a run starts in it."""

    NOTHING = "no run"
    UNFINISHED = "this run, unfinished or failed"
    FINISHED = "this run, finished"
    ANOTHER = "a run of another configuration"


def held_by(folder: Path, settings: dict[str, Any]) -> Held:
    """Tell whether a folder holds a run, and which.

    Parameters
    ----------
    folder : Path
    settings : dict
        The resolved configuration of the run that is to start.
    """
    there = read_settings(folder)
    if there is None:
        return Held.NOTHING
    if difference(there, settings) is not None:
        return Held.ANOTHER
    status = folder / STATUS
    if status.is_file() and Outcome(**json.loads(status.read_text(encoding="utf-8"))).finished:
        return Held.FINISHED
    return Held.UNFINISHED
