"""One run: its folder, what failed in it, and what it leaves behind."""

import json
import math
import platform
import subprocess
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from rich.markup import escape

from deepcryopicker import __version__
from deepcryopicker.errors import DeepCryoPickerError, MicrographError, NothingUsableError
from deepcryopicker.io.console import console
from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.io.files.tables import write_rows

T = TypeVar("T")

TIMINGS = "timings.json"
"""Seconds that the stages of a run took; apart from metrics.json, which is the same every time."""

_LIBRARIES = (
    "torch",
    "numpy",
    "scipy",
    "opencv-python-headless",
    "timm",
    "lightning",
    "hydra-core",
)
_FAILURE_COLUMNS = ("micrograph", "path", "stage", "reason")


@dataclass
class Run:
    """A run folder and the micrographs that could not be used in it.

    Attributes
    ----------
    folder : Path
    group : str or None
        The sweep that the run belongs to.
    name : str
        For tracking: what was chosen.
    settings : dict
        The whole resolved configuration.
    resumes : bool
        Whether the folder holds an earlier attempt at the same run that was interrupted or
        failed: what it left may be used.
    failures : list of dict
    notes : dict
        What is to be known of how the numbers came about, for ``metrics.json``.
    choices : dict
        From a configuration group to the option chosen for it, such as ``picker`` to ``log``.
    given : tuple of str
        Keys and values typed on the command line, such as ``dataset.diameter=60``.
    """

    folder: Path
    group: str | None
    name: str
    settings: dict[str, Any]
    resumes: bool = False
    failures: list[dict[str, str]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    choices: dict[str, str | None] = field(default_factory=dict)
    given: tuple[str, ...] = ()

    def attempt(self, stage: str, name: str, path: Path, work: Callable[[], T]) -> T | None:
        """Do the work on one micrograph; if it fails, say so in one line and go on.

        A micrograph that fails for the same reason at every stage is reported at the first one.

        Returns
        -------
        T or None
            What `work` returned, None if it failed.
        """
        try:
            return work()
        except DeepCryoPickerError as error:
            if not isinstance(error, MicrographError):
                raise
            reason = str(error)
        except Exception as error:  # a bug or a library; the batch is worth more than one image
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            self._log(traceback.format_exc())
        if any(row["path"] == str(path) and row["reason"] == reason for row in self.failures):
            return None
        console.print(f"[yellow]SKIP[/] {escape(str(path))}: {escape(reason)}")
        row = {"micrograph": name, "path": str(path), "stage": stage, "reason": reason}
        self.failures.append(row)
        self._write_failures()
        return None

    def forgive(self, path: Path, stage: str) -> None:
        """Forget that a micrograph failed at a stage: it did not, the next time."""
        kept = [row for row in self.failures if (row["path"], row["stage"]) != (str(path), stage)]
        if len(kept) < len(self.failures):
            self.failures = kept
            self._write_failures()

    def require(self, done: int, stage: str) -> None:
        """Stop if every single micrograph failed.

        Raises
        ------
        NothingUsableError
        """
        if done == 0:
            failures = self.folder / "failures.csv"
            raise NothingUsableError(f"{stage}: no micrograph could be used; see {failures}")

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Write ``metrics.json``: the numbers that reports and sweeps read."""
        source = {**provenance(), "seed": self.settings.get("seed")}
        counted = {"failures": len(self.failures), "provenance": source}
        document = {**self.notes, **metrics, **counted}
        text = json.dumps(_finite(document), indent=2, allow_nan=False)
        write_text(self.folder / "metrics.json", text + "\n")

    def _write_failures(self) -> None:
        rows = sorted(self.failures, key=lambda row: row["micrograph"])
        write_rows(self.folder / "failures.csv", rows, _FAILURE_COLUMNS)

    def _log(self, text: str) -> None:
        with (self.folder / "errors.log").open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")


def provenance() -> dict[str, Any]:
    """Version of the program, in a checkout its commit, and versions of what it stands on."""
    root = Path(__file__).resolve().parents[2]
    commit = None
    if (root / ".git").exists():
        try:
            command = ["git", "-C", str(root), "rev-parse", "HEAD"]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
            commit = answer.stdout.strip() or None
        except OSError:
            commit = None
    versions = {
        "python": platform.python_version(),
        **{name: _version(name) for name in _LIBRARIES},
    }
    return {"version": __version__, "commit": commit, "versions": versions}


def _version(library: str) -> str | None:
    """Version of an installed library, without importing it."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _finite(value: Any) -> Any:
    """Replace NaN and infinity, which JSON does not know, by null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
