"""The files of a picked micrograph."""

import math
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.frames import to_working
from deepcryopicker.io.coordinates.boxes import write_box, write_cbox
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.star.relion_folder import coordinate_file, relion_name, write_coordinates
from deepcryopicker.picker.folder.window_features import WindowClasses
from deepcryopicker.pipeline.scoring.picked import OUTCOMES, Picked, evaluate_picks
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.steps import to_working_scale
from deepcryopicker.types import Micrograph, Picks

if TYPE_CHECKING:
    from deepcryopicker.plots.overlays import ReducedPicture

_SNR_DIAMETER = 24.0  # working pixels at which signal-to-noise ratios are compared


@dataclass(frozen=True)
class Files:
    """Paths of the results of micrographs.

    Attributes
    ----------
    folder : Path
    relion : dict
        From the group of a micrograph to the folder of its STAR files.
    outputs : tuple of str
        Formats to write, beside CSV.
    """

    folder: Path
    relion: dict[str, Path]
    outputs: tuple[str, ...]

    @classmethod
    def of(
        cls, folder: Path, groups: Sequence[str], outputs: Sequence[str] = ("relion",)
    ) -> "Files":
        """Create the paths, with one RELION folder for each of several groups."""
        several = len(groups) > 1
        relion = {name: folder / "relion" / (name if several else "") for name in groups}
        return cls(folder, relion, tuple(outputs))

    def candidates(self, entry: Entry) -> Path:
        """Return the path of the CSV with every candidate."""
        return self.folder / "picks" / f"{entry.name}.csv"

    def others(self, entry: Entry) -> tuple[Path, Path, Path, Path]:
        """Return the paths of BOX, CBOX, RELION's STAR, and the overlay, which may be missing."""
        return (
            self.folder / "box" / f"{entry.name}.box",
            self.folder / "cbox" / f"{entry.name}.cbox",
            coordinate_file(self.relion[entry.group], relion_name(entry.path)),
            self.overlay(entry),
        )

    def wanted(self, entry: Entry) -> dict[str, Path]:
        """Return the files to write for a micrograph by format, other than CSV."""
        box, cbox, star, _ = self.others(entry)
        paths = {"box": box, "cbox": cbox} | ({"relion": star} if entry.block is None else {})
        return {name: path for name, path in paths.items() if name in self.outputs}

    def overlay(self, entry: Entry) -> Path:
        """Return the path of the overlay, which may be missing."""
        return self.folder / "overlays" / f"{entry.name}.png"

    def noise(self, entry: Entry) -> Path:
        """Return the path of the candidates in noise like a micrograph, of a few micrographs."""
        return self.folder / "noise" / f"{entry.name}.csv"

    def noise_windows(self, entry: Entry) -> Path:
        """Return the path of the windows of the strongest of them, which may be missing."""
        return self.folder / "noise" / f"{entry.name}.mrcs"

    def windows(self, entry: Entry) -> Path:
        """Return the path of the windows of the strongest candidates, which may be missing."""
        return self.folder / "windows" / f"{entry.name}.mrcs"

    def averages(self, group: str) -> Path:
        """Return the path of the class averages of a group, which may be missing."""
        return self.folder / (f"averages/{group}.png" if len(self.relion) > 1 else "averages.png")

    def masks(self, entry: Entry) -> tuple[Path, Path]:
        """Return the paths of the mask as PNG and MRC, which exist if it hides anything."""
        folder = self.folder / "masks"
        return folder / f"{entry.name}.png", folder / f"{entry.name}.mrc"

    def write_others(
        self, entry: Entry, picks: Picks, threshold: float, height: int, formats: Iterable[str]
    ) -> None:
        """Write formats other than CSV.

        Parameters
        ----------
        entry : Entry
        picks : Picks
            Every candidate, in the frame of the micrograph.
        threshold : float
            Minimum score of the picks in BOX and STAR files.
        height : int
            H of the micrograph, pixels.
        formats : iterable of str
        """
        box, cbox, _, _ = self.others(entry)
        chosen = picks[picks.score >= threshold]
        for name in formats:
            if name == "box":
                write_box(box, chosen)
            elif name == "cbox":
                write_cbox(cbox, picks)
            elif name == "relion":
                write_coordinates(self.relion[entry.group], entry.path, height, chosen)

    def truth(self, entry: Entry) -> tuple[Path, Path]:
        """Return the paths of the true particles and of the uncertain positions."""
        folder = self.folder / "truth"
        return folder / f"{entry.name}.csv", folder / f"{entry.name}.uncertain.csv"

    def outcomes(self, entry: Entry) -> Path:
        """Return the path of the CSV with the outcome of every candidate."""
        return self.folder / OUTCOMES / f"{entry.name}.csv"

    def depending(self, entry: Entry) -> tuple[Path, ...]:
        """Return the paths of what depends on the candidates, and may be missing."""
        noise = self.noise(entry), self.noise_windows(entry)
        return self.outcomes(entry), *noise, self.windows(entry)

    def remove(self, entry: Entry) -> None:
        """Remove the files of a micrograph."""
        for path in self._all(entry):
            path.unlink(missing_ok=True)

    def copy_from(self, other: "Files", entry: Entry) -> None:
        """Copy the files of a micrograph from another run, as hard links if possible."""
        for source, target in zip(other._all(entry), self._all(entry), strict=True):
            if source.is_file():
                with replacing(target) as temporary:
                    _link(source, temporary)

    def _all(self, entry: Entry) -> tuple[Path, ...]:
        """Return the paths of all files of a micrograph, which may be missing."""
        found = (self.candidates(entry), *self.depending(entry))
        return (*found, *self.truth(entry), *self.masks(entry), *self.others(entry))


