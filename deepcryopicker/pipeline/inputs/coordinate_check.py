"""Whether given coordinates fit their micrographs: refusals before work, warnings beside scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.dataset.inside import MOST_OUTSIDE, outside
from deepcryopicker.dataset.schema import CombinedConfig, FolderConfig
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.frames import AS_THEY_ARE, Reading
from deepcryopicker.io.images.reader import micrograph_shape
from deepcryopicker.pipeline.inputs.open_dataset import DatasetConfig, spread
from deepcryopicker.runs.folder import Run

if TYPE_CHECKING:
    from deepcryopicker.detection.blob_responses import Responses
    from deepcryopicker.evaluation.coordinate_fit import Comparison, Fit
    from deepcryopicker.evaluation.scores import Evaluated

_COMPARED = 4  # micrographs of each group
_PLACES = 50  # on fewer, more micrographs are looked at
_MOST_COMPARED = 12
_SAME_SCALE = 0.01  # relative difference of a scale from the inverse of the pixel size


@dataclass(frozen=True)
class _Group:
    """Micrographs with coordinates of one kind.

    Attributes
    ----------
    name : str
    key : str
        Configuration keys start with it: ``dataset``, or that of a member.
    entries : list of Entry
        Those with coordinates, all read in the same way.
    """

    name: str
    key: str
    entries: list[Entry]


def check_coordinates(
    catalogue: Catalogue, dataset: DatasetConfig, run: Run, learning: bool
) -> None:
    """Refuse coordinates that cannot be used as they are read, before any work.

    Parameters
    ----------
    catalogue : Catalogue
        With particle diameters.
    dataset : DatasetConfig
    run : Run
        Prints the warnings about coordinates that are used nevertheless.
    learning : bool
        Whether something is trained on the coordinates. If they are only scored, those are refused
        that lie outside the micrographs.

    Raises
    ------
    UsageError
        Coordinates fit far better in another reading, which the message names.
    """
    for group in _groups(catalogue, dataset):
        if not learning and not _some_outside(group.entries):
            continue
        comparison = _compare(group.entries)
        if comparison is not None and comparison.better is not None:
            raise UsageError(
                f"{_doubt(group, comparison, comparison.better)}\n"
                f"{_advice(group, comparison.better)}, or "
                f"{group.key}.coordinates_check=false to use them as they are"
            )
        if learning and comparison is not None and comparison.is_chance:
            run.warn(f"coordinates of {group.name}", _chance(group, comparison))


def warn_of_coordinates(entries: Sequence[Entry], dataset: DatasetConfig, run: Run) -> None:
    """Warn of scored coordinates that fit far better in another reading, or not at all.

    Parameters
    ----------
    entries : sequence of Entry
        Micrographs that were scored.
    dataset : DatasetConfig
    run : Run
        Prints the warnings, one for each dataset.
    """
    for group in _groups(Catalogue("", tuple(entries)), dataset):
        comparison = _compare(group.entries)
        if comparison is None:
            continue
        subject = f"coordinates of {group.name}"
        if comparison.better is not None:
            doubt = _doubt(group, comparison, comparison.better)
            run.warn(subject, f"{doubt}: {_advice(group, comparison.better)}")
        elif comparison.is_chance:
            run.warn(subject, _chance(group, comparison))


def warn_of_truth(evaluated: Sequence["Evaluated"], threshold: float, run: Run) -> None:
    """Warn if picks agree far better with the truth when it is read in another way.

    Parameters
    ----------
    evaluated : sequence of Evaluated
        Picks and truth of micrographs whose pixels are unknown; the picks stand for them.
    threshold : float
        Candidates with at least this score are picks.
    run : Run
    """
    from deepcryopicker.detection.blob_responses import respond_to_picks
    from deepcryopicker.evaluation.coordinate_fit import compare_readings

    seen = [
        respond_to_picks(one.picks[one.picks.score >= threshold], 2.0 * one.radius, one.truth)
        for one in spread(list(evaluated), _COMPARED)
    ]
    comparison = compare_readings(seen, AS_THEY_ARE)
    better = comparison.better
    if better is None:
        return
    if better.reading.from_bottom or better.reading.from_right:
        better = better._replace(moved=(0.0, 0.0))  # the height of the micrographs is a guess
    run.warn(
        "truth",
        f"picks and truth agree far better if the truth is read {_changes(AS_THEY_ARE, better)} "
        f"({better.deviations:.0f} standard deviations above chance) than as it is "
        f"({comparison.given.deviations:.1f}): convert one of the two",
    )


def _groups(catalogue: Catalogue, dataset: DatasetConfig) -> list[_Group]:
    """List the groups with given coordinates that are to be checked; simulated truth is exact."""
    if isinstance(dataset, FolderConfig):
        members = {"dataset": dataset}
    elif isinstance(dataset, CombinedConfig):
        members = {f"dataset.members.{name}": member for name, member in dataset.members.items()}
    else:
        members = {}
    groups: dict[tuple[str, Reading], _Group] = {}
    for key, member in members.items():
        for entry in catalogue.entries:
            if entry.group == member.name and entry.truth and member.coordinates_check:
                new = _Group(member.name, key, [])
                groups.setdefault((key, entry.truth_reading), new).entries.append(entry)
    return list(groups.values())


def _some_outside(entries: list[Entry]) -> bool:
    """Whether many coordinates of one of a few micrographs lie outside it."""
    for entry in spread(entries, _COMPARED):
        try:
            shape = micrograph_shape(entry.path, entry.average_frames)
        except MicrographError:
            continue
        picks = entry.truth_reading.apply(entry.given_places(), shape)
        if np.count_nonzero(outside(picks, shape)) > MOST_OUTSIDE * len(picks):
            return True
    return False


def _compare(entries: list[Entry]) -> "Comparison | None":
    """Compare the readings of the coordinates of a few micrographs; None if none can be read.

    A single micrograph is enough where the coordinates fit well.
    """
    # Imported on demand, because most micrographs have no coordinates.
    from deepcryopicker.evaluation.coordinate_fit import SURE, compare_readings

    seen: list[Responses] = []
    comparison = None
    for entry in spread(entries, _MOST_COMPARED):
        one = _respond(entry)
        if one is None:
            continue
        seen.append(one)
        if len(seen) == 1:
            comparison = compare_readings(seen, entry.truth_reading)
            if comparison.better is None and comparison.given.deviations >= 2 * SURE:
                return comparison
        if len(seen) >= _COMPARED and sum(len(each.places) for each in seen) >= _PLACES:
            break
    return compare_readings(seen, entries[0].truth_reading) if len(seen) > 1 else comparison


def _respond(entry: Entry) -> "Responses | None":
    """Filter a micrograph; None if it cannot be read, which is reported where it is used."""
    from deepcryopicker.detection.blob_responses import respond_to_micrograph

    whole = replace(entry, block=None)
    try:
        micrograph = whole.load()
        diameter = whole.particle_diameter(micrograph)
    except MicrographError:
        return None
    return respond_to_micrograph(micrograph.image, diameter, whole.given_places())


def _doubt(group: _Group, comparison: "Comparison", better: "Fit") -> str:
    """Word what fits better than the coordinates as they are read."""
    given = comparison.given
    return (
        f"{group.name}: the coordinates fit the micrographs far better "
        f"{_changes(given.reading, better)} ({better.deviations:.0f} standard deviations above "
        f"chance) than as they are read ({given.deviations:.1f}){_unit(group, better.reading)}"
    )


def _changes(given: Reading, better: "Fit") -> str:
    reading = better.reading
    changes = []
    if reading.scale != given.scale:
        changes.append(f"multiplied by {reading.scale / given.scale:.4g}")
    if reading.swapped != given.swapped:
        changes.append("with x and y swapped")
    if reading.from_bottom != given.from_bottom:
        changes.append("turned over (y counted from the other side)")
    if reading.from_right != given.from_right:
        changes.append("mirrored (x counted from the other side)")
    if any(better.moved):
        changes.append("moved by ({:.0f}, {:.0f}) pixels".format(*better.moved))
    return " and ".join(changes)


def _unit(group: _Group, reading: Reading) -> str:
    pixel_size = group.entries[0].pixel_size
    if pixel_size is None or reading.scale == 1.0:
        return ""
    in_angstrom = abs(reading.scale * pixel_size - 1.0) <= _SAME_SCALE
    return "; they seem to be in Angstrom" if in_angstrom else ""


def _advice(group: _Group, better: "Fit") -> str:
    """Word what to type for a reading, or to do if no option gives it."""
    entry, reading = group.entries[0], better.reading
    if any(better.moved):
        near = float(np.hypot(*better.moved)) < 2.0 * (entry.diameter or 0.0)
        return (
            "convert them to the centres of particles"
            if near
            else "convert them to pixels from the top-left corner of the micrographs"
        )
    if reading.from_right:
        return "convert them, as no option mirrors x"
    given = entry.truth_reading
    options = [
        f"{group.key}.{name}={value}"
        for name, value, usual in (
            ("coordinates_scale", f"{reading.scale:.4g}", reading.scale == given.scale),
            ("coordinates_swapped", _yaml(reading.swapped), reading.swapped == given.swapped),
            (
                "coordinates_from_bottom",
                _yaml(reading.from_bottom),
                reading.from_bottom == given.from_bottom,
            ),
        )
        if not usual
    ]
    return f"type {' '.join(options)}"


def _yaml(value: bool) -> str:
    return str(value).lower()


def _chance(group: _Group, comparison: "Comparison") -> str:
    return (
        f"{group.name}: the coordinates fit the micrographs no better than random places do "
        f"({comparison.given.deviations:.1f} standard deviations above chance, "
        f"{comparison.places} places); check them on an overlay"
    )
