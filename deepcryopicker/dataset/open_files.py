"""Open a dataset of micrographs on disk: their files, truth, optics groups and pixel sizes."""

from dataclasses import replace
from pathlib import Path

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.listing import list_micrographs, listed_path
from deepcryopicker.dataset.pixel_sizes import refuse_contradiction, require_pixel_size
from deepcryopicker.dataset.schema import CombinedConfig, FolderConfig, PublicConfig
from deepcryopicker.errors import UsageError
from deepcryopicker.io.star.optics_groups import Optics
from deepcryopicker.io.star.optics_reading import read_optics


def open_folder(config: FolderConfig) -> Catalogue:
    """List the micrographs of a folder (or file, glob, STAR, list) and find their truth.

    Raises
    ------
    UsageError
        There are no micrographs, or no coordinate file belongs to any of them.
    """
    listed = list_micrographs(config.micrographs)
    unpublished = isinstance(config, PublicConfig) and config.source.truth is None
    truth = _find_truth(config.coordinates, [name for name, _ in listed], unpublished)
    optics = _find_optics(Path(config.micrographs))
    entries = [
        Entry(
            name=name,
            path=path,
            group=config.name,
            diameter=config.diameter,
            diameter_angstrom=config.diameter_angstrom,
            pixel_size=config.pixel_size,
            polarity=config.polarity,
            average_frames=config.average_frames,
            truth=truth.get(name),
            truth_from_bottom=config.coordinates_from_bottom,
        )
        for name, path in listed
    ]
    known = [_with_optics(entry, optics.get(entry.path)) for entry in entries]
    if config.diameter_angstrom is not None:
        require_pixel_size([entry.path for entry in known if entry.pixel_size is None])
    if config.pixel_size is None:
        refuse_contradiction([(one.path, one.pixel_size) for one in known if one.pixel_size])
    return Catalogue(config.name, tuple(known))


def open_combined(config: CombinedConfig) -> Catalogue:
    """List the micrographs of every member; their names start with the name of the member."""
    entries = [
        replace(entry, name=f"{folder}/{entry.name}")
        for folder, member in config.members.items()
        for entry in open_folder(member).entries
    ]
    return Catalogue(config.name, tuple(entries))


def _find_optics(listing: Path) -> dict[Path, Optics]:
    """Map the files that a STAR lists to their optics groups."""
    if listing.suffix != ".star" or not listing.is_file():
        return {}
    return {listed_path(listing, name): optics for name, optics in read_optics(listing).items()}


def _with_optics(entry: Entry, optics: Optics | None) -> Entry:
    """Return the entry with its optics group; a pixel size set by the user takes precedence."""
    if optics is None:
        return entry
    optics = optics.with_pixel_size(entry.pixel_size)
    return replace(entry, optics=optics, pixel_size=optics.pixel_size)


def _find_truth(folder: str | None, names: list[str], optional: bool) -> dict[str, Path]:
    """Map micrograph names to coordinate files; an `optional` folder may be missing."""
    if folder is None or (optional and not Path(folder).exists()):
        return {}
    root = Path(folder)
    if not root.is_dir():
        raise UsageError(f"dataset.coordinates: there is no folder {folder}")
    found = {}
    for name in names:
        files = [root / f"{name}{suffix}" for suffix in (".csv", ".star", ".box")]
        present = [path for path in files if path.is_file()]
        if present:
            found[name] = present[0]
    if not found:
        files_there = ", ".join(sorted(p.name for p in root.iterdir())[:3]) or "nothing"
        raise UsageError(
            f"dataset.coordinates: no file in {folder} belongs to a micrograph.\n"
            f"micrographs: {', '.join(names[:3])}; files: {files_there}"
        )
    return found
