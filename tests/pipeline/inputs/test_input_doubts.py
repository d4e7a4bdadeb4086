"""Diameters that do not fit the image are said before any work."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from deepcryopicker.config.options import read_option
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.pipeline.inputs.input_doubts import (
    HeaderSizes,
    diameter_doubt,
    warn_of_inputs,
)
from deepcryopicker.preprocessing.chain import check_diameter
from deepcryopicker.runs.folder import Run

CHAIN = read_option("preprocessing", "default")


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, None, "run", {})


def sizes(used, pixel_size=None, shape=(300, 900), **options):
    return HeaderSizes(Entry("m", Path("m"), "g", **options), used, shape, pixel_size)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (sizes(8.0, diameter=8.0), None),
        (sizes(100.0, diameter=100.0), None),
        (sizes(7.5, diameter=7.5), "in nanometres, type dataset.diameter_angstrom=75"),
        (sizes(101.0, diameter=101.0), "in Angstrom, type dataset.diameter_angstrom=101"),
        (sizes(4.0, 2.0, diameter_angstrom=8.0), "diameter_angstrom=8 at 2 Angstrom per pixel"),
        (sizes(200.0, 0.9, diameter_angstrom=180.0), "type dataset.pixel_size=ANGSTROM"),
        (sizes(6.0, diameter=6.0, estimated=True), "type dataset.diameter=PIXELS"),
    ],
)
def test_a_diameter_below_8_pixels_or_above_a_third_is_doubted(one, said):
    text = diameter_doubt(one)
    assert text is None if said is None else said in text and "\n" not in text


def test_a_particle_of_no_size_stops_the_run(tmp_path, run, capsys):
    paths = [tmp_path / "broken.mrc", tmp_path / "m.mrc"]
    paths[0].write_bytes(b"broken")
    mrcfile.write(paths[1], np.zeros((80, 90), np.float32))
    entries = [Entry(path.stem, path, "g", 1.0) for path in paths]
    with pytest.raises(UsageError, match=r"g: particles of 1 pixels: fewer than 2 show nothing"):
        warn_of_inputs(entries, CHAIN, run)
    warn_of_inputs(entries[:1], CHAIN, run)  # nothing can be read: each file has its own error
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize(
    ("diameter", "shape", "refused"),
    [(5.0, (4096, 4096), True), (6.0, (4096, 4096), False), (3.0, (500, 500), False)],
)
def test_an_enlarged_micrograph_has_a_limit(diameter, shape, refused):
    if refused:
        with pytest.raises(MicrographError, match=r"enlarged 4\.8 times has more than 268435456"):
            check_diameter(CHAIN, diameter, shape)
    else:
        check_diameter(CHAIN, diameter, shape)
