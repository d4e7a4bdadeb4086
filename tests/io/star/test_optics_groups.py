"""Optics groups read from STAR files of RELION 3.0 and 3.1, and written again."""

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.io.star.optics_groups import (
    optics_notes,
    optics_table,
    placeholder,
)
from deepcryopicker.io.star.optics_reading import read_optics
from deepcryopicker.io.star.relion_star import write_micrographs_star
from deepcryopicker.io.star.star_tables import read_tables

RELION_3_1 = """# version 30001

data_optics

loop_
_rlnOpticsGroupName #1
_rlnOpticsGroup #2
_rlnMtfFileName #3
_rlnMicrographOriginalPixelSize #4
_rlnVoltage #5
_rlnSphericalAberration #6
_rlnAmplitudeContrast #7
_rlnMicrographPixelSize #8
grid_a  1 mtf_k3.star 0.415 300.0 2.7 0.1 0.83
grid_b  4 mtf_k3.star 0.415 200.0 1.4 0.07 1.2

data_micrographs

loop_
_rlnMicrographName #1
_rlnOpticsGroup #2
MotionCorr/job002/a.mrc 1
MotionCorr/job002/b.mrc 4
MotionCorr/job002/c.mrc 1
"""
RELION_3_0 = """data_

loop_
_rlnMicrographName #1
_rlnVoltage #2
_rlnSphericalAberration #3
_rlnAmplitudeContrast #4
_rlnMagnification #5
_rlnDetectorPixelSize #6
a.mrc 300.0 2.7 0.1 50000.0 5.0
b.mrc 200.0 2.7 0.1 50000.0 5.0
c.mrc 300.0 2.7 0.1 50000.0 5.0
"""


@pytest.fixture
def star(tmp_path):
    def write(text):
        path = tmp_path / "in.star"
        path.write_text(text)
        return path

    return write


def numbers(values):
    """Cells as numbers where they are: 300 and 300.0 are one voltage."""

    def number(text):
        try:
            return float(text)
        except ValueError:
            return text

    return {key: number(value) for key, value in values}


def test_groups_of_relion_3_1_are_read_whole(star):
    optics = read_optics(star(RELION_3_1))
    assert [one.group for one in optics.values()] == [1, 4, 1]
    assert [one.pixel_size for one in optics.values()] == [0.83, 1.2, 0.83]
    assert numbers(optics["MotionCorr/job002/b.mrc"].values) == {
        "rlnOpticsGroupName": "grid_b",
        "rlnMtfFileName": "mtf_k3.star",
        "rlnMicrographOriginalPixelSize": 0.415,
        "rlnVoltage": 200,
        "rlnSphericalAberration": 1.4,
        "rlnAmplitudeContrast": 0.07,
        "rlnMicrographPixelSize": 1.2,
    }
    assert optics_notes(list(optics.values())) == []


def test_groups_are_made_of_the_columns_of_relion_3_0(star):
    optics = read_optics(star(RELION_3_0))
    assert [one.group for one in optics.values()] == [1, 2, 1]
    assert {one.pixel_size for one in optics.values()} == {1.0}  # 10000 * 5 / 50000
    assert numbers(optics["b.mrc"].values)["rlnVoltage"] == 200


def test_a_list_without_optics_has_none(star):
    assert read_optics(star("data_\n\nloop_\n_rlnMicrographName\na.mrc\n")) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RELION_3_1.replace("b.mrc 4", "b.mrc 3"), "optics group 3 of MotionCorr/job002/b.mrc"),
        (
            RELION_3_1.replace("_rlnOpticsGroup #2\nMotion", "_rlnOther #2\nMotion"),
            "no column rlnOptics",
        ),
    ],
)
def test_an_unknown_group_is_refused_by_its_number(star, text, message):
    with pytest.raises(UsageError, match=message):
        read_optics(star(text))


def test_what_is_read_is_written_again(star, tmp_path):
    optics = read_optics(star(RELION_3_1))
    path = tmp_path / "out.star"
    grouped = [(name, one.group) for name, one in optics.items()]
    write_micrographs_star(path, grouped, optics_table(list(optics.values())))
    again = read_optics(path)
    assert list(again) == list(optics)
    for name, one in optics.items():
        assert again[name].group == one.group
        assert numbers(again[name].values) == numbers(one.values)


def test_the_users_pixel_size_is_written_in_its_place(star):
    one = read_optics(star(RELION_3_1))["MotionCorr/job002/a.mrc"]
    assert one.with_pixel_size(None) == one.with_pixel_size(0.83) == one
    assert one.with_pixel_size(0.5).pixel_size == 0.5
    assert len(one.with_pixel_size(0.5).values) == len(one.values)


def test_placeholders_say_so(tmp_path):
    assert placeholder(1.5).pixel_size == 1.5
    assert len(optics_notes([placeholder(1.5)])) == 1
    assert len(optics_notes([placeholder(None)])) == 2
    path = tmp_path / "out.star"
    write_micrographs_star(path, [("a.mrc", 1)], optics_table([placeholder(1.5)]))
    optics = next(read_tables(path))
    ((_, cells),) = optics.rows
    assert numbers(zip(optics.columns, cells, strict=True))["rlnVoltage"] == 300
