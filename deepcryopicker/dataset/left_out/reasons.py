"""Reasons for which a file is left out of the micrographs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

LEFT_OUT = "left_out.csv"
"""File in the run folder with the image files that are not used, and why."""


class Reason(Enum):
    """Why a file is left out: the words for one file and for several."""

    OWN = ("output of this program", "outputs of this program")
    SIMULATED = ("simulated micrograph", "simulated micrographs")
    PREVIEW = ("preview", "previews")
    THUMBNAIL = ("thumbnail", "thumbnails")
    SPECTRUM = ("power spectrum", "power spectra")
    CTF = ("CTF diagnostic", "CTF diagnostics")
    PLOT = ("plot of the motion", "plots of the motion")
    MASK = ("mask", "masks")
    BACKGROUND = ("background", "backgrounds")
    REFERENCE = ("gain reference or defect map", "gain references or defect maps")
    OVERVIEW = ("overview image", "overview images")
    HALF = ("odd or even half", "odd or even halves")
    TWIN = ("twin of a dose-weighted micrograph", "twins of dose-weighted micrographs")
    UNALIGNED = (
        "movie or sum without motion correction",
        "movies or sums without motion correction",
    )
    FILTERED = ("filtered copy", "filtered copies")
    COMPRESSED = ("compressed copy", "compressed copies")
    MOVIE = ("movie", "movies")
    STACK = ("stack of images", "stacks of images")
    VOLUME = ("tomogram, map or tilt series", "tomograms, maps or tilt series")
    RELION = ("particle, class or map of RELION", "particles, classes or maps of RELION")
    TRASH = ("file in a folder for trash", "files in a folder for trash")
    FOREIGN = ("file of another format", "files of other formats")
    CLASH = ("file that clashes with an earlier one", "files that clash with earlier ones")

    def of(self, number: int) -> str:
        """Return the number with the words for it."""
        return f"{number} {self.value[number != 1]}"


@dataclass(frozen=True)
class LeftOut:
    """A file that is not used as a micrograph.

    Attributes
    ----------
    path : Path
    reason : Reason
    used : Path or None
        The file of the same micrograph that is used instead, if that is the reason.
    note : str
        Further words, such as what a format of another program is.
    """

    path: Path
    reason: Reason
    used: Path | None = None
    note: str = ""


def count_reasons(left_out: Iterable[LeftOut]) -> str:
    """Count the reasons, the most frequent first.

    Examples
    --------
    >>> count_reasons([LeftOut(Path("a.jpg"), Reason.PREVIEW), LeftOut(Path("m.mrc"), Reason.MASK)])
    '1 preview, 1 mask'
    """
    counts = Counter(one.reason for one in left_out)
    return ", ".join(reason.of(number) for reason, number in counts.most_common())
