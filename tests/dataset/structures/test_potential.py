"""Constants of the potential against theory, and lengths of known bodies."""

import gemmi
import numpy as np
import pytest
from scipy import constants

from deepcryopicker.dataset.structures import potential
from deepcryopicker.dataset.structures.potential import (
    cube_side,
    extent,
    extent_in_view,
    interaction,
    phase_shift,
)
from deepcryopicker.errors import UsageError
from tests.dataset.structures.molecules import COMPOSITION, PAIRS, RESIDUE, ball


@pytest.mark.parametrize(("kilovolts", "published"), PAIRS)
def test_the_interaction_parameter_is_the_published_one(kilovolts, published):
    """Values of Kirkland (2010), radian per volt and Angstrom."""
    assert interaction(kilovolts) == pytest.approx(published, rel=1e-3)
    assert phase_shift(np.array([1000.0]), kilovolts) == pytest.approx(1e3 * published, rel=1e-3)


def at_zero(name):
    return gemmi.Element(name).c4322.calculate_sf(0.0)


def test_constants_follow_from_form_factors():
    hydrogens = 7.76 * at_zero("H")
    scattered = sum(n * at_zero(name) for name, n in COMPOSITION.items()) + hydrogens
    factor = potential.FORM_FACTOR_TO_POTENTIAL
    assert factor == pytest.approx(47.878, rel=1e-4)
    assert pytest.approx(factor * scattered / RESIDUE, rel=0.01) == potential.POTENTIAL_PER_DALTON
    molecules = 0.93e-24 * constants.N_A / 18.015  # of water, per cubic Angstrom
    water = factor * molecules * (at_zero("O") + 2 * at_zero("H"))
    assert pytest.approx(water, rel=0.005) == potential.ICE_POTENTIAL


def test_the_extent_is_the_largest_distance():
    rng = np.random.default_rng(0)
    for _ in range(5):
        points = rng.standard_normal((60, 3)) * [10, 20, 40]
        exact = np.linalg.norm(points[:, None] - points[None], axis=-1).max()
        assert 0.99 * exact <= extent(points) <= exact * (1 + 1e-9)


def test_the_extent_in_view_of_a_ball_and_of_a_rod():
    assert extent_in_view(ball(20.0)) == pytest.approx(40, rel=0.02)
    rod = np.linspace([0, 0, -50], [0, 0, 50], 50)
    assert extent_in_view(rod) == pytest.approx(np.pi / 4 * 100, rel=0.02)


def test_a_cube_holds_the_particle_and_has_a_limit(tmp_path):
    for radius in (10.0, 33.3, 71.0):
        side = cube_side(tmp_path, radius, 2.0)
        assert side % 2 == 0
        assert 2 * radius / 2.0 <= side - 1 < 2.5 * radius / 2.0 + 6
    with pytest.raises(UsageError, match=r"300 pixels.*\n.*or more|402 pixels of 1 Angstrom"):
        cube_side(tmp_path, 200.0, 1.0)
