"""Follow a folder that a microscope fills, and pick each micrograph as soon as it is whole."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deepcryopicker.config.schemas import PickConfig
from deepcryopicker.config.sections import WatchingSection
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.listing import NoMicrographsError
from deepcryopicker.dataset.shard import Shard
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.console import console
from deepcryopicker.io.images.reader import micrograph_shape
from deepcryopicker.pipeline.inputs.open_dataset import open_catalogue
from deepcryopicker.pipeline.picking.batch import Batch, Recipe
from deepcryopicker.pipeline.picking.build_picker import build_picker
from deepcryopicker.pipeline.picking.pick_dataset import make_recipe
from deepcryopicker.pipeline.picking.weights_settings import inherit, with_diameter_of
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.manifest import stamp

STOP = "STOP"
"""A file of this name in the run folder ends the watching; it is then removed."""


@dataclass
class Arrival:
    """What was seen of a file at the last look.

    Attributes
    ----------
    stamp : (int, int) or None
        Its size and time of change.
    since : float
        Seconds, monotonic, since when these are so: clocks of other machines play no part.
    settled : bool
        Whether it was picked, or has failed, as it is.
    """

    stamp: tuple[int, int] | None
    since: float
    settled: bool = False


class Arrivals:
    """Tells which files are whole: unchanged since the last look, as large as promised.

    Parameters
    ----------
    patience : float
        Seconds for a file that does not change and is not whole.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._seen: dict[Path, Arrival] = {}

    def look(
        self, entries: Sequence[Entry], now: float
    ) -> tuple[list[Entry], dict[Entry, str], bool]:
        """Look at all files once.

        Parameters
        ----------
        entries : sequence of Entry
            Of all files that are there.
        now : float
            Seconds, monotonic.

        Returns
        -------
        whole : list of Entry
            To be picked now; none comes twice unless its file has changed since.
        broken : dict
            From the entries whose patience is over to what is wrong with them.
        changed : bool
            Whether any file is new or has changed since the last look.
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
        """Note that a file was picked by an earlier run, as it is."""
        self._seen[entry.path] = Arrival(stamp(entry.path), 0.0, settled=True)

    def waits(self, entry: Entry) -> bool:
        """Whether a file is neither picked nor has failed."""
        return entry.path in self._seen and not self._seen[entry.path].settled

    @property
    def waiting(self) -> int:
        """How many files are neither picked nor have failed."""
        return sum(not one.settled for one in self._seen.values())


def pick_arrivals(config: PickConfig, run: Run) -> list[Picked]:
    """Follow the configured folder with a trained network."""
    folder = Path(config.dataset.micrographs)
    if not folder.is_dir():
        raise UsageError(f"watch=true follows a folder, but dataset.micrographs={folder} is none")
    nothing = Catalogue(config.dataset.name, ())
    trained, preprocessing, _ = inherit(config, nothing, run)
    if trained is None:
        raise ValueError("the configuration lets no labeler watch")
    if trained.diameter is None and not (
        config.dataset.diameter or config.dataset.diameter_angstrom
    ):
        raise UsageError(
            "watch=true with weights of no one diameter: set dataset.diameter=PIXELS or "
            "dataset.diameter_angstrom"
        )
    shard = None if config.shard is None else Shard.parse(config.shard)

    def list_entries() -> list[Entry]:
        try:
            catalogue = with_diameter_of(trained, open_catalogue(config.dataset))
        except (NoMicrographsError, OSError):  # an empty folder, or a network that hiccups
            return []
        return [one for one in catalogue.entries if shard is None or shard.takes(one.name)]

    make = partial(build_picker, config.picker, nothing, preprocessing, trained, run)
    recipe = make_recipe(config.picker, preprocessing, make, nothing, run)
    return watch(list_entries, recipe, config.watching, run, config.overlays, not config.redo)


def watch(
    list_entries: Callable[[], Sequence[Entry]],
    recipe: Recipe,
    section: WatchingSection,
    run: Run,
    overlays: int,
    keep: bool,
) -> list[Picked]:
    """Pick what arrives, until there is a file STOP in the run folder or nothing comes for long.

    Parameters
    ----------
    list_entries : callable
        Lists the micrographs that are there, whole or not.
    recipe : Recipe
    section : WatchingSection
    run : Run
    overlays : int
        How many of the first micrographs get a picture.
    keep : bool
        Whether what an earlier run has picked is kept.
    """
    stop = run.folder / STOP
    batch = Batch(recipe, run, run.folder, [run.settings["dataset"]["name"]], keep)
    arrivals = Arrivals(section.patience)
    entries = list_entries()
    left = batch.find_finished(entries)
    for one in batch.done:
        arrivals.settle(one.entry)
    console.print(f"{len(batch.done)} picked before, {len(left)} to come; to stop: touch {stop}")
    news = refreshed = time.monotonic()
    try:
        while not stop.exists():
            whole, broken, changed = arrivals.look(entries, time.monotonic())
            for entry, reason in broken.items():
                run.attempt("watching", entry.name, entry.path, partial(_fail, reason))
            drawn = [entry.name for entry in whole[: max(overlays - len(batch.done), 0)]]
            batch.pick(whole, drawn, partial(_until, stop))
            for entry in whole:
                run.clear_failure(entry.path, "watching")
            now = time.monotonic()
            if whole:
                console.print(f"{len(batch.done)} picked, {arrivals.waiting} not whole yet")
            if whole and now - refreshed >= section.refresh:
                batch.write_lists()
                refreshed = now
            news = now if changed or whole else news
            if section.idle is not None and now - news >= section.idle:
                break
            time.sleep(section.every)
            entries = list_entries()
    finally:  # also where a signal ends it
        batch.write_lists()
    for entry in entries:
        if arrivals.waits(entry):
            run.attempt("watching", entry.name, entry.path, partial(_fail, "not whole at the end"))
    stop.unlink(missing_ok=True)
    if run.failures:
        run.require(len(batch.done), "watching")
    return batch.done


def _lacks(entry: Entry) -> str | None:
    """Say what the header promises and the file does not hold; None if it is whole."""
    try:
        micrograph_shape(entry.path, entry.average_frames)
    except MicrographError as error:
        return str(error)
    return None


def _fail(reason: str) -> None:
    raise MicrographError(reason)


def _until(stop: Path, entries: Sequence[Entry]) -> Iterator[Entry]:
    for entry in entries:
        if stop.exists():
            return
        yield entry
