"""What Python finds is what the commands find."""

from dataclasses import replace

import mrcfile
import numpy as np
import pytest

import deepcryopicker as d
from deepcryopicker import __main__ as program
from deepcryopicker.api import micrographs as given
from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.labeler import diameter as measuring
from deepcryopicker.picker.scanning import eight_bit, prepare

from .common import DIAMETER_ANGSTROM, SHAPE, simulated


def near(one, other):
    """Share of the picks of one that the other has too."""
    return (d.match_picks(one, other, radius=3.0).outcome == 1).mean()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three micrographs as MRC files with their pixel size."""
    folder = tmp_path_factory.mktemp("micrographs")
    for seed in (1, 2, 3):
        micrograph, _ = simulated(seed)
        with mrcfile.new(folder / f"{seed}.mrc") as file:
            file.set_data(micrograph.image)
            file.voxel_size = micrograph.pixel_size
    return sorted(folder.iterdir())


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Run a command and return its run folder."""
    monkeypatch.chdir(tmp_path)

    def run(name, micrographs, *overrides):
        folder = tmp_path / name
        where = (f"dataset.micrographs={micrographs}", f"hydra.run.dir={folder}")
        code = program.main([name, "dataset=folder", *where, *overrides, "overlays=0"])
        assert code in (0, 3)  # 3: in one of these micrographs, nothing is found
        return folder

    return run


def assert_same(picks, path):
    """The file has the picks, but for rounding."""
    theirs = d.read_coordinates(path)
    np.testing.assert_allclose(picks.positions, theirs.positions, atol=6e-4)
    np.testing.assert_allclose(picks.score, theirs.score, atol=2e-4)
    np.testing.assert_allclose(picks.size, theirs.size, atol=0.051)
    np.testing.assert_allclose(picks.contrast, theirs.contrast, atol=0.0051)
    assert picks.label.tolist() == theirs.label.tolist()


@pytest.mark.parametrize(
    ("options", "overrides"),
    [
        ({"diameter": 59.1}, ["dataset.diameter=59.1"]),
        (
            {"diameter_angstrom": 100, "pixel_size": 1.7, "polarity": "bright"},
            ["dataset.diameter_angstrom=100", "dataset.pixel_size=1.7", "dataset.polarity=bright"],
        ),
        (
            {"diameter": 59.1, "picker": {"threshold": 0.8, "scale_factor": 0.9, "max_picks": 12}},
            [
                *("dataset.diameter=59.1", "picker.threshold=0.8"),
                *("picker.scale_factor=0.9", "picker.max_picks=12"),
            ],
        ),
    ],
)
def test_picks_are_those_of_the_command(options, overrides, files, command):
    folder = command("pick", files[0], *overrides)
    picks = d.pick_micrograph(files[0], candidates=True, **options)
    assert len(picks) > 5
    assert_same(picks, folder / "picks" / "1.csv")


def test_a_diameter_that_nobody_gave_is_that_of_the_command(files, command, monkeypatch):
    def estimate(micrographs, preprocessing, config):
        return measuring.Estimate(50.0 + len(micrographs) + 0.123 + config.clip, 1.0)

    monkeypatch.setattr(measuring, "estimate_diameter", estimate)
    monkeypatch.setattr(given, "estimate_diameter", estimate)
    folder = command("pick", files[0])
    picks = d.pick_micrograph(files[0], candidates=True)
    assert set(picks.diameter) == {54.1}
    assert_same(picks, folder / "picks" / "1.csv")


def test_an_array_is_picked_as_its_file(files, monkeypatch):
    # The rows of the file are in the opposite order, which changes how numbers are rounded.
    monkeypatch.setattr(prepare, "multiplies_bfloat16", lambda: False)
    monkeypatch.setattr(eight_bit, "_multiplies_bytes", lambda: False)
    micrograph, particles = simulated(1)
    options = {"diameter_angstrom": DIAMETER_ANGSTROM, "pixel_size": micrograph.pixel_size}
    weights = d.load_weights()
    of_file = d.pick_micrograph(files[0], weights, diameter_angstrom=DIAMETER_ANGSTROM)
    assert d.score_picks(of_file, particles)["f1"] > 0.8
    for same in (micrograph, micrograph.image, micrograph.image.astype(np.float64)):
        picks = d.pick_micrograph(same, weights, **options)
        np.testing.assert_allclose(picks.positions, of_file.positions, atol=0.05)
        np.testing.assert_allclose(picks.score, of_file.score, atol=1e-3)


