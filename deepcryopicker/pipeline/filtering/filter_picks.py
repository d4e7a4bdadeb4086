"""Apply the rules of a configuration to the picks of every micrograph."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from deepcryopicker.config.sections import FilterSection
from deepcryopicker.detection.pick_rules import nearest_within
from deepcryopicker.errors import UsageError
from deepcryopicker.io.console import track
from deepcryopicker.io.coordinates.corrections import (
    Correction,
    Corrections,
    PageRules,
    read_corrections,
)
from deepcryopicker.io.coordinates.selected_picks import Selection, read_selected
from deepcryopicker.pipeline.filtering.filter_rules import SAME_PLACE, rules_of
from deepcryopicker.pipeline.filtering.listed_names import chosen_names
from deepcryopicker.pipeline.filtering.picked_micrographs import PickedMicrograph, PickedSet
from deepcryopicker.types import Picks


@dataclass(frozen=True)
class KeptPicks:
    """The picks of a micrograph that are kept, and the number of positions there were."""

    micrograph: PickedMicrograph
    picks: Picks
    given: int


@dataclass
class Filtered:
    """What was done: a rule in words, and how many picks it left out, in order.

    Attributes
    ----------
    micrographs, given, added, kept : int
        Numbers of micrographs that are kept, of positions in them, of picks added by hand, and of
        picks that are kept.
    lowest : float or None
        Lowest score that is kept.
    left_out : dict
    """

    micrographs: int = 0
    given: int = 0
    added: int = 0
    kept: int = 0
    lowest: float | None = None
    left_out: dict[str, int] = field(default_factory=dict)

    def leave_out(self, rule: str, count: int) -> None:
        """Add the picks of a micrograph that a rule left out."""
        self.left_out[rule] = self.left_out.get(rule, 0) + count

    @property
    def note(self) -> str:
        """All rules in one line."""
        by_hand = [f"{self.added} picks added by hand"] * bool(self.added)
        return "filtered: " + ("; ".join([*self.left_out, *by_hand]) or "all picks")

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as a section of ``metrics.json``."""
        rules = [{"rule": rule, "left_out": count} for rule, count in self.left_out.items()]
        numbers = ("micrographs", "given", "added", "kept", "lowest")
        return {name: getattr(self, name) for name in numbers} | {"rules": rules}


def filter_picks(picked: PickedSet, settings: FilterSection) -> tuple[list[KeptPicks], Filtered]:
    """Filter the picks of every chosen micrograph; no micrograph is read.

    Parameters
    ----------
    picked : PickedSet
    settings : FilterSection

    Raises
    ------
    UsageError
        A rule cannot be applied, a file is damaged, or corrections are of other micrographs.
    """
    given = settings.corrections
    corrections = Corrections() if given is None else read_corrections(Path(given).expanduser())
    _refuse_unknown(given, corrections.by_name, picked.micrographs)
    threshold = corrections.threshold if settings.threshold is None else settings.threshold
    selection = Selection(None, threshold, picked.threshold)
    rules, tally, kept = rules_of(_with_rules(settings, corrections.rules)), Filtered(), []
    for one in track(_chosen(picked.micrographs, settings, corrections), "filtering"):
        found = read_selected(one.source.path, replace(selection, name=one.source.name))
        picks = found.picks
        if found.threshold is not None:
            tally.leave_out(f"score >= {found.threshold:g}", found.given - len(picks))
        for rule in rules:
            keep = rule.keep(one, picks)
            tally.leave_out(rule.text, int(np.count_nonzero(~keep)))
            picks = picks[keep]
        correction = corrections.by_name.get(one.name)
        if correction is not None:
            picks = _corrected(picks, correction, one.diameter, tally)
        tally.given += found.given
        kept.append(KeptPicks(one, picks, found.given))
    tally.micrographs, tally.kept = len(kept), sum(len(one.picks) for one in kept)
    tally.lowest = min(
        (float(one.picks.score.min()) for one in kept if len(one.picks)), default=None
    )
    return kept, tally


def _with_rules(settings: FilterSection, page: PageRules) -> FilterSection:
    """Add what the page leaves out on all micrographs; keys that are typed go first."""
    if settings.classes is None:
        settings = replace(settings, classes=page.classes, drop=list(page.drop))
    contrast = None if page.contrast is None else list(page.contrast)
    return replace(
        settings,
        contrast=contrast if settings.contrast is None else settings.contrast,
        maxscore=page.maxscore if settings.maxscore is None else settings.maxscore,
    )


def _chosen(
    micrographs: Sequence[PickedMicrograph], settings: FilterSection, corrections: Corrections
) -> list[PickedMicrograph]:
    """Return the micrographs to keep."""
    names = [one.name for one in micrographs]
    kept = set(names)
    if settings.micrographs is not None:
        kept = chosen_names("filter.micrographs", settings.micrographs, names)
    if settings.without is not None:
        kept -= chosen_names("filter.without", settings.without, names)
    kept -= {name for name, one in corrections.by_name.items() if one.excluded}
    if not kept:
        raise UsageError("filter.micrographs, filter.without or corrections leave no micrograph")
    return [one for one in micrographs if one.name in kept]


def _corrected(
    picks: Picks, correction: Correction, diameter: float | None, tally: Filtered
) -> Picks:
    """Remove and add the picks that a person removed and added."""
    removed = nearest_within(picks.positions, correction.removed.positions, SAME_PLACE) >= 0
    tally.leave_out("removed by hand", int(np.count_nonzero(removed)))
    tally.added += len(correction.added)
    added = correction.added
    if diameter is not None:
        added = replace(added, diameter=np.full(len(added), diameter))
    return picks[~removed].joined(added)


def _refuse_unknown(
    given: str | None, corrected: Collection[str], micrographs: Sequence[PickedMicrograph]
) -> None:
    unknown = sorted(set(corrected) - {one.name for one in micrographs})
    if unknown:
        raise UsageError(
            f"filter.corrections={given} is of other picks: there is no micrograph {unknown[0]}"
        )
