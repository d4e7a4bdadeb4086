"""One image file below a folder, in the words of its name and of its sub-folders."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from deepcryopicker.io.files.suffixes import (
    MRC_BY_OTHER_NAMES,
    PICTURES,
    STACKS,
    VENDORS,
    suffix_of,
)

_WORDS = re.compile(r"[-_.\s]+")


@dataclass(frozen=True)
class ImageFile:
    """A file and its place below the folder of the micrographs.

    Attributes
    ----------
    path : Path
    below : PurePosixPath
        Path below the folder of the micrographs, as written.
    """

    path: Path
    below: PurePosixPath

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """Sub-folders on the way to the file, lower case."""
        return tuple(part.lower() for part in self.below.parent.parts)

    @cached_property
    def stem(self) -> str:
        """File name without suffix, lower case."""
        name = self.below.name
        return name[: len(name) - len(self._suffix)].lower()

    @cached_property
    def _suffix(self) -> str:
        return suffix_of(self.below)

    @cached_property
    def suffix(self) -> str:
        """Lower-case suffix, without that of a compression."""
        return "." + self._suffix.split(".")[1] if self._suffix else ""

    @property
    def is_compressed(self) -> bool:
        """Whether the file is packed."""
        return self.suffix != self._suffix

    @property
    def is_picture(self) -> bool:
        """Whether the format is that of pictures for people: PNG or JPG."""
        return self.suffix in PICTURES

    @property
    def is_stack(self) -> bool:
        """Whether the suffix is that of a stack of images."""
        return self.suffix in STACKS

    @property
    def is_volume(self) -> bool:
        """Whether the suffix is that of an MRC file of another kind, such as a tomogram."""
        return self.suffix in MRC_BY_OTHER_NAMES

    @property
    def is_foreign(self) -> bool:
        """Whether no reader exists for the format."""
        return self.suffix in VENDORS


def words_of(stem: str) -> tuple[str, ...]:
    """Split a lower-case name into words.

    Examples
    --------
    >>> words_of("x_patch_aligned-2.thumb")
    ('x', 'patch', 'aligned', '2', 'thumb')
    """
    return tuple(word for word in _WORDS.split(stem) if word)
