"""What is done with a micrograph before its files are written: read, preprocess, pick."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, NamedTuple

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.detection.measures import measure_picks
from deepcryopicker.io.coordinates.candidate_csv import as_written
from deepcryopicker.io.coordinates.corrections import Correction
from deepcryopicker.picker.function import Picker
from deepcryopicker.pipeline.inputs.given_corrections import as_corrected
from deepcryopicker.pipeline.inputs.prefetch import count_threads, read_ahead, work_ahead
from deepcryopicker.pipeline.picking.results.masks import Masks
from deepcryopicker.pipeline.picking.results.pick_files import Files, overlay_background
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.manifest import stamp
from deepcryopicker.types import Picks

if TYPE_CHECKING:
    from deepcryopicker.plots.overlays import ReducedPicture


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
    background : ReducedPicture or None
        Of its overlay, if it has one.
    found : FoundPicks or None
        If it was picked at the same time.
    """

    stamp: tuple[int, int]
    preprocessed: Preprocessed
    background: "ReducedPicture | None" = None
    found: FoundPicks | None = None


def prepare(preprocessing: PreprocessingConfig, entry: Entry, drawn: bool = False) -> Prepared:
    """Read a micrograph and run the preprocessing that every picker needs.

    Parameters
    ----------
    preprocessing : PreprocessingConfig
    entry : Entry
    drawn : bool
        Whether the background of an overlay is needed.
    """
    known = stamp(entry.path) or (0, 0)
    micrograph = entry.load()
    preprocessed = Preprocessed(micrograph, entry.particle_diameter(micrograph), preprocessing)
    preprocessed.flat  # noqa: B018
    background = overlay_background(micrograph, preprocessed.diameter) if drawn else None
    return Prepared(known, preprocessed, background)


def prepare_ahead(
    entries: Sequence[Entry],
    preprocessing: PreprocessingConfig,
    find: Callable[[Entry, Preprocessed], FoundPicks] | None,
    is_drawn: Callable[[str], bool],
) -> Generator[Callable[[], Prepared], None, None]:
    """Read and preprocess micrographs while the caller works on earlier ones.

    Parameters
    ----------
    entries : sequence of Entry
    preprocessing : PreprocessingConfig
    find : callable or None
        Picks a micrograph; called for several at the same time, each in a thread.
    is_drawn : callable
        Whether the micrograph of a name has an overlay.

    Yields
    ------
    callable
        As :func:`deepcryopicker.pipeline.inputs.prefetch.read_ahead`.
    """

    def read(entry: Entry) -> Prepared:
        return prepare(preprocessing, entry, is_drawn(entry.name))

    if find is None:
        return read_ahead(entries, read)
    # Most of the memory is a micrograph at its own scale: half of the threads hold one at a time,
    # and none while its picks are found.
    reading = BoundedSemaphore(max(1, count_threads() // 2))

    def pick(entry: Entry) -> Prepared:
        with reading:
            prepared = read(entry)
            if not entry.turned_over:  # else all is computed again, in the order of the MRC file
                lean = prepared.preprocessed.without_pixels(entry.load)
                prepared = replace(prepared, preprocessed=lean)
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
