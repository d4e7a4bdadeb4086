"""Open a dataset of micrographs on disk: their files, truth, optics groups and pixel sizes."""

from collections import ChainMap
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.listing import is_star, list_micrographs, listed_path
from deepcryopicker.dataset.pixel_sizes import refuse_contradiction, require_pixel_size
from deepcryopicker.dataset.public.cryoppp import with_published
from deepcryopicker.dataset.schema import (
    AUTO,
    CombinedConfig,
    CryopppConfig,
    FolderConfig,
    PublicConfig,
)
from deepcryopicker.io.coordinates.assigned_coordinates import assign_sources, nothing_matched
from deepcryopicker.io.coordinates.coordinate_sets import find_sources
from deepcryopicker.io.coordinates.run_picks import threshold_near
from deepcryopicker.io.coordinates.selected_picks import Selection
from deepcryopicker.io.files.suffixes import is_mrc
from deepcryopicker.io.star.optics_groups import Optics, optics_warning
from deepcryopicker.io.star.optics_reading import read_optics


def open_folder(config: FolderConfig, known: Collection[Path] | None = None) -> Catalogue:
    """List the micrographs of a folder (or file, glob, STAR, list) and find their truth.

    Parameters
    ----------
    config : FolderConfig
    known : collection of Path, optional
        Micrographs that are used already, see :func:`list_micrographs`.

    Raises
    ------
    UsageError
        There are no micrographs, or no coordinate file belongs to any of them.
    """
    listing = list_micrographs(config.micrographs, config.average_frames, known)
    listed = listing.micrographs
    if not listed:
        return Catalogue(config.name, (), listing.left_out)
    unpublished = isinstance(config, PublicConfig) and config.source.truth is None
    truth = _find_truth(config, [name for name, _ in listed], optional=unpublished)
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
            truth=truth[name][0] if name in truth else None,
            truth_from_bottom=_counts_from_bottom(config, path),
            turned_over=config.coordinates_from_bottom == AUTO and not is_mrc(path),
            truth_swapped=config.coordinates_swapped,
            truth_scale=config.coordinates_scale,
            selection=truth[name][1] if name in truth else Selection(),
        )
        for name, path in listed
    ]
    with_sizes = [_with_optics(entry, optics.get(entry.path)) for entry in entries]
    if config.diameter_angstrom is not None:
        require_pixel_size([entry.path for entry in with_sizes if entry.pixel_size is None])
    if config.pixel_size is None:
        refuse_contradiction([(one.path, one.pixel_size) for one in with_sizes if one.pixel_size])
    doubt = optics_warning(
        Path(config.micrographs), optics.values(), sized=config.pixel_size is not None
    )
    remarks = () if doubt is None else (doubt,)
    catalogue = Catalogue(
        config.name, tuple(with_sizes), listing.left_out, listing.alike, remarks=remarks
    )
    return with_published(catalogue, config) if isinstance(config, CryopppConfig) else catalogue


def open_combined(config: CombinedConfig) -> Catalogue:
    """List the micrographs of every member; their names start with the name of the member."""
    members = {folder: open_folder(member) for folder, member in config.members.items()}
    entries = [
        replace(entry, name=f"{folder}/{entry.name}")
        for folder, member in members.items()
        for entry in member.entries
    ]
    left_out = [one for member in members.values() for one in member.left_out]
    alike = [pair for member in members.values() for pair in member.alike]
    return Catalogue(
        config.name,
        tuple(entries),
        tuple(left_out),
        tuple(alike),
        remarks=tuple(remark for member in members.values() for remark in member.remarks),
        published=ChainMap(*(dict(member.published) for member in members.values())),
    )


def _counts_from_bottom(config: FolderConfig, path: Path) -> bool:
    """Whether y counts from the bottom in the coordinates of a micrograph; ``auto``: of MRC files.

    The rows of a picture start at the top; those of an MRC file start at the bottom for programs
    that draw y upwards.
    """
    given = config.coordinates_from_bottom
    return is_mrc(path) if given == AUTO else bool(given)


def _find_optics(listing: Path) -> dict[Path, Optics]:
    """Map the files that a STAR lists to their optics groups."""
    if not is_star(listing) or not listing.is_file():
        return {}
    return {listed_path(listing, name): optics for name, optics in read_optics(listing).items()}


def _with_optics(entry: Entry, optics: Optics | None) -> Entry:
    """Return the entry with its optics group; a pixel size set by the user takes precedence."""
    if optics is None:
        return entry
    if entry.pixel_size is not None:
        return replace(entry, optics=optics.with_pixel_size(entry.pixel_size))
    return replace(entry, optics=optics, pixel_size=optics.pixel_size)


def _find_truth(
    config: FolderConfig, names: list[str], optional: bool
) -> dict[str, tuple[Path, Selection]]:
    """Map names of micrographs to files of coordinates and what is read from them.

    An `optional` folder may be missing.
    """
    given = config.coordinates
    if given is None or (optional and not Path(given).exists()):
        return {}
    sources = find_sources("dataset.coordinates", given)
    assigned = assign_sources(sources, names)
    if not assigned:
        raise nothing_matched(sources, names)
    common = Selection(
        threshold=config.coordinates_threshold,
        own_threshold=threshold_near(Path(given)),
        classes=config.coordinates_classes,
    )
    return {name: (one.path, replace(common, name=one.name)) for name, one in assigned.items()}
