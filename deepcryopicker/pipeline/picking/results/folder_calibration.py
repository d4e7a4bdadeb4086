"""What scores mean on a group of micrographs: its curve, what its windows say, an assessment."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from deepcryopicker.picker.folder.assessment import (
    NO_CANDIDATES,
    Assessment,
    ExpectedCounts,
    assess,
    curve_of_part,
    gain_each,
    relative_least,
    vouched_least,
    with_parts,
)
from deepcryopicker.picker.folder.curve import FolderCurve
from deepcryopicker.picker.folder.score_counts import Counts
from deepcryopicker.picker.folder.second_opinion import SecondOpinion


@dataclass(frozen=True)
class FolderCalibration:
    """What scores mean on a group of micrographs.

    Attributes
    ----------
    curve : FolderCurve
    opinion : SecondOpinion or None
        None where scores stay those of the network, or there are too few windows.
    drawn : frozenset of str
        Names of the micrographs whose windows formed it.
    """

    curve: FolderCurve
    opinion: SecondOpinion | None = None
    drawn: frozenset[str] = frozenset()


def assess_parts(
    parts: Sequence[tuple[ExpectedCounts, Counts, float]],
    calibration: FolderCalibration,
    vouched: bool = False,
) -> tuple[Assessment, list[Assessment]]:
    """Assess the picks of a group, and those of each of its micrographs.

    Parameters
    ----------
    parts : sequence of (ExpectedCounts, (B,) int64, float)
        Numbers of candidates of each micrograph, counts of their scores, and the area of a
        particle's disc over that of the micrograph.
    calibration : FolderCalibration
        Of the group.
    vouched : bool
        Whether the network finds what the general weights find.
    """
    curve, opinion = calibration.curve, calibration.opinion
    averages = None if opinion is None else opinion.particles
    gain = gain_each(np.sum([counts for _, counts, _ in parts], axis=0), curve)
    if vouched:
        least, of_part = vouched_least(gain)
    else:
        least = of_part = 1.0 if averages is None else relative_least(gain)
    each = [
        assess(found, gain_each(counts, curve_of_part(counts, curve)), disc, averages, of_part)
        for found, counts, disc in parts
    ]
    disc = float(np.mean([disc for _, _, disc in parts])) / len(parts)
    found = sum((found for found, _, _ in parts), NO_CANDIDATES)
    whole = assess(found, gain, disc, averages, least)
    return with_parts(whole, [one.verdict for one in each]), each


def describe(calibration: FolderCalibration) -> dict[str, object]:
    """Return a calibration as plain numbers, for a file."""
    opinion = calibration.opinion
    averages = (
        None
        if opinion is None
        else {
            "classes": len(opinion.classes.features),
            "particles": opinion.particles,
        }
    )
    return {"curve": _describe_curve(calibration.curve), "averages": averages}


def _describe_curve(curve: FolderCurve) -> dict[str, object]:
    """Return a curve as plain numbers, for a file; places and spreads are logits."""
    mixture = curve.mixture
    gaps, noise, particles = (float(share) for share in mixture.share)
    at = [
        {"centre": float(centre), "spread": float(spread)}
        for centre, spread in zip(mixture.centre, mixture.spread, strict=True)
    ]
    return {
        **asdict(curve.calibration),
        "gain": curve.gain,
        "gaps": {"share": gaps, **at[0]},
        "noise": {"share": noise, **asdict(mixture.noise)},
        "particles": {"share": particles, **at[1]},
    }
