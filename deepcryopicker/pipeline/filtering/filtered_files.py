"""Write the picks that are kept, in every format."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import track
from deepcryopicker.io.coordinates.boxes import write_box, write_cbox
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.topaz_table import write_topaz
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.io.star.relion_folder import (
    Located,
    refuse_shared_files,
    write_coordinates,
    write_lists,
)
from deepcryopicker.pipeline.filtering.filter_picks import KeptPicks
from deepcryopicker.runs.manifest import write_records
from deepcryopicker.types import Picks

_THREADS = 4
_SUMMARY = ("micrograph", "path", "picks", "candidates", "diameter")
_BOXES: dict[str, Callable[[Path, Picks, int | None], None]] = {
    "box": write_box,
    "cbox": write_cbox,
}


def write_filtered(
    folder: Path,
    kept: Sequence[KeptPicks],
    formats: Collection[str],
    note: str,
    box: int | None = None,
) -> None:
    """Write the files of every micrograph, as a run of ``pick`` does, and the lists of all.

    Parameters
    ----------
    folder : Path
        Run folder.
    kept : sequence of KeptPicks
    formats : collection of str
        Beside CSV.
    note : str
        What was done, for RELION's files.
    box : int, optional
        Side of the boxes in BOX and CBOX files, original pixels; the diameters by default.

    Raises
    ------
    UsageError
        RELION would read the picks of two micrographs from one file, or boxes have no size.
    """
    by_group: dict[str, list[KeptPicks]] = {}
    files = Counter(one.micrograph.named.path for one in kept)
    for one in kept if "relion" in formats else ():
        # RELION would take blocks of a micrograph, which share its file, for whole ones.
        if files[one.micrograph.named.path] == 1:
            by_group.setdefault(one.micrograph.group, []).append(one)
    for group, members in by_group.items():
        paths = [one.micrograph.named.path for one in members]
        refuse_shared_files(folder / "relion" / group, paths)

    def write(one: KeptPicks) -> None:
        whole = files[one.micrograph.named.path] == 1
        written = formats if whole else set(formats) - {"relion"}
        _write_files(folder, one, written, note, box)

    # Several threads, because most of the time is spent waiting for the disk.
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for written in track([pool.submit(write, one) for one in kept], "writing"):
            written.result()
    finally:
        pool.shutdown(cancel_futures=True)
    for group, members in by_group.items():
        write_lists(folder / "relion" / group, [_located(one) for one in members], note)
    if "topaz" in formats:
        write_topaz(folder / "topaz.txt", ((one.micrograph.name, one.picks) for one in kept))
    write_records(
        folder,
        [
            replace(one.micrograph.record, picks=len(one.picks), candidates=len(one.picks))
            for one in kept
            if one.micrograph.record is not None
        ],
    )
    write_rows(folder / "summary.csv", [_row(one) for one in kept], _SUMMARY)


def _write_files(
    folder: Path, one: KeptPicks, formats: Collection[str], note: str, box: int | None
) -> None:
    """Write the files of one micrograph."""
    name, picks = one.micrograph.name, one.picks
    write_csv(folder / "picks" / f"{name}.csv", picks)
    for ending, write in _BOXES.items():
        if ending in formats:
            if box is None and np.isnan(picks.diameter).any():
                raise UsageError(f"{name}: picks without a diameter; give filter.box=PIXELS")
            write(folder / ending / f"{name}.{ending}", picks, box)
    if "relion" in formats:
        there, converted = _located(one), one.micrograph.named.is_scaled
        place = folder / "relion" / one.micrograph.group
        write_coordinates(place, there.path, there.height, there.load(), converted, note)


def _located(one: KeptPicks) -> Located:
    named = one.micrograph.named
    return Located(
        named.path, named.height, one.micrograph.optics, lambda: named.to_its_pixels(one.picks)
    )


def _row(one: KeptPicks) -> dict[str, object]:
    diameter = one.micrograph.diameter
    return {
        "micrograph": one.micrograph.name,
        "path": str(one.micrograph.named.path),
        "picks": len(one.picks),
        "candidates": one.given,
        "diameter": None if diameter is None else f"{diameter:.2f}",
    }
