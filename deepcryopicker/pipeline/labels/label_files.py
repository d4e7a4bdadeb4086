"""Files of labelling in the run folder: coordinates, masks, stages, pictures, scores."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from deepcryopicker.evaluation.scores import UNKNOWN_LABELS, Evaluated, summarise
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.io.images.own_pictures import save_own_picture
from deepcryopicker.pipeline.labels.label_dataset import Labelled
from deepcryopicker.plots.overlays import draw_overlay, save_overlay
from deepcryopicker.plots.panels import save_panel, save_stages
from deepcryopicker.preprocessing.operators.quantise import to_16_bits
from deepcryopicker.preprocessing.steps import stages

_COLUMNS = ("x", "y", "score", "class", "diameter", "good", "reason")


def write_candidates(folder: Path, one: Labelled) -> None:
    """Write ``<micrograph>.csv`` with every candidate, its flag and its reason."""
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
    write_rows(folder / f"{one.entry.name}.csv", rows, _COLUMNS)


def write_mask(folder: Path, one: Labelled) -> None:
    """Write the particle mask as a black and white PNG, at the scale of the labeler."""
    _write_png(folder / f"{one.entry.name}.png", one.candidates.mask.astype(np.uint8) * 255)


def write_stages(folder: Path, one: Labelled) -> None:
    """Write every step of the chain to ``<micrograph>/<step>.png`` (16 bit).

    A picture of all steps side by side (the paper's figure 10) is written beside that folder.
    """
    images = {}
    for name, stage in stages(
        one.preprocessed.micrograph, one.preprocessed.diameter, one.preprocessed.config
    ):
        images[name] = stage.image
        _write_png(folder / one.entry.name / f"{name}.png", to_16_bits(stage.image))
    save_stages(folder / f"{one.entry.name}.png", images)


def draw_candidates(folder: Path, one: Labelled) -> None:
    """Draw the candidates on the micrograph, good ones in one colour and bad ones in another."""
    outcome = one.candidates.good.astype(np.int8)
    path = folder / f"{one.entry.name}.png"
    overlay = draw_overlay(one.preprocessed.micrograph, one.candidates.picks, 0.0, outcome)
    save_overlay(path, overlay)


def draw_panel(folder: Path, one: Labelled) -> None:
    """Draw the steps from the micrograph to its candidates (the paper's figures 11 to 17)."""
    save_panel(
        folder / f"{one.entry.name}.png",
        one.preprocessed.micrograph,
        one.seen,
        one.candidates.clusters,
        one.candidates.mask,
        one.candidates,
    )


def count(one: Labelled) -> dict[str, Any]:
    """Count the candidates of one micrograph: a row of ``summary.csv``."""
    row: dict[str, Any] = {
        "micrograph": one.entry.name,
        "group": one.entry.group,
        "diameter": round(one.preprocessed.diameter, 2),
        "candidates": len(one.candidates.picks),
        "good": int(one.candidates.good.sum()),
        "truth": None,
        "good_hits": None,
        "good_false": None,
    }
    if one.evaluated is not None and one.good is not None:
        hits, false = one.good
        row |= {"truth": one.evaluated.n_truth, "good_hits": hits, "good_false": false}
    return row


def summarise_labels(
    rows: Sequence[dict[str, Any]], evaluated: Sequence[Evaluated]
) -> list[dict[str, Any]]:
    """Score the candidates of each group.

    With truth: precision and recall of all candidates, purity and yield of the good ones.

    Parameters
    ----------
    rows : sequence of dict
        Results of :func:`count`.
    evaluated : sequence of Evaluated
        Micrographs with truth.
    """
    groups = list(dict.fromkeys(row["group"] for row in rows))
    return [_summary(group, rows, evaluated) for group in groups]


def _summary(
    group: str, rows: Sequence[dict[str, Any]], evaluated: Sequence[Evaluated]
) -> dict[str, Any]:
    members = [row for row in rows if row["group"] == group]
    summary: dict[str, Any] = {
        "what": group,
        "micrographs": len(members),
        "candidates": sum(row["candidates"] for row in members),
        "good": sum(row["good"] for row in members),
    }
    names = {row["micrograph"] for row in members}
    known = [one for one in evaluated if one.name in names]
    if not known:
        return summary
    scores = summarise(known, 0.0, float(np.median([row["diameter"] for row in members])) / 2.0)
    hits, false = (sum(row[key] or 0 for row in members) for key in ("good_hits", "good_false"))
    return summary | {
        **{key: scores[key] for key in ("precision", "recall", "f1", "best_f1")},
        "class_accuracy": _class_accuracy(known),
        "purity": hits / max(hits + false, 1),
        "yield": hits / max(scores["truth"], 1),
    }


def _class_accuracy(evaluated: Sequence[Evaluated]) -> float | None:
    """Return the share of hits with the correct class; None if the truth has no classes."""
    if {str(name) for one in evaluated for name in one.truth.label} <= UNKNOWN_LABELS:
        return None
    right = [
        one.picks.label[one.found >= 0] == one.truth.label[one.found[one.found >= 0]]
        for one in evaluated
    ]
    every = np.concatenate(right)
    return float(every.mean()) if len(every) else None


def _write_png(path: Path, image: np.ndarray) -> None:
    with replacing(path) as temporary:
        save_own_picture(PillowImage.fromarray(image), temporary, compress_level=1)
