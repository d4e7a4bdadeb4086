"""Files that may be the same micrograph although no convention of other programs says so."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import PurePosixPath

from deepcryopicker.dataset.left_out.image_file import ImageFile, words_of
from deepcryopicker.dataset.left_out.variants import Variant

_SEPARATOR = re.compile(r"[-_. ]+")
_SEVERAL = 2  # pairs alike before the micrographs are in doubt
_MOST_FOLDERS = 10  # with one name; more are grids, numbered alike
_PROCESSED = re.compile(
    "raw|(un|pre)?processed|originals?|orig|sources?|inputs?|denoised?|deconv(olved)?|filtered|"
    "lowpass|binned|bin[248]?|downsampled|scaled|normali[sz]ed|(un)?aligned|averaged?|averages|"
    "sums|(un)?corrected|motioncorrected|motioncorr?|mc2?|dws?|nodw|(un)?weighted|janni|topaz|"
    "mrcs?|tiff?|png|jpe?g|copy|backup"
)


@dataclass(frozen=True)
class Doubt:
    """Kinds of files of which each micrograph may have one.

    Attributes
    ----------
    groups : tuple of mapping
        The files of one micrograph, by the kind of file.
    is_certain : bool
        Whether to ask; a single pair of similar names may be chance.
    may_differ : bool
        Whether the files may well be different micrographs.
    """

    groups: tuple[Mapping[str, ImageFile], ...]
    is_certain: bool = True
    may_differ: bool = False

    @property
    def kinds(self) -> list[str]:
        """All kinds, in order of appearance."""
        return list(dict.fromkeys(kind for group in self.groups for kind in group))

    def others(self, kind: str) -> set[ImageFile]:
        """Return the files of the other kinds."""
        return {file for group in self.groups for each, file in group.items() if each != kind}


def doubt_ties(families: Iterable[Sequence[Variant]]) -> Iterator[Doubt]:
    """Group the files among which no convention decides, by the kinds of files they are."""
    alike: dict[tuple[str, ...], list[dict[str, ImageFile]]] = defaultdict(list)
    for family in families:
        group = {_kind(one): one.file for one in family}
        alike[tuple(sorted(group))].append(group)
    for groups in alike.values():
        yield Doubt(tuple(groups))


def doubt_affixes(kept: Sequence[ImageFile]) -> Iterator[Doubt]:
    """Find names that are another name of the same folder with a word before or after it.

    ``x.mrc`` and ``x_foo.mrc`` may be the same micrograph if there are several such pairs with the
    same word; v02 or 2 number micrographs.
    """
    by_folder: dict[PurePosixPath, dict[str, ImageFile]] = defaultdict(dict)
    for file in kept:
        by_folder[file.below.parent][file.stem] = file
    alike: dict[str, list[dict[str, ImageFile]]] = defaultdict(list)
    for files in by_folder.values():
        for stem, file in files.items():
            for affix, rest in split_affixes(stem):
                other = files.get(rest)
                if other is not None:
                    alike[affix].append({"": other, affix: file})
    for groups in alike.values():
        yield Doubt(tuple(groups), is_certain=len(groups) >= _SEVERAL, may_differ=True)


def doubt_folders(kept: Sequence[Variant]) -> Iterator[Doubt]:
    """Find folders with the same names throughout, such as raw/ and denoised/.

    Equal names are usual for grids. Two folders are in doubt if the name of one of them is that of
    a step of processing or of a format.
    """
    by_folder: dict[str, dict[str, ImageFile]] = defaultdict(dict)
    for one in kept:
        name = one.micrograph.rpartition("/")[2]
        by_folder[one.file.below.parent.as_posix()][name] = one.file
    folders_of: dict[str, list[str]] = defaultdict(list)
    for folder, files in by_folder.items():
        for name in files:
            folders_of[name].append(folder)
    common = Counter(
        pair
        for folders in folders_of.values()
        if 1 < len(folders) <= _MOST_FOLDERS
        for pair in combinations(sorted(folders), 2)
    )
    for (first, second), number in common.items():
        here, there = by_folder[first], by_folder[second]
        if number == min(len(here), len(there)) and _is_processed(first, second):
            names = sorted(here.keys() & there.keys())
            yield Doubt(tuple({first: here[name], second: there[name]} for name in names))


def _kind(one: Variant) -> str:
    forms = sorted(form.name.lower() for form in one.forms)
    return " ".join((*one.file.folders, *forms, one.file.path.suffix.lower()))


@lru_cache(maxsize=2**17)  # a watched folder is listed again and again
def split_affixes(stem: str) -> tuple[tuple[str, str], ...]:
    """Split a stem at each separator into a word and the rest.

    Examples
    --------
    >>> split_affixes("x_1_foo")
    (('x_', '1_foo'), ('_foo', 'x_1'))
    """
    found = []
    for separator in _SEPARATOR.finditer(stem):
        before, after = stem[: separator.start()], stem[separator.end() :]
        if before and _is_word(after):
            found.append((stem[separator.start() :], before))
        if after and _is_word(before):
            found.append((stem[: separator.end()], after))
    return tuple(found)


def _is_word(text: str) -> bool:
    """Whether a text consists of words rather than numbers: foo and lp20, but not 2 or v02."""
    for word in words_of(text):
        letters = word.rstrip("0123456789")
        if not letters.isalpha() or (letters != word and len(letters) < 2):
            return False
    return bool(words_of(text))


def _is_processed(one: str, other: str) -> bool:
    """Whether the folders in which two paths differ are named after processing or a format."""
    here, there = PurePosixPath(one).parts, PurePosixPath(other).parts
    differing = {*here} ^ {*there}
    return any(_PROCESSED.fullmatch(word) for part in differing for word in words_of(part.lower()))
