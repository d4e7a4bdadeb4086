"""Handling of failed micrographs: a run skips them, a call from Python stops."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from deepcryopicker.errors import DeepCryoPickerError, MicrographError

T = TypeVar("T")


class Attempts(Protocol):
    """Process micrographs one by one; :class:`deepcryopicker.runs.folder.Run` implements it.

    Attributes
    ----------
    failures : list of dict
        Failures so far: ``micrograph``, ``path``, ``stage`` and ``reason``.
    """

    failures: list[dict[str, str]]

    @property
    def folder(self) -> Path | None:
        """Run folder, in which large temporary files lie; None without one."""

    def attempt(self, stage: str, name: str, path: Path, work: Callable[[], T]) -> T | None:
        """Process one micrograph; None if it failed and the others continue."""

    def require(self, done: int, stage: str) -> None:
        """Stop if all micrographs failed."""

    def decide(self, what: str, value: object, why: str) -> None:
        """Note what the data decided, for ``plan.json``."""


class AllOrNothing:
    """Attempts that stop at the first micrograph that fails."""

    folder = None

    def __init__(self) -> None:
        self.failures: list[dict[str, str]] = []

    def attempt(self, stage: str, name: str, path: Path, work: Callable[[], T]) -> T:
        """Process one micrograph; an error names it.

        Raises
        ------
        MicrographError
        """
        try:
            return work()
        except MicrographError as error:
            raise MicrographError(f"{path}: {error}") from error

    def require(self, done: int, stage: str) -> None:
        """Stop if no micrograph could be used.

        Raises
        ------
        DeepCryoPickerError
        """
        if done == 0:
            raise DeepCryoPickerError(f"{stage}: no micrograph could be used")

    def decide(self, what: str, value: object, why: str) -> None:
        """Note nothing: there is no run folder."""
