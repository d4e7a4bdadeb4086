"""Files that arrive after others: checked against those that are used already."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.left_out.reasons import Reason
from deepcryopicker.dataset.pixel_sizes import SAME_PIXEL_SIZE
from deepcryopicker.errors import MicrographError
from deepcryopicker.io.star.relion_folder import (
    coordinate_file,
    refuse_shared_files,
    relion_name,
)
from deepcryopicker.pipeline.inputs.report_left_out import (
    report_left_out,
    warn_of_similar_names,
)
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.runs.folder import Run

STAGE = "watching"


class LaterFiles:
    """Accepts the micrographs of a folder that is listed again and again.

    The checks are those of a run that finds all files at once, but a file that clashes with an
    earlier one is refused alone: a line, and a row of ``failures.csv``.

    Parameters
    ----------
    relion : mapping
        From groups to the folders of RELION's files; empty without that output.
    run : Run
    known : iterable of Path
        Micrographs that an earlier run has picked.
    """

    def __init__(self, relion: Mapping[str, Path], run: Run, known: Iterable[Path] = ()) -> None:
        self._relion, self._run = relion, run
        self._accepted = set(known)
        self._owners: dict[Path, Path] = {}
        self._reported: set[Path] = set()
        self._is_first = not self._accepted
        for path in self._accepted:
            for folder in relion.values():
                self._owners[coordinate_file(folder, relion_name(path))] = path

    @property
    def accepted(self) -> Collection[Path] | None:
        """The micrographs accepted so far; None before the first listing of a new run."""
        return None if self._is_first else self._accepted

    def accept(self, catalogue: Catalogue) -> list[Entry]:
        """Return the entries that clash with no earlier file.

        Parameters
        ----------
        catalogue : Catalogue
            All existing micrographs.

        Raises
        ------
        UsageError
            Two of the first micrographs clash.
        """
        self._report(catalogue)
        left_out = {one.path for one in catalogue.left_out}
        self._accepted -= left_out
        self._owners = {
            file: owner for file, owner in self._owners.items() if owner not in left_out
        }
        if self._is_first:
            for group, folder in self._relion.items():
                refuse_shared_files(
                    folder, [one.path for one in catalogue.entries if one.group == group]
                )
        self._is_first = False
        return [one for one in catalogue.entries if self._accepts(one)]

    def _accepts(self, entry: Entry) -> bool:
        if entry.path in self._accepted:
            return True
        if entry.group in self._relion:
            file = coordinate_file(self._relion[entry.group], relion_name(entry.path))
            owner = self._owners.setdefault(file, entry.path)
            if owner != entry.path:
                reason = f"RELION reads the coordinates of {owner} and of this file from {file}"
                self._refuse(entry.path, f"{reason}; rename one of them")
                return False
        self._accepted.add(entry.path)
        self._run.clear_failure(entry.path, STAGE)
        return True

    def _report(self, catalogue: Catalogue) -> None:
        """Report the files that are left out if there are new ones; refuse those that clash."""
        for one in catalogue.left_out:
            if one.reason is Reason.CLASH:
                reason = f"may be the same micrograph as {one.used}, which is used already"
                self._refuse(one.path, f"{reason}; pick it in another run, or remove one of them")
        paths = {one.path for one in catalogue.left_out}
        if not paths <= self._reported:
            self._reported |= paths
            report_left_out(catalogue.left_out, self._run)
        warn_of_similar_names(catalogue.alike, self._run)

    def _refuse(self, path: Path, reason: str) -> None:
        self._run.attempt(STAGE, path.stem, path, partial(fail, reason))


def later_doubt(earlier: Sequence[Picked], done: Sequence[Picked]) -> str | None:
    """Return a warning if later micrographs differ from earlier ones in size or pixel size.

    Parameters
    ----------
    earlier : sequence of Picked
        Those that were picked before.
    done : sequence of Picked
        All that are picked now.

    Returns
    -------
    str or None
        None if they agree.
    """
    first = {one.entry.group: one for one in reversed(earlier)}
    known = {one.entry.name for one in earlier}
    for one in done:
        other = first.get(one.entry.group)
        if other is not None and one.entry.name not in known and not _agree(one, other):
            return (
                f"{one.entry.name} has {_describe(one)}, but {other.entry.name}, which was picked "
                f"before, {_describe(other)}: each is picked by its own numbers; if they are of "
                "different sessions, pick them in separate runs"
            )
    return None


def fail(reason: str) -> None:
    """Raise an error about one micrograph.

    Raises
    ------
    MicrographError
    """
    raise MicrographError(reason)


def _describe(one: Picked) -> str:
    record = one.record
    size = "no pixel size" if record.pixel_size is None else f"{record.pixel_size:.4g} Angstrom"
    return f"{record.width}x{record.height} pixels ({size})"


def _agree(one: Picked, other: Picked) -> bool:
    """Whether shape and pixel size are equal; the latter up to rounding in headers."""
    here, there = one.record, other.record
    if (here.height, here.width) != (there.height, there.width):
        return False
    if here.pixel_size is None or there.pixel_size is None:
        return here.pixel_size is there.pixel_size
    return abs(here.pixel_size / there.pixel_size - 1.0) <= SAME_PIXEL_SIZE
