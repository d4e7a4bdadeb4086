"""Label micrographs without truth."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.evaluation.matching import match
from deepcryopicker.io.atomic import replacing
from deepcryopicker.labeler import ibc
from deepcryopicker.labeler.schema import IbcConfig
from deepcryopicker.labeler.selection import reject_odd_shapes
from deepcryopicker.preprocessing.pipeline import stages
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.progress import track
from deepcryopicker.reporting.overlays import save_overlay
from deepcryopicker.reporting.tables import write_rows
from deepcryopicker.runs import Run
from deepcryopicker.types import Candidates, Image, Micrograph
from deepcryopicker.workflow.opening import spread
from deepcryopicker.workflow.picking import scoring_radius

_COLUMNS = ("x", "y", "score", "class", "diameter", "good", "reason")


@dataclass(frozen=True)
class Labelled:
    """One micrograph as the network sees it, and its candidates."""

    entry: Entry
    micrograph: Micrograph
    candidates: Candidates


def label_catalogue(
    catalogue: Catalogue,
    preprocessing: PreprocessingConfig,
    labeler: IbcConfig,
    run: Run,
    most: int | None = None,
) -> list[Labelled]:
    """Find candidate particles and write them to ``labels/<name>.csv`` with good or bad.

    Parameters
    ----------
    catalogue : Catalogue
    preprocessing : PreprocessingConfig
    labeler : IbcConfig
    run : Run
    most : int, optional
        Label at most so many micrographs, spread evenly over the dataset.
    """
    found = []
    for entry in track(spread(list(catalogue.entries), most), "labelling"):
        work = partial(_label, entry, preprocessing, labeler, run)
        labelled = run.attempt("label", entry.name, entry.path, work)
        if labelled is not None:
            found.append(labelled)
    run.require(len(found), "labelling")
    judged = _reject_odd_shapes(found, labeler)
    for one in judged:
        _write(one, run.folder)
    return judged


def draw_labels(labelled: list[Labelled], run: Run, most: int) -> None:
    """Draw the candidates into ``label_overlays/``: good ones in one colour, bad in another."""
    for one in track(labelled[:most], "drawing"):
        picks = one.candidates.picks
        outcome = one.candidates.good.astype(np.int8)
        path = run.folder / "label_overlays" / f"{one.entry.name}.png"
        micrograph = one.entry.load()
        save_overlay(path, micrograph, picks, threshold=0.0, outcome=outcome)


def summarise_labels(labelled: list[Labelled]) -> list[dict[str, object]]:
    """Count candidates per group; where there is truth, add purity and yield of the good ones."""
    rows: list[dict[str, object]] = []
    for group in dict.fromkeys(one.entry.group for one in labelled):
        members = [one for one in labelled if one.entry.group == group]
        row: dict[str, object] = {
            "what": group,
            "micrographs": len(members),
            "candidates": sum(len(one.candidates.picks) for one in members),
            "good": sum(int(one.candidates.good.sum()) for one in members),
        }
        counts = np.sum([_count(one) for one in members], axis=0)
        if counts[2]:
            row["purity"] = float(counts[0] / max(counts[0] + counts[1], 1))
            row["yield"] = float(counts[0] / counts[2])
        rows.append(row)
    return rows


def _label(
    entry: Entry, preprocessing: PreprocessingConfig, labeler: IbcConfig, run: Run
) -> Labelled:
    micrograph = entry.load()
    seen = last = micrograph
    diameter = entry.particle_diameter(micrograph)
    for name, last in stages(micrograph, diameter, preprocessing):
        if name == preprocessing.model_input:
            seen = last
        if preprocessing.save_stages:
            _save_stage(run.folder / "stages" / entry.name / f"{name}.png", last.image)
    return Labelled(entry, seen, ibc.label(last, preprocessing.working_diameter, labeler))


def _reject_odd_shapes(found: list[Labelled], labeler: IbcConfig) -> list[Labelled]:
    """Apply the dataset-wide rule to each group: one group holds one kind of particle."""
    judged: dict[str, Labelled] = {}
    for group in dict.fromkeys(one.entry.group for one in found):
        members = [one for one in found if one.entry.group == group]
        candidates = reject_odd_shapes([one.candidates for one in members], labeler.selection)
        for one, verdict in zip(members, candidates, strict=True):
            judged[one.entry.name] = Labelled(one.entry, one.micrograph, verdict)
    return [judged[one.entry.name] for one in found]


def _count(one: Labelled) -> tuple[int, int, int]:
    """Good candidates that are particles, good ones that are not, and true particles."""
    truth = one.entry.load_truth()
    if truth is None:
        return 0, 0, 0
    radius = scoring_radius(one.entry, one.entry.particle_diameter(one.micrograph), truth[0])
    outcome = match(one.candidates.picks[one.candidates.good], *truth, radius)
    return int((outcome == 1).sum()), int((outcome == 0).sum()), len(truth[0])


def _write(one: Labelled, folder: Path) -> None:
    picks, candidates = one.candidates.picks, one.candidates
    rows = [
        {
            "x": f"{picks.x[i]:.3f}",
            "y": f"{picks.y[i]:.3f}",
            "score": f"{picks.score[i]:.6f}",
            "class": str(picks.label[i]),
            "diameter": f"{picks.diameter[i]:.2f}",
            "good": int(candidates.good[i]),
            "reason": str(candidates.reason[i]),
        }
        for i in range(len(picks))
    ]
    write_rows(folder / "labels" / f"{one.entry.name}.csv", rows, _COLUMNS)


def _save_stage(path: Path, image: Image) -> None:
    """Write one stage as 16-bit PNG: [0, 1] as it is, anything else stretched to its range."""
    low, high = float(image.min()), float(image.max())
    if low >= 0.0 and high <= 1.0:
        low, high = 0.0, 1.0
    levels = (image - low) / max(high - low, 1e-12) * 65_535.0
    with replacing(path) as temporary:
        cv2.imwrite(str(temporary), np.round(levels).astype(np.uint16))
