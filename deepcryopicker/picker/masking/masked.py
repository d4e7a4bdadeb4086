"""Leave out the candidates where nothing should be picked."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import MicrographError
from deepcryopicker.frames import to_working
from deepcryopicker.io.files.suffixes import EXTENSIONS
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.picker.masking.junk_mask import junk_mask
from deepcryopicker.picker.schema import AUTO
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Image, Mask, Picks


def mask_of(setting: str | None, entry: Entry, preprocessed: Preprocessed) -> Mask | None:
    """Return the mask of a micrograph, (h, w) bool at working scale, or None.

    Parameters
    ----------
    setting : str or None
        `AUTO` finds it in the micrograph; a folder holds masks of the names of micrographs, of
        which others are not masked; a file is the mask of all; None masks nothing.
    entry : Entry
    preprocessed : Preprocessed

    Raises
    ------
    MicrographError
        The mask cannot be read, or is given for a block of a micrograph.
    """
    if setting is None or preprocessed.is_blank:
        return None
    if setting == AUTO:
        flat = preprocessed.flat
        return junk_mask(flat.image, preprocessed.working_diameter, flat.margins)
    if entry.block is not None:
        raise MicrographError("picker.mask: blocks of a micrograph need auto or null")
    image = read_given_mask(Path(setting), entry.name)
    return None if image is None else given_mask(image, preprocessed.flat.image.shape)


def given_mask(image: Image, shape: tuple[int, int]) -> Mask:
    """Bring a given mask to working scale.

    Parameters
    ----------
    image : (H, W) float32
        Of any size, for the whole micrograph; above half of its largest value nothing is picked.
    shape : (int, int)
        h and w of the micrograph at working scale.

    Returns
    -------
    (h, w) bool
    """
    scaled = cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(scaled > image.max() / 2.0)


def leave_out(picks: Picks, mask: Mask | None, scale: float) -> Picks:
    """Give the candidates in a mask a score of 0; they come last.

    Parameters
    ----------
    picks : Picks
        Candidates, original pixels, best first.
    mask : (h, w) bool or None
    scale : float
        Pixels of the mask per original pixel.
    """
    if mask is None:
        return picks
    row, column = (
        np.clip(np.rint(to_working(at, scale)).astype(np.intp), 0, side - 1)
        for at, side in zip((picks.y, picks.x), mask.shape, strict=True)
    )
    masked = mask[row, column]
    marked = replace(picks, score=np.where(masked, 0.0, picks.score))
    return marked[np.argsort(masked, kind="stable")]


def read_given_mask(place: Path, micrograph: str) -> Image | None:
    """Read the mask of a micrograph from a file or folder; None if there is none of its name.

    Parameters
    ----------
    place : Path
        A folder with images of the names of micrographs, or one image for all.
    micrograph : str
        Name of the micrograph.

    Raises
    ------
    MicrographError
        It cannot be read.
    """
    if place.is_file():
        return read_micrograph(place).image
    # As deep as the micrograph lies in its dataset, or all in one folder.
    for name in dict.fromkeys((micrograph, Path(micrograph).name)):
        for suffix in EXTENSIONS:
            path = place / f"{name}{suffix}"
            if path.is_file():
                return read_micrograph(path).image
    return None
