"""Micrographs in picture formats: PNG and JPEG through Pillow, TIFF through tifffile."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from deepcryopicker.errors import MicrographError
from deepcryopicker.io.files.checks import MAX_PIXELS, check_shape, decoding, file_size
from deepcryopicker.io.images.frame_stacks import check_stack, mean_frame
from deepcryopicker.types import Image

logger = logging.getLogger(__name__)

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue (ITU-R 601); they sum to one, so grey values are unchanged."""

# Pillow refuses at twice its limit and warns at the limit; both become a MicrographError below.
Pillow.MAX_IMAGE_PIXELS = MAX_PIXELS
# Set once, not where a file is opened: warning filters are shared by the reading threads.
warnings.simplefilter("error", Pillow.DecompressionBombWarning)


def picture_shape(path: Path) -> tuple[int, int]:
    """Return ``(H, W)`` of a PNG or JPEG file without decoding it."""
    with _picture(path) as picture:
        return picture.height, picture.width


def read_picture(path: Path) -> Image:
    """Read a PNG or JPEG file of 8 or 16 bits as grey values.

    Colours are converted to luma, palettes are applied and transparency is dropped.

    Returns
    -------
    (H, W) float32
        Row 0 is the first row in the file; an EXIF rotation is not applied.

    Raises
    ------
    MicrographError
        The file is damaged, too large or has several frames.
    """
    with _picture(path) as picture:
        if picture.mode in ("L", "I", "F") or picture.mode.startswith("I;16"):
            return np.array(picture, np.float32)
        if "A" in picture.getbands() or "transparency" in picture.info:
            logger.warning("%s: transparency is dropped", path)
        # Not directly to RGB: Pillow warns about palettes with transparency.
        return np.array(picture.convert("RGBA"))[..., :3].astype(np.float32) @ LUMA


def read_colours(path: Path) -> npt.NDArray[np.uint8]:
    """Read a PNG or JPEG file as RGB, (H, W, 3) uint8; otherwise as `read_picture`."""
    with _picture(path) as picture:
        return np.array(picture.convert("RGB"))


@contextmanager
def _picture(path: Path) -> Iterator[Pillow.Image]:
    """Open a picture of acceptable size without decoding it."""
    file_size(path)
    with decoding("an image"):
        try:
            picture = Pillow.open(path, formats=("PNG", "JPEG"))
        except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
            raise MicrographError(f"more pixels than the limit of {MAX_PIXELS}") from error
        except UnidentifiedImageError as error:
            raise MicrographError("neither a PNG nor a JPEG file") from error
        with picture:
            check_shape(picture.height, picture.width, getattr(picture, "n_frames", 1))
            yield picture


def tiff_shape(path: Path, average_frames: bool = False) -> tuple[int, int]:
    """Return ``(H, W)`` of a TIFF file without decoding it."""
    with _tiff_pages(path, average_frames) as pages:
        return pages.first.imagelength, pages.first.imagewidth


def read_tiff(path: Path, average_frames: bool = False) -> Image:
    """Read a TIFF file, grey or RGB, as grey values.

    Parameters
    ----------
    path : Path
    average_frames : bool
        Whether several pages are averaged rather than refused.

    Returns
    -------
    (H, W) float32
        Row 0 is the first row in the file, unlike in RELION and IMOD, which flip TIFF files.

    Raises
    ------
    MicrographError
        The file is damaged, too large, has several pages or an unsupported compression.
    """
    with _tiff_pages(path, average_frames) as pages:
        return mean_frame(map(_grey_page, pages), len(pages))


def _grey_page(page: tifffile.TiffPage | tifffile.TiffFrame) -> Image:
    data = page.asarray()
    if data.dtype.kind not in "buif":
        raise MicrographError(f"TIFF of {data.dtype} values: not a micrograph")
    with np.errstate(over="ignore"):  # becomes infinite, which the caller checks
        return _grey(data)


def _grey(data: npt.NDArray[np.generic]) -> Image:
    data = data.squeeze() if data.ndim > 3 else data
    if data.ndim == 2:
        return np.array(data, np.float32)
    if data.ndim == 3 and data.shape[0] in (3, 4) and data.shape[2] not in (3, 4):
        data = np.moveaxis(data, 0, 2)  # the colours are stored as planes
    if data.ndim == 3 and data.shape[2] in (3, 4):
        return data[..., :3].astype(np.float32) @ LUMA
    raise MicrographError(f"TIFF of shape {data.shape}: neither grey nor RGB")


@contextmanager
def _tiff_pages(path: Path, average_frames: bool) -> Iterator[tifffile.TiffPages]:
    """Open a TIFF file with pages of one acceptable size without decoding it."""
    file_size(path)
    with decoding("TIFF"), tifffile.TiffFile(path) as file:
        page = file.pages.first
        # ImageJ stores large stacks behind a single page and gives their number in its
        # description; volumes are pages with a depth. Neither can be read page by page.
        hidden = max(page.imagedepth, int((file.imagej_metadata or {}).get("images", 1)))
        frames = max(len(file.pages), hidden)
        if average_frames and frames > len(file.pages):
            raise MicrographError(f"{frames} frames in one TIFF page; save one frame a page")
        check_stack(page.imagelength, page.imagewidth, frames, average_frames)
        if any(other.shape != page.shape for other in file.pages):
            raise MicrographError("TIFF pages of several sizes: not the frames of one micrograph")
        if page.samplesperpixel > 4 or page.tilewidth * page.tilelength > MAX_PIXELS:
            raise MicrographError("TIFF with too many samples a pixel or too large tiles")
        if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
            raise MicrographError("TIFF with a colour table; save it as grey values")
        yield file.pages
