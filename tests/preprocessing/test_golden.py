"""The authors' chain from the preset's own YAML, against their published pictures.

The pictures of apoferritin come from a micrograph at hand, so that the whole chain has to give
them on every pixel. Of the ribosome only their normalised picture is at hand, in 8 bits.
"""

import cv2
import numpy as np
import pytest

from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.preprocessing.steps import apply_step, stages

pytestmark = pytest.mark.real

PICTURES = {
    "normalise": "Normalized",
    "cec": "CEC",
    "equalise": "HE",
    "wiener": "Restored",
    "clahe_unclipped": "Adaptive_Histogram_Equlaizer",
    "restretch": "Gaudided",
    "opening": "Morphological",
}
RIBOSOME_DIAMETER = 92


@pytest.fixture
def picture(real_data):
    """Read one of the authors' pictures as grey levels."""

    def picture(species, name):
        path = real_data / "golden" / species / f"{name}.png"
        levels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert levels is not None, f"{path} is missing"
        return levels

    return picture


def to_bytes(image):
    return np.floor(255 * np.clip(image, 0, 1) + 0.5)


@pytest.fixture
def apoferritin(real_data, preset):
    """Every stage of the preset `matlab` by its name."""
    path = real_data / "apoferritin" / "micrographs" / "May08_03.13.02.bin_avg.png"
    images = stages(read_micrograph(path), 60, preset("matlab"))
    return {name: stage.image for name, stage in images}


def test_every_stage_is_the_authors(apoferritin, picture):
    np.testing.assert_array_equal(apoferritin["rescaled"], picture("apoferritin", "originalImage"))
    for step, name in PICTURES.items():
        expected = picture("apoferritin", name)
        np.testing.assert_array_equal(to_bytes(apoferritin[step]), expected, err_msg=step)


def test_the_last_stage_clusters_like_theirs(apoferritin, picture):
    """Their first of four clusters, in which pixels of value 0 are lost."""
    crop = apoferritin["opening"][139:190, 380:437]
    expected = picture("apoferritin", "Morphological_cropped")
    np.testing.assert_array_equal(to_bytes(crop), expected)
    cluster = (crop > 0) & (crop <= 0.375)
    expected = picture("apoferritin", "Clustering_before_cleaning_cropped") > 0
    np.testing.assert_array_equal(cluster, expected)


def run(config, image, *names):
    for name in names:
        image = apply_step(image, name, config.steps[name], RIBOSOME_DIAMETER)
    return image


@pytest.mark.parametrize(
    ("before", "steps", "after"),
    [
        ("CEC", ["equalise"], "HE"),
        (
            "Restored",
            ["equalise_again", "clahe", "clahe_unclipped"],
            "Adaptive_Histogram_Equlaizer",
        ),
        ("Gaudided", ["opening", "opening_again"], "Morphological"),
    ],
)
def test_a_step_of_the_irregular_variant_alone(preset, picture, before, steps, after):
    found = run(preset("matlab_irregular"), picture("ribosome", before) / 255, *steps)
    np.testing.assert_array_equal(to_bytes(found), picture("ribosome", after))


def test_the_irregular_variant_from_the_normalised_picture(preset, picture):
    config = preset("matlab_irregular")
    found = run(config, picture("ribosome", "Normalized") / 255, *config.steps)
    expected = picture("ribosome", "Morphological")
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] >= 0.9999
