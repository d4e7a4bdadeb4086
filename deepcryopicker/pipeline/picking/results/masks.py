"""Masks of where nothing was picked, as pictures and MRC files."""

from pathlib import Path

import numpy as np

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.images.own_pictures import save_own_picture
from deepcryopicker.picker.masking.masked import leave_out, mask_of
from deepcryopicker.picker.schema import AUTO
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.manifest import stamp
from deepcryopicker.types import Mask, Picks


def mask_stamps(setting: str | None) -> list[str]:
    """Return what identifies the content of given masks: names, sizes and times of the files."""
    if setting is None or setting == AUTO:
        return []
    place = Path(setting)
    files = sorted(path for path in place.rglob("*") if path.is_file()) or [place]
    return [f"{path} {stamp(path)}" for path in files]


class Masks:
    """Leaves out candidates in the masks of micrographs, and writes the masks.

    Parameters
    ----------
    setting : str or None
        As ``picker.mask``.
    """

    def __init__(self, setting: str | None) -> None:
        self._setting = setting

    def leave_out(
        self, entry: Entry, preprocessed: Preprocessed, picks: Picks, paths: tuple[Path, Path]
    ) -> Picks:
        """Return the candidates of a micrograph, original pixels, those in its mask last.

        Parameters
        ----------
        entry : Entry
        preprocessed : Preprocessed
        picks : Picks
        paths : (Path, Path)
            Where the mask is written as PNG and MRC, if it hides anything.

        Raises
        ------
        MicrographError
            Its mask cannot be read.
        """
        mask = mask_of(self._setting, entry, preprocessed)
        for path in paths:
            path.unlink(missing_ok=True)
        if mask is not None and _without_margins(mask, preprocessed).any():
            _write_picture(paths[0], mask)
            _write_mrc(paths[1], mask, preprocessed)
        return leave_out(picks, mask, preprocessed.flat.scale)


def _without_margins(mask: Mask, preprocessed: Preprocessed) -> Mask:
    margins, (height, width) = preprocessed.flat.margins, mask.shape
    return mask[margins.top : height - margins.bottom, margins.left : width - margins.right]


def _write_picture(path: Path, mask: Mask) -> None:
    # Imported here and below: most micrographs have nothing to mask.
    from PIL import Image as PillowImage

    with replacing(path) as temporary:
        save_own_picture(PillowImage.fromarray(np.uint8(255) * mask), temporary)


def _write_mrc(path: Path, mask: Mask, preprocessed: Preprocessed) -> None:
    """Write 1 where nothing was picked, at working scale, with the pixel size if it is known."""
    import mrcfile

    pixel_size, scale = preprocessed.micrograph.pixel_size, preprocessed.flat.scale
    with replacing(path) as temporary, mrcfile.new(temporary, overwrite=True) as file:
        file.set_data(mask.astype(np.int8))
        if pixel_size is not None:
            file.voxel_size = pixel_size / scale