def test_bright_particles_are_found_where_they_are_said_to_be_bright():
    micrograph, particles = simulated(1)
    inverted = -micrograph.image
    diameter = particles.diameter[0]
    dark = d.pick_micrograph(micrograph.image, diameter=diameter)
    bright = d.pick_micrograph(inverted, diameter=diameter, polarity="bright")
    wrong = d.pick_micrograph(inverted, diameter=diameter)
    np.testing.assert_array_equal(bright.positions, dark.positions)
    assert d.score_picks(wrong, particles)["f1"] < 0.5 < d.score_picks(dark, particles)["f1"]


def test_positions_are_pixels_of_the_array():
    """Where rows and columns before the first are cut off, picks move by as many."""
    micrograph, particles = simulated(1)
    diameter = particles.diameter[0]
    whole = d.pick_micrograph(micrograph.image, diameter=diameter)
    cut = d.pick_micrograph(micrograph.image[40:, 90:], diameter=diameter).moved(90, 40)
    assert near(cut[(cut.x > 130) & (cut.y > 80)], whole) > 0.9


def test_the_threshold_parts_picks_from_candidates():
    micrograph, particles = simulated(2)
    every, picks = (
        d.pick_micrograph(micrograph, diameter=particles.diameter[0], candidates=all_of_them)
        for all_of_them in (True, False)
    )
    assert every.score.min() < 0.5 <= picks.score.min()
    np.testing.assert_array_equal(picks.x, every.x[every.score >= 0.5])


def test_weights_of_one_diameter_are_picked_at_it_or_at_another_with_a_warning():
    micrograph, particles = simulated(1)
    weights = replace(d.load_weights(), diameter=float(particles.diameter[0]))
    picks = d.pick_micrograph(micrograph, weights)
    assert len(picks) > 10
    np.testing.assert_allclose(picks.diameter, particles.diameter[0])
    with pytest.warns(UserWarning, match=r"80 pixels .* used, but .* trained at 59\.09 pixels"):
        others = d.pick_micrograph(micrograph, weights, diameter=80)
    np.testing.assert_allclose(others.diameter, 80)


def test_weights_in_angstrom_are_picked_at_the_pixel_size_of_the_micrograph():
    micrograph, particles = simulated(1)
    diameter, size = float(particles.diameter[0]), micrograph.pixel_size
    weights = replace(d.load_weights(), diameter=2 * diameter, diameter_angstrom=diameter * size)
    picks = d.pick_micrograph(micrograph, weights)
    np.testing.assert_allclose(picks.diameter, diameter)
    same = d.pick_micrograph(micrograph, weights, diameter_angstrom=diameter * size)
    np.testing.assert_array_equal(same.positions, picks.positions)
    without = d.pick_micrograph(replace(micrograph, pixel_size=None), weights)
    np.testing.assert_allclose(without.diameter, 2 * diameter)


@pytest.mark.parametrize("labeler", ["auto", "log"])
def test_particles_found_without_labels_are_those_of_the_command(labeler, files, command):
    folder = command("label", files[0].parent, "dataset.diameter=59.1", f"labeler={labeler}")
    found = d.find_particles(files, diameter=59.1, labeler=labeler)
    assert len(found) == len(files)
    for path, one in zip(files, found, strict=True):
        expected = read_picks(folder / "picks" / f"{path.stem}.csv")
        np.testing.assert_allclose(one.picks.positions, expected.positions, atol=6e-4)
        assert one.picks.label.tolist() == expected.label.tolist()
        assert one.good.any()


def test_labelers_are_given_by_name_or_by_what_differs():
    micrograph, _ = simulated(1)
    usual, strict = (
        d.find_particles([micrograph], diameter=59.1, labeler=labeler)[0]
        for labeler in ("log", {"blobs": {"typical": {"weakest": 0.6}}})
    )
    assert usual.mask.shape == strict.mask.shape
    for wrong in ("truth", "lgo"):
        with pytest.raises(UsageError, match=r"^(labeler: this cannot be used here|no labeler)"):
            d.find_particles([micrograph], diameter=59.1, labeler=wrong)


def test_nothing_is_printed(capsys):
    micrograph, _ = simulated(1)
    assert micrograph.image.shape == SHAPE
    d.find_particles([micrograph], diameter=59.1, labeler="log")
    assert capsys.readouterr() == ("", "")
    d.find_particles([micrograph], diameter=59.1, labeler="log", progress=True)
    assert "labelling 1 micrograph: done" in capsys.readouterr().out
