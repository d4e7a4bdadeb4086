"""What external programs are given: plain MRC files with plain names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import mrcfile
import numpy as np

from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.types import Floats, Micrograph, Picks

MICROGRAPHS = "micrographs"
"""Folder of the files, below the one that programs run in."""


@dataclass(frozen=True)
class Input:
    """One micrograph as external programs see it, float32, particles dark.

    Attributes
    ----------
    name : str
        As the outputs of this program are named.
    stem : str
        Of the MRC file.
    picks : Picks or None
        True particles to learn from, original pixels.
    """

    name: str
    stem: str
    picks: Picks | None = None

    @property
    def file(self) -> str:
        """Path of the MRC file below the working folder."""
        return f"{MICROGRAPHS}/{self.stem}.mrc"


@dataclass(frozen=True)
class ProgramJob:
    """Micrographs of one kind, to be worked on together.

    Attributes
    ----------
    folder : Path
        Where programs run and leave what they make.
    inputs : tuple of Input
        To be picked.
    examples : tuple of Input
        To learn from, with their true particles; may be empty.
    diameter : float
        Of the particles, original pixels.
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
        """Angstrom per pixel as told to programs that insist: 1 where it is not known."""
        return self.pixel_size or 1.0


def write_input(folder: Path, stem: str, micrograph: Micrograph) -> None:
    """Write a micrograph as float32 MRC below the working folder `folder`."""
    path = folder / MICROGRAPHS / f"{stem}.mrc"
    with replacing(path) as temporary, mrcfile.new(temporary, overwrite=True) as file:
        file.set_data(micrograph.image)
        file.voxel_size = micrograph.pixel_size or 1.0


def take_examples(examples: Sequence[Input], most: int) -> list[Input]:
    """Choose at most so many picks, of the first micrographs, the same number of every class.

    Parameters
    ----------
    examples : sequence of Input
        With picks, in the order in which they are used up.
    most : int

    Returns
    -------
    list of Input
        Those of which any picks were taken, with these alone.
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


def bent(score: Floats, threshold: float) -> Floats:
    """Bend positive scores into [0, 1), so that `threshold` becomes one half; the order stays."""
    positive = np.maximum(score, 0.0)
    return positive / (positive + threshold)