def write_candidates(
    entry: Entry, preprocessed: Preprocessed, picks: Picks, files: Files
) -> float | None:
    """Write every candidate of a micrograph, and the truth with the outcomes if there is one.

    Parameters
    ----------
    entry : Entry
    preprocessed : Preprocessed
    picks : Picks
        Every candidate, rounded as in the files, in the frame of the micrograph.
    files : Files

    Returns
    -------
    float or None
        Signal-to-noise ratio of the true particles, None if unknown.
    """
    truth = entry.load_truth()
    for old in (*files.truth(entry), *files.depending(entry)):
        old.unlink(missing_ok=True)
    write_csv(files.candidates(entry), picks)
    if truth is None:
        return None
    shape = preprocessed.micrograph.image.shape
    evaluated = evaluate_picks(entry, picks, truth, preprocessed.diameter, shape)
    _write_truth(files.truth(entry), entry, *truth)
    from deepcryopicker.pipeline.scoring.pick_outcomes import write_outcomes

    write_outcomes(files.outcomes(entry), evaluated)
    return _signal_to_noise(preprocessed, truth[0])


def overlay_background(micrograph: Micrograph, diameter: float) -> "ReducedPicture":
    """Reduce a micrograph for its overlay; `diameter` is that of particles, original pixels."""
    from deepcryopicker.plots.overlays import reduced_picture

    return reduced_picture(micrograph, diameter)


def draw_overlay(
    picked: Picked, background: "ReducedPicture", threshold: float, path: Path
) -> None:
    """Draw the picks of a micrograph; true, false and missed ones where there is truth."""
    from deepcryopicker.plots.overlays import draw_picks, save_overlay

    evaluated = picked.evaluated
    outcome = None if evaluated is None else evaluated.outcome
    missed = None if evaluated is None else evaluated.missed_at(threshold)
    shown = picked.entry.from_micrograph(picked.load())
    save_overlay(path, draw_picks(background, shown, threshold, outcome, missed))


def draw_averages(path: Path, classes: WindowClasses, in_noise: WindowClasses | None) -> None:
    """Draw the averages of likely candidates, the largest class first, particles white.

    Parameters
    ----------
    path : Path
    classes : WindowClasses
        Of the micrographs.
    in_noise : WindowClasses or None
        Of candidates in noise, the control; the largest are drawn last, with grey titles.
    """
    from deepcryopicker.plots.class_sheet import COLUMNS, save_class_sheet

    order = np.argsort(-classes.count, kind="stable")
    averages, counts, notes = [classes.image[order]], classes.count[order].tolist(), [""]
    notes *= len(counts)
    if in_noise is not None:
        control = np.argsort(-in_noise.count, kind="stable")[:COLUMNS]
        averages.append(in_noise.image[control])
        counts += in_noise.count[control].tolist()
        notes += ["in noise"] * len(control)
    dim = [bool(note) for note in notes]
    save_class_sheet(path, -np.concatenate(averages), counts, notes, dim)


def _write_truth(paths: tuple[Path, Path], entry: Entry, truth: Picks, uncertain: Picks) -> None:
    """Write the truth that is used for scoring, in the frame of the micrograph."""
    write_csv(paths[0], entry.to_micrograph(truth))
    if len(uncertain):
        write_csv(paths[1], entry.to_micrograph(uncertain))


def _signal_to_noise(preprocessed: Preprocessed, truth: Picks) -> float | None:
    """Compute the signal-to-noise ratio at a common scale, so that datasets are comparable."""
    from deepcryopicker.evaluation.signal_to_noise import signal_to_noise

    scale = _SNR_DIAMETER / preprocessed.diameter
    working = preprocessed.rescaled
    if not math.isclose(working.scale, scale):
        working = to_working_scale(preprocessed.whole, scale)
    x, y = (to_working(position, working.scale) for position in (truth.x, truth.y))
    ratio = signal_to_noise(working.image, x, y, _SNR_DIAMETER)
    return float(ratio) if np.isfinite(ratio) else None


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
