"""What is done with a micrograph before its files are written: read, preprocess, pick."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.detection.measures import measure_picks
from deepcryopicker.io.coordinates.candidate_csv import as_written
from deepcryopicker.io.coordinates.corrections import Correction
from deepcryopicker.picker.function import Picker
from deepcryopicker.pipeline.inputs.given_corrections import as_corrected
from deepcryopicker.pipeline.inputs.prefetch import read_ahead, work_ahead
from deepcryopicker.pipeline.picking.results.masks import Masks
from deepcryopicker.pipeline.picking.results.pick_files import Files
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.manifest import stamp
from deepcryopicker.types import Picks


class FoundPicks(NamedTuple):
    """What was found in a micrograph, and written.

    Attributes
    ----------
    picks : Picks
        Every candidate, see :func:`find_candidates`.
    snr : float or None
        Signal-to-noise ratio of the true particles, None if unknown.
    """

    picks: Picks
    snr: float | None


@dataclass(frozen=True)
class Prepared:
    """A micrograph that was read and preprocessed.

    Attributes
    ----------
    stamp : (int, int)
        Size and time of the file, taken before reading, so that later changes are noticed.
    preprocessed : Preprocessed
    found : FoundPicks or None
        If it was picked at the same time.
    """

    stamp: tuple[int, int]
    preprocessed: Preprocessed
    found: FoundPicks | None = None


def prepare(preprocessing: PreprocessingConfig, entry: Entry) -> Prepared:
    """Read a micrograph and run the preprocessing that every picker needs."""
    known = stamp(entry.path) or (0, 0)
    micrograph = entry.load()
    preprocessed = Preprocessed(micrograph, entry.particle_diameter(micrograph), preprocessing)
    preprocessed.flat  # noqa: B018
    return Prepared(known, preprocessed)


def prepare_ahead(
    entries: Sequence[Entry],
    preprocessing: PreprocessingConfig,
    find: Callable[[Entry, Preprocessed], FoundPicks] | None,
) -> Generator[Callable[[], Prepared], None, None]:
    """Read and preprocess micrographs while the caller works on earlier ones.

    Parameters
    ----------
    entries : sequence of Entry
    preprocessing : PreprocessingConfig
    find : callable or None
        Picks a micrograph; called for several at the same time, each in a thread.

    Yields
    ------
    callable
        As :func:`deepcryopicker.pipeline.inputs.prefetch.read_ahead`.
    """
    if find is None:
        return read_ahead(entries, partial(prepare, preprocessing))

    def pick(entry: Entry) -> Prepared:
        prepared = prepare(preprocessing, entry)
        return replace(prepared, found=find(entry, prepared.preprocessed))

    return work_ahead(entries, pick)


def find_candidates(
    entry: Entry,
    preprocessed: Preprocessed,
    picker: Picker,
    files: Files,
    masks: Masks | None = None,
    correction: Correction | None = None,
) -> Picks:
    """Pick one micrograph; of its files only the mask is written.

    Parameters
    ----------
    entry : Entry
    preprocessed : Preprocessed
    picker : callable
    files : Files
    masks : Masks, optional
        Where nothing is picked.
    correction : Correction, optional
        What a person has decided in this micrograph.

    Returns
    -------
    Picks
        Every candidate, rounded as in the files, in the frame of the micrograph.
    """
    found = picker(entry, preprocessed)
    if masks is not None:
        found = masks.leave_out(entry, preprocessed, found, files.masks(entry))
    if correction is not None and entry.block is None:
        found = as_corrected(found, correction, preprocessed.diameter)
    found = measure_picks(found, preprocessed)
    # Rounded as in the files, so that the written picks are scored.
    return as_written(entry.to_micrograph(found))
