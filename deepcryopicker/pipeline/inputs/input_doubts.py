"""Warnings before any work: pixel sizes that contradict each other, and unlikely diameters."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.pixel_sizes import given_doubt, known_pixel_size, spread_sample
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.io.images.reader import micrograph_shape
from deepcryopicker.preprocessing.chain import check_diameter
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.folder import Run

_SMALL = 8.0  # pixels
_LARGE = 3.0  # times the diameter is the shorter side
_ANGSTROM_PER_NM = 10.0


@dataclass(frozen=True)
class HeaderSizes:
    """Sizes of a micrograph and its particles, as far as its header says.

    Attributes
    ----------
    entry : Entry
    diameter : float
        Particle diameter, original pixels.
    shape : (int, int)
        H and W, pixels.
    pixel_size : float or None
        Angstrom per pixel that is used, given or from the header.
    """

    entry: Entry
    diameter: float
    shape: tuple[int, int]
    pixel_size: float | None


def warn_of_inputs(entries: Sequence[Entry], preprocessing: PreprocessingConfig, run: Run) -> None:
    """Warn of pixel sizes and diameters that are likely wrong, from a few headers of each group.

    Parameters
    ----------
    entries : sequence of Entry
        Micrographs whose diameter is known.
    preprocessing : PreprocessingConfig
    run : Run

    Raises
    ------
    UsageError
        The diameter is so small that no micrograph could be picked.
    """
    for group in dict.fromkeys(entry.group for entry in entries):
        members = [entry for entry in entries if entry.group == group]
        given = [(entry.path, entry.pixel_size) for entry in members if entry.pixel_size]
        run.warn(f"pixel size of {group}", given_doubt(given))
        measured = (_measure(entry) for entry in spread_sample(members))
        first = next((one for one in measured if one is not None), None)
        if first is None:
            continue
        run.warn(f"diameter of {group}", diameter_doubt(first))
        try:
            check_diameter(preprocessing, first.diameter, first.shape)
        except MicrographError as error:
            raise UsageError(f"{group}: {error}") from error


def diameter_doubt(one: HeaderSizes) -> str | None:
    """Return a warning about a diameter below 8 pixels or above a third of the shorter side."""
    small = one.diameter < _SMALL
    if not small and one.diameter * _LARGE <= min(one.shape):
        return None
    height, width = one.shape
    rule = (
        f"fewer than {_SMALL:g}, which is too few to recognise them"
        if small
        else f"more than a third of an image of {width}x{height} pixels"
    )
    return f"{one.entry.group}: particles of {one.diameter:.3g} pixels are {rule}; {_advice(one)}"


def _advice(one: HeaderSizes) -> str:
    """Return what to type in place of an unlikely diameter."""
    entry = one.entry
    if entry.estimated:
        return "the diameter was not given: type dataset.diameter=PIXELS"
    if entry.diameter is not None:
        unit, length = "nanometres", entry.diameter * _ANGSTROM_PER_NM
        if one.diameter >= _SMALL:
            unit, length = "Angstrom", entry.diameter
        return (
            f"if dataset.diameter is in {unit}, type dataset.diameter_angstrom={length:g} instead"
        )
    used = "unknown" if one.pixel_size is None else f"{one.pixel_size:.4g}"
    return (
        f"dataset.diameter_angstrom={entry.diameter_angstrom:g} at {used} Angstrom per pixel: if "
        "these micrographs have another, type dataset.pixel_size=ANGSTROM"
    )


def _measure(entry: Entry) -> HeaderSizes | None:
    """Read the header of a micrograph; None if it cannot be used."""
    try:
        size = known_pixel_size(entry.path, entry.pixel_size)
        shape = entry.shape_in(micrograph_shape(entry.path, entry.average_frames))
        return HeaderSizes(entry, entry.diameter_at(size), shape, size)
    except MicrographError:
        return None
