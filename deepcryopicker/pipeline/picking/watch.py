"""Watch a folder during acquisition, and pick each micrograph as soon as it is complete.

The folder is listed again and again: inotify, and the libraries that use it, do not report files
that another machine writes over NFS or SMB.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from deepcryopicker.config.schemas import PickConfig
from deepcryopicker.config.sections import WatchingSection
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.listing import NoMicrographsError
from deepcryopicker.dataset.open_files import open_folder
from deepcryopicker.dataset.shard import Shard
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.console import console, counted
from deepcryopicker.io.images.reader import micrograph_shape
from deepcryopicker.pipeline.inputs.input_doubts import warn_of_inputs
from deepcryopicker.pipeline.picking.batch import Batch
from deepcryopicker.pipeline.picking.build_picker import build_picker
from deepcryopicker.pipeline.picking.later_files import STAGE, LaterFiles, fail, later_doubt
from deepcryopicker.pipeline.picking.pick_dataset import make_recipe
from deepcryopicker.pipeline.picking.results.recipe import Recipe
from deepcryopicker.pipeline.picking.weights_settings import (
    inherit,
    show_scale,
    with_diameter_of,
)
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.manifest import stamp

STOP = "STOP"
"""Name of the file in the run folder that stops the run; it is then removed."""


@dataclass
class Arrival:
    """State of a file at the previous poll.

    Attributes
    ----------
    stamp : (int, int) or None
        Size and modification time.
    since : float
        Time of the last change, seconds of the local monotonic clock.
    settled : bool
        Whether this version of the file was picked or has failed.
    """

    stamp: tuple[int, int] | None
    since: float
    settled: bool = False


class Arrivals:
    """Finds complete files: unchanged since the previous poll, with the size in their header.

    Parameters
    ----------
    patience : float
        Seconds after which an incomplete file that no longer changes has failed.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._seen: dict[Path, Arrival] = {}

    def poll(
        self, entries: Sequence[Entry], now: float
    ) -> tuple[list[Entry], dict[Entry, str], bool]:
        """Check all files once.

        Parameters
        ----------
        entries : sequence of Entry
            All existing files.
        now : float
            Seconds of the monotonic clock.

        Returns
        -------
        whole : list of Entry
            Complete files to pick now; each is returned once, and again if it changes.
        broken : dict
            From incomplete files that have failed to the reason.
        changed : bool
            Whether any file is new or has changed since the previous poll.
        """
        whole, broken, changed = [], {}, False
        for entry in entries:
            found, seen = stamp(entry.path), self._seen.get(entry.path)
            if seen is None or seen.stamp != found:
                self._seen[entry.path] = Arrival(found, now)
                changed = True
            elif not seen.settled:
                reason = _lacks(entry)
                if reason is None:
                    whole.append(entry)
                elif now - seen.since >= self._patience:
                    broken[entry] = f"{reason}; unchanged for {self._patience:g} s"
                seen.settled = reason is None or entry in broken
        return whole, broken, changed

    def settle(self, entry: Entry) -> None:
        """Record that this version of a file was picked by an earlier run."""
        self._seen[entry.path] = Arrival(stamp(entry.path), 0.0, settled=True)

    def forget(self, paths: Iterable[Path]) -> None:
        """Forget files that are left out."""
        for path in paths:
            self._seen.pop(path, None)

    def waits(self, entry: Entry) -> bool:
        """Whether a file is known, but neither picked nor failed."""
        return entry.path in self._seen and not self._seen[entry.path].settled

    @property
    def waiting(self) -> int:
        """Number of files that are neither picked nor failed."""
        return sum(not one.settled for one in self._seen.values())


