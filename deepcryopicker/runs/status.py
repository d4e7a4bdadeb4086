"""The outcome of a run, read from its folder, and which run a folder holds.

The jobs of a sweep may run in other processes and on other machines, and a sweep may be continued
days after it was interrupted. The outcome of a job is therefore read from its folder.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from deepcryopicker.dataset.left_out.reasons import LEFT_OUT
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.atomic import LOCK, write_text
from deepcryopicker.runs.saved_config import CONFIG, difference, read_command, read_settings

DONE, FAILED, WRONG_USAGE, SOME_FAILED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
"""Exit codes: of a run, of a sweep, and of a command that a signal ended."""

STATUS = "status.json"
REFUSED = "refused.json"
"""Replaces `STATUS` if the folder holds another run, which must not be changed."""

# What a run that failed before it made anything leaves behind; another run may start there.
_NO_RESULTS = {CONFIG, ".hydra", STATUS, REFUSED, LOCK, LEFT_OUT, "failures.csv", "errors.log"}
# Commands that leave a file for each micrograph, which another configuration would not replace.
_LEAVE_FILES = ("train", "label")


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    exit_code : int
    seconds : float
    error : str or None
        First line of the error message.
    missing : bool
        Whether the run needs a program that is not installed, or a public dataset that is not
        there. A sweep does not count it as failed.
    objective : float or None
        What a search maximises.
    pruned : bool
        Whether a search has stopped the run.
    """

    exit_code: int
    seconds: float
    error: str | None = None
    missing: bool = False
    objective: float | None = None
    pruned: bool = False

    @property
    def finished(self) -> bool:
        """Whether there are results; some micrographs may have failed."""
        return self.exit_code in (DONE, SOME_FAILED)

    def write(self, path: Path) -> None:
        """Write as JSON, atomically."""
        write_text(path, json.dumps(asdict(self), indent=2) + "\n")


def read_outcome(folder: Path) -> Outcome | None:
    """Read the outcome of the latest attempt at a run; None if it has not ended.

    A refusal is more recent than the run in the folder, because the next run removes it.
    """
    for name in (REFUSED, STATUS):
        path = folder / name
        if path.is_file():
            return Outcome(**json.loads(path.read_text(encoding="utf-8")))
    return None


def combine(outcomes: Sequence[Outcome | None]) -> int:
    """Return the exit code of a sweep: 0 all jobs succeeded, 3 some failed, 1 all failed.

    Jobs whose program or dataset is missing are not counted, unless that applies to all jobs.
    """
    tried = [one for one in outcomes if one is None or not (one.missing or one.pruned)] or outcomes
    codes = {None if outcome is None else outcome.exit_code for outcome in tried}
    if codes <= {DONE}:
        return DONE
    return SOME_FAILED if codes & {DONE, SOME_FAILED} else FAILED


class FolderContent(Enum):
    """Content of a run folder before a run starts."""

    NOTHING = "no run"
    UNFINISHED = "this run, unfinished or failed"
    FINISHED = "this run, finished"
    ANOTHER = "a run of another configuration"


def content_of_folder(folder: Path, settings: dict[str, Any]) -> FolderContent:
    """Determine whether a folder holds this run, another run or no run.

    Parameters
    ----------
    folder : Path
    settings : dict
        Resolved configuration of the run that is about to start.
    """
    there = read_settings(folder)
    if there is None:
        return FolderContent.NOTHING
    if difference(_deciding_results(there), _deciding_results(settings)) is not None:
        return FolderContent.ANOTHER
    status = folder / STATUS
    if status.is_file() and Outcome(**json.loads(status.read_text(encoding="utf-8"))).finished:
        return FolderContent.FINISHED
    return FolderContent.UNFINISHED


def refuse_other_results(folder: Path, command: str, settings: dict[str, Any]) -> None:
    """Refuse a folder with the results of another run, before any file is changed.

    ``report``, ``evaluate`` and ``classes`` replace all that they write, so that their folders
    may be used again; for ``pick`` see
    :func:`deepcryopicker.runs.manifest.refuse_another`.

    Parameters
    ----------
    folder : Path
    command : str
        Name of the command that is about to start.
    settings : dict
        Its resolved configuration.

    Raises
    ------
    UsageError
    """
    there = read_settings(folder)
    if there is None or {path.name for path in folder.iterdir()} <= _NO_RESULTS:
        return
    other = read_command(folder)
    if other is not None and other != command:
        raise UsageError(
            f"this is a run of {command}, but {folder} holds a run of {other}\n"
            "choose another folder: hydra.run.dir=OTHER"
        )
    found = None
    if command in _LEAVE_FILES:
        found = difference(_deciding_results(there), _deciding_results(settings))
    if found is not None:
        key, old, new = found
        raise UsageError(
            f"{key} is {new} here, but {old} in the run in {folder}\n"
            "choose another folder, hydra.run.dir=OTHER, or remove that one first"
        )


def _deciding_results(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave out whether finished work is done again, and where results are copied to."""
    return {key: value for key, value in settings.items() if key not in ("logger", "redo")}
