"""Micrographs of every kind: deterministic, with true particles or none, near enough in shares."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from deepcryopicker.dataset.schema import MICROGRAPH_KINDS, VariedConfig
from deepcryopicker.dataset.simulated import open_varied, true_particles
from deepcryopicker.dataset.simulator.instruments.catalogued import INSTRUMENTS
from deepcryopicker.dataset.simulator.micrographs.composed import draw_exposure
from deepcryopicker.dataset.simulator.micrographs.micrograph_kinds import KINDS_OF_MICROGRAPHS
from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.types import SHAPES

WITH_PARTICLES = [name for name, kind in KINDS_OF_MICROGRAPHS.items() if kind.particles]
EMPTY = [name for name, kind in KINDS_OF_MICROGRAPHS.items() if not kind.particles]
SIDE = 9


@cache
def example(kind, seed=0):
    return simulate_any(SIDE, seed, Variety(kinds=(kind,)))


def test_the_configuration_knows_every_kind():
    assert tuple(KINDS_OF_MICROGRAPHS) == MICROGRAPH_KINDS
    assert sum(kind.share for kind in KINDS_OF_MICROGRAPHS.values()) == pytest.approx(1)


def test_a_fifth_to_a_quarter_are_empty():
    shares = [KINDS_OF_MICROGRAPHS[name].share for name in EMPTY]
    assert 0.2 <= sum(shares) <= 0.25


@pytest.mark.parametrize("first", [0, 1_000_000, 7_000_123])
def test_consecutive_seeds_have_the_shares_of_the_kinds(first):
    counts = Counter(plan(seed).kind for seed in range(first, first + 300))
    for name, kind in KINDS_OF_MICROGRAPHS.items():
        assert counts[name] == pytest.approx(300 * kind.share, abs=2.5)


def test_named_kinds_and_instruments_alternate():
    variety = Variety(kinds=("ice", "bare"), instruments=("k3", "film"))
    drawn = [(planned.kind, planned.instrument) for planned in (plan(s, variety) for s in range(4))]
    assert drawn == [("ice", "k3"), ("bare", "k3"), ("ice", "film"), ("bare", "film")]


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS_OF_MICROGRAPHS)
def test_the_seed_decides_everything(kind):
    again = simulate_any(SIDE, 0, Variety(kinds=(kind,)))
    assert again.image.tobytes() == example(kind).image.tobytes()
    assert again.x.tobytes() == example(kind).x.tobytes()
    assert example(kind, 1).image.tobytes() != again.image.tobytes()


@pytest.mark.parametrize("kind", EMPTY)
def test_nothing_is_true_on_an_empty_micrograph(kind):
    for seed in range(3):
        micrograph = example(kind, seed)
        assert len(micrograph.x) == len(micrograph.label) == len(micrograph.diameter) == 0
        assert np.isfinite(micrograph.image).all()
        assert 0 <= micrograph.image.min() < micrograph.image.max() <= 255


@pytest.mark.parametrize("kind", WITH_PARTICLES)
def test_truth_is_well_formed(kind):
    total = 0
    for seed in range(3):
        micrograph, planned = example(kind, seed), plan(seed, Variety(kinds=(kind,)))
        height, width = micrograph.image.shape
        assert set(micrograph.label) <= set(SHAPES)
        assert ((micrograph.x >= 0) & (micrograph.x <= width - 1)).all()
        assert ((micrograph.y >= 0) & (micrograph.y <= height - 1)).all()
        conditions = planned.conditions
        assert (micrograph.diameter == conditions.diameter).all()
        area = (SIDE * conditions.diameter) ** 2
        assert height * width == pytest.approx(area, rel=0.03)
        centres = np.column_stack([micrograph.x, micrograph.y])
        if len(centres) > 1:
            nearest = cKDTree(centres).query(centres, k=2)[0][:, 1]
            assert nearest.min() >= 0.999 * conditions.spacing.touching * conditions.true_diameter
        total += len(centres)
    assert total > 5


@pytest.mark.parametrize("kind", [name for name in WITH_PARTICLES if name != "particles"])
def test_particles_differ_from_what_is_beside_them(kind):
    """By darkness or by detail, in most micrographs by several deviations."""
    found = []
    for seed in range(6):
        micrograph = example(kind, seed)
        if len(micrograph.x) < 4:
            continue
        found.append(contrast(micrograph))
    assert np.median(found) > 2


def contrast(micrograph):
    """Median over particles of how far they are from the background, in its deviations."""
    image, diameter = micrograph.image, micrograph.diameter[0]
    at = np.rint(micrograph.y).astype(int), np.rint(micrograph.x).astype(int)
    marks = np.ones(image.shape, bool)
    marks[at] = False
    beside = ndimage.distance_transform_edt(marks) > 0.8 * diameter
    best = -np.inf
    for scale in (0.08, 0.2):
        band = ndimage.gaussian_filter(image, scale * diameter)
        band -= ndimage.gaussian_filter(image, 0.8 * diameter)
        for measure in (-band, ndimage.gaussian_filter(band**2, 0.3 * diameter)):
            middle = np.median(measure[beside])
            spread = 1.48 * np.median(np.abs(measure[beside] - middle)) + 1e-9
            best = max(best, (np.median(measure[at]) - middle) / spread)
    return best


def test_spoiled_micrographs_are_not_constant():
    """A constant image is refused by the preprocessing."""
    for seed in range(12):
        image = simulate_any(8, seed, Variety(kinds=("spoiled",))).image
        assert image.min() < image.max()


def test_hard_exposures_are_close_to_focus_and_of_low_dose():
    rng = np.random.default_rng(0)
    drawn = [
        draw_exposure(KINDS_OF_MICROGRAPHS["thick_ice"], INSTRUMENTS["counting"], rng)
        for _ in range(50)
    ]
    assert 0.3 <= min(one.defocus for one in drawn) < max(one.defocus for one in drawn) <= 0.8
    assert 8 <= min(one.dose for one in drawn) < max(one.dose for one in drawn) <= 20


def test_k3_micrographs_have_the_shape_of_the_sensor():
    image = simulate_any(SIDE, 0, Variety(kinds=("ice",), instruments=("k3",))).image
    assert image.shape[1] / image.shape[0] == pytest.approx(5760 / 4092, rel=0.02)


@pytest.mark.parametrize("key", ["kinds", "instruments"])
def test_unknown_names_are_refused(key):
    with pytest.raises(UsageError, match=f"dataset.{key}: no .* called 'cabron'"):
        VariedConfig(**{key: ["cabron"]})


@pytest.fixture
def structure(tmp_path):
    import mrcfile

    z, y, x = np.indices((24, 24, 24)) - 12
    density = ((np.abs(x) < 4) & (np.abs(z) < 8) & (np.abs(y - z / 3) < 3)).astype(np.float32)
    path = tmp_path / "particle.mrc"
    with mrcfile.new(path) as file:
        file.set_data(density)
        file.voxel_size = 6.0
    return path


def test_half_of_the_micrographs_show_a_given_structure(structure):
    variety = Variety(kinds=("ice", "stain", "particles", "bare"), structures=(structure,))
    planned = [plan(seed, variety) for seed in range(400)]
    shown = Counter(one.kind for one in planned if one.structure is not None)
    assert set(shown) <= {"ice", "stain", "bare"}
    assert 35 <= shown["ice"] <= 65
    seed = next(s for s, one in enumerate(planned) if one.kind == "ice" and one.structure)
    micrograph = simulate_any(SIDE, seed, variety)
    # 16 x 8 x 6 voxels of 6 Angstrom, oblique, or about 120 Angstrom.
    true = planned[seed].conditions.true_diameter
    assert micrograph.pixel_size * true == pytest.approx(115, abs=20)
    assert set(micrograph.label) <= {"irregular"}


def test_the_cache_depends_on_kinds_instruments_and_the_contents_of_structures(tmp_path, structure):
    def folder(**settings):
        config = VariedConfig(count=1, side=8, cache=str(tmp_path / "cache"), **settings)
        return open_varied(config, lambda seeds, title: seeds).entries[0].path.parent

    given = {"kinds": ["ice"], "structures": [str(structure)]}
    folders = [folder(kinds=["ice"]), folder(kinds=["bare"]), folder(**given)]
    folders.append(folder(kinds=["ice"], instruments=["film"]))
    assert len(set(folders)) == 4
    data = structure.read_bytes()
    structure.write_bytes(data[:-4] + np.float32(0.5).tobytes())
    assert folder(**given) not in folders


def test_an_empty_micrograph_has_an_empty_table_of_truth(tmp_path):
    config = VariedConfig(count=1, side=8, kinds=["empty_ice"], cache=str(tmp_path))
    entry = open_varied(config, lambda seeds, title: seeds).entries[0]
    assert len(read_picks(entry.truth)) == 0
    assert len(entry.load_truth()[0]) == 0
    assert len(true_particles(simulate_any(8, 0, Variety(kinds=("empty_ice",))))) == 0


def test_a_missing_structure_is_named():
    config = VariedConfig(count=1, structures=["no_such_map.mrc"])
    with pytest.raises(UsageError, match=r"no_such_map.mrc.*cannot be read"):
        open_varied(config, lambda seeds, title: seeds)