def pick_arrivals(config: PickConfig, run: Run) -> list[Picked]:
    """Watch the configured folder and pick with a trained network."""
    nothing = Catalogue(config.dataset.name, ())
    trained, preprocessing, _ = inherit(config, nothing, run)
    if trained is None:
        raise ValueError("watch=true with a labeler is refused by the configuration")
    known = trained.diameter or trained.diameter_angstrom
    if not (known or config.dataset.diameter or config.dataset.diameter_angstrom):
        raise UsageError(
            "watch=true: these weights were trained at several diameters; set "
            "dataset.diameter=PIXELS or dataset.diameter_angstrom=ANGSTROM"
        )
    shard = None if config.shard is None else Shard.parse(config.shard)

    def list_all(known: Collection[Path] | None) -> Catalogue:
        try:
            catalogue = with_diameter_of(trained, open_folder(config.dataset, known))
        except (NoMicrographsError, OSError):  # an empty folder, or a short failure of the network
            return nothing
        ours = [one for one in catalogue.entries if shard is None or shard.takes(one.name)]
        return replace(catalogue, entries=tuple(ours))

    make = partial(build_picker, config.picker, nothing, preprocessing, trained, run)
    recipe = make_recipe(config.picker, preprocessing, make, nothing, run, trained)
    recipe = replace(recipe, outputs=tuple(config.outputs))

    def check(entries: Sequence[Entry]) -> None:
        show_scale(trained, entries, run)
        warn_of_inputs(entries, preprocessing, run)

    overlays, keep = config.overlays, not config.redo
    return watch(list_all, recipe, config.watching, run, overlays, keep, check)


def watch(
    list_all: Callable[[Collection[Path] | None], Catalogue],
    recipe: Recipe,
    section: WatchingSection,
    run: Run,
    overlays: int,
    keep: bool,
    check: Callable[[Sequence[Entry]], None] | None = None,
) -> list[Picked]:
    """Pick new micrographs, until a file STOP appears in the run folder or no more arrive.

    Parameters
    ----------
    list_all : callable
        Lists all existing micrographs, complete or not, for those that are used already, see
        :func:`deepcryopicker.dataset.listing.list_micrographs`.
    recipe : Recipe
    section : WatchingSection
    run : Run
    overlays : int
        Number of micrographs with an overlay, counted from the first.
    keep : bool
        Whether micrographs picked by an earlier run are kept.
    check : callable, optional
        Called with complete micrographs before they are picked; prints warnings.
    """
    stop = run.folder / STOP
    batch = Batch(recipe, run, run.folder, [run.settings["dataset"]["name"]], keep)
    arrivals = Arrivals(section.patience)
    later = LaterFiles(batch.relion, run, batch.recorded)

    def list_entries() -> list[Entry]:
        catalogue = list_all(later.accepted)
        accepted = later.accept(catalogue)
        left_out = [one.path for one in catalogue.left_out]
        batch.withdraw(left_out)
        arrivals.forget(left_out)
        return accepted

    entries = list_entries()
    left = batch.find_finished(entries)
    for one in batch.done:
        arrivals.settle(one.entry)
    before, waiting = counted(len(batch.done), "micrograph"), len(left)
    console.print(f"{before} picked by an earlier run, {waiting} left; to stop: touch {stop}")
    news = refreshed = time.monotonic()
    pending = False
    try:
        while not stop.exists():
            whole, broken, changed = arrivals.poll(entries, time.monotonic())
            for entry, reason in broken.items():
                run.attempt(STAGE, entry.name, entry.path, partial(fail, reason))
            drawn = [entry.name for entry in whole[: max(overlays - len(batch.done), 0)]]
            if check is not None:
                check(whole)
            earlier = batch.done
            batch.pick(whole, drawn, partial(_until, stop))
            run.warn("later micrographs", later_doubt(earlier, batch.done))
            for entry in whole:
                run.clear_failure(entry.path, STAGE)
            now = time.monotonic()
            if whole:
                picked = counted(len(batch.done), "micrograph")
                console.print(f"{picked} picked, {arrivals.waiting} still being written")
            pending = pending or bool(whole)
            if pending and now - refreshed >= section.refresh:
                batch.write_lists(complete=False)
                refreshed, pending = now, False
            news = now if changed or whole else news
            if section.idle is not None and now - news >= section.idle:
                break
            time.sleep(section.every)
            entries = list_entries()
    finally:  # also after a signal
        batch.write_lists()
    for entry in entries:
        if arrivals.waits(entry):
            run.attempt(STAGE, entry.name, entry.path, partial(fail, "incomplete at the end"))
    stop.unlink(missing_ok=True)
    if run.failures:
        run.require(len(batch.done), "watching")
    return batch.done


def _lacks(entry: Entry) -> str | None:
    """Return the reason why a file is incomplete; None if it is complete."""
    try:
        micrograph_shape(entry.path, entry.average_frames)
    except MicrographError as error:
        return str(error)
    return None


def _until(stop: Path, entries: Sequence[Entry]) -> Iterator[Entry]:
    for entry in entries:
        if stop.exists():
            return
        yield entry
