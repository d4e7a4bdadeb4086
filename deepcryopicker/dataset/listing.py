"""Find micrographs: a file, a folder, a glob, a STAR or a text list."""

import glob
import logging
import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deepcryopicker.dataset.left_out.advice import as_typed, below, glob_of
from deepcryopicker.dataset.left_out.doubts import Doubt
from deepcryopicker.dataset.left_out.examine import examine, image_files, settle
from deepcryopicker.dataset.left_out.image_file import ImageFile
from deepcryopicker.dataset.left_out.own_outputs import OwnOutputs
from deepcryopicker.dataset.left_out.reasons import LeftOut, Reason, count_reasons
from deepcryopicker.errors import UsageError
from deepcryopicker.io.files.suffixes import EXTENSIONS, VENDORS, suffix_of
from deepcryopicker.io.files.text import text_lines
from deepcryopicker.io.files.walk import files_below
from deepcryopicker.io.star.relion_star import micrograph_names

logger = logging.getLogger(__name__)

_KEY = "dataset.micrographs"


class NoMicrographsError(UsageError):
    """The given place holds no micrographs."""


@dataclass(frozen=True)
class Listing:
    """The micrographs of a dataset, and the image files beside them that are left out.

    Attributes
    ----------
    micrographs : tuple of (str, Path)
        Names of their outputs, and files; sorted by name.
    left_out : tuple of LeftOut
        Sorted by path.
    alike : tuple of (Path, Path)
        Micrographs with similar names, probably of two micrographs.
    """

    micrographs: tuple[tuple[str, Path], ...]
    left_out: tuple[LeftOut, ...] = ()
    alike: tuple[tuple[Path, Path], ...] = ()


def list_micrographs(
    given: str, stacks: bool = False, known: Collection[Path] | None = None
) -> Listing:
    """List micrographs and the names of their outputs.

    A name is the path below the deepest common folder of all micrographs, without extension, so
    that outputs never lie outside the run folder. Duplicates are dropped. Of a folder, image files
    that are not micrographs are left out, see :mod:`deepcryopicker.dataset.left_out`; of a glob,
    only what this program has written. Files that are named one by one are all used.

    Parameters
    ----------
    given : str
        File, folder, glob, STAR or text list, relative to the working folder or absolute.
    stacks : bool
        Whether a folder is searched for stacks of frames as well.
    known : collection of Path, optional
        For a folder in which files arrive: the micrographs that are used already. What may be the
        same micrograph as one of them is left out rather than an error, and so is an empty folder.

    Raises
    ------
    UsageError
        Nothing is found, two outputs would have the same name, or two files may be the same
        micrograph.
    """
    found = _expand(given, stacks, known)
    paths = found.paths
    if not paths and known is None:
        raise NoMicrographsError(_nothing_found(given, found.left_out))
    root = os.path.abspath(given if Path(given).is_dir() else _common_folder(paths))  # noqa: PTH100
    stems = [_stem(path, root) for path in paths]
    shared = {stem for stem, count in Counter(stems).items() if count > 1}
    # The outputs of two files with one stem (a.mrc, a.png) would overwrite each other.
    names = [
        f"{stem}_{suffix_of(path)[1:]}" if stem in shared else stem
        for stem, path in zip(stems, paths, strict=True)
    ]
    clashes = [name for name, count in Counter(names).items() if count > 1]
    if clashes:
        raise UsageError(f"{_KEY}: two files would both be called {clashes[0]}; rename one")
    return Listing(
        tuple(sorted(zip(names, paths, strict=True))),
        tuple(sorted(found.left_out, key=lambda one: one.path)),
        tuple(found.alike),
    )


def _stem(path: Path, root: str) -> str:
    """Return the path below a folder, without suffix."""
    below = os.path.abspath(path).removeprefix(root.rstrip("/") + "/")  # noqa: PTH100
    return below[: len(below) - len(suffix_of(path))]


def listed_path(listing: Path, name: str) -> Path:
    """Resolve a listed path against the working folder, or else the folder of the list."""
    path = Path(name)
    return path if path.is_absolute() or path.exists() else listing.parent / path


def is_star(path: Path) -> bool:
    """Whether a path is that of a STAR file, by its suffix."""
    return path.suffix.lower() == ".star"


@dataclass(frozen=True)
class _Found:
    paths: list[Path]
    left_out: list[LeftOut] = field(default_factory=list)
    alike: list[tuple[Path, Path]] = field(default_factory=list)


