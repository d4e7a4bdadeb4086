"""What is served of a run: its page, its pictures, its corrections and its commands."""

import shlex
from functools import partial
from pathlib import Path

from deepcryopicker.config.sections import ReportSection
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.reporting.assemble import assemble
from deepcryopicker.reporting.page.document import render
from deepcryopicker.reporting.page.page_model import Page
from deepcryopicker.reporting.reading.run_files import UnreadableError
from deepcryopicker.reporting.reading.run_folders import RunFolder, find_runs
from deepcryopicker.reporting.reading.run_sources import find_micrographs
from deepcryopicker.runs.folder import Run
from deepcryopicker.viewing.crops import Crops
from deepcryopicker.viewing.jobs import Jobs
from deepcryopicker.viewing.saved_corrections import FILE, SavedCorrections
from deepcryopicker.viewing.server import PageServer

_TRAIN, _FILTER = "train", "filter"
_RESULTS = {_TRAIN: "_corrected", _FILTER: "_filtered"}
"""What the names of the run folders of jobs end with."""


def open_server(given: str, also: list[str], port: int, run: Run) -> PageServer:
    """Assemble the page of a run, and make the server of it.

    Parameters
    ----------
    given : str
        Run folder whose picks are corrected.
    also : list of str
        Other runs on the page, such as one of ``classes``.
    port : int
        0 takes any that is free.
    run : Run
        Run of the command.

    Raises
    ------
    UsageError
        It is not a run folder with picks, or the port is taken.
    """
    runs = find_runs([given, *also])
    page, crops = _assemble(runs, run), Crops(_entries(runs[0]))
    if not page.pickers:
        raise UsageError(f"view.run={given} has no picks to show")
    folder = runs[0].path
    try:
        return PageServer(
            port,
            _Rendered(runs, run, page, crops).render,
            partial(_version, folder),
            crops,
            SavedCorrections(folder),
            Jobs(_commands(page, folder), Path.cwd()),
        )
    except OSError as error:
        raise UsageError(f"view.port={port} cannot be used: {error.strerror}") from error


def _assemble(runs: list[RunFolder], run: Run) -> Page:
    """Assemble the page of all micrographs, without pictures."""
    settings = ReportSection([str(one.path) for one in runs], runs[0].name, 0.0)
    return assemble(settings, runs, run, limited=False)


def _entries(run: RunFolder) -> dict[str, Entry]:
    """Return the micrographs of a run by name; none where they are gone."""
    try:
        return find_micrographs(run)
    except UnreadableError:
        return {}


def _commands(page: Page, folder: Path) -> dict[str, list[str]]:
    """Return the commands that buttons start, with the file of corrections in the run folder."""
    correcting = page.pickers[0].correcting
    corrections, commands = folder / FILE, {}
    if correcting.train:
        words = shlex.split(correcting.train)[2:]
        words = [each for each in words if not each.startswith("dataset.coordinates=")]
        target = f"hydra.run.dir={folder}{_RESULTS[_TRAIN]}"
        commands[_TRAIN] = [*words, f"dataset.coordinates={corrections}", target]
    if correcting.filter:
        words = shlex.split(correcting.filter)[2:]
        target = f"hydra.run.dir={folder}{_RESULTS[_FILTER]}"
        commands[_FILTER] = [*words, f"filter.corrections={corrections}", target]
    return commands


def _version(folder: Path) -> int:
    """Return a number that changes when the picks of a run do."""
    try:
        return (folder / "summary.csv").stat().st_mtime_ns
    except OSError:
        return 0


class _Rendered:
    """The page as HTML, made again when there are new picks."""

    def __init__(self, runs: list[RunFolder], run: Run, page: Page, crops: Crops) -> None:
        self._runs, self._run, self._crops = runs, run, crops
        self._known = _version(runs[0].path)
        self._html = self._render(page)

    def render(self) -> str:
        """Return the page of the picks as they are now."""
        now = _version(self._runs[0].path)
        if now != self._known:
            self._runs = find_runs([str(one.path) for one in self._runs])
            self._crops.entries = _entries(self._runs[0])
            self._html = self._render(_assemble(self._runs, self._run))
            self._known = now
        return self._html

    def _render(self, page: Page) -> str:
        jobs = list(_commands(page, self._runs[0].path))
        folder = self._runs[0].path
        server = {
            "jobs": jobs,
            "folders": {name: f"{folder}{_RESULTS[name]}" for name in jobs},
            "version": _version(folder),
            "file": str(folder / FILE),
        }
        return render(page, server=server)
