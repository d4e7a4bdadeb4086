"""Names of micrographs as programs write them, reduced to what they have in common.

A name is a path with ``/`` and without the extension of an image. Programs put folders of their
jobs before it, a number in front of the file's name, or words behind it.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from deepcryopicker.io.files.suffixes import EXTENSIONS, VENDORS, suffix_of, without_suffix

UNCERTAIN = ".uncertain"
"""End of the name of files with positions that may or may not hold a particle."""

# Of a position, as in 000012@Extract/job007/x.mrcs.
_NUMBER = re.compile(r"^\d+@")
# Folders of jobs of RELION, and of cryoSPARC, up to which nothing is part of a name.
_JOB = re.compile(r"^(?:.*/)?(?:job\d{3}[^/]*|[JS]\d+/(?:motioncorrected|imported|extract))/")
# cryoSPARC's number of a micrograph.
_UID = re.compile(r"^\d{15,}_(?=.)")
_OF_COORDINATES = (
    *("autopick", "manualpick", "automatch", "extract", "extracted", "subtracted", "topaz"),
    *("pick", "picks", "picked", "particle", "particles", "coord", "coords", "coordinates"),
    *("box", "boxes", "cryolo", "manual", "labels"),
)
_OF_MOTION_CORRECTION = (
    *("patch_aligned", "rigid_aligned", "aligned_mic", "aligned", "doseweighted", "no_dw"),
    *("nodw", "dws", "dw", "motioncor2?", "motioncorr", "mc2?", "corrected", "corr", "fractions"),
    *("frames", "frameimage", "movie", "denoised", "eer"),
)
_IMAGE = tuple(suffix.lstrip(".") for suffix in sorted(EXTENSIONS) if suffix.count(".") == 1)
_ADDITION = re.compile(
    rf"(?<=.)[_.-](?:{'|'.join((*_OF_COORDINATES, *_OF_MOTION_CORRECTION, *_IMAGE))})$",
    re.IGNORECASE,
)
_OF_PICKER = re.compile(rf"(?<=.)[_.-](?:{'|'.join(_OF_COORDINATES)})$", re.IGNORECASE)
# Words that make another set of positions, or another image, of the same micrograph.
_DIFFERENT = re.compile(
    r"uncertain|reject|bad|junk|false|noise|unique|removed|exclu|deleted|contam|ice|bin|crop|scaled"
)


def plain_name(text: str) -> str:
    """Return the name in a cell or path: without number, backslashes and extension of an image.

    Examples
    --------
    >>> plain_name("000012@Extract/job007/raw/x.1.mrcs")
    'Extract/job007/raw/x.1'
    >>> plain_name("./x.y"), plain_name("movies/x.tif")
    ('x.y', 'movies/x')
    """
    path = PurePosixPath(_NUMBER.sub("", text.strip()).replace("\\", "/"))
    return str(without_suffix(path) if suffix_of(path) in (EXTENSIONS | VENDORS.keys()) else path)


def bare_name(name: str) -> str:
    """Return a plain name without folders of jobs, and its file without known additions.

    Examples
    --------
    >>> bare_name("MotionCorr/job002/raw/x_autopick")
    'raw/x'
    >>> bare_name("J14/motioncorrected/008578565574161745010_x_patch_aligned_doseweighted")
    'x'
    """
    folders, slash, file = _JOB.sub("", name).rpartition("/")
    return f"{folders}{slash}{_bare_file(file)}"


def picked_name(name: str) -> str:
    """Return the name of a micrograph from that of its coordinate file.

    Examples
    --------
    >>> picked_name("raw/x_DW_autopick"), picked_name("x")
    ('raw/x_DW', 'x')
    """
    return _OF_PICKER.sub("", name)


def _bare_file(file: str) -> str:
    file = _UID.sub("", file)
    while (shorter := _ADDITION.sub("", file)) != file:
        file = shorter
    return file


def agree(one: str, other: str) -> bool:
    """Return whether two names are equal, or one ends with the other, folder by folder.

    RELION keeps the path of the micrograph in that of its coordinates, whereas Topaz drops it.

    Examples
    --------
    >>> agree("MotionCorr/job002/raw/x", "raw/x"), agree("grid1/x", "grid2/x")
    (True, False)
    """
    shorter, longer = sorted((one, other), key=len)
    return longer == shorter or longer.endswith(f"/{shorter}")


def additions(name: str) -> list[tuple[str, str]]:
    """List the ways to part the file of a name into the name of a micrograph and an addition.

    Returns
    -------
    list of (name, addition)
        An addition contains a letter, because numbers count micrographs, and none of the words
        for other positions, such as ``rejected``.

    Examples
    --------
    >>> additions("s1/1_mine")
    [('s1/1', '_mine')]
    >>> additions("mine_x")
    [('mine', '_x'), ('x', 'mine_')]
    """
    folders, slash, file = name.rpartition("/")
    joints = [place for place, sign in enumerate(file) if sign in "_.-" and place]
    parted = [(file[:place], file[place:]) for place in reversed(joints)]
    parted += [(file[place + 1 :], file[: place + 1]) for place in joints]
    return [
        (f"{folders}{slash}{rest}", addition)
        for rest, addition in parted
        if rest and any(map(str.isalpha, addition)) and not _DIFFERENT.search(addition.lower())
    ]


class NameIndex:
    """Names of which those that match another are found quickly.

    Parameters
    ----------
    names : iterable of str
        Plain names.
    reduce : callable
        Applied to both names before they are compared, such as :func:`bare_name`.
    """

    def __init__(self, names: Iterable[str], reduce: Callable[[str], str]) -> None:
        self._reduce = reduce
        self._by_file: dict[str, list[tuple[str, str]]] = {}
        for name in names:
            short = reduce(name)
            self._by_file.setdefault(_file(short), []).append((short, name))

    def matching(self, name: str) -> list[str]:
        """Return the names that agree with this one."""
        short = self._reduce(name)
        similar = self._by_file.get(_file(short), [])
        return [one for reduced, one in similar if agree(reduced, short)]


def _file(name: str) -> str:
    return name.rpartition("/")[2]
