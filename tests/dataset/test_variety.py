"""Micrographs of all sorts: what is drawn stays within its range, and the truth is true."""

from functools import cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from deepcryopicker.dataset.schema import VariedConfig
from deepcryopicker.dataset.simulated import open_varied
from deepcryopicker.dataset.simulator import finish, forms
from deepcryopicker.dataset.simulator.debris import draw_debris
from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.errors import UsageError
from deepcryopicker.preprocessing.operators.borders import find_margins
from deepcryopicker.types import SHAPES

RANGES = {
    "diameter": (10, 34),
    "size": (0.82, 1.18),
    "angstrom": (90, 400),
    "blur": (0.015, 0.06),
    "coverage": (0.03, 0.45),
    "debris": (0, 0.25),
    "snr": (0.12, 2),
    "defocus": (0.5, 3.5),
    "grain": (0, 0.8),
    "drift": (0, 0.0625),
}


RANDOMISED = Variety(kinds=["particles"], instruments=["any"])


def recipe_of(seed):
    return plan(seed).conditions


@cache
def example(seed):
    return simulate_any(10, seed, RANDOMISED)


@pytest.mark.parametrize("name", RANGES)
def test_recipes_fill_their_range(name):
    low, high = RANGES[name]
    drawn = np.array([getattr(recipe_of(seed), name) for seed in range(300)])
    assert low <= drawn.min() < low + 0.1 * (high - low)
    assert high - 0.1 * (high - low) < drawn.max() <= high


def test_the_seed_decides_everything():
    first, again, other = (simulate_any(10, seed) for seed in (3, 3, 4))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.x.tobytes() == again.x.tobytes()
    assert first.image.tobytes() != other.image.tobytes()


@pytest.mark.parametrize("seed", range(12))
def test_truth_is_well_formed(seed):
    micrograph, recipe = example(seed), plan(seed, RANDOMISED).conditions
    side = round(10 * recipe.diameter)
    assert micrograph.image.shape == (side, side)
    assert micrograph.image.dtype == np.float32
    assert 0 <= micrograph.image.min() < micrograph.image.max() <= 255
    assert set(micrograph.label) <= set(SHAPES)
    assert (micrograph.diameter == recipe.diameter).all()
    assert micrograph.pixel_size == pytest.approx(recipe.angstrom / recipe.true_diameter)
    centres = np.column_stack([micrograph.x, micrograph.y])
    assert ((centres >= 0) & (centres <= side - 1)).all()
    if len(centres) > 1:
        nearest = cKDTree(centres).query(centres, k=2)[0][:, 1]
        assert nearest.min() >= 0.999 * recipe.spacing.touching * recipe.true_diameter


def test_particles_are_darker_than_what_is_around_them():
    """In most micrographs by far; in a few contrast turns with the defocus, or is hardly any."""
    darker = []
    for seed in range(12):
        micrograph = example(seed)
        rows, columns = np.indices(micrograph.image.shape)
        inside, around = [], []
        for x, y, diameter in zip(micrograph.x, micrograph.y, micrograph.diameter, strict=True):
            away = np.hypot(columns - x, rows - y) / diameter
            inside.append(micrograph.image[away < 0.45].mean())
            around.append(micrograph.image[(away > 0.6) & (away < 0.9)].mean())
        darker.append(np.mean(inside) < np.mean(around) if inside else True)
    assert np.mean(darker) >= 0.75


def test_every_sort_of_form_occurs_and_has_unit_size():
    rng = np.random.default_rng(0)
    drawn = [forms.draw_form(rng) for _ in range(60)]
    assert {form.pose.__name__ for form in drawn} == {"round_pose", "barrel_pose", "irregular_pose"}
    for form in drawn:
        rotation, label = form.pose(5, rng)
        assert len(rotation) == len(label) == 5
        assert 0.85 <= np.ptp(form.cloud, axis=0).max() <= 1.15
        assert np.abs(form.cloud.mean(axis=0)).max() < 0.05


def test_debris_is_smaller_than_particles_or_much_longer():
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 100, (60, 2))
    for _ in range(10):
        form = forms.draw_form(rng)
        fragments, beads, rods = draw_debris(form, places, rng)
        for small in (fragments, beads):
            deviation = small.clouds.std(axis=1)
            assert (deviation < 0.3).all()  # a particle's is up to 0.5
        assert (np.ptp(rods.clouds, axis=1).max(axis=1) > 1.3).all()
        assert len(fragments.centres) + len(beads.centres) + len(rods.centres) <= 60


def test_the_border_is_what_readers_of_micrographs_find():
    noise = np.random.default_rng(0).normal(size=(300, 300)).astype(np.float32)
    widths = []
    for seed in range(40):
        image, border = finish.store(noise, 24.0, np.random.default_rng(seed))
        assert 0 <= image.min() < image.max() <= 255
        found = find_margins(image)
        # JPEG blurs what is constant; without a border nothing must be taken for one.
        assert max(found) == 0 if border == 0 else True
        widths.append(border)
    assert 0 < np.count_nonzero(widths) < 20


@pytest.mark.parametrize("settings", [{"count": 0}, {"side": 5.0}])
def test_absurd_sizes_are_refused(settings):
    with pytest.raises(UsageError, match=f"dataset.{next(iter(settings))} must"):
        VariedConfig(**settings)


def test_the_catalogue_knows_the_diameters_and_is_made_once(tmp_path):
    config = VariedConfig(count=2, side=8, seed=7, cache=str(tmp_path))
    generated = []

    def track(seeds, title):
        generated.extend(seeds)
        return seeds

    catalogue = open_varied(config, track)
    assert generated == [7_000_000, 7_000_001]
    assert open_varied(config, track) == catalogue
    assert len(generated) == 2
    for seed, entry in zip(generated, catalogue.entries, strict=True):
        expected = simulate_any(8, seed)
        assert entry.diameter == recipe_of(seed).diameter
        np.testing.assert_array_equal(entry.load().image, expected.image)
        assert len(entry.load_truth()[0]) == len(expected.x)
