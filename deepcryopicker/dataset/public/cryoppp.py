"""What is known of the entries of CryoPPP: particle diameters, and faults of a few of them."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.pixel_sizes import known_pixel_size
from deepcryopicker.dataset.schema import CryopppConfig
from deepcryopicker.io.console import counted

DIAMETERS = {
    **{10005: 142, 10017: 108, 10028: 224, 10059: 132, 10061: 471, 10075: 233, 10077: 216},
    **{10081: 154, 10093: 172, 10096: 84, 10184: 118, 10240: 156, 10289: 162, 10291: 130},
    **{10345: 149, 10387: 213, 10389: 313, 10406: 212, 10444: 217, 10526: 482, 10532: 174},
    **{10576: 265, 10590: 158, 10669: 730, 10671: 133, 10737: 179, 10760: 106, 10816: 359},
    **{10852: 123, 10947: 240, 11051: 214, 11056: 164, 11057: 186, 11183: 159},
}
"""Particle diameters by EMPIAR number, pixels, as the authors of CryoPPP measured them."""

_SUPER_RESOLUTION = {10345: (0.673, 1.345)}
"""EMPIAR number: pixel size that is declared, and that of the micrographs; Angstrom."""

_WRONG_MOTION = (10526, 10671)
_SAME = 0.02  # relative difference of two pixel sizes
_FILES = 5  # with coordinates, read for the diameter
_NUMBER = re.compile(r"(?<!\d)1\d{4}(?!\d)")


def empiar_number(root: Path) -> int | None:
    """Return the EMPIAR number of the folder of an entry; None if it is not of CryoPPP.

    Examples
    --------
    >>> empiar_number(Path("cryoppp_lite/10017")), empiar_number(Path("mine"))
    (10017, None)
    """
    numbers = map(int, _NUMBER.findall(root.resolve().name))
    return next((number for number in numbers if number in DIAMETERS), None)


def with_published(catalogue: Catalogue, config: CryopppConfig) -> Catalogue:
    """Add the published particle diameter, and remarks, to the micrographs of an entry."""
    number = empiar_number(Path(config.entry or config.root))
    with_truth = [entry for entry in catalogue.entries if entry.truth is not None]
    diameter = _diameter(number, with_truth)
    notes = _remarks(number, catalogue.entries)
    if with_truth and len(with_truth) < len(catalogue.entries):
        lacking = len(catalogue.entries) - len(with_truth)
        notes.append(
            f"{config.name}: {lacking} of {counted(len(catalogue.entries), 'micrograph')} have no "
            "coordinates and are not scored"
        )
    published = {} if diameter is None else {config.name: diameter}
    return replace(catalogue, remarks=(*catalogue.remarks, *notes), published=published)


def _diameter(number: int | None, with_truth: Sequence[Entry]) -> tuple[float, str] | None:
    """Return the diameter in pixels and its source: the coordinate files, or else the table."""
    found = [one.given_places().diameter * one.truth_scale for one in with_truth[:_FILES]]
    given = np.concatenate([*found, np.empty(0)])
    if len(given) and np.isfinite(given).all() and np.ptp(given) == 0.0 and given[0] > 0.0:
        return float(given[0]), "of the column Diameter of its coordinates"
    if number is None:
        return None
    return float(DIAMETERS[number]), f"of EMPIAR-{number} in CryoPPP's table"


def _remarks(number: int | None, entries: Sequence[Entry]) -> list[str]:
    """Return the known faults of an entry."""
    if number in _WRONG_MOTION:
        return [
            f"EMPIAR-{number}: its motion correction in CryoPPP is known to be wrong; its scores "
            "say little about a picker"
        ]
    if number in _SUPER_RESOLUTION and entries:
        declared, right = _SUPER_RESOLUTION[number]
        used = known_pixel_size(entries[0].path, entries[0].pixel_size)
        if used is not None and abs(used / declared - 1.0) <= _SAME:
            return [
                f"EMPIAR-{number}: {used:.4g} Angstrom per pixel is that of super-resolution; the "
                f"micrographs have {right}: type dataset.pixel_size={right}"
            ]
    return []
