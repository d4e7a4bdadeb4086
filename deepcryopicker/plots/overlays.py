"""Overlays: micrographs with their picks drawn as circles."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from deepcryopicker.frames import to_working
from deepcryopicker.io.files.atomic import replacing
from deepcryopicker.io.images.own_pictures import save_own_picture
from deepcryopicker.plots.tiles import SHADOW, Colour, Rgb, grey_tile
from deepcryopicker.types import SHAPES, Floats, Micrograph, Picks

Entry = tuple[str, Colour, bool]
"""Text, colour and whether dashed, of a legend entry."""

# The colours of Okabe and Ito, which colour-blind readers can distinguish; blue and green are
# lightened to stand out from grey.
BLUE: Colour = (0, 132, 219)
VERMILLION: Colour = (233, 94, 0)
YELLOW: Colour = (240, 228, 66)
GREEN: Colour = (0, 178, 128)
PINK: Colour = (224, 131, 177)
GREY: Colour = (176, 176, 176)

OUTCOMES: dict[int, tuple[str, Colour]] = {
    1: ("hit", BLUE),
    0: ("false", VERMILLION),
    -1: ("ignored", GREY),
}
CLASS_COLOURS = dict(zip(SHAPES, (BLUE, VERMILLION, GREEN), strict=True))

SHIFT = 4  # OpenCV draws in sixteenths of a pixel.
_DASHES = 12
_LINE_HEIGHT = 22
_MARGIN = 8


@dataclass(frozen=True)
class ReducedPicture:
    """A micrograph reduced for an overlay, so that picks are drawn without reading it again.

    Attributes
    ----------
    grey : (H, W) uint8
    scale : (float, float)
        Its pixels per original pixel, along x and y.
    diameter : float
        Of picks whose diameter is unknown, original pixels.
    """

    grey: Rgb
    scale: tuple[float, float]
    diameter: float


def reduced_picture(micrograph: Micrograph, diameter: float, longest: int = 1024) -> ReducedPicture:
    """Reduce a micrograph for an overlay.

    Parameters
    ----------
    micrograph : Micrograph
        As read or preprocessed; its `scale` converts the positions of picks.
    diameter : float
        Of particles, original pixels.
    longest : int
        Maximum length of the longer side, pixels; smaller images are not enlarged.
    """
    grey, (x, y) = grey_tile(micrograph, min(longest, max(micrograph.image.shape)), diameter)
    return ReducedPicture(grey, (x * micrograph.scale, y * micrograph.scale), diameter)


def draw_overlay(
    micrograph: Micrograph,
    picks: Picks,
    threshold: float,
    outcome: npt.NDArray[np.int8] | None = None,
    missed: Picks | None = None,
    longest: int = 1024,
) -> Rgb:
    """Draw the picks at or above the threshold onto the micrograph.

    Parameters
    ----------
    micrograph, longest
        As for :func:`reduced_picture`.
    picks, threshold, outcome, missed
        As for :func:`draw_picks`.

    Returns
    -------
    (H, W, 3) uint8
        RGB; the image above a legend with counts.
    """
    diameter = typical_diameter(picks, Picks.empty() if missed is None else missed, micrograph)
    background = reduced_picture(micrograph, diameter, longest)
    return draw_picks(background, picks, threshold, outcome, missed)


def draw_picks(
    background: ReducedPicture,
    picks: Picks,
    threshold: float,
    outcome: npt.NDArray[np.int8] | None = None,
    missed: Picks | None = None,
) -> Rgb:
    """Draw the picks at or above the threshold onto a background.

    Parameters
    ----------
    background : ReducedPicture
    picks : Picks
        N picks, original pixels, drawn as circles of their diameters.
    threshold : float
        Picks with a lower score are not drawn.
    outcome : (N,) int8, optional
        1 hit (blue), 0 false (vermillion), -1 ignored (grey). Without it, colours are classes.
    missed : Picks, optional
        Particles without a pick, drawn in dashed yellow.

    Returns
    -------
    (H, W, 3) uint8
        RGB; the image above a legend with counts.
    """
    missed = Picks.empty() if missed is None else missed
    scale, diameter = background.scale, background.diameter
    canvas = np.ascontiguousarray(np.repeat(background.grey[:, :, None], 3, axis=2))

    shown = picks.score >= threshold
    groups = [(text, colour, shown & who) for text, colour, who in _groups(picks, outcome)]
    legend = [(f"{text} {np.count_nonzero(who)}", colour, False) for text, colour, who in groups]
    for _, colour, members in reversed(groups):
        draw_circles(canvas, picks[members], colour, scale, diameter, dashed=False)
    if outcome is not None or len(missed):
        legend.append((f"missed {len(missed)}", YELLOW, True))
        draw_circles(canvas, missed, YELLOW, scale, diameter, dashed=True)
    title = f"{np.count_nonzero(shown)} picks, score >= {threshold:.3g}"
    return np.vstack([canvas, _legend(canvas.shape[1], title, legend)])


def save_overlay(path: Path, overlay: Rgb) -> None:
    """Write an overlay as a PNG, atomically.

    Parameters
    ----------
    path : Path
        PNG to write.
    overlay : (H, W, 3) uint8
        Of :func:`draw_overlay` or :func:`draw_picks`.
    """
    with replacing(path) as temporary:
        # Noise hardly compresses: the default level takes three times as long and saves a tenth.
        save_own_picture(PillowImage.fromarray(overlay), temporary, compress_level=1)


def typical_diameter(picks: Picks, missed: Picks, micrograph: Micrograph) -> float:
    """Return the median known diameter, original pixels; 1/40 of the image if none is known.

    Parameters
    ----------
    picks, missed : Picks
        Original pixels; unknown diameters are nan.
    micrograph : Micrograph
    """
    known = np.concatenate([picks.diameter, missed.diameter])
    known = known[np.isfinite(known)]
    if len(known):
        return float(np.median(known))
    return max(micrograph.image.shape) / micrograph.scale / 40.0


def _groups(
    picks: Picks, outcome: npt.NDArray[np.int8] | None
) -> list[tuple[str, Colour, npt.NDArray[np.bool_]]]:
    """Return name, colour and members (N,) of each group of picks, most important first."""
    if outcome is not None:
        groups = [(text, colour, outcome == value) for value, (text, colour) in OUTCOMES.items()]
        return [group for group in groups if group[0] != "ignored" or group[2].any()]
    present = {str(label) for label in picks.label}
    names = [label for label in SHAPES if label in present] + sorted(present - set(SHAPES))
    return [(name, CLASS_COLOURS.get(name, PINK), picks.label == name) for name in names]


def draw_circles(
    canvas: Rgb,
    picks: Picks,
    colour: Colour,
    scale: tuple[float, float],
    typical: float,
    dashed: bool,
) -> None:
    """Draw picks as circles, in place.

    Parameters
    ----------
    canvas : (H, W, 3) uint8
        RGB, modified.
    picks : Picks
        Original pixels.
    colour : (int, int, int)
        RGB.
    scale : (float, float)
        Pixels of `canvas` per original pixel, along x and y.
    typical : float
        Diameter of picks whose diameter is unknown, original pixels.
    dashed : bool
    """
    thickness = max(1, round(min(typical * scale[0], 80.0) / 20.0))
    x, y = to_working(picks.x, scale[0]), to_working(picks.y, scale[1])
    diameter = np.where(np.isfinite(picks.diameter), picks.diameter, typical)
    radius = np.maximum(diameter * scale[0] / 2.0, 2.0)
    for centre_x, centre_y, size in to_fixed_point(x, y, radius):
        centre = (centre_x, centre_y)
        if not dashed:
            cv2.circle(canvas, centre, size, colour, thickness, cv2.LINE_AA, SHIFT)
            continue
        # Yellow alone would be invisible on light grey.
        cv2.circle(canvas, centre, size, SHADOW, thickness, cv2.LINE_AA, SHIFT)
        for start in np.arange(_DASHES) * 360.0 / _DASHES:
            arc = (0.0, float(start), float(start) + 0.6 * 360.0 / _DASHES)
            cv2.ellipse(canvas, centre, (size, size), *arc, colour, thickness, cv2.LINE_AA, SHIFT)


def to_fixed_point(*columns: Floats) -> list[list[int]]:
    """Convert pixels to OpenCV's fixed-point integers, one row per pick.

    Positions far outside are clipped to the range of these integers.
    """
    pixels = np.clip(np.column_stack(columns), -(2**16), 2**16)
    rows: list[list[int]] = np.round(pixels * 2**SHIFT).astype(int).tolist()
    return rows


def _legend(width: int, title: str, entries: list[Entry]) -> Rgb:
    """Draw a dark strip (h, width, 3) with the title and a sample of each colour, wrapped."""
    font = ImageFont.load_default(size=14)
    places: list[tuple[int, int]] = []
    x, line = _MARGIN, 0
    for text, swatch in [(title, 0), *((entry[0], 24) for entry in entries)]:
        needed = swatch + round(font.getlength(text))
        if x > _MARGIN and x + needed > width - _MARGIN:
            x, line = _MARGIN, line + 1
        places.append((x, line * _LINE_HEIGHT + 4))
        x += needed + 20
    strip = PillowImage.new("RGB", (width, (line + 1) * _LINE_HEIGHT + 6), SHADOW)
    pen = ImageDraw.Draw(strip)
    pen.text(places[0], title, fill=(255, 255, 255), font=font)
    for (left, top), (text, colour, dashed) in zip(places[1:], entries, strict=True):
        middle = top + 9
        for start, end in ((0, 4), (7, 11), (14, 18)) if dashed else ((0, 18),):
            box = (left + start, middle - 1, left + end, middle + 1)
            pen.rectangle(box, fill=colour)
        pen.text((left + 24, top), text, fill=(255, 255, 255), font=font)
    return np.asarray(strip, dtype=np.uint8)
