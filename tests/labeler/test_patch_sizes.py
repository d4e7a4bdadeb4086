"""Patches around discs, squares and irregular bodies of known size."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.measure import label, regionprops

from deepcryopicker.labeler.interface import MaskLabeler, learn
from deepcryopicker.labeler.masks.mask_labeler import find_masked
from deepcryopicker.labeler.patch_sizes import average_patches, patch_sides
from deepcryopicker.labeler.schema import IbcConfig, PaperConfig, SuperKmeansConfig
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph

DIAMETER = 60.0
CHAIN = PreprocessingConfig(
    working_diameter=60.0, model_input="n", steps={"n": {"operation": "normalise"}}
)


def body(kind):
    """Draw a dark body of about a diameter in a square of 120 pixels."""
    tile = np.zeros((120, 120), np.uint8)
    if kind == "disc":
        cv2.circle(tile, (60, 60), 30, 1, -1)
    elif kind == "square":
        tile[32:88, 30:90] = 1  # 60 x 56
    else:  # an L, whose box is 64 x 64
        tile[28:92, 28:54] = tile[66:92, 28:92] = 1
    return tile


def preprocessed(kinds):
    """A micrograph of 4 x 5 bodies with some grain."""
    tiles = [body(kinds[i % len(kinds)]) for i in range(20)]
    dark = np.block([tiles[row * 5 : row * 5 + 5] for row in range(4)])
    grain = np.random.default_rng(0).normal(0, 0.02, dark.shape)
    image = (0.8 - 0.6 * dark + grain).astype(np.float32)
    return Preprocessed(Micrograph("m", Path("m"), image), DIAMETER, CHAIN)


def test_round_and_square_bodies_are_those_of_the_intensity_clustering():
    """A disc measures its diameter, a rectangle the geometric mean of its sides; and a margin."""
    sample = [preprocessed(["disc", "square"])]
    labeler = learn(sample, PaperConfig())
    assert isinstance(labeler, MaskLabeler)
    assert isinstance(labeler.config, IbcConfig)
    assert labeler.odd == ("irregular",)
    sides = average_patches(sample, labeler)
    assert sides["top"] == pytest.approx(1.3 * 60, rel=0.05)
    assert sides["side"] == pytest.approx(1.3 * np.sqrt(60 * 56), rel=0.05)
    assert set(sides) == {"top", "side"}


def test_irregular_bodies_are_those_of_the_superpixels():
    sample = [preprocessed(["L"])]
    labeler = learn(sample, PaperConfig())
    assert isinstance(labeler.config, SuperKmeansConfig)
    assert labeler.odd == ("top", "side")
    sides = average_patches(sample, labeler)
    superpixel = np.sqrt(0.25 * np.pi * DIAMETER**2 / 4)  # side: how ragged an edge can be
    assert set(sides) == {"irregular"}
    assert 64 - superpixel / 2 < sides["irregular"] / 1.125 < 64 + superpixel


def test_the_box_of_a_component_is_that_of_scikit_image():
    sample = preprocessed(["L"])
    masked = find_masked(sample.enhanced, DIAMETER, PaperConfig().irregular)
    sides = patch_sides(masked, DIAMETER)
    parts = label(masked.mask, connectivity=2)
    boxes = {one.label: one.bbox for one in regionprops(parts)}
    assert len(boxes) == 20  # none is cut or joined
    shapes, compared = masked.shapes, 0
    for index in np.flatnonzero(shapes.label == "irregular"):
        part = parts[round(shapes.y[index]), round(shapes.x[index])]
        if part == 0:
            assert np.isnan(sides[index])
            continue
        top, left, bottom, right = boxes[part]
        assert sides[index] == pytest.approx(1.125 * (bottom - top + right - left) / 2)
        compared += 1
    assert compared >= 10
