"""Divide the image files of a folder into micrographs, files left out, and files in doubt."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from deepcryopicker.dataset.left_out.conventions import reason_never
from deepcryopicker.dataset.left_out.doubts import (
    Doubt,
    doubt_affixes,
    doubt_folders,
    doubt_ties,
    split_affixes,
)
from deepcryopicker.dataset.left_out.image_file import ImageFile
from deepcryopicker.dataset.left_out.own_outputs import OwnOutputs
from deepcryopicker.dataset.left_out.reasons import LeftOut, Reason
from deepcryopicker.dataset.left_out.variants import Variant, choose_variants, variant_of
from deepcryopicker.errors import MicrographError
from deepcryopicker.io.files.suffixes import EXTENSIONS, MRC_BY_OTHER_NAMES, VENDORS, suffix_of
from deepcryopicker.io.images.reader import micrograph_shape

_HEADERS = 5  # read to find out which of two kinds of files are movies
_IMAGES = EXTENSIONS | MRC_BY_OTHER_NAMES | VENDORS.keys()


@dataclass(frozen=True)
class Examined:
    """The image files of a folder.

    Attributes
    ----------
    kept : list of ImageFile
        Micrographs, those in doubt included.
    left_out : list of LeftOut
    doubts : list of Doubt
        Several files may be one micrograph.
    alike : list of Doubt
        A single pair with similar names, probably two micrographs.
    own : set of Path
        Those left out that this program has written.
    """

    kept: list[ImageFile] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    alike: list[Doubt] = field(default_factory=list)
    own: set[Path] = field(default_factory=set)


def image_files(root: Path, paths: Sequence[Path]) -> list[ImageFile]:
    """Select the files whose suffix is that of an image, with their places below a folder."""
    start = len(root.parts)
    return [
        ImageFile(path, PurePosixPath(*path.parts[start:]))
        for path in paths
        if suffix_of(path) in _IMAGES
    ]


def examine(files: Sequence[ImageFile], stacks: bool) -> Examined:
    """Divide image files by their names; headers are read only to recognise movies.

    Parameters
    ----------
    files : sequence of ImageFile
        All image files of a folder and its sub-folders.
    stacks : bool
        Whether stacks of frames are micrographs as well, to be averaged.
    """
    found = Examined()
    own = OwnOutputs()
    candidates, partners = [], []
    for file in files:
        reason, note = _reason_of(file, own, stacks)
        if reason is None:
            candidates.append(file)
        else:
            found.left_out.append(LeftOut(file.path, reason, note=note))
        if reason is None or (reason in (Reason.FOREIGN, Reason.STACK) and not file.is_picture):
            partners.append(file)
    candidates = _without_previews(candidates, partners, found.left_out)
    candidates = _without_marked(candidates, own, found.left_out)
    found.own.update(one.path for one in found.left_out if one.reason is Reason.OWN)
    variants, worse, ties = choose_variants(candidates)
    found.left_out.extend(worse)
    kept = [one.file for one in variants]
    every = [*doubt_ties(ties), *doubt_affixes(kept), *doubt_folders(variants)]
    movies: dict[ImageFile, ImageFile] = {}
    for doubt in every:
        if found_movies := _movies_in(doubt):
            movies |= found_movies
        elif doubt.is_certain:
            found.doubts.append(doubt)
        else:
            found.alike.append(doubt)
    found.left_out.extend(
        LeftOut(movie.path, Reason.MOVIE, used.path) for movie, used in movies.items()
    )
    found.kept.extend(file for file in kept if file not in movies)
    return found


def _reason_of(file: ImageFile, own: OwnOutputs, stacks: bool) -> tuple[Reason | None, str]:
    """Return why a file is not a micrograph by its place, format or name, and further words."""
    if own.hold(file.path):
        return Reason.OWN, ""
    if file.is_foreign:
        return Reason.FOREIGN, VENDORS[file.suffix]
    if file.is_volume:
        return Reason.VOLUME, "read if it is given by its name or a glob"
    never = reason_never(file)
    if never is None and file.is_stack and not stacks:
        return Reason.STACK, "dataset.average_frames=true averages the frames of a movie"
    return never, ""


def _without_previews(
    files: Sequence[ImageFile], partners: Sequence[ImageFile], left_out: list[LeftOut]
) -> list[ImageFile]:
    """Leave out PNG and JPG pictures of micrographs that are there in another format.

    A picture is a preview if its name is that of a micrograph of the same folder, with or without
    a word before or after it, or if every picture of its folder has a micrograph somewhere.
    """
    images = [variant_of(file) for file in partners if not file.is_picture]
    images.sort(key=lambda one: (not one.is_movie, -len(one.forms)))  # the last is named
    same = {one.micrograph: one.file for one in images}
    anywhere = {_name(one): one.file for one in images}
    used: dict[ImageFile, ImageFile] = {}
    by_folder: dict[PurePosixPath, list[Variant]] = defaultdict(list)
    for one in (variant_of(file) for file in files if file.is_picture):
        folder, slash, stem = one.micrograph.rpartition("/")
        names = (stem, *(rest for _, rest in split_affixes(stem)))
        found = next((same[at] for name in names if (at := folder + slash + name) in same), None)
        if found is None:
            by_folder[one.file.below.parent].append(one)
        else:
            used[one.file] = found
    for members in by_folder.values():
        if all(_name(one) in anywhere for one in members):
            used |= {one.file: anywhere[_name(one)] for one in members}
    left_out.extend(LeftOut(file.path, Reason.PREVIEW, other.path) for file, other in used.items())
    return [file for file in files if file not in used]


def _name(one: Variant) -> str:
    return one.micrograph.rpartition("/")[2]


def _without_marked(
    files: Sequence[ImageFile], own: OwnOutputs, left_out: list[LeftOut]
) -> list[ImageFile]:
    """Leave out pictures of this program that were copied or moved out of their run folder."""
    marked = {file for file in files if file.is_picture and own.drew(file.path)}
    left_out.extend(LeftOut(file.path, Reason.OWN) for file in files if file in marked)
    return [file for file in files if file not in marked]


def _movies_in(doubt: Doubt) -> dict[ImageFile, ImageFile]:
    """Return the movies among files in doubt, and the sum of each; empty if there are none.

    Few headers are read: those of a kind that are all stacks, beside another that has none, make
    all files of the kind movies.
    """
    sampled = doubt.groups[:_HEADERS]
    stacks = {
        kind: [_is_stack(group[kind].path) for group in sampled if kind in group]
        for kind in doubt.kinds
    }
    movies = [kind for kind, each in stacks.items() if each and all(each)]
    sums = [kind for kind, each in stacks.items() if each and not any(each)]
    if len(sums) != 1 or not movies or len(movies) + 1 < len(stacks):
        return {}
    return {
        group[kind]: group[sums[0]]
        for group in doubt.groups
        for kind in movies
        if kind in group and sums[0] in group
    }


def _is_stack(path: Path) -> bool:
    """Whether a file is readable only as a stack of frames."""
    return not _is_readable(path, False) and _is_readable(path, True)


def _is_readable(path: Path, average_frames: bool) -> bool:
    try:
        micrograph_shape(path, average_frames)
    except MicrographError:
        return False
    return True


def settle(doubts: Sequence[Doubt], known: Collection[Path]) -> Iterator[LeftOut]:
    """Decide doubts about files that arrive one after the other: the earlier one is kept.

    Parameters
    ----------
    doubts : sequence of Doubt
    known : collection of Path
        Micrographs that are used already.

    Yields
    ------
    LeftOut
        The later files, each with the one that is used.
    """
    for doubt in doubts:
        for group in doubt.groups:
            files = sorted(group.values(), key=lambda file: (file.path not in known, _age(file)))
            for file in files[1:]:
                if file.path not in known:
                    yield LeftOut(file.path, Reason.CLASH, files[0].path)


def _age(file: ImageFile) -> tuple[float, str]:
    try:
        return file.path.stat().st_mtime, str(file.path)
    except OSError:
        return float("inf"), str(file.path)
