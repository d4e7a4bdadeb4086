"""Globs that select some files of a folder and no others, as they are typed on a command line."""

import fnmatch
import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from deepcryopicker.dataset.left_out.image_file import ImageFile

_PLAIN = re.compile(r"[\w./*?:@%+-]+")  # needs no quotes for Hydra
_FARTHEST = 24  # characters from the end of the stem that are tried


def glob_of(wanted: Sequence[ImageFile], every: Sequence[ImageFile]) -> str | None:
    """Find a glob, relative to their folder, that matches the wanted files and no others.

    Parameters
    ----------
    wanted, every : sequence of ImageFile
        The files to match, and all that a glob could match.

    Returns
    -------
    str or None
        None if no simple pattern does.
    """
    others = set(every) - set(wanted)
    if not wanted:
        return None
    for pattern in _patterns(wanted, others):
        if {file for file in every if _matches(file, pattern)} == set(wanted):
            return pattern
    return None


def below(folder: str, pattern: str) -> str:
    """Return a glob with the folder, as typed, in front."""
    return f"{glob.escape(folder.rstrip('/'))}/{pattern}"


def as_typed(key: str, value: str) -> str:
    """Quote a key and its value for the shell and for Hydra.

    Examples
    --------
    >>> print(as_typed("dataset.micrographs", "a/*.mrc"))
    dataset.micrographs='a/*.mrc'
    >>> print(as_typed("dataset.micrographs", "a/*[0-9].mrc"))
    'dataset.micrographs="a/*[0-9].mrc"'
    """
    if _PLAIN.fullmatch(value):
        return f"{key}='{value}'"
    inner = value.replace("\\", "\\\\").replace('"', '\\"')
    return "'" + f'{key}="{inner}"'.replace("'", "'\\''") + "'"


def _matches(file: ImageFile, pattern: str) -> bool:
    """Whether a pattern, perhaps with a leading ``**``, matches a path."""
    folder, _, name = pattern.rpartition("/")
    parent = file.below.parent.as_posix()
    if folder == "**":
        inside = True
    elif folder.endswith("/**"):
        start = _unescaped(folder.removesuffix("/**"))
        inside = parent == start or parent.startswith(f"{start}/")
    else:
        inside = parent == (_unescaped(folder) or ".")
    return inside and fnmatch.fnmatchcase(file.below.name, name)


def _unescaped(text: str) -> str:
    return re.sub(r"\[([*?[])\]", r"\1", text)


def _patterns(wanted: Sequence[ImageFile], others: Iterable[ImageFile]) -> Iterator[str]:
    """Yield patterns to try, the simplest first."""
    folders = sorted({file.below.parent.as_posix() for file in wanted})
    common = os.path.commonpath(folders)
    start = "" if common in (".", "") else f"{glob.escape(common)}/"
    if len(folders) > 1:
        start += "**/"
    near = [file for file in others if _is_below(file, common)]
    for name in _names(wanted, near):
        yield start + name


def _is_below(file: ImageFile, folder: str) -> bool:
    return folder in (".", "") or file.below.is_relative_to(folder)


def _names(wanted: Sequence[ImageFile], others: Sequence[ImageFile]) -> Iterator[str]:
    names = [file.below.name for file in wanted]
    avoided = [file.below.name for file in others]
    endings = {PurePosixPath(name).suffix for name in names}
    if len(endings) == 1:
        yield f"*{glob.escape(endings.pop())}"
    end = _shared_start([name[::-1] for name in names])[::-1]
    word = re.search(r"[-_. ][^-_. ]*\.[^.]+$", end)  # from the last separator before the suffix
    if word:
        yield f"*{glob.escape(word.group())}"
    suffix = (re.search(r"\.[^.]+$", end) or [""])[0]
    if not suffix:  # a pattern without one would also match other files
        return
    start = _shared_start(names)
    if re.search(r"[-_. ]$", start):
        yield f"{glob.escape(start)}*{glob.escape(suffix)}"
    yield from _by_character(names, [name for name in avoided if name.endswith(suffix)], suffix)
    yield f"*{glob.escape(end)}"
    yield f"{glob.escape(start)}*{glob.escape(end)}"


def _by_character(names: Sequence[str], avoided: Sequence[str], suffix: str) -> Iterator[str]:
    """Yield patterns that exclude names by one character, counted from the end."""
    stems = [name.removesuffix(suffix) for name in names]
    others = [name.removesuffix(suffix) for name in avoided]
    ending = glob.escape(suffix)
    for place in range(1, min(_FARTHEST, *map(len, stems)) + 1):
        near = [stem[-place] for stem in others if len(stem) >= place]
        for one_of in _classes({stem[-place] for stem in stems}, set(near)):
            yield f"*{one_of}{'?' * (place - 1)}{ending}"
    for one_of in _classes({stem[0] for stem in stems}, {stem[0] for stem in others if stem}):
        yield f"{one_of}*{ending}"


def _classes(wanted: set[str], avoided: set[str]) -> Iterator[str]:
    """Yield classes of characters that hold all wanted and none of the avoided ones."""
    if not avoided or wanted & avoided:
        return
    if all(map(str.isdigit, wanted)) and not any(map(str.isdigit, avoided)):
        yield "[0-9]"
    if avoided.isdisjoint("]-!^"):
        yield f"[!{''.join(sorted(avoided))}]"


def _shared_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)  # all others lie between them
    same = (n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(same, len(first))]
