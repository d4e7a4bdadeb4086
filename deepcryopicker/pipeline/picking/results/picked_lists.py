"""The lists of picked micrographs: ``summary.csv``, and those of RELION."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.markup import escape

from deepcryopicker.dataset.named_files import SAME, Named, NamedFiles
from deepcryopicker.io.console import console
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.io.star.optics_groups import Optics, placeholder
from deepcryopicker.io.star.relion_folder import (
    Located,
    relion_name,
    write_coordinates,
    write_lists,
)
from deepcryopicker.pipeline.picking.pick_doubts import far_names
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.runs.attempts import Attempts
from deepcryopicker.types import Picks

_SUMMARY = (
    *("micrograph", "path", "picks", "candidates", "diameter", "pixel_size", "snr"),
    *("verdict", "note"),
)


def write_summary(path: Path, picked: Sequence[Picked]) -> None:
    """Write one row for each finished micrograph."""
    far = far_names(picked)
    write_rows(path, [_row(one, one.entry.name in far) for one in picked], _SUMMARY)


def find_named(
    members: Sequence[Picked], names: NamedFiles, attempts: Attempts
) -> list[tuple[Picked, Named]]:
    """Find the file that stands for each micrograph; a failure is recorded as one of it."""
    found = []
    for one in members:
        shape = (one.record.height, one.record.width)
        work = partial(names.find, one.entry, shape, one.record.pixel_size)
        named = attempts.attempt("naming", one.entry.name, one.entry.path, work)
        if named is not None:
            found.append((one, named))
    return found


def write_relion_lists(
    folder: Path,
    group: str,
    members: Sequence[tuple[Picked, Named]],
    threshold: float,
    others: bool,
) -> None:
    """Write the lists of all finished micrographs, and name those without a pixel size.

    Parameters
    ----------
    folder : Path
        Where RELION's files of this group lie.
    group : str
        Name of the dataset, for messages.
    members : sequence of (Picked, Named)
    threshold : float
        Minimum score of the picks.
    others : bool
        Whether other files than those picked are named; their coordinate files are then written.
    """
    if not members:
        return
    located = []
    for one, named in members:
        load = partial(_load, one, named, threshold)
        located.append(Located(named.path, named.height, _optics(one, named), load))
        if others:
            write_coordinates(folder, named.path, named.height, load(), named.is_scaled)
    write_lists(folder, located)
    unknown = [each for each in located if each.optics.pixel_size is None]
    if not unknown:
        return
    what = "the files have no pixel size, which RELION needs for extraction"
    if len(unknown) < len(located):
        example = escape(relion_name(unknown[0].path))
        what = (
            f"some of the files have no pixel size ({len(unknown)} of {len(located)}, such as "
            f"{example}); in RELION's files they are optics groups of their own, with a placeholder"
        )
    console.print(f"{group}: {what}: set dataset.pixel_size=ANGSTROM", soft_wrap=True)


def _optics(one: Picked, named: Named) -> Optics:
    """Return the optics group of a micrograph; placeholders where it is unknown."""
    known = one.entry.optics
    if known is None:
        return placeholder(named.pixel_size)
    if known.pixel_size is None or named.scale != SAME:
        return known.with_pixel_size(named.pixel_size)
    return known


def _load(one: Picked, named: Named, threshold: float) -> Picks:
    return named.to_its_pixels(one.load(threshold))


def _row(one: Picked, far: bool) -> dict[str, object]:
    return {
        "micrograph": one.entry.name,
        "path": str(one.entry.path),
        "picks": one.record.picks,
        "candidates": one.record.candidates,
        "diameter": f"{one.record.diameter:.2f}",
        # A header holds seven digits.
        "pixel_size": None if one.record.pixel_size is None else f"{one.record.pixel_size:.7g}",
        "snr": None if one.record.snr is None else f"{one.record.snr:.4f}",
        "verdict": one.verdict,
        "note": "far from the median number of picks" if far else None,
    }
