"""Match the coordinates of any program with the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcryopicker.config.sections import EvaluateSection
from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.scores import (
    Evaluated,
    evaluate_micrograph,
    half_diameter,
    score_pooled,
)
from deepcryopicker.evaluation.significance import compare_paired
from deepcryopicker.io.console import console
from deepcryopicker.io.coordinates.assigned_coordinates import assign_sources
from deepcryopicker.io.coordinates.coordinate_sets import (
    CoordinateSource,
    find_sources,
    names_of,
)
from deepcryopicker.io.coordinates.coordinate_tables import READ
from deepcryopicker.io.coordinates.micrograph_names import UNCERTAIN
from deepcryopicker.io.coordinates.run_picks import threshold_near
from deepcryopicker.io.coordinates.selected_picks import Selection, read_selected
from deepcryopicker.pipeline.inputs.given_coordinates import print_selected
from deepcryopicker.types import Picks


@dataclass(frozen=True)
class Matched:
    """Picks matched with the truth.

    Attributes
    ----------
    picks : list of Evaluated
    against : list of Evaluated or None
        Picks of the second picker, if any.
    radius : float
        Maximum distance of a hit from its particle, original pixels.
    """

    picks: list[Evaluated]
    against: list[Evaluated] | None
    radius: float


def match_coordinates(settings: EvaluateSection) -> Matched:
    """Match the picks of every micrograph with truth.

    Raises
    ------
    UsageError
        If files are missing, no picks belong to the truth, or there is neither a diameter nor a
        radius.
    """
    sources = find_sources("evaluate.truth", settings.truth)
    every_name = names_of(sources)
    uncertain = {name for name in every_name if name.endswith(UNCERTAIN)}
    every = [name for name in every_name if name not in uncertain]
    picks = _assigned("evaluate.picks", settings.picks, every, settings.missing)
    against = None
    if settings.against is not None:
        against = _assigned("evaluate.against", settings.against, every, settings.missing)
    # Other files of the folder may not be coordinates, and are not read.
    names = every if settings.missing == "missed" else sorted({*picks, *(against or ())})
    vague = [f"{name}{UNCERTAIN}" for name in names if f"{name}{UNCERTAIN}" in uncertain]
    truth = _read_truth(settings.truth, assign_sources(sources, [*names, *vague]))
    radius = settings.radius or half_diameter([truth[name] for name in names], "evaluate.radius")

    def evaluated(found: Mapping[str, CoordinateSource]) -> list[Evaluated]:
        return [
            evaluate_micrograph(
                name,
                found[name].read() if name in found else Picks.empty(),
                truth[name],
                truth.get(f"{name}{UNCERTAIN}", Picks.empty()),
                radius,
            )
            for name in (names if settings.missing == "missed" else sorted(found))
        ]

    return Matched(evaluated(picks), None if against is None else evaluated(against), radius)


def _read_truth(given: str, assigned: Mapping[str, CoordinateSource]) -> dict[str, Picks]:
    """Read the true particles; candidates of ours below their threshold are none."""
    threshold = threshold_near(Path(given))
    read = {
        name: read_selected(one.path, Selection(one.name, own_threshold=threshold))
        for name, one in assigned.items()
    }
    certain = [one for name, one in read.items() if not name.endswith(UNCERTAIN)]
    print_selected("evaluate.truth", certain, None)
    return {name: one.picks for name, one in read.items()}


def _assigned(
    key: str, given: str, names: Sequence[str], missing: str
) -> dict[str, CoordinateSource]:
    """Find the picks of the micrographs with truth, and report micrographs without picks."""
    sources = find_sources(key, given)
    assigned = assign_sources(sources, names)
    if not assigned:
        raise UsageError(
            f"{key} and evaluate.truth share no file name; read are {READ}\n"
            f"picks: {sources.examples}; truth: {', '.join(names[:3]) or 'none'}"
        )
    if len(assigned) < len(names):
        what = (
            "their particles count as missed"
            if missing == "missed"
            else "skipped (evaluate.missing=missed counts their particles as missed)"
        )
        lacking = len(names) - len(assigned)
        console.print(f"{lacking} of {len(names)} truth files have no picks in {given}: {what}")
    return assigned


def compare(
    first: Sequence[Evaluated], second: Sequence[Evaluated], settings: EvaluateSection
) -> dict[str, Any]:
    """Compare two pickers on the micrographs that both have picked.

    Parameters
    ----------
    first, second : sequence of Evaluated
        Micrographs of each picker.
    settings : EvaluateSection

    Returns
    -------
    dict
        Result of :func:`significance.compare_paired`, with ``against``, its ``threshold``, and
        ``scores``, those of the second picker on all its micrographs.

    Raises
    ------
    UsageError
        If they have no micrograph in common.
    """
    given = settings.against_threshold
    threshold = settings.threshold if given is None else given
    shared = {one.name for one in first} & {one.name for one in second}
    if not shared:
        raise UsageError("evaluate.picks and evaluate.against have no micrograph in common")
    one, other = (
        [micrograph for micrograph in picker if micrograph.name in shared]
        for picker in (first, second)
    )
    return {
        "against": settings.against,
        "threshold": threshold,
        "scores": {"micrographs": len(second), **score_pooled(second, threshold)},
        **compare_paired(one, other, settings.threshold, threshold),
    }
