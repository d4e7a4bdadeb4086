"""Pick every micrograph of a dataset, one at a time, and score those that have truth."""

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.evaluation.contrast import signal_to_noise
from deepcryopicker.evaluation.scores import Evaluated, evaluate_micrograph
from deepcryopicker.frames import to_working
from deepcryopicker.io.cbox import write_cbox
from deepcryopicker.io.coordinates import read_picks, write_box, write_csv
from deepcryopicker.io.relion import write_relion_folder
from deepcryopicker.io.tables import write_rows
from deepcryopicker.io.topaz import write_topaz
from deepcryopicker.preprocessing.pipeline import to_working_scale
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.preprocessing.views import Views
from deepcryopicker.progress import console, track
from deepcryopicker.reporting.overlays import save_overlay
from deepcryopicker.runs import Run
from deepcryopicker.types import Picks
from deepcryopicker.workflow.reading import read_ahead

Picker = Callable[[Entry, Views], Picks]

_SUMMARY = ("micrograph", "path", "picks", "candidates", "diameter", "pixel_size", "snr")
_SNR_DIAMETER = 24.0  # working pixels at which signal-to-noise ratios are compared


@dataclass(frozen=True)
class Picked:
    """What is kept of one micrograph after picking.

    Attributes
    ----------
    entry : Entry
    picks : Picks
        Every candidate.
    height : int
        Of the micrograph, pixels.
    diameter : float
        Particle diameter, original pixels.
    pixel_size : float or None
        Angstrom.
    evaluated : Evaluated or None
        None where there is no truth.
    snr : float or None
    """

    entry: Entry
    picks: Picks
    height: int
    diameter: float
    pixel_size: float | None
    evaluated: Evaluated | None
    snr: float | None


def pick_catalogue(
    catalogue: Catalogue,
    preprocessing: PreprocessingConfig,
    picker: Picker,
    threshold: float,
    run: Run,
    folder: Path,
    overlays: int,
    description: str = "picking",
) -> list[Picked]:
    """Pick all micrographs and write coordinates, overlays and ``summary.csv`` into `folder`.

    While one is picked, the next is read and preprocessed.

    Parameters
    ----------
    catalogue : Catalogue
    preprocessing : PreprocessingConfig
        As the picker's network was trained on.
    picker : callable
        From a preprocessed micrograph of the catalogue to picks in original pixels.
    threshold : float
        Score from which a candidate counts as picked: goes to BOX and overlays. CSV and CBOX
        files and Topaz's table hold every candidate.
    run : Run
    folder : Path
    overlays : int
        How many micrographs get a picture.
    description : str
        Of the progress bar.
    """
    done: list[Picked] = []
    with closing(read_ahead(catalogue.entries, partial(_prepare, preprocessing))) as prepared:
        tracked = track(catalogue.entries, description)
        for index, (entry, take) in enumerate(zip(tracked, prepared, strict=True)):
            work = partial(_pick, entry, take, picker, threshold, folder, draw=index < overlays)
            picked = run.attempt(description, entry.name, entry.path, work)
            if picked is not None:
                done.append(picked)
    run.require(len(done), description)
    write_topaz(folder / "topaz.txt", [(one.entry.name, one.picks) for one in done])
    write_rows(folder / "summary.csv", [_row(one, threshold) for one in done], _SUMMARY)
    return done


def _prepare(preprocessing: PreprocessingConfig, entry: Entry) -> Views:
    """Read a micrograph and preprocess it as far as every picker needs it."""
    micrograph = entry.load()
    views = Views(micrograph, entry.particle_diameter(micrograph), preprocessing)
    views.flat  # noqa: B018
    return views


