"""What is done about a micrograph that fails: a run leaves it out, a call from Python stops."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from deepcryopicker.errors import DeepCryoPickerError, MicrographError

T = TypeVar("T")


class Attempts(Protocol):
    """Work on one micrograph after the other; :class:`deepcryopicker.runs.folder.Run` is one.

    Attributes
    ----------
    failures : list of dict
        What failed so far: ``micrograph``, ``path``, ``stage`` and ``reason``.
    """

    failures: list[dict[str, str]]

    def attempt(self, stage: str, name: str, path: Path, work: Callable[[], T]) -> T | None:
        """Do the work on one micrograph; None if it failed and the others go on."""

    def require(self, done: int, stage: str) -> None:
        """Stop if every single micrograph failed."""


class AllOrNothing:
    """Attempts that stop at the first micrograph that fails."""

    def __init__(self) -> None:
        self.failures: list[dict[str, str]] = []

    def attempt(self, stage: str, name: str, path: Path, work: Callable[[], T]) -> T | None:
        """Do the work; an error names the micrograph.

        Raises
        ------
        MicrographError
        """
        try:
            return work()
        except MicrographError as error:
            raise MicrographError(f"{path}: {error}") from error

    def require(self, done: int, stage: str) -> None:
        """Refuse to go on with nothing; what failed was refused before.

        Raises
        ------
        DeepCryoPickerError
        """
        if done == 0:
            raise DeepCryoPickerError(f"{stage}: no micrograph could be used")
