"""The picks of each run matched with the truth."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from deepcryopicker.config.sections import EvaluateSection
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import DeepCryoPickerError
from deepcryopicker.evaluation.metrics import best_point, precision_recall, scores_at
from deepcryopicker.evaluation.scores import Evaluated, pooled
from deepcryopicker.io.console import track
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.files.checks import one_line
from deepcryopicker.pipeline.scoring.external import match_coordinates
from deepcryopicker.reporting.content.run_outcomes import RunOutcomes
from deepcryopicker.reporting.page.page_model import ShownPicker, ShownPicks
from deepcryopicker.reporting.reading.pick_sets import PickSet
from deepcryopicker.reporting.reading.run_files import UnreadableError
from deepcryopicker.reporting.reading.run_sources import find_micrographs, find_picks
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Picks

WITHOUT_TRUTH = "without truth: picks are shown, hits and missed particles are unknown"
_BLOCK = re.compile(r"_block\d+$")


@dataclass(frozen=True)
class ScoredMicrograph:
    """Candidates of one micrograph.

    Attributes
    ----------
    name : str
    picks : Picks
    evaluated : Evaluated or None
        Picks matched with truth, None without truth.
    entry : Entry or None
        The micrograph, None if it was not found.
    radius : float
        Matching radius, original pixels; NaN without truth.
    """

    name: str
    picks: Picks
    evaluated: Evaluated | None
    entry: Entry | None
    radius: float = np.nan


@dataclass(frozen=True)
class ScoredPicker:
    """All picks of a picker, and notes on limitations."""

    pick_set: PickSet
    micrographs: list[ScoredMicrograph]
    notes: list[str]


def score_pickers(pick_sets: Sequence[PickSet], run: Run) -> list[ScoredPicker]:
    """Read the picks of every picker and their outcomes."""
    return [
        score_picker(pick_set, run)
        for pick_set in track(pick_sets, "reading the picks of", "picker")
    ]


def score_picker(pick_set: PickSet, run: Run) -> ScoredPicker:
    """Read picks and their outcomes; problems are reported as notes."""
    try:
        micrographs, notes = _foreign(pick_set, run) if _is_foreign(pick_set) else _own(pick_set)
    except (UnreadableError, DeepCryoPickerError, OSError) as error:
        return ScoredPicker(pick_set, [], [f"no picks are shown: {one_line(error)}"])
    return ScoredPicker(pick_set, micrographs, notes + _disagreement(pick_set, micrographs))


def as_picker(scored: ScoredPicker, dataset: str, places: Mapping[str, int]) -> ShownPicker:
    """Convert a picker for the page.

    Parameters
    ----------
    scored : ScoredPicker
    dataset : str
        Pickers of one dataset are compared with each other.
    places : mapping
        From the name of a micrograph to its index on the page, of those shown there.
    """
    pick_set = scored.pick_set
    evaluated = [one.evaluated for one in scored.micrographs if one.evaluated is not None]
    curve = precision_recall(*pooled(evaluated)) if evaluated else None
    return ShownPicker(
        name=pick_set.name,
        dataset=dataset,
        threshold=pick_set.threshold,
        picked=[
            ShownPicks(places[one.name], one.picks, one.evaluated)
            for one in scored.micrographs
            if one.name in places
        ],
        curve=curve,
        best_threshold=best_point(curve)[1] if curve else None,
    )


def _is_foreign(pick_set: PickSet) -> bool:
    return pick_set.run.command == "evaluate"


def _foreign(pick_set: PickSet, run: Run) -> tuple[list[ScoredMicrograph], list[str]]:
    """Match the picks of a run of ``evaluate`` again."""
    settings: Any = OmegaConf.structured(EvaluateSection)
    try:
        settings = OmegaConf.to_object(OmegaConf.merge(settings, pick_set.run.section("evaluate")))
    except OmegaConfBaseException as error:
        raise UnreadableError(f"config.yaml: {one_line(error)}") from error
    matched = match_coordinates(settings)
    return [
        ScoredMicrograph(one.name, one.picks, one, None, one.radius) for one in matched.picks
    ], []


def _own(pick_set: PickSet) -> tuple[list[ScoredMicrograph], list[str]]:
    """Read the picks of a run, and the truth named in its configuration."""
    files, notes = find_picks(pick_set.folder / "picks"), []
    entries: dict[str, Entry] = {}
    try:
        entries = find_micrographs(pick_set.run)
    except UnreadableError as error:
        notes.append(f"shown without micrographs and truth: {error}")
    scored, outcomes = _scored(pick_set), RunOutcomes(pick_set.folder)
    micrographs = []
    for name, parts in _parts_of_micrographs(files, entries).items():
        picks, entry = {part: read_picks(files[part]) for part in parts}, entries.get(name)
        evaluated = None
        if entry is not None and (scored is None or scored.intersection(parts)):
            evaluated = outcomes.read(name, picks, entry)
        joined = reduce(Picks.joined, picks.values())
        radius = np.nan if evaluated is None else evaluated.radius
        micrographs.append(ScoredMicrograph(name, joined, evaluated, entry, radius))
    notes += outcomes.notes
    lost = sum(one.entry is None for one in micrographs)
    if entries and lost:
        notes.append(f"{lost} of {len(micrographs)} micrographs are no longer in the dataset")
    if not any(one.evaluated for one in micrographs) and entries:
        notes.append(WITHOUT_TRUTH)
    return micrographs, notes


def _parts_of_micrographs(
    files: Mapping[str, Path], entries: Mapping[str, Entry]
) -> dict[str, list[str]]:
    """Group the separately picked blocks of each micrograph."""
    found: dict[str, list[str]] = {}
    for name in files:
        whole = _BLOCK.sub("", name)
        found.setdefault(whole if name not in entries and whole in entries else name, []).append(
            name
        )
    return found


def _scored(pick_set: PickSet) -> set[str] | None:
    """Return the micrographs scored by the run, fewer after training on truth; None means all."""
    if pick_set.run.command == "label":
        return None
    rows = pick_set.metrics.get("per_micrograph")
    known = rows if isinstance(rows, list) else []
    return {str(row.get("micrograph")) for row in known if isinstance(row, dict)}


def _disagreement(pick_set: PickSet, micrographs: Sequence[ScoredMicrograph]) -> list[str]:
    """Report if the truth on disk gives other counts than those recorded by the run."""
    evaluated = [one.evaluated for one in micrographs if one.evaluated is not None]
    if not evaluated or "hits" not in pick_set.metrics:
        return []
    now = scores_at(*pooled(evaluated), pick_set.threshold)
    here = [now.hits, now.false, now.missed]
    then = [pick_set.metrics.get(key) for key in ("hits", "false", "missed")]
    if here == then:
        return []
    return [
        "hits, false picks and missed particles are {}, {} and {} here, but {}, {} and {} in "
        "metrics.json: picks, truth or micrographs have changed since".format(*here, *then)
    ]