def _pick(
    entry: Entry,
    take: Callable[[], Views],
    picker: Picker,
    threshold: float,
    folder: Path,
    draw: bool,
) -> Picked:
    views = take()
    micrograph, diameter = views.micrograph, views.diameter
    coordinates = folder / "picks" / f"{entry.name}.csv"
    write_csv(coordinates, entry.to_micrograph(picker(entry, views)))
    written = read_picks(coordinates)  # what is scored is what was written, decimals and all
    write_box(folder / "box" / f"{entry.name}.box", written[written.score >= threshold])
    write_cbox(folder / "cbox" / f"{entry.name}.cbox", written)
    picks = entry.from_micrograph(written)
    truth = entry.load_truth()
    evaluated, snr = None, None
    if truth is not None:
        write_truth(folder / "truth", entry, *truth)
        radius = scoring_radius(entry, diameter, truth[0])
        height, width = micrograph.image.shape
        evaluated = evaluate_micrograph(entry.name, picks, *truth, radius, (height, width))
        snr = _signal_to_noise(views, truth[0])
    if draw:
        outcome = None if evaluated is None else evaluated.outcome
        missed = None if evaluated is None else evaluated.missed_at(threshold)
        path = folder / "overlays" / f"{entry.name}.png"
        save_overlay(path, micrograph, picks, threshold, outcome, missed)
    return Picked(
        entry,
        written,
        micrograph.image.shape[0],
        diameter,
        micrograph.pixel_size,
        evaluated,
        snr,
    )


def write_truth(folder: Path, entry: Entry, truth: Picks, uncertain: Picks) -> None:
    """Keep beside the picks what they are scored against, in the micrograph's frame."""
    write_csv(folder / f"{entry.name}.csv", entry.to_micrograph(truth))
    if len(uncertain):
        write_csv(folder / f"{entry.name}.uncertain.csv", entry.to_micrograph(uncertain))


def scoring_radius(entry: Entry, diameter: float, truth: Picks) -> float:
    """Half a diameter: the one the user gave, or the truth's where it was estimated."""
    if entry.estimated and len(truth) and np.isfinite(truth.diameter).any():
        return float(np.nanmedian(truth.diameter)) / 2.0
    return diameter / 2.0


def write_relion(picked: list[Picked], threshold: float, folder: Path) -> None:
    """Write STAR files for RELION, one folder for each group of micrographs.

    Blocks are left out: RELION would take their picks for all there are in the micrograph.
    """
    picked = [one for one in picked if one.entry.block is None]
    groups = list(dict.fromkeys(one.entry.group for one in picked))
    for group in groups:
        members = [one for one in picked if one.entry.group == group]
        target = folder / "relion" / (group if len(groups) > 1 else "")
        named = [(m.entry.path, m.height, m.picks[m.picks.score >= threshold]) for m in members]
        pixel_sizes = {one.pixel_size for one in members}
        write_relion_folder(target, named, pixel_sizes.pop() if len(pixel_sizes) == 1 else None)
        if None in {one.pixel_size for one in members}:
            console.print(
                f"{group}: no pixel size in the files; RELION needs one to extract: "
                "set dataset.pixel_size"
            )


def _signal_to_noise(views: Views, truth: Picks) -> float | None:
    """Signal-to-noise ratio at a common scale, so that datasets compare."""
    scale = _SNR_DIAMETER / views.diameter
    working = views.rescaled
    if not math.isclose(working.scale, scale):
        working = to_working_scale(views.micrograph, scale)
    x, y = (to_working(position, working.scale) for position in (truth.x, truth.y))
    ratio = signal_to_noise(working.image, x, y, _SNR_DIAMETER)
    return ratio if np.isfinite(ratio) else None


def _row(one: Picked, threshold: float) -> dict[str, object]:
    return {
        "micrograph": one.entry.name,
        "path": str(one.entry.path),
        "picks": int((one.picks.score >= threshold).sum()),
        "candidates": len(one.picks),
        "diameter": f"{one.diameter:.2f}",
        "pixel_size": one.pixel_size,
        "snr": None if one.snr is None else f"{one.snr:.4f}",
    }
