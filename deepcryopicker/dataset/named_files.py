"""The micrographs that STAR files name, which may be others than those that are picked.

Picks on PNG or JPG copies are given to RELION under the names of the MRC files, in their pixels.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.markup import escape

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.frames import to_working
from deepcryopicker.io.console import console
from deepcryopicker.io.files.suffixes import EXTENSIONS, PICTURES, suffix_of, without_suffix
from deepcryopicker.io.images.reader import header_pixel_size, micrograph_shape
from deepcryopicker.types import Picks

SAME = (1.0, 1.0)
"""Scales of a file that is as large as the picked one."""
_KEY = "picker.micrograph_suffix"
_USUAL = ".mrc"  # of a file that is in no folder
# In the order in which a folder is searched; a picture is the last that RELION could read.
_SUFFIXES = (_USUAL, *sorted(EXTENSIONS - PICTURES - {_USUAL}), *sorted(PICTURES))
_SAME_RATIO = 0.01  # relative difference of the scales along x and y
_ROUNDED = 1.0  # pixels of the smaller image by which binning may cut a side


@dataclass(frozen=True)
class Named:
    """The file that stands for a micrograph in STAR files.

    Attributes
    ----------
    path : Path
        Need not exist.
    height : int or None
        H, pixels of this file; None if unknown, where positions are as RELION reads them.
    scale : (float, float)
        Pixels of this file per pixel of the picked one, along x and y.
    pixel_size : float or None
        Angstrom per pixel of this file.
    """

    path: Path
    height: int | None
    scale: tuple[float, float] = SAME
    pixel_size: float | None = None

    @property
    def is_scaled(self) -> bool:
        """Whether its pixels are others than those of the picked micrograph."""
        return self.scale != SAME

    def to_its_pixels(self, picks: Picks) -> Picks:
        """Convert picks from the pixels of the picked micrograph."""
        if self.scale == SAME:
            return picks
        return replace(
            picks,
            x=to_working(picks.x, self.scale[0]),
            y=to_working(picks.y, self.scale[1]),
            diameter=picks.diameter * self.scale[0],
        )


class NamedFiles:
    """Finds the file that STAR files name for a micrograph.

    Parameters
    ----------
    given : str or None
        Suffix such as ``.mrc`` or ``_DW.mrc``, which replaces that of the micrograph, or a folder
        with files of the same names; None names the picked micrographs.

    Raises
    ------
    UsageError
        It is neither.
    """

    def __init__(self, given: str | None) -> None:
        self._given = given
        self._folder = None if given is None or not Path(given).is_dir() else Path(given)
        suffix = given is not None and "/" not in given and suffix_of(Path(f"x{given}"))
        if given is not None and self._folder is None and suffix not in EXTENSIONS:
            raise UsageError(
                f"{_KEY}={given} is neither a folder nor a suffix of micrographs: "
                "give .mrc, or the folder of the files to be named"
            )

    @property
    def others(self) -> bool:
        """Whether other files than those picked are named."""
        return self._given is not None

    def path(self, entry: Entry) -> Path:
        """Return the path of the named file."""
        if self._given is None:
            return entry.path
        if self._folder is None:
            return entry.path.with_name(f"{without_suffix(entry.path).name}{self._given}")
        stem = without_suffix(entry.path).name
        # As deep as the picked one lies in its dataset, or all in one folder.
        below = dict.fromkeys((Path(entry.name).parent / stem, Path(stem)))
        candidates = [self._folder / f"{each}{suffix}" for each in below for suffix in _SUFFIXES]
        present = (path for path in candidates if path.is_file())
        return next(present, candidates[0])

    def find(self, entry: Entry, shape: tuple[int, int], pixel_size: float | None) -> Named:
        """Return the named file with its size.

        Parameters
        ----------
        entry : Entry
        shape : (int, int)
            H and W of the picked micrograph, pixels.
        pixel_size : float or None
            Of the picked micrograph, Angstrom.

        Raises
        ------
        MicrographError
            The named file cannot be read, or has other proportions.
        """
        path = self.path(entry)
        if path == entry.path or not path.is_file():
            return Named(path, shape[0], pixel_size=pixel_size)
        height, width = micrograph_shape(path, average_frames=True)
        scale = (width / shape[1], height / shape[0])
        spread = max(_SAME_RATIO, _ROUNDED / min(*shape, height, width))
        if abs(scale[0] / scale[1] - 1.0) > spread:
            raise MicrographError(
                f"{shape[1]}x{shape[0]} pixels, but {path} has {width}x{height}, which is not "
                f"the same picture at another size; correct {_KEY}"
            )
        of_copy = None if pixel_size is None else pixel_size / scale[0]
        return Named(path, height, scale, header_pixel_size(path) or of_copy)

    def check(self, entries: Iterable[Entry]) -> None:
        """Warn about named files that do not exist; refuse those of other proportions.

        Raises
        ------
        UsageError
            Names both files.
        """
        if not self.others:
            return
        every = list(entries)
        missing = [path for path in map(self.path, every) if not path.is_file()]
        if missing:
            console.print(
                f"[yellow]{_KEY}: {len(missing)} of {len(every)} files do not exist, such as "
                f"{escape(str(missing[0]))}; STAR files name them, with picks in the pixels of "
                "the micrographs that are picked[/]",
                soft_wrap=True,
            )
        for entry in every:
            try:
                shape = micrograph_shape(entry.path, entry.average_frames)
            except MicrographError:
                continue  # fails when it is picked, with this reason
            try:
                self.find(entry, shape, None)
            except MicrographError as error:
                raise UsageError(f"{entry.path}: {error}") from error
