"""What can be a micrograph, and what is refused in one line."""

import mrcfile
import numpy as np
import pytest

import deepcryopicker as d
from deepcryopicker.dataset.simulator import KINDS, simulate
from deepcryopicker.errors import MicrographError, UsageError

NOISE = np.random.default_rng(0).normal(size=(128, 160)).astype(np.float32)
SOME, MANY = NOISE.copy(), NOISE.copy()
SOME.flat[:100] = np.nan
MANY.flat[:300] = np.inf


def pick(array, **options):
    return d.pick_micrograph(array, diameter=20, **options)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (NOISE[None], "a micrograph has two axes, this array has 3"),
        (NOISE[0], "a micrograph has two axes, this array has 1"),
        (np.zeros((0, 5)), "image has no pixels"),
        (NOISE.astype(complex), "pixels are whole or real numbers, not complex128"),
        (NOISE > 0, "pixels are whole or real numbers, not bool"),
        (NOISE.astype(str), "pixels are whole or real numbers, not <U"),
        (NOISE.astype(object), "pixels are whole or real numbers, not object"),
        (MANY, "300 of 20480 pixels are NaN or infinite"),
        (np.full((64, 64), 1e300), "4096 of 4096 pixels are NaN or infinite"),
    ],
)
def test_arrays_that_cannot_be_a_micrograph_are_refused(array, reason):
    with pytest.raises(MicrographError) as error:
        pick(array)
    assert str(error.value).startswith(f"micrograph: {reason}")
    assert "\n" not in str(error.value)


def test_a_list_names_the_array_that_is_wrong():
    with pytest.raises(MicrographError, match=r"^micrographs\[1\]: a micrograph has two axes"):
        d.find_particles([NOISE, NOISE[0]], diameter=20)


def test_a_few_bad_pixels_are_mended_and_the_array_stays_as_it_is():
    before = SOME.copy()
    pick(SOME)
    np.testing.assert_array_equal(SOME, before)


@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.uint8])
def test_every_kind_of_number_is_read(dtype):
    whole = np.rint(20 * NOISE + 120).clip(0, 255)
    one, other = (pick(whole.astype(kind), candidates=True) for kind in (np.float32, dtype))
    np.testing.assert_array_equal(one.positions, other.positions)


def test_a_blank_micrograph_has_no_picks():
    assert len(pick(np.ones((100, 120)))) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"diameter": 0}, "diameter must be > 0, got 0"),
        ({"diameter": float("nan")}, "diameter must be > 0, got nan"),
        ({"diameter": "wide"}, "diameter: Value 'wide'"),
        ({"diameter": 9, "diameter_angstrom": 9}, "give diameter or diameter_angstrom, not both"),
        ({"diameter": 20, "pixel_size": -1}, "pixel_size must be > 0, got -1"),
        ({"diameter": 20, "polarity": "drak"}, "polarity: no polarity called 'drak'"),
        ({"diameter": 20, "picker": {"treshold": 1}}, "no picker key called 'treshold'"),
        ({"diameter": 20, "picker": {"threshold": 2}}, r"picker\.threshold must lie in \[0, 1\]"),
        ({"diameter": 20, "picker": "dens"}, "no picker called 'dens'. Did you mean dense?"),
        ({"diameter": 20, "picker": {"weights": "x"}}, r"picker\.weights cannot be given here"),
        ({"diameter": 20, "weights": "nowhere"}, "weights: there is no nowhere"),
    ],
)
def test_wrong_options_are_refused_by_name(options, message):
    with pytest.raises(UsageError, match=f"^{message}") as error:
        d.pick_micrograph(NOISE, **options)
    assert "dataset" not in str(error.value)


def test_angstrom_need_a_pixel_size():
    with pytest.raises(MicrographError, match=r"^micrograph: pixel size missing"):
        d.pick_micrograph(NOISE, diameter_angstrom=40)


@pytest.mark.parametrize("given", [NOISE, "a.mrc", d.Micrograph("m", None, NOISE), []])
def test_a_list_of_micrographs_is_a_list(given):
    with pytest.raises(UsageError, match=r"^micrographs is "):
        d.find_particles(given)


def test_files_are_read_as_the_commands_read_them(tmp_path):
    path = tmp_path / "a.mrc"
    with mrcfile.new(path) as file:
        file.set_data(NOISE)
        file.voxel_size = 1.5
    micrograph = d.read_micrograph(str(path))
    np.testing.assert_array_equal(micrograph.image, NOISE)
    assert (micrograph.name, micrograph.pixel_size) == ("a", pytest.approx(1.5))
    bright = d.read_micrograph(path, polarity="bright", pixel_size=3.0)
    np.testing.assert_array_equal(bright.image, -NOISE)
    assert bright.pixel_size == 3.0
    with pytest.raises(UsageError, match="a Micrograph has dark particles already"):
        pick(bright, polarity="bright")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "b.mrc"
    for read in (d.read_micrograph, pick):
        with pytest.raises(MicrographError, match=r"b\.mrc: cannot be read"):
            read(path)


def test_simulated_micrographs_are_those_of_the_simulator():
    micrograph, particles = d.simulate_micrograph("klh", shape=(256, 300), dose=25.0, seed=4)
    expected = simulate(KINDS["klh"], (256, 300), 25.0, 4)
    np.testing.assert_array_equal(micrograph.image, expected.image)
    np.testing.assert_array_equal(particles.x, expected.x)
    assert particles.label.tolist() == expected.label.tolist()
    with pytest.raises(UsageError, match=r"no particle called 'klm'\. Did you mean klh"):
        d.simulate_micrograph("klm")
    with pytest.raises(UsageError, match=r"^shape must be \[height, width\]"):
        d.simulate_micrograph(shape=(100, 100))
