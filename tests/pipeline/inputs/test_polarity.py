"""The opposite polarity is named where it clearly fits, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.config.options import read_option
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.simulator import KINDS, simulate
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.pipeline.inputs.polarity import (
    Blobs,
    PolarityCheck,
    count_blobs,
    polarity_doubt,
)
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Micrograph

CLEAR = Blobs(20, 90, -0.5)


def preprocessed(image, diameter):
    micrograph = Micrograph("m", Path("m"), image.astype(np.float32))
    return Preprocessed(micrograph, diameter, read_option("preprocessing", "default"))


@pytest.mark.parametrize(
    ("seen", "doubted"),
    [
        ([CLEAR], True),
        ([Blobs(90, 20, 0.5)], False),
        ([Blobs(20, 90, 0.0)], False),  # the response is not skewed
        ([Blobs(2, 6, -0.5)], False),  # too few to be sure
        ([Blobs(80, 100, -0.5)], False),  # about as many
        ([CLEAR, Blobs(90, 20, 0.5)], False),
    ],
)
def test_strong_blobs_of_the_other_sign_are_needed(seen, doubted):
    text = polarity_doubt("g", "dark", seen)
    assert (text is not None) == doubted
    if text is not None:
        assert text.endswith("90 to 20; if particles are bright, type dataset.polarity=bright")


def test_of_the_first_three_micrographs_one_warning(tmp_path, capsys):
    image = np.random.default_rng(0).normal(size=(200, 200))
    rows, columns = np.mgrid[:200, :200]
    image += 3 * np.exp(-(((rows % 40 - 20) ** 2 + (columns % 40 - 20) ** 2) / 100.0))
    check = PolarityCheck(Run(tmp_path, None, "run", {}))
    check.add(Entry("blank", Path("b"), "g"), preprocessed(np.ones((200, 200)), 30.0))
    for name in "abcd":
        check.add(Entry(name, Path(name), "g"), preprocessed(image, 30.0))
    assert capsys.readouterr().out.count("type dataset.polarity=bright") == 1


@pytest.mark.parametrize("kind", ["apoferritin", "klh", "ribosome", "beta_galactosidase"])
def test_simulated_micrographs_are_not_doubted(kind):
    simulated = simulate(KINDS[kind], (500, 500), 30.0, 0)
    diameter = KINDS[kind].diameter / KINDS[kind].pixel_size
    blobs = count_blobs(preprocessed(simulated.image, diameter))
    assert polarity_doubt(kind, "dark", [blobs]) is None


REAL = {  # diameter, pixels, and whether the wrong polarity is clear
    "beta_galactosidase": (108, True),
    "ribosome": (92, True),
    "klh": (160, True),
    "apoferritin": (60, False),
    "rings": (18, False),
    "groel_stain": (11, False),
    "small_with_ice": (12, True),
    "nothing": (14, False),
    "carbon_example": (60, True),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", REAL)
def test_real_micrographs_are_doubted_only_with_the_wrong_polarity(real_data, name):
    diameter, clear = REAL[name]
    paths = sorted((real_data / name / "micrographs").iterdir())[:3]
    for polarity, doubted in (("dark", False), ("bright", clear)):
        blobs = [
            count_blobs(preprocessed(read_micrograph(path, polarity=polarity).image, diameter))
            for path in paths
        ]
        assert (polarity_doubt(name, polarity, blobs) is not None) == doubted
