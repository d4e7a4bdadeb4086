"""File suffixes of micrographs; a compressed MRC file has two."""

from pathlib import PurePath

COMPRESSED = frozenset({".gz", ".bz2"})
MRC = frozenset({".mrc", ".mrcs"})
COMPRESSED_MRC = frozenset(mrc + packed for mrc in MRC for packed in COMPRESSED)
PICTURES = frozenset({".png", ".jpg", ".jpeg"})
TIFF = frozenset({".tif", ".tiff"})
EXTENSIONS = MRC | COMPRESSED_MRC | PICTURES | TIFF
"""Lower-case suffixes of files that a folder of micrographs is searched for."""

STACKS = frozenset({".mrcs"})
MRC_BY_OTHER_NAMES = frozenset({".st", ".map", ".rec", ".ali"})
"""Of MRC files that are rarely micrographs: tilt series, maps, tomograms. Read if asked for."""

_READ_AS_MRC = MRC | COMPRESSED_MRC | MRC_BY_OTHER_NAMES

VENDORS = {
    ".eer": "an EER movie: run motion correction first",
    ".tvips": "a TVIPS movie: run motion correction first",
    ".dm3": "a DigitalMicrograph file: convert it with IMOD, dm2mrc in out",
    ".dm4": "a DigitalMicrograph file: convert it with IMOD, dm2mrc in out",
    ".ser": "a TIA series: convert it to MRC, for example with EMAN's e2proc2d.py",
    ".emi": "a TIA header without pixels: convert the .ser file beside it to MRC",
    ".hdf": "an HDF5 file: convert it to MRC, for example with EMAN's e2proc2d.py",
    ".h5": "an HDF5 file: convert it to MRC, for example with EMAN's e2proc2d.py",
}
"""Files of other programs by suffix: what they are and how to convert them."""


def suffix_of(path: PurePath) -> str:
    """Return the lower-case suffix; both suffixes of a compressed file.

    Examples
    --------
    >>> suffix_of(PurePath("grid.1/A.MRC.gz")), suffix_of(PurePath("a.1.tif"))
    ('.mrc.gz', '.tif')
    """
    suffix = path.suffix.lower()
    return suffix_of(path.with_suffix("")) + suffix if suffix in COMPRESSED else suffix


def is_mrc(path: PurePath) -> bool:
    """Return whether a file is read as MRC, by its suffix.

    Examples
    --------
    >>> [is_mrc(PurePath(name)) for name in ("a.MRC.gz", "a.map", "a.tif")]
    [True, True, False]
    """
    return suffix_of(path) in _READ_AS_MRC


def without_suffix(path: PurePath) -> PurePath:
    """Return the path without the suffix that :func:`suffix_of` returns.

    Examples
    --------
    >>> without_suffix(PurePath("grid.1/a.mrc.gz")).as_posix()
    'grid.1/a'
    """
    return path.with_name(path.name[: len(path.name) - len(suffix_of(path))])
