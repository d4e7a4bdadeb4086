"""The micrographs of all runs, each listed once, with their pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import DeepCryoPickerError
from deepcryopicker.io.console import track
from deepcryopicker.io.images.reader import header_pixel_size, micrograph_shape
from deepcryopicker.pipeline.inputs.open_dataset import spread
from deepcryopicker.plots.overlays import typical_diameter
from deepcryopicker.reporting.content.scored_pickers import ScoredMicrograph, ScoredPicker
from deepcryopicker.reporting.page.page_model import Shown
from deepcryopicker.reporting.page.thumbnails import (
    BYTES_PER_PIXEL,
    SMALLEST,
    draw_picture,
    longest_side,
    most_pictures,
)
from deepcryopicker.types import Picks

_MARGIN = 1.02  # around picks whose micrograph is missing
_MOST_PLACES = 600_000  # candidates and true particles on a page, some 7 MB
_MANY = 60  # micrographs; of more, the size of pictures is measured
_MEASURED = 8  # pictures
_Key = tuple[str, ...]


def list_micrographs(
    scored_pickers: Sequence[ScoredPicker], megabytes: float, limited: bool = True
) -> tuple[list[Shown], list[dict[str, int]], int]:
    """List the micrographs of all pickers, and draw those that still exist.

    Parameters
    ----------
    scored_pickers : sequence of ScoredPicker
    megabytes : float
        Approximate total size of the pictures.
    limited : bool
        Whether to show only as many micrographs, evenly spread, as a page of bounded size holds;
        of every picker at least one.

    Returns
    -------
    shown : list of Shown
    places : list of dict
        For each picker, from the name of a micrograph to its index in `shown`.
    total : int
        Number of all micrographs.
    """
    known = _names_of_files(scored_pickers)
    first: dict[_Key, tuple[ScoredPicker, ScoredMicrograph]] = {}
    keys = []
    for scored in scored_pickers:
        own = {one.name: _key(one, scored, known) for one in scored.micrographs}
        keys.append(own)
        for one in scored.micrographs:
            there = first.get(own[one.name])
            if there is None or (there[1].entry is None and one.entry is not None):
                first[own[one.name]] = scored, one
    chosen, per_pixel = list(first), BYTES_PER_PIXEL
    if limited and len(first) > _MANY:
        per_pixel = _bytes_per_pixel(list(first.values())) if megabytes > 0 else per_pixel
        chosen = _choose(scored_pickers, keys, first, most_pictures(megabytes, per_pixel))
    index = {key: number for number, key in enumerate(chosen)}
    side = longest_side(len(chosen), megabytes, per_pixel)
    shown = [_show(*first[key], side) for key in track(chosen, "drawing")]
    places = [{name: index[key] for name, key in own.items() if key in index} for own in keys]
    return shown, places, len(first)


def _choose(
    scored_pickers: Sequence[ScoredPicker],
    keys: Sequence[Mapping[str, _Key]],
    every: Mapping[_Key, tuple[ScoredPicker, ScoredMicrograph]],
    pictures: int,
) -> list[_Key]:
    """Choose the micrographs that a page holds, evenly spread, in their order.

    Parameters
    ----------
    scored_pickers : sequence of ScoredPicker
    keys : sequence of mapping
        For each picker, from the names of its micrographs to their keys.
    every : mapping
        All micrographs.
    pictures : int
        Number of pictures that fit; 0 if none are drawn.
    """
    places = sum(
        len(one.picks) + (0 if one.evaluated is None else one.evaluated.n_truth)
        for scored in scored_pickers
        for one in scored.micrographs
    )
    most = len(every) if places <= _MOST_PLACES else len(every) * _MOST_PLACES // places
    if any(one.entry is not None for _, one in every.values()):
        most = min(most, pictures or most)
    if most >= len(every):
        return list(every)
    chosen = set(spread(list(every), max(most, 1)))
    for own in keys:
        if own and chosen.isdisjoint(own.values()):
            chosen.add(next(iter(own.values())))
    return [key for key in every if key in chosen]


def _bytes_per_pixel(every: Sequence[tuple[ScoredPicker, ScoredMicrograph]]) -> float:
    """Measure the size of a few pictures; those of little smoothed noise are larger than usual."""
    drawn = [_show(*each, SMALLEST) for each in spread(list(every), _MEASURED)]
    sizes = [
        len(one.picture.data) / min(SMALLEST, max(one.width, one.height)) ** 2
        for one in drawn
        if one.picture is not None
    ]
    return max(BYTES_PER_PIXEL, float(np.mean(sizes or [0.0])))


def _names_of_files(scored_pickers: Sequence[ScoredPicker]) -> dict[str, _Key | None]:
    """Map names of micrographs to files; None if two files share a name."""
    known: dict[str, _Key | None] = {}
    for scored in scored_pickers:
        for one in scored.micrographs:
            if one.entry is not None:
                key = _of_file(one.entry)
                known[one.name] = key if known.get(one.name, key) == key else None
    return known


def _key(one: ScoredMicrograph, scored: ScoredPicker, known: dict[str, _Key | None]) -> _Key:
    """Identify a micrograph by its file, or by its name if the file is unknown.

    Foreign picks belong to the micrograph of the same name in another run.
    """
    if one.entry is not None:
        return _of_file(one.entry)
    return known.get(one.name) or ("name", scored.pick_set.dataset, one.name)


def _of_file(entry: Entry) -> _Key:
    return ("file", str(Path(entry.path).resolve()), entry.polarity)


def _show(scored: ScoredPicker, one: ScoredMicrograph, side: int) -> Shown:
    """Draw a micrograph; without a picture its size is estimated from its picks."""
    places = one.picks if one.evaluated is None else one.picks.joined(one.evaluated.truth)
    width, height = (
        int(np.ceil(max(float(values.max(initial=0.0)) * _MARGIN, 64.0)))
        for values in (places.x, places.y)
    )
    dataset = scored.pick_set.dataset
    group = dataset if one.entry is None else one.entry.group
    shown = Shown(one.name, dataset, group, width, height)
    if one.entry is None:
        return shown
    try:
        if not side:  # a header says enough
            height, width = micrograph_shape(one.entry.path, one.entry.average_frames)
            size = one.entry.pixel_size or header_pixel_size(one.entry.path)
            return replace(shown, width=width, height=height, pixel_size=size)
        micrograph = one.entry.load()
    except (DeepCryoPickerError, OSError):
        return shown
    diameter = typical_diameter(places, Picks.empty(), micrograph)
    picture = draw_picture(micrograph, diameter, side)
    size = micrograph.pixel_size
    return replace(
        shown, width=picture.width, height=picture.height, pixel_size=size, picture=picture
    )
