"""Inputs of external programs: plain MRC files with plain names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import mrcfile
import numpy as np

from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.types import Floats, Micrograph, Picks

MICROGRAPHS = "micrographs"
"""Folder of the files, below the working directory of the program."""


@dataclass(frozen=True)
class Input:
    """A micrograph as input of an external program, float32, particles dark.

    Attributes
    ----------
    name : str
        Name of its outputs in this project.
    stem : str
        Name of the MRC file without suffix.
    picks : Picks or None
        True particles for training, original pixels.
    """

    name: str
    stem: str
    picks: Picks | None = None

    @property
    def file(self) -> str:
        """Path of the MRC file below the working directory."""
        return f"{MICROGRAPHS}/{self.stem}.mrc"


@dataclass(frozen=True)
class ProgramJob:
    """Micrographs of one kind, for one call of an external program.

    Attributes
    ----------
    folder : Path
        Working directory and output folder of the program.
    inputs : tuple of Input
        Micrographs to pick.
    examples : tuple of Input
        Micrographs to train on, with their true particles; may be empty.
    diameter : float
        Particle diameter, original pixels.
    pixel_size : float or None
        Angstrom.
    """

    folder: Path
    inputs: tuple[Input, ...]
    examples: tuple[Input, ...]
    diameter: float
    pixel_size: float | None

    @property
    def angstrom(self) -> float:
        """Angstrom per pixel for programs that require it: 1 if unknown."""
        return self.pixel_size or 1.0


def write_input(folder: Path, stem: str, micrograph: Micrograph) -> None:
    """Write a micrograph as float32 MRC.

    Parameters
    ----------
    folder : Path
        Working directory of the program.
    stem : str
        Name of the file without suffix.
    micrograph : Micrograph
        As read.
    """
    path = folder / MICROGRAPHS / f"{stem}.mrc"
    with replacing(path) as temporary, mrcfile.new(temporary, overwrite=True) as file:
        file.set_data(micrograph.image)
        file.voxel_size = micrograph.pixel_size or 1.0


def take_examples(examples: Sequence[Input], most: int) -> list[Input]:
    """Choose picks from the first micrographs, the same number of every class.

    Parameters
    ----------
    examples : sequence of Input
        With picks, in the order in which they are used.
    most : int
        Maximum number of picks.

    Returns
    -------
    list of Input
        Micrographs with chosen picks, and only these picks.
    """
    labels = {str(label) for one in examples if one.picks for label in one.picks.label}
    left = dict.fromkeys(sorted(labels), most // max(len(labels), 1))
    taken = []
    for one in examples:
        if one.picks is None:
            continue
        chosen = []
        for index, label in enumerate(one.picks.label.tolist()):
            if left[label] > 0:
                left[label] -= 1
                chosen.append(index)
        if chosen:
            taken.append(replace(one, picks=one.picks[np.array(chosen, np.int64)]))
    return taken


def unit_score(score: Floats, threshold: float) -> Floats:
    """Map positive scores to [0, 1) in the same order, with `threshold` mapped to one half."""
    positive = np.maximum(score, 0.0)
    return positive / (positive + threshold)
