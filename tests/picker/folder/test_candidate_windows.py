"""Windows of candidates: which, from where, and how they are kept."""

from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.picker.folder.candidate_windows import (
    best_first,
    cut_windows,
    most_windows,
    restored,
    strongest,
)
from deepcryopicker.picker.folder.window_features import SIDE
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph, Picks


def chain(working_diameter=24.0):
    return PreprocessingConfig(
        working_diameter, model_input="n", steps={"n": {"operation": "standardise"}}
    )


def spots(diameter):
    """Return a micrograph with dark discs, and where they are."""
    rng = np.random.default_rng(0)
    side = int(12 * diameter)
    image = rng.normal(100, 1, (side, side))
    y, x = np.mgrid[:side, :side]
    places = diameter * np.array([[3.0, 4.0], [8.0, 3.5], [6.0, 9.0]])
    for column, row in places:
        image -= 8 * (np.hypot(x - column, y - row) < diameter / 3)
    return Micrograph("m", Path("m"), image.astype(np.float32)), places


@pytest.mark.parametrize(("diameter", "working"), [(24.0, 24.0), (60.0, 24.0), (60.0, 30.0)])
def test_particles_are_centred_and_of_one_size(diameter, working):
    micrograph, places = spots(diameter)
    picks = Picks.create(*places.T, score=[0.9, 0.8, 0.7])
    windows = restored(cut_windows(Preprocessed(micrograph, diameter, chain(working)), picks))
    assert windows.shape == (3, SIDE, SIDE)
    dark = windows.mean(axis=0) < windows.min() / 2
    y, x = np.nonzero(dark)
    assert np.hypot(x.mean() - SIDE // 2, y.mean() - SIDE // 2) < 1.0
    assert dark.sum() == pytest.approx(np.pi * 8**2, rel=0.15)


def test_no_more_than_half_of_the_area_is_kept():
    micrograph, _ = spots(24.0)
    rng = np.random.default_rng(1)
    picks = Picks.create(*rng.uniform(0, 288, (2, 500)), score=rng.uniform(0.1, 1, 500))
    seen = Preprocessed(micrograph, 24.0, chain())
    assert most_windows(seen) == int(0.5 * 288**2 / (np.pi / 4 * 24**2))
    assert most_windows(Preprocessed(micrograph, 3.0, chain())) == 2000
    assert len(cut_windows(seen, picks)) == 500


def test_the_strongest_do_not_depend_on_the_order():
    rng = np.random.default_rng(2)
    score = rng.choice([0.0, 0.2, 0.9, 1.0], 60)
    picks = Picks.create(*rng.uniform(0, 99, (2, 60)), score=score)
    shuffled = picks[rng.permutation(60)]
    one, other = (each[strongest(each, 30)] for each in (picks, shuffled))
    np.testing.assert_array_equal(one.positions, other.positions)
    assert (one.score > 0).all()
    assert (np.diff(one.score) <= 0).all()
    assert len(strongest(picks, 99)) == (score > 0).sum()


def test_the_best_come_first():
    picks = Picks.create([1, 2, 3, 4], [0, 0, 0, 0], score=[0.3, 0.9, 0.3, 0.5])
    assert best_first(np.array([0.7, 0.1, 0.7, 0.7]), picks).tolist() == [3, 0, 2, 1]