def _expand(given: str, stacks: bool, known: Collection[Path] | None) -> _Found:
    path = Path(given)
    if path.is_dir():
        return _search(path, given, stacks, known)
    if glob.has_magic(given) and not path.exists():
        matched = [Path(each) for each in sorted(glob.glob(given, recursive=True))]  # noqa: PTH207
        return _without_own(_unique([each for each in matched if not each.is_dir()]))
    if not path.exists():
        raise UsageError(f"{_KEY}: there is no file or folder {given}")
    if is_star(path):
        return _Found(_unique([listed_path(path, name) for name in micrograph_names(path)]))
    if path.suffix.lower() in {".txt", ".lst"}:
        lines = (line.strip() for line in text_lines(path))
        listed = [listed_path(path, line) for line in lines if line and line[0] != "#"]
        return _Found(_unique(listed))
    if path.suffix.lower() == ".cs":
        raise UsageError(
            f"{_KEY}: {given} is a dataset of cryoSPARC, which does not hold micrographs\n"
            f"give their folder or a glob: {_KEY}='JOB/motioncorrected/*_doseweighted.mrc'"
        )
    return _Found([path])


def _search(folder: Path, given: str, stacks: bool, known: Collection[Path] | None) -> _Found:
    """Search a folder and its sub-folders."""
    try:
        files = image_files(folder, files_below(folder))
    except OSError as error:
        raise NoMicrographsError(f"{_KEY}: {folder} cannot be read: {error.strerror}") from error
    found = examine(files, stacks)
    if found.doubts and known is None:
        every = [file for file in files if file.path not in found.own]
        raise UsageError(_explain(found.doubts[0], given, found.kept, every))
    refused = list(settle(found.doubts, known or ()))
    dropped = {one.path for one in refused}
    return _Found(
        [file.path for file in found.kept if file.path not in dropped],
        [*found.left_out, *refused],
        [_pair(doubt) for doubt in found.alike],
    )


def _without_own(paths: Sequence[Path]) -> _Found:
    own = OwnOutputs()
    outputs = {path for path in paths if own.hold(path) or own.drew(path)}
    left_out = [LeftOut(path, Reason.OWN) for path in sorted(outputs)]
    return _Found([path for path in paths if path not in outputs], left_out)


def _explain(
    doubt: Doubt, given: str, kept: Sequence[ImageFile], every: Sequence[ImageFile]
) -> str:
    """Return the message that several files may be one micrograph, with globs that choose."""
    one, other = _pair(doubt)
    more = len(doubt.groups) - 1
    alike = f", and so may {more} more pairs" if more > 1 else ", and so may one more pair" * more
    globs = [_choose_kind(doubt, kind, kept, every) for kind in doubt.kinds]
    typed = [as_typed(_KEY, below(given, each)) for each in globs if each is not None]
    advice = " or ".join(typed) if typed else f"list them in a text file, {_KEY}=LIST.txt"
    both = glob_of(kept, every) if doubt.may_differ else None
    if both is not None:
        advice += f"; to use both: {as_typed(_KEY, below(given, both))}"
    return (
        f"{_KEY}: {one} and {other} may be the same micrograph{alike}\nchoose one of each: {advice}"
    )


def _choose_kind(
    doubt: Doubt, kind: str, kept: Sequence[ImageFile], every: Sequence[ImageFile]
) -> str | None:
    """Find a glob for one kind of files, with those that are there in one kind only if possible."""
    others = doubt.others(kind)
    these = [group[kind] for group in doubt.groups if kind in group]
    with_single = glob_of([file for file in kept if file not in others], every)
    if with_single is not None and "[" not in with_single:
        return with_single
    without = glob_of(these, every)
    simpler = without is not None and "[" not in without
    return without if simpler or with_single is None else with_single


def _pair(doubt: Doubt) -> tuple[Path, Path]:
    """Return the first two files that are in doubt."""
    one, other, *_ = sorted(file.path for file in doubt.groups[0].values())
    return one, other


def _nothing_found(given: str, left_out: Sequence[LeftOut]) -> str:
    """Return the message that no micrograph was found; often the folder holds movies instead."""
    message = f"{_KEY}: no micrographs ({' '.join(sorted(EXTENSIONS))}) found in {given}"
    if not left_out:
        return message
    one = min(left_out, key=lambda each: each.path)
    foreign = next((each for each in left_out if each.reason is Reason.FOREIGN), None)
    if foreign is not None:
        return f"{message}\n{foreign.path} is {VENDORS[suffix_of(foreign.path)]}"
    said = f"{message}\nleft out: {count_reasons(left_out)}, such as {one.path}"
    if one.reason is Reason.OWN:
        return said
    pattern = f"{glob.escape(str(one.path.parent))}/*{glob.escape(one.path.suffix)}"
    return f"{said}; to use them, type {as_typed(_KEY, pattern)}"


def _unique(paths: list[Path]) -> list[Path]:
    unique = list({os.path.realpath(path): path for path in reversed(paths)}.values())[::-1]
    if len(unique) < len(paths):
        logger.warning("%d micrographs are listed twice, used once", len(paths) - len(unique))
    return unique


def _common_folder(paths: list[Path]) -> Path:
    """Return the deepest folder that holds all paths, which may contain ``..``."""
    return Path(os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths]))  # noqa: PTH100, PTH120
