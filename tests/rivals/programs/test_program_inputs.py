"""What programs are given, and how their scores come back."""

import mrcfile
import numpy as np
import pytest

from deepcryopicker.rivals.programs.program_inputs import (
    Input,
    ProgramJob,
    take_examples,
    unit_score,
    write_input,
)
from deepcryopicker.types import Micrograph, Picks


def test_a_micrograph_is_written_as_it_is_with_its_pixel_size(tmp_path):
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    write_input(tmp_path, "a", Micrograph("x/y z", tmp_path / "y z.png", image, pixel_size=1.77))
    with mrcfile.open(tmp_path / Input("x/y z", "a").file) as file:
        assert np.array_equal(file.data, image)
        assert file.voxel_size.x == pytest.approx(1.77)


@pytest.mark.parametrize(("pixel_size", "angstrom"), [(1.77, 1.77), (None, 1.0)])
def test_without_a_pixel_size_a_pixel_is_an_angstrom(tmp_path, pixel_size, angstrom):
    assert ProgramJob(tmp_path, (), (), 60.0, pixel_size).angstrom == angstrom


def example(name, labels):
    count = len(labels)
    return Input(name, name, Picks.create(range(count), np.zeros(count), label=labels))


def test_examples_are_those_of_the_first_micrographs():
    examples = [example("a", ["top"] * 3), example("b", ["top"] * 3), example("c", ["top"] * 3)]
    taken = take_examples(examples, 5)
    assert [(one.name, one.picks.x.tolist()) for one in taken] == [("a", [0, 1, 2]), ("b", [0, 1])]


def test_every_class_gets_the_same_number_of_examples():
    """Paper, RELION on KLH: 100 top and 100 side views."""
    examples = [
        example("a", ["side", "top", "top", "top"]),
        Input("without", "without"),
        example("b", ["top", "side", "side"]),
    ]
    taken = take_examples(examples, 4)
    labels = [label for one in taken for label in one.picks.label]
    assert sorted(labels) == ["side", "side", "top", "top"]
    assert [one.name for one in taken] == ["a", "b"]


def test_without_any_picks_there_are_no_examples():
    assert take_examples([Input("a", "a"), example("b", [])], 10) == []


def test_a_unit_score_keeps_its_order_and_puts_the_threshold_at_one_half():
    score = np.array([-1.0, 0.0, 0.1, 0.25, 0.9, 3.0, 1e6])
    found = unit_score(score, 0.25)
    assert found[score == 0.25] == 0.5
    assert found.min() == 0.0
    assert found.max() < 1.0
    assert (np.diff(found[1:]) > 0).all()
