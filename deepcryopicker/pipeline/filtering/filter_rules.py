"""The rules of a configuration: what is kept of the picks of one micrograph, and in what order."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from deepcryopicker.config.sections import FilterSection
from deepcryopicker.detection.bounds import clear_of_edges
from deepcryopicker.detection.pick_rules import (
    is_apart,
    is_best,
    is_contrasted,
    is_inside,
    is_sized,
    is_unmasked,
    nearest_within,
)
from deepcryopicker.errors import UsageError
from deepcryopicker.pipeline.filtering.picked_micrographs import PickedMicrograph
from deepcryopicker.types import NO_MARGINS, Mask, Picks

SAME_PLACE = 1.0  # pixel; files of classes and corrections have fewer decimals


@dataclass(frozen=True)
class Rule:
    """A condition on picks.

    Attributes
    ----------
    text : str
        The condition in words.
    keep : callable
        From a micrograph and its picks to those that meet it, (N,) bool.
    """

    text: str
    keep: Callable[[PickedMicrograph, Picks], Mask]


def rules_of(settings: FilterSection) -> list[Rule]:
    """List the rules beside the threshold, in the order in which they apply.

    Distance and number come last, so that what another rule leaves out takes no place.

    Raises
    ------
    UsageError
        A mask or the run of classes does not exist.
    """
    rules: list[Rule] = []
    if settings.labels is not None:
        rules.append(_of_labels(settings.labels))
    if settings.minsize is not None or settings.maxsize is not None:
        rules.append(_sized(settings.minsize, settings.maxsize))
    if settings.contrast is not None:
        rules.append(_contrasted(*settings.contrast))
    if settings.maxscore is not None:
        rules.append(_at_most(settings.maxscore))
    if settings.region is not None:
        rules.append(_inside(settings.region))
    if settings.edge is not None:
        rules.append(_off_edges(settings.edge))
    if settings.mask is not None:
        rules.append(_unmasked(Path(settings.mask).expanduser()))
    if settings.classes is not None:
        rules.append(_in_classes(Path(settings.classes).expanduser(), settings.drop))
    if settings.distance is not None:
        rules.append(_apart(settings.distance))
    if settings.top is not None:
        rules.append(_best(settings.top))
    return rules


def _of_labels(labels: list[str]) -> Rule:
    return Rule(f"views {', '.join(labels)}", lambda _, picks: np.isin(picks.label, labels))


def _sized(low: float | None, high: float | None) -> Rule:
    words = [] if low is None else [f"at least {low:g}"]
    words += [] if high is None else [f"at most {high:g}"]
    text = f"size {' and '.join(words)} pixels"
    return Rule(text, lambda _, picks: is_sized(picks, low, high))


def _contrasted(low: float, high: float) -> Rule:
    def keep(one: PickedMicrograph, picks: Picks) -> Mask:
        if len(picks) and np.isnan(picks.contrast).all():
            raise UsageError(
                f"{one.name}: filter.contrast needs picks with contrasts, as pick and train "
                "write them now; pick again, or leave it out"
            )
        return is_contrasted(picks, low, high)

    return Rule(f"contrast {low:g} to {high:g}", keep)


def _at_most(score: float) -> Rule:
    return Rule(f"score <= {score:g}", lambda _, picks: picks.score <= score)


def _inside(region: list[float]) -> Rule:
    left, top, right, bottom = region
    text = f"inside {left:g} <= x <= {right:g}, {top:g} <= y <= {bottom:g}"
    return Rule(text, lambda _, picks: is_inside(picks, (left, top, right, bottom)))


def _off_edges(distance: float) -> Rule:
    def keep(one: PickedMicrograph, picks: Picks) -> Mask:
        if one.shape is None:
            raise UsageError(
                "filter.edge needs the sizes of the micrographs, which these files do not hold: "
                "give the folder of a run of pick or train"
            )
        return clear_of_edges(picks.x, picks.y, one.shape, NO_MARGINS, distance)

    return Rule(f"{distance:g} pixels from the edges", keep)


def _apart(distance: float) -> Rule:
    text = f"{distance:g} pixels from every better pick"
    return Rule(text, lambda _, picks: is_apart(picks, distance))


def _best(count: int) -> Rule:
    return Rule(f"the best {count} of a micrograph", lambda _, picks: is_best(picks, count))


def _unmasked(place: Path) -> Rule:
    if not place.exists():
        raise UsageError(
            f"filter.mask={place} does not exist: give a folder of masks, such as RUN/masks, or "
            "one image"
        )
    # Imported on demand: most runs of filter read no image.
    from deepcryopicker.picker.masking.masked import read_given_mask

    # One image for all is read once.
    read = lru_cache(maxsize=1)(read_given_mask) if place.is_file() else read_given_mask

    def keep(one: PickedMicrograph, picks: Picks) -> Mask:
        mask = read(place, "" if place.is_file() else one.name)
        if mask is None:
            return np.ones(len(picks), np.bool_)
        return is_unmasked(picks, mask, one.shape or mask.shape)

    return Rule(f"outside the masks of {place}", keep)


def _in_classes(folder: Path, dropped: list[int]) -> Rule:
    from deepcryopicker.pipeline.classes.class_files import MEMBERS, read_members

    if not (folder / MEMBERS).is_file():
        raise UsageError(
            f"filter.classes={folder} is not a run of classes: {MEMBERS} is missing there"
        )
    members = read_members(folder)

    def keep(one: PickedMicrograph, picks: Picks) -> Mask:
        if one.name not in members:
            return np.ones(len(picks), np.bool_)
        places, number = members[one.name]
        nearest = nearest_within(picks.positions, places, SAME_PLACE)
        return np.asarray((nearest < 0) | ~np.isin(number[nearest], dropped))

    return Rule(f"not in classes {', '.join(map(str, dropped))} of {folder}", keep)
