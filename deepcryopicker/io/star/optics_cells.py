"""Cells of an optics table: which are known, and the pixel size of the micrographs among them."""

from collections.abc import Mapping

from deepcryopicker.io.files.cell_values import PIXEL_SIZES, is_unknown, number_in, pixel_size_in

PIXEL_SIZE = "rlnMicrographPixelSize"
MAGNIFICATION, DETECTOR = "rlnMagnification", "rlnDetectorPixelSize"  # of RELION 3.0
IMAGE = "rlnImageName"
OF_IMAGES = "rlnImage"
"""Columns of extracted particles begin so; these may be of another pixel size."""

_RANGES = {
    "rlnVoltage": (1.0, 5000.0),  # kV
    "rlnSphericalAberration": (-10.0, 100.0),  # mm; aberration correctors make it zero or less
    "rlnAmplitudeContrast": (0.0, 1.0),
}
_NOT_NUMBERS = ("inf", "infinity")
_OF_OTHERS = ("rlnMicrographOriginalPixelSize", "rlnImagePixelSize")  # movies, extracted particles


def is_known(column: str, cell: str) -> bool:
    """Return whether a cell has a value that may be used and written."""
    if column in _RANGES or column.endswith("PixelSize"):
        low, high = _RANGES.get(column, PIXEL_SIZES)
        return low <= number_in(cell) <= high
    return not is_unknown(cell) and cell.strip().lower().lstrip("+-") not in _NOT_NUMBERS


def magnified(row: Mapping[str, str]) -> str | None:
    """Return the pixel size that detector and magnification of RELION 3.0 give, Angstrom.

    In rows of particles it is that of the extracted images, and None is returned.
    """
    if IMAGE in row:
        return None
    detector, magnification = (
        number_in(row.get(column, "")) for column in (DETECTOR, MAGNIFICATION)
    )
    if not magnification > 0:
        return None
    size = f"{10_000 * detector / magnification:.6f}"  # the detector in micrometre
    return None if pixel_size_in(size) is None else size


def doubts_about(row: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a row states that cannot be used, such as ``rlnVoltage '0'``.

    What is stated to be unknown, such as ``<NA>``, is left out of them. A pixel size of movies or
    of extracted particles, without one of the micrographs, is among them.
    """
    doubts = [
        f"{column} '{cell[:40]}'"
        for column, cell in row.items()
        if not column.startswith(OF_IMAGES) and not is_unknown(cell) and not is_known(column, cell)
    ]
    if is_known(DETECTOR, row.get(DETECTOR, "")) and IMAGE not in row and magnified(row) is None:
        doubts.append(f"{MAGNIFICATION} '{row.get(MAGNIFICATION, '')[:40]}'")
    if doubts or PIXEL_SIZE in row or DETECTOR in row:
        return tuple(doubts)
    others = [name for name in _OF_OTHERS if is_known(name, row.get(name, ""))]
    return tuple(f"{PIXEL_SIZE} (there is only {name} '{row[name][:40]}')" for name in others[:1])
