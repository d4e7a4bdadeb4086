"""Assess groups of picked micrographs, calibrate their scores, and write what depends on them."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from deepcryopicker.errors import MicrographError
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.picker.folder.assessment import (
    ExpectedCounts,
    expected_by_mixture,
    expected_counts,
)
from deepcryopicker.picker.folder.curve import FolderCurve, bins_picked, nearly_equal
from deepcryopicker.picker.folder.score_counts import Counts
from deepcryopicker.picker.pick_counts import disc_share
from deepcryopicker.pipeline.inputs.prefetch import count_threads, in_parallel
from deepcryopicker.pipeline.picking.results.folder_calibration import (
    FolderCalibration,
    assess_parts,
    describe,
)
from deepcryopicker.pipeline.picking.results.folder_scores import FolderScores
from deepcryopicker.pipeline.picking.results.noise_control import classes_in_noise, picks_in_noise
from deepcryopicker.pipeline.picking.results.pick_files import (
    Files,
    draw_averages,
    draw_overlay,
    overlay_background,
)
from deepcryopicker.pipeline.picking.results.recipe import Recipe
from deepcryopicker.pipeline.scoring.picked import Picked, evaluate_picks
from deepcryopicker.types import Picks

if TYPE_CHECKING:
    from deepcryopicker.plots.overlays import ReducedPicture

_KEPT = 24  # reduced micrographs, a megabyte each, until their overlays are drawn

logger = logging.getLogger(__name__)


class AssessedGroups:
    """The curves of groups of micrographs, and the files that depend on them.

    Without calibration, these files are written as soon as a micrograph is picked, else when its
    group is assessed.

    Parameters
    ----------
    recipe : Recipe
    files : Files
    scores : FolderScores
    """

    def __init__(self, recipe: Recipe, files: Files, scores: FolderScores) -> None:
        self._recipe, self._files, self._scores = recipe, files, scores
        self._known: dict[str, FolderCalibration] = {}
        self._calibrated: dict[str, FolderCalibration] = {}
        self._expected: dict[str, ExpectedCounts] = {}
        self._drawn: set[str] = set()
        self._backgrounds: dict[str, ReducedPicture] = {}

    def draw_later(self, names: Collection[str]) -> None:
        """Add micrographs with an overlay."""
        self._drawn |= set(names)

    def is_drawn(self, name: str) -> bool:
        """Whether a micrograph that is picked now needs the background of its overlay."""
        kept = not self._recipe.recalibrate or len(self._backgrounds) < _KEPT
        return kept and name in self._drawn

    def add(self, one: Picked, picks: Picks, background: "ReducedPicture | None") -> None:
        """Add a micrograph that has just been picked.

        Parameters
        ----------
        one : Picked
        picks : Picks
            Every candidate, as in its file.
        background : ReducedPicture or None
            Of its overlay, where it is drawn.
        """
        self._calibrated.pop(one.entry.name, None)
        if self._recipe.assess:
            self._scores.add(one.entry, picks.score)
        self._backgrounds.pop(one.entry.name, None)  # of an earlier file
        if self._recipe.recalibrate:
            if background is not None:
                self._backgrounds[one.entry.name] = background
            return
        self._write_formats(one, picks, self._files.wanted(one.entry))
        if background is not None:
            self._draw(one, background)

    def assess(
        self, group: str, members: Sequence[Picked], complete: bool
    ) -> tuple[list[Picked], dict[str, Any] | None]:
        """Assess the picks of a group; calibrate its scores and write what depends on them.

        Parameters
        ----------
        group : str
        members : sequence of Picked
        complete : bool
            False while more micrographs are expected: scores that would hardly change stay.

        Returns
        -------
        list of Picked
            With verdicts, and numbers of picks after calibration.
        dict or None
            Assessment and curve of the group as plain numbers; None if no noise was picked.
        """
        curve, known = self._scores.fit(members), self._known.get(group)
        if curve is None:
            for one in members:
                self._write(one, one.load(), again=False)
            return list(members), None
        if known is not None and not complete and self._hardly_changes(members, curve, known):
            calibration = known
        elif self._recipe.recalibrate:
            calibration = self._scores.calibrate(members, curve)
        else:
            calibration = FolderCalibration(curve)
        self._known[group] = calibration
        if self._recipe.recalibrate:
            # Each micrograph has files of its own.
            recalibrate = partial(self._recalibrate, calibration=calibration)
            members = in_parallel(members, recalibrate, count_threads())
        parts = [self._part(one, calibration) for one in members]
        whole, each = assess_parts(parts, calibration, self._recipe.vouched)
        self._drawn -= {one.entry.name for one in members}
        drawn = self._scores.with_noise(members)
        if complete:
            self._draw_averages(group, calibration, drawn)
        assessed = [
            replace(one, verdict=own.verdict) for one, own in zip(members, each, strict=True)
        ]
        used = calibration if self._recipe.recalibrate else None
        in_noise = picks_in_noise(drawn, self._files, used, self._recipe.threshold)
        return assessed, {**asdict(whole), "in_noise": in_noise, **describe(calibration)}

    def _draw_averages(
        self, group: str, calibration: FolderCalibration, drawn: Sequence[Picked]
    ) -> None:
        """Draw what likely candidates average to, beside candidates in noise."""
        path, opinion = self._files.averages(group), calibration.opinion
        path.unlink(missing_ok=True)
        if opinion is not None:
            control = classes_in_noise(drawn, self._files, opinion.classes.background)
            draw_averages(path, opinion.classes, control)

    def _hardly_changes(
        self, members: Sequence[Picked], curve: FolderCurve, known: FolderCalibration
    ) -> bool:
        """Whether a calibration of fewer micrographs still holds.

        Its curve is nearly the same, and its windows are of as many micrographs as they would be.
        """
        drawn = self._scores.drawn_for_noise(one.entry for one in members)
        as_many = not self._recipe.recalibrate or len(known.drawn) >= len(drawn)
        return as_many and nearly_equal(curve, known.curve)

    def write_others(self, one: Picked, formats: Collection[str]) -> None:
        """Write formats of a micrograph other than CSV."""
        if formats:
            self._write_formats(one, one.load(), formats)

    def _part(
        self, one: Picked, calibration: FolderCalibration
    ) -> tuple[ExpectedCounts, Counts, float]:
        """Count the candidates of a micrograph, for an assessment."""
        counts = self._scores.counts_of(one)
        if self._recipe.recalibrate:
            found = self._expected[one.entry.name]
        else:
            is_pick = bins_picked(self._recipe.threshold, None)
            found = expected_by_mixture(counts, calibration.curve, is_pick)
        shape = one.entry.shape_in((one.record.height, one.record.width))
        return found, counts, disc_share(1, one.record.diameter, shape)

    def _recalibrate(self, one: Picked, calibration: FolderCalibration) -> Picked:
        """Calibrate the scores of a micrograph, and write what depends on them."""
        name = one.entry.name
        if self._calibrated.get(name) is calibration:
            return one
        picks, raw, same = self._scores.revise(one, calibration)
        picked = picks.score >= self._recipe.threshold
        found = self._expected[name] = expected_counts(picks.score, picked)
        if not same or found.picks != one.record.picks:
            # A new object, as the old one may hold outcomes with the scores before.
            record = replace(one.record, picks=found.picks)
            one = Picked(one.entry, record, one.path, one.outcomes)
        self._write(one, picks, again=not same)
        if not same:  # last, so that a run that is killed before begins with it again
            self._match_anew(one, picks)
            write_csv(one.path, picks, raw)
        overlay = self._files.overlay(one.entry)
        missing = name in self._drawn and not overlay.is_file()
        if missing or (not same and overlay.is_file()):
            self._draw_anew(one)
        self._calibrated[name] = calibration
        return one

    @staticmethod
    def _match_anew(one: Picked, picks: Picks) -> None:
        """Write the outcomes of candidates whose order has changed, if there is truth."""
        try:
            truth = one.entry.load_truth()
        except MicrographError:  # moved away: matched again when the outcomes are read
            one.outcomes.unlink(missing_ok=True)
            return
        if truth is not None:
            from deepcryopicker.pipeline.scoring.pick_outcomes import write_outcomes

            shape = one.entry.shape_in((one.record.height, one.record.width))
            evaluated = evaluate_picks(one.entry, picks, truth, one.record.diameter, shape)
            write_outcomes(one.outcomes, evaluated)

    def _write(self, one: Picked, picks: Picks, again: bool) -> None:
        """Write the formats beside CSV that are missing, or all of them again."""
        wanted = self._files.wanted(one.entry)
        self._write_formats(
            one, picks, [name for name, file in wanted.items() if again or not file.is_file()]
        )

    def _write_formats(self, one: Picked, picks: Picks, formats: Collection[str]) -> None:
        threshold = self._recipe.threshold
        self._files.write_others(one.entry, picks, threshold, one.record.height, formats)

    def _draw_anew(self, one: Picked) -> None:
        """Draw an overlay; without the micrograph, which may be moved away, the old one stays."""
        background = self._backgrounds.pop(one.entry.name, None)
        try:
            if background is None:
                background = overlay_background(one.entry.load(), one.record.diameter)
            self._draw(one, background)
        except MicrographError as error:
            logger.warning("%s: no new overlay: %s", one.entry.path, error)

    def _draw(self, one: Picked, background: "ReducedPicture") -> None:
        draw_overlay(one, background, self._recipe.threshold, self._files.overlay(one.entry))
