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

from omegaconf import OmegaConf

from deepcryopicker.io.atomic import write_text

DONE, FAILED, WRONG_USAGE, SOME_FAILED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
"""Exit codes: of a run, of a sweep, and of a command that a signal ended."""

STATUS = "status.json"
REFUSED = "refused.json"
"""Instead of the former, where the folder holds another run that must not be touched."""

_NOT_OF_THE_RUN = ("defaults", "hydra")  # in config.yaml, so that it composes again


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    exit_code : int
    seconds : float
    error : str or None
        What the user was told, in one line.
    """

    exit_code: int
    seconds: float
    error: str | None = None

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
    """Exit code of a sweep: 0 all jobs succeeded, 3 some failed, 1 none did."""
    codes = {None if outcome is None else outcome.exit_code for outcome in outcomes}
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


def read_settings(folder: Path) -> dict[str, Any] | None:
    """Read the configuration of the run in a folder; None if there is none."""
    path = folder / "config.yaml"
    if not path.is_file():
        return None
    # What it holds is resolved; a dollar sign in it is one.
    content: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    if not isinstance(content, dict):
        return {}  # not of a run
    return {key: value for key, value in content.items() if key not in _NOT_OF_THE_RUN}


def difference(
    there: dict[str, Any], here: dict[str, Any], parent: str = ""
) -> tuple[str, str, str] | None:
    """Find the first key in which two configurations differ.

    Returns
    -------
    (key, value there, value here) or None
        Values as one types them; ``(no such key)`` where there is none.
    """
    for key in [*here, *(key for key in there if key not in here)]:
        old, new = (side.get(key, _ABSENT) for side in (there, here))
        name = f"{parent}{key}"
        if isinstance(old, dict) and isinstance(new, dict):
            found = difference(old, new, f"{name}.")
            if found is not None:
                return found
        elif old != new:
            return name, _typed(old), _typed(new)
    return None


_ABSENT = object()


def _typed(value: object) -> str:
    """Word a value as on the command line, shortened."""
    if value is _ABSENT:
        return "(no such key)"
    if isinstance(value, dict):
        return "{...}"
    if value is None or isinstance(value, bool):
        text = json.dumps(value)
    else:
        text = str(value).replace("'", "")
    return text if len(text) <= 40 else f"{text[:39]}…"
