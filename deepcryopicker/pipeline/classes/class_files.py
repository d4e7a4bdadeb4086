"""Files of classes: the averages as MRC stack and STAR, the particles as STAR and CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.frames import to_original, to_working
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.files.tables import read_rows, write_rows
from deepcryopicker.io.files.text import gather
from deepcryopicker.io.star.optics_groups import (
    Optics,
    optics_notes,
    optics_table,
    placeholder,
    with_own_numbers,
)
from deepcryopicker.io.star.relion_class_star import (
    Member,
    write_classes_star,
    write_members_star,
)
from deepcryopicker.io.star.relion_folder import (
    FLIPPED,
    as_relion_reads,
    is_tiff,
    relion_name,
)
from deepcryopicker.pipeline.classes.classify_dataset import PickClasses
from deepcryopicker.pipeline.classes.cut_dataset import PickedWindows
from deepcryopicker.types import Floats, Picks

STACK, AVERAGES, PARTICLES, TABLE, MEMBERS = (
    "classes.mrcs",
    "classes.star",
    "particles.star",
    "classes.csv",
    "members.csv",
)
_OF_MEMBER = ("micrograph", "x", "y", "class")
_COLUMNS = ("class", "picks", "share", "resolution", "contrast", "like_random")


def write_class_files(folder: Path, cut: PickedWindows, found: PickClasses) -> None:
    """Write all files of the classes of a dataset.

    Parameters
    ----------
    folder : Path
    cut : PickedWindows
    found : PickClasses
    """
    _write_stack(folder / STACK, cut, found)
    share = found.count / max(found.count.sum(), 1)
    write_classes_star(folder / AVERAGES, folder / STACK, share, resolution_angstrom(cut, found))
    write_rows(folder / TABLE, table_of(cut, found), _COLUMNS)
    write_rows(folder / MEMBERS, _places(cut, found), _OF_MEMBER)
    optics = with_own_numbers(
        [_optics(*each) for each in zip(cut.entries, cut.pixel_sizes, strict=True)]
    )
    notes = optics_notes(list(dict.fromkeys(optics)))
    if any(is_tiff(entry.path) for entry in cut.entries):
        notes = [FLIPPED, *notes]
    write_members_star(
        folder / PARTICLES,
        _members(cut, found, optics),
        optics_table(list(dict.fromkeys(optics))),
        notes,
    )


def read_members(folder: Path) -> dict[str, tuple[Floats, npt.NDArray[np.int64]]]:
    """Read which class every pick is in, from a run folder of ``classes``.

    Returns
    -------
    dict of (positions (N, 2) float64, classes (N,) int64)
        By name of the micrograph; positions as they were given, original pixels.

    Raises
    ------
    UsageError
        The file is missing or damaged.
    """
    path = folder / MEMBERS
    header, rows = read_rows(path, ",".join(_OF_MEMBER))
    found, names = gather(path, header, rows, _OF_MEMBER[1:], _OF_MEMBER[0])
    places = Picks.create(found["x"], found["y"], found["class"])
    return {
        name: (one.positions, one.score.astype(np.int64))
        for name, one in places.grouped(names).items()
    }


def _places(cut: PickedWindows, found: PickClasses) -> list[dict[str, object]]:
    """Return a row for each pick, at the place where it was picked."""
    label = iter(found.label + 1)
    return [
        {"micrograph": entry.name, "x": f"{x:.3f}", "y": f"{y:.3f}", "class": int(next(label))}
        for entry, picks in zip(cut.entries, cut.picks, strict=True)
        for x, y in entry.to_micrograph(picks).positions
    ]


def resolution_angstrom(cut: PickedWindows, found: PickClasses) -> list[float | None]:
    """Return the resolution of each average, Angstrom; None if no pixel size is known."""
    if cut.pixel_size is None:
        return [None] * len(found.finest)
    diameter = cut.diameter * cut.pixel_size
    return [diameter / finest if finest > 0 else None for finest in found.finest]


def table_of(cut: PickedWindows, found: PickClasses) -> list[dict[str, object]]:
    """Return a row for each class; resolution in Angstrom, or in diameters if no size is known."""
    rows = []
    for k, angstrom in enumerate(resolution_angstrom(cut, found)):
        finest = found.finest[k]
        diameters = 1.0 / finest if finest > 0 else np.nan
        rows.append(
            {
                "class": k + 1,
                "picks": int(found.count[k]),
                "share": f"{found.count[k] / max(found.count.sum(), 1):.3f}",
                "resolution": f"{diameters if cut.pixel_size is None else angstrom or np.nan:.3g}",
                "contrast": f"{found.contrast[k]:.2f}",
                "like_random": int(found.like_random[k]),
            }
        )
    return rows


def _write_stack(path: Path, cut: PickedWindows, found: PickClasses) -> None:
    import mrcfile  # on demand, so that wrong paths are answered first

    with replacing(path) as temporary, mrcfile.new(temporary, overwrite=True) as file:
        file.set_data(found.image.astype(np.float32))
        file.set_image_stack()
        if cut.pixel_size is not None:
            file.voxel_size = cut.pixel_size


def _optics(entry: Entry, pixel_size: float | None) -> Optics:
    if entry.optics is None:
        return placeholder(pixel_size)
    known = entry.optics.pixel_size is not None
    return entry.optics if known else entry.optics.with_pixel_size(pixel_size)


def _members(cut: PickedWindows, found: PickClasses, optics: Sequence[Optics]) -> Iterator[Member]:
    """Yield the row of each pick, at the place where its class is centred."""
    start = 0
    for number, (entry, picks) in enumerate(zip(cut.entries, cut.picks, strict=True)):
        members = slice(start, start + len(picks))
        start += len(picks)
        scale = cut.scales[number]
        # Shifts count from the pixel of the window's centre.
        x, y = (
            to_original(np.floor(to_working(at, scale) + 0.5) + shift, scale)
            for at, shift in zip((picks.x, picks.y), found.shifts[members].T, strict=True)
        )
        moved = entry.to_micrograph(replace(picks, x=x, y=y))
        read = as_relion_reads(entry.path, cut.heights[number], moved)
        label = found.label[members] + 1
        name, group = relion_name(entry.path), optics[number].group
        for i in range(len(picks)):
            at = float(read.x[i]), float(read.y[i]), float(read.score[i])
            yield *at, int(label[i]), group, name
