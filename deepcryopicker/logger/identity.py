"""Under what name, group and tags W&B keeps a run, and how it finds it again."""

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ID_FILE = "id"
_LONGEST_TAG = 64
_TAGGED = ("dataset", "labeler", "model", "picker", "experiment")


@dataclass(frozen=True)
class Identity:
    """How W&B names and groups a run.

    Attributes
    ----------
    name : str
        What was chosen.
    group : str or None
        Folder of its sweep.
    job_type : str
        The command.
    tags : tuple of str
        Options chosen, such as ``model=compact``.
    settings : dict
        Complete configuration, with the options chosen under ``choices``.
    resumes : bool
        Whether it continues an interrupted run, whose records it replaces.
    """

    name: str
    group: str | None = None
    job_type: str = "train"
    tags: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None
    resumes: bool = False


def identify(
    name: str,
    group: str | None,
    command: str,
    choices: Mapping[str, str | None],
    settings: Mapping[str, Any],
    resumes: bool,
) -> Identity:
    """Make the identity of a run of a command from the options that were chosen for it."""
    named = {
        key: option for key, option in choices.items() if option and not key.startswith("hydra")
    }
    tags = [f"{key}={option}"[:_LONGEST_TAG] for key, option in named.items() if key in _TAGGED]
    whole = {**settings, "choices": named}
    return Identity(name, group, command, tuple(tags), whole, resumes)


def take_id(folder: Path, resumes: bool) -> str:
    """Return the identifier of the run in a folder, for W&B.

    That of an interrupted run stays the same; its incomplete records are removed, because all of
    them are written again.
    """
    place = folder / "wandb"
    note = place / _ID_FILE
    if resumes and note.is_file():
        known = note.read_text(encoding="utf-8").strip()
        if known.isalnum():
            for earlier in place.glob(f"offline-run-*-{known}"):
                shutil.rmtree(earlier, ignore_errors=True)
            return known
    fresh = secrets.token_hex(4)
    place.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{fresh}\n", encoding="utf-8")
    return fresh
