"""Calibrate the scores of picked micrographs on themselves, group by group, when lists are written.

What a micrograph adds is counts of its scores, and where it is one of those drawn, its candidates
in noise. Both depend on nothing but this micrograph, and counts add up in any order: resumed,
watched and sharded runs have the scores of one run over the whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from zlib import crc32

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.io.coordinates.formats import as_written, read_picks, write_csv
from deepcryopicker.io.coordinates.raw_scores import read_with_raw_scores
from deepcryopicker.picker.folder.assessment import (
    Assessment,
    assess,
    assess_micrograph,
    with_parts,
)
from deepcryopicker.picker.folder.curve import FolderCurve, apply_curve, fit_curve
from deepcryopicker.picker.folder.noise_image import noise_like
from deepcryopicker.picker.folder.score_counts import Counts, count_scores, no_counts
from deepcryopicker.picker.function import Picker, in_order_of_mrc
from deepcryopicker.picker.pick_counts import disc_share
from deepcryopicker.pipeline.picking.results.pick_files import Files
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Floats, Mask, Picks

_WITH_NOISE = 8  # micrographs; more change the threshold less than other micrographs would


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
        self._assessed: dict[str, tuple[FolderCurve, Assessment]] = {}

    def add(self, entry: Entry, raw: Floats) -> None:
        """Count the scores of a micrograph as the picker gave them."""
        self._counts[entry.name] = count_scores(raw).astype(np.int32)
        self._assessed.pop(entry.name, None)

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

    def without_noise(self, picked: Sequence[Picked]) -> list[Picked]:
        """Return those of the chosen micrographs whose noise is still to be picked."""
        chosen = self.drawn_for_noise(one.entry for one in picked)
        return [
            one
            for one in picked
            if one.entry.name in chosen and not self._files.noise(one.entry).is_file()
        ]

    def pick_noise(self, entry: Entry, preprocessed: Preprocessed, picker: Picker) -> None:
        """Pick noise with the spectrum of a micrograph, and write the candidates."""
        found = Picks.empty()
        if not preprocessed.is_blank:
            noise = noise_like(in_order_of_mrc(entry, preprocessed))
            found = picker(replace(entry, turned_over=False), noise)
        write_csv(self._files.noise(entry), found)

    def fit(self, picked: Sequence[Picked]) -> FolderCurve | None:
        """Fit the curve of a group; None if no noise was picked."""
        if not any(self._files.noise(one.entry).is_file() for one in picked):
            return None
        counts, in_noise = no_counts(), no_counts()
        chosen = self.drawn_for_noise(one.entry for one in picked)
        for one in picked:
            counts += self._counts_of(one)
            noise = self._files.noise(one.entry)
            if one.entry.name in chosen and noise.is_file():
                in_noise += count_scores(read_picks(noise).score)
        return fit_curve(counts, in_noise)

    def assess(
        self, picked: Sequence[Picked], curve: FolderCurve, is_pick: Mask
    ) -> tuple[Assessment, dict[str, Assessment]]:
        """Assess the picks of a group, and those of each of its micrographs.

        Parameters
        ----------
        picked : sequence of Picked
        curve : FolderCurve
        is_pick : (B,) bool
            Whether candidates of each bin are picks.

        Returns
        -------
        Assessment
            Of the group.
        dict of Assessment
            By name of the micrograph.
        """
        discs = [disc_share(1, one.record.diameter, _shape(one)) for one in picked]
        each = {}
        for one, disc in zip(picked, discs, strict=True):
            name = one.entry.name
            if name not in self._assessed or self._assessed[name][0] is not curve:
                found = assess_micrograph(self._counts_of(one), curve, is_pick, disc)
                self._assessed[name] = curve, found
            each[name] = self._assessed[name][1]
        counts = sum((self._counts_of(one) for one in picked), no_counts())
        whole = assess(counts, curve, is_pick, float(np.mean(discs)) / len(picked))
        return with_parts(whole, [one.verdict for one in each.values()]), each

    def _counts_of(self, one: Picked) -> Counts:
        if one.entry.name not in self._counts:
            self.add(one.entry, read_with_raw_scores(one.path)[1])
        return self._counts[one.entry.name]


def calibrate_picks(path: Path, curve: FolderCurve) -> tuple[Picks, Floats, bool]:
    """Calibrate the scores of a micrograph.

    Parameters
    ----------
    path : Path
        CSV with every candidate.
    curve : FolderCurve

    Returns
    -------
    Picks
        Every candidate, rounded as in the file.
    (N,) float64
        Their scores before.
    bool
        Whether the file has these scores already.
    """
    picks, raw = read_with_raw_scores(path)
    scored = as_written(replace(picks, score=apply_curve(raw, curve)))
    return scored, raw, bool(np.array_equal(scored.score, picks.score))


def describe_curve(curve: FolderCurve) -> dict[str, object]:
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


def _shape(one: Picked) -> tuple[int, int]:
    return one.entry.shape_in((one.record.height, one.record.width))
