"""Hits, false picks and misses of a run, read from its folder.

Runs of version 0.1.0 wrote no ``outcomes/``: their picks are matched with the truth again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.scores import Evaluated, evaluate_micrograph
from deepcryopicker.io.console import counted
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.files.checks import one_line
from deepcryopicker.pipeline.scoring.pick_outcomes import read_outcomes
from deepcryopicker.pipeline.scoring.picked import OUTCOMES, scoring_radius
from deepcryopicker.reporting.reading.run_files import UnreadableError, read_rows
from deepcryopicker.reporting.reading.run_sources import find_picks
from deepcryopicker.types import Picks

Truth = tuple[Picks, Picks]
"""True particles and uncertain positions."""


class RunOutcomes:
    """The outcomes in one run folder; its truth files are listed once.

    Parameters
    ----------
    folder : Path
        Folder with ``picks/``, ``truth/``, ``outcomes/`` and ``summary.csv``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._truth = find_picks(folder / "truth")
        self._rows = {row.get("micrograph", ""): row for row in read_rows(folder / "summary.csv")}
        self._written = (folder / OUTCOMES).is_dir()
        self._unusable: list[str] = []

    @property
    def notes(self) -> list[str]:
        """Limitations of the results: micrographs whose picks had to be matched again."""
        if not self._unusable:
            return []
        return [
            f"outcomes of {counted(len(self._unusable), 'micrograph')} cannot be used, so picks "
            f"were matched again: {self._unusable[0]}"
        ]

    def read(self, name: str, parts: Mapping[str, Picks], entry: Entry) -> Evaluated | None:
        """Read the outcomes of one micrograph; None without truth.

        Parameters
        ----------
        name : str
            Name of the whole micrograph.
        parts : mapping
            From the name of each separately picked block to its picks; usually one, the whole
            micrograph.
        entry : Entry
            The whole micrograph.
        """
        truth = self._truth_of(parts, entry)
        if truth is None:
            return None
        try:
            if len(truth) == len(parts):
                return _join(
                    name, [self._read(*each) for each in zip(parts.items(), truth, strict=True)]
                )
        except UsageError as error:
            if self._written:
                self._unusable.append(one_line(error).replace(f"{self._folder}/", ""))
        return self._match(name, parts, truth, entry)

    def _truth_of(self, parts: Mapping[str, Picks], entry: Entry) -> list[Truth] | None:
        """Read the truth of each part from the run, or from the dataset if missing."""
        kept = [self._truth[part] for part in parts if part in self._truth]
        if len(kept) == len(parts):
            return [_read_truth(path) for path in kept]
        whole = entry.load_truth()
        return None if whole is None else [whole]

    def _read(self, part: tuple[str, Picks], truth: Truth) -> Evaluated:
        name, picks = part
        return read_outcomes(self._folder / OUTCOMES / f"{name}.csv", name, picks, *truth)

    def _match(
        self, name: str, parts: Mapping[str, Picks], truth: Sequence[Truth], entry: Entry
    ) -> Evaluated:
        """Match picks like version 0.1.0."""
        known, diameter = _diameter(entry, self._rows.get(next(iter(parts)), {}))
        certain, uncertain = (reduce(Picks.joined, each) for each in zip(*truth, strict=True))
        radius = scoring_radius(replace(entry, estimated=not known), diameter, certain)
        picks = reduce(Picks.joined, parts.values())
        return evaluate_micrograph(name, picks, certain, uncertain, radius)


def _read_truth(path: Path) -> Truth:
    uncertain = path.with_suffix(".uncertain.csv")
    return read_picks(path), read_picks(uncertain) if uncertain.is_file() else Picks.empty()


def _join(name: str, parts: Sequence[Evaluated]) -> Evaluated:
    """Join the blocks of a micrograph; particles are indexed block by block."""
    before = np.cumsum([0, *(part.n_truth for part in parts)])
    found = [
        np.where(part.found >= 0, part.found + start, -1)
        for part, start in zip(parts, before, strict=False)
    ]
    return Evaluated(
        name,
        reduce(Picks.joined, [part.picks for part in parts]),
        np.concatenate([part.outcome for part in parts]),
        np.concatenate(found),
        reduce(Picks.joined, [part.truth for part in parts]),
        reduce(Picks.joined, [part.uncertain for part in parts]),
        parts[0].radius,
    )


def _diameter(entry: Entry, row: Mapping[str, str]) -> tuple[bool, float]:
    """Return whether the diameter was given, and the diameter, original pixels.

    ``summary.csv`` has only two decimals of it, unlike the configuration.
    """
    if entry.diameter is not None:
        return True, entry.diameter
    try:
        if entry.diameter_angstrom is not None and row.get("pixel_size"):
            return True, entry.diameter_angstrom / float(row["pixel_size"])
        return entry.diameter_angstrom is not None, float(row["diameter"])
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise UnreadableError(f"summary.csv has no diameter for {entry.name}") from error
