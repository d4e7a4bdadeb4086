"""Warnings after picking: few picks, picks that touch, and micrographs far from the others."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from deepcryopicker.dataset.pixel_sizes import SAME_PIXEL_SIZE, spread_sample
from deepcryopicker.io.console import counted
from deepcryopicker.picker.folder.assessment import DOUBTFUL, FOUND, NOTHING
from deepcryopicker.picker.folder.second_opinion import NO_PICKS
from deepcryopicker.picker.pick_counts import (
    CROWDED,
    FEW,
    TOUCHING,
    count_touching,
    disc_share,
    far_from_others,
)
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.runs.folder import Run

_NAMED = 3  # micrographs in a line
_READ_AGAIN = 20  # micrographs whose picks are read for the distances
_FEWEST_PICKS = 20  # in all of these: fewer have no typical distance


def warn_of_picks(picked: Sequence[Picked], threshold: float, run: Run) -> None:
    """Warn of the picks of each group of micrographs, in one line for each kind of doubt.

    Parameters
    ----------
    picked : sequence of Picked
    threshold : float
        Minimum score of a pick.
    run : Run
    """
    for group in dict.fromkeys(one.entry.group for one in picked):
        members = [one for one in picked if one.entry.group == group]
        nothing = run.verdicts.get(group, {}).get("verdict") == NOTHING  # which is said already
        for kind, text in (
            ("pixel sizes", pixel_sizes_doubt(members)),
            ("number", None if nothing else few_doubt(members, threshold)),
            ("distance", None if nothing else crowded_doubt(members, threshold)),
        ):
            run.warn(f"{kind} of {group}", None if text is None else f"{group}: {text}")


def report_verdicts(picked: Sequence[Picked], run: Run, ends_in_doubt: bool) -> None:
    """Print whether the picks of each group are particles, and name micrographs without any.

    Parameters
    ----------
    picked : sequence of Picked
    run : Run
        Its verdicts.
    ends_in_doubt : bool
        Whether a run without particles for sure has an exit code of its own.
    """
    for group, found in run.verdicts.items():
        low, high = (round(end) for end in found["interval"])
        verdict = f"{group}: {found['verdict']}: {found['reason']}"
        members = [one for one in picked if one.entry.group == group]
        picks = sum(one.record.picks for one in members)
        numbers = (
            f"{picks} picks, expected precision {found['precision']:.2f} and recall "
            f"{found['recall']:.2f} of {low} to {high} particles"
        )
        if found["verdict"] == FOUND:
            run.note(f"verdict on {group}", f"{verdict}; {numbers}")
        elif found["verdict"] == NOTHING:
            run.warn(
                f"verdict on {group}", f"{verdict}; {counted(picks, 'pick')}; {_if_wrong(found)}"
            )
        else:
            run.warn(f"verdict on {group}", f"{verdict}; {numbers}; look at overlays/")
        run.in_doubt |= ends_in_doubt and found["verdict"] != FOUND
        empty = [one for one in members if one.verdict == NOTHING]
        if empty and found["verdict"] != NOTHING:
            run.warn(
                f"empty micrographs of {group}",
                f"{group}: nothing that stands out from noise on {len(empty)} of its micrographs "
                f"({_named(empty)}); filter.without=NAME leaves one out",
            )
        unsure = [one for one in members if one.verdict == DOUBTFUL]
        if unsure and found["verdict"] == FOUND:
            run.warn(
                f"doubtful micrographs of {group}",
                f"{group}: doubtful on {len(unsure)} of its micrographs ({_named(unsure)}): look "
                "at their overlays",
            )


def _if_wrong(found: dict[str, Any]) -> str:
    """Return what to type if there are particles where nothing was found.

    Where picks do not average to particles, scores are multiplied by the probability that they do;
    half of it as the threshold shows what was picked before.
    """
    text = "if there are particles, check dataset.diameter and dataset.polarity"
    averages = (found["averages"] or {}).get("particles", 1.0)
    if averages >= NO_PICKS:
        return text
    return f"{text}, or type picker.threshold={averages / 2.0:.2g}"


def few_doubt(picked: Sequence[Picked], threshold: float) -> str | None:
    """Return a warning if picks are few on all micrographs, none on many, or uneven; else None."""
    counts = [one.record.picks for one in picked]
    share = float(np.mean([_disc_share(one) for one in picked]))
    none = [one for one in picked if one.record.picks == 0]
    if share < FEW:
        return (
            f"{counted(sum(counts), 'pick')} on {counted(len(picked), 'micrograph')} "
            f"({_named(picked)}), which cover {share:.1%} of them; if there are more particles, "
            "check dataset.diameter and dataset.polarity, or type "
            f"picker.threshold={threshold / 2:g}"
        )
    far = [one for one, odd in zip(picked, far_from_others(counts), strict=True) if odd]
    if len(none) > len(picked) / 2:
        return (
            f"no picks on {len(none)} of {counted(len(picked), 'micrograph')} ({_named(none)}); "
            f"look at their overlays, or type picker.threshold={threshold / 2:g}"
        )
    if not far:
        return None
    return (
        f"{len(far)} of {counted(len(picked), 'micrograph')} are far from the median of "
        f"{np.median(counts):g} picks ({_named(far)}); look at them before you use their picks"
    )


def crowded_doubt(picked: Sequence[Picked], threshold: float) -> str | None:
    """Return a warning if most picks touch their nearest neighbour, else None."""
    chosen = spread_sample([one for one in picked if one.record.picks > 1], _READ_AGAIN)
    picks = [(one.load(threshold), one.record.diameter) for one in chosen]
    total = sum(len(each) for each, _ in picks)
    touching = sum(count_touching(each, diameter) for each, diameter in picks)
    if total < _FEWEST_PICKS or touching <= CROWDED * total:
        return None
    usual = float(np.median([diameter for _, diameter in picks]))
    return (
        f"{touching / total:.0%} of the picks are closer than {TOUCHING:g} diameters to another "
        f"({_named(chosen)}); if particles are smaller than {usual:.4g} pixels, type "
        "dataset.diameter=PIXELS"
    )


def pixel_sizes_doubt(picked: Sequence[Picked]) -> str | None:
    """Return a warning if one diameter in pixels was used at several pixel sizes, else None."""
    sizes = {
        one.entry.name: one.record.pixel_size
        for one in picked
        if one.record.pixel_size is not None and one.entry.diameter_angstrom is None
    }
    if not sizes:
        return None
    low, high = (choose(sizes, key=lambda name: sizes[name]) for choose in (min, max))
    if sizes[high] <= sizes[low] * (1.0 + SAME_PIXEL_SIZE):
        return None
    return (
        f"one diameter, {picked[0].record.diameter:.4g} pixels, at pixel sizes from "
        f"{sizes[low]:.4g} ({low}) to {sizes[high]:.4g} Angstrom ({high}); type "
        "dataset.diameter_angstrom=ANGSTROM"
    )


def far_names(picked: Sequence[Picked]) -> set[str]:
    """Return the names of the micrographs whose number of picks is far from their group's."""
    found: set[str] = set()
    for group in dict.fromkeys(one.entry.group for one in picked):
        members = [one for one in picked if one.entry.group == group]
        odd = far_from_others([one.record.picks for one in members])
        found |= {one.entry.name for one, far in zip(members, odd, strict=True) if far}
    return found


def _disc_share(one: Picked) -> float:
    record = one.record
    shape = one.entry.shape_in((record.height, record.width))
    return disc_share(record.picks, record.diameter, shape)


def _named(picked: Sequence[Picked]) -> str:
    """Return the first three names with their numbers of picks, and how many others there are."""
    shown = ", ".join(
        f"{one.entry.name}: {counted(one.record.picks, 'pick')}" for one in picked[:_NAMED]
    )
    others = len(picked) - _NAMED
    return shown if others <= 0 else f"{shown} and {counted(others, 'other')}"
