"""Calibrate the scores of picked micrographs on themselves, group by group, when lists are written.

What a micrograph adds is counts of its scores, and where it is one of those drawn, its candidates
in noise. Both depend on nothing but this micrograph, and counts add up in any order: resumed,
watched and sharded runs have the scores of one run over the whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.io.coordinates.candidate_csv import as_written, write_csv
from deepcryopicker.io.coordinates.formats import read_picks, read_with_raw_scores
from deepcryopicker.picker.folder.candidate_windows import (
    Stored,
    best_first,
    cut_windows,
    most_windows,
    strongest,
)
from deepcryopicker.picker.folder.curve import FolderCurve, apply_curve, fit_curve
from deepcryopicker.picker.folder.noise_image import pick_noise_like
from deepcryopicker.picker.folder.score_counts import Counts, count_scores, no_counts
from deepcryopicker.picker.folder.second_opinion import apply_opinion, form_opinion
from deepcryopicker.picker.function import Picker, in_order_of_mrc, picks_in_order_of_mrc
from deepcryopicker.pipeline.picking.results.folder_calibration import FolderCalibration
from deepcryopicker.pipeline.picking.results.pick_files import Files
from deepcryopicker.pipeline.picking.results.window_files import read_windows, write_windows
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Floats, Picks

_IN_NOISE = 60  # candidates whose windows are kept
_WITH_NOISE = 8  # micrographs; more change the threshold less than other micrographs would


class Calibrated(NamedTuple):
    """The calibrated candidates of a micrograph.

    Attributes
    ----------
    picks : Picks
        Every candidate, rounded as in the file.
    raw : (N,) float64
        Their scores before.
    same : bool
        Whether the file has these scores already.
    """

    picks: Picks
    raw: Floats
    same: bool


class FolderScores:
    """Counts of the scores of each micrograph, and the curve of a group of them.

    Parameters
    ----------
    files : Files
        Of the run.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._counts: dict[str, Counts] = {}

    def add(self, entry: Entry, raw: Floats) -> None:
        """Count the scores of a micrograph as the picker gave them."""
        self._counts[entry.name] = count_scores(raw).astype(np.int32)

    def drawn_for_noise(self, entries: Iterable[Entry]) -> set[str]:
        """Choose the micrographs of each group whose noise is picked: by checksums of their names.

        Of any part of a group, those chosen of the whole are chosen too, so that shards and a
        watched folder, whose files come one by one, have what one run would.
        """
        groups: dict[str, list[str]] = {}
        for entry in entries:
            groups.setdefault(entry.group, []).append(entry.name)
        chosen: set[str] = set()
        for names in groups.values():
            ranked = sorted(set(names), key=lambda name: (crc32(name.encode()), name))
            chosen.update(ranked[:_WITH_NOISE])
        return chosen

    def with_noise(self, picked: Sequence[Picked]) -> list[Picked]:
        """Return those of the chosen micrographs whose noise was picked."""
        return [one for one in self._chosen(picked) if self._files.noise(one.entry).is_file()]

    def without_noise(self, picked: Sequence[Picked]) -> list[Picked]:
        """Return those of the chosen micrographs whose noise is still to be picked."""
        return [one for one in self._chosen(picked) if not self._files.noise(one.entry).is_file()]

    def _chosen(self, picked: Sequence[Picked]) -> list[Picked]:
        chosen = self.drawn_for_noise(one.entry for one in picked)
        return [one for one in picked if one.entry.name in chosen]

    def pick_noise(
        self,
        entry: Entry,
        preprocessed: Preprocessed,
        picks: Picks,
        picker: Picker,
        windows: bool,
    ) -> None:
        """Pick noise like a micrograph; write candidates and, if asked, windows.

        Parameters
        ----------
        entry : Entry
        preprocessed : Preprocessed
        picks : Picks
            Every candidate, rounded as in its file, in the frame of the micrograph.
        picker : callable
        windows : bool
        """
        found = Picks.empty()
        if not preprocessed.is_blank:
            own = entry.from_micrograph(picks)
            noise, found = pick_noise_like(picker, entry, preprocessed, own)
            if windows:
                shown = cut_windows(noise, found[strongest(found, _IN_NOISE)])
                write_windows(self._files.noise_windows(entry), shown)
        write_csv(self._files.noise(entry), found)

    def pick_missing_noise(
        self, one: Picked, preprocessed: Preprocessed, picker: Picker, windows: bool
    ) -> None:
        """Pick noise like a micrograph that was picked by an earlier run."""
        self.pick_noise(one.entry, preprocessed, _with_raw_scores(one), picker, windows)

    def keep_windows(self, entry: Entry, preprocessed: Preprocessed, picks: Picks) -> None:
        """Write the windows of the strongest candidates of a micrograph.

        Parameters
        ----------
        entry : Entry
        preprocessed : Preprocessed
        picks : Picks
            Every candidate, rounded as in its file, in the frame of the micrograph.
        """
        if preprocessed.is_blank:
            return
        own = entry.from_micrograph(picks)
        own = own[strongest(own, most_windows(preprocessed))]
        own = picks_in_order_of_mrc(entry, own, preprocessed.micrograph.image.shape[0])
        windows = cut_windows(in_order_of_mrc(entry, preprocessed), own)
        write_windows(self._files.windows(entry), windows)

    def without_windows(self, picked: Sequence[Picked]) -> list[Picked]:
        """Return micrographs with candidates whose windows are missing."""
        return [
            one
            for one in picked
            if not self._files.windows(one.entry).is_file() and _with_raw_scores(one).score.any()
        ]

    def keep_missing_windows(self, one: Picked, preprocessed: Preprocessed) -> None:
        """Write the windows of a micrograph that was picked by an earlier run."""
        self.keep_windows(one.entry, preprocessed, _with_raw_scores(one))

    def fit(self, picked: Sequence[Picked]) -> FolderCurve | None:
        """Fit the curve of a group; None if no noise was picked."""
        drawn = self.with_noise(picked)
        if not drawn:
            return None
        counts, in_noise = no_counts(), no_counts()
        for one in picked:
            counts += self.counts_of(one)
        for one in drawn:
            in_noise += count_scores(read_picks(self._files.noise(one.entry)).score)
        return fit_curve(counts, in_noise)

    def calibrate(self, picked: Sequence[Picked], curve: FolderCurve) -> FolderCalibration:
        """Add what the windows of the micrographs chosen for noise say to the curve of a group."""
        chosen = self.drawn_for_noise(one.entry for one in picked)
        windows, probability = [], []
        for one in picked:
            if one.entry.name in chosen:
                picks = _with_raw_scores(one)
                own, index = self._windows_of(one, picks)
                windows.append(own)
                probability.append(apply_curve(picks.score[index], curve))
        opinion = form_opinion(windows, probability, curve.gain)
        return FolderCalibration(curve, opinion, frozenset(chosen))

    def revise(self, one: Picked, calibration: FolderCalibration) -> Calibrated:
        """Calibrate the scores of a micrograph."""
        written, raw = read_with_raw_scores(one.path)
        picks = replace(written, score=raw)
        score = apply_curve(raw, calibration.curve)
        if calibration.opinion is not None:
            windows, index = self._windows_of(one, picks)
            score = apply_opinion(score, index, windows, calibration.opinion)
        order = best_first(score, picks)
        scored = as_written(replace(picks, score=score))[order]
        same = all(
            np.array_equal(getattr(scored, column), getattr(written, column))
            for column in ("x", "y", "score")
        )
        return Calibrated(scored, raw[order], same)

    def counts_of(self, one: Picked) -> Counts:
        """Return the counts of the scores of a micrograph, (B,) int64."""
        if one.entry.name not in self._counts:
            self.add(one.entry, read_with_raw_scores(one.path)[1])
        return self._counts[one.entry.name]

    def _windows_of(self, one: Picked, picks: Picks) -> tuple[Stored, npt.NDArray[np.int64]]:
        """Read the windows of a micrograph, and which of its candidates, with raw scores, show."""
        windows = read_windows(self._files.windows(one.entry))
        index = strongest(picks, len(windows))
        return windows[: len(index)], index


def _with_raw_scores(one: Picked) -> Picks:
    picks, raw = read_with_raw_scores(one.path)
    return replace(picks, score=raw)
