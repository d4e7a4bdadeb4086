"""A rival learns from a dataset's truth, is saved, and picks with ``picker=``."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from PIL import Image

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.learn import as_picks, finder, learn, read_training_micrograph
from deepcryopicker.rivals.learned.rival_weights import CARD, WEIGHTS
from deepcryopicker.rivals.learned.schema import PixerConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Calibration, Margins, Micrograph, Picks

DIAMETER = 30.0
STEPS = {"standardise": {"operation": "normalise"}, "n": {"operation": "standardise"}}
CHAIN = PreprocessingConfig(24.0, "continuous", model_input="n", steps=STEPS)
SHORT = PixerConfig(steps=30, device="cpu")


def make_entry(folder, number, shape=(240, 280)):
    """A picture with dark discs on a jittered grid, and its truth."""
    rng = np.random.default_rng(number)
    row, column = np.indices(shape)
    image = rng.normal(128, 20, shape)
    x, y = (each.ravel() + rng.uniform(-6, 6, 20) for each in np.mgrid[35:260:5j, 35:210:4j])
    for place_x, place_y in zip(x, y, strict=True):
        image[np.hypot(column - place_x, row - place_y) < DIAMETER / 2] -= 30
    path, truth = folder / f"m{number}.png", folder / f"m{number}.csv"
    Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(path)
    write_csv(truth, Picks.create(x, y, diameter=DIAMETER))
    return Entry(f"m{number}", path, "discs", diameter=DIAMETER, truth=truth)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Three micrographs, and a rival that has learned from them."""
    folder = tmp_path_factory.mktemp("discs")
    entries = tuple(make_entry(folder, number) for number in range(3))
    broken = replace(entries[0], name="broken", path=folder / "broken.png")
    broken.path.write_bytes(b"no picture")
    unlabelled = replace(entries[0], name="unlabelled", truth=None)
    catalogue = Catalogue("discs", (*entries, broken, unlabelled))
    run = Run(folder / "run", None, "r", {})
    run.folder.mkdir()
    return learn(SHORT, catalogue, CHAIN, 0, run), run, catalogue


@pytest.mark.thorough
def test_it_learns_from_every_micrograph_with_truth_that_can_be_read(trained):
    learned, run, _ = trained
    assert learned.particles == 60
    assert learned.diameter == DIAMETER
    assert learned.provenance["micrographs"] == ["m0", "m1", "m2"]
    assert [row["micrograph"] for row in run.failures] == ["broken"]
    assert (run.folder / WEIGHTS).is_file()
    card = yaml.safe_load((run.folder / CARD).read_text())
    assert card["picker"]["name"] == "pixer"
    assert card["particles"] == 60


@pytest.mark.thorough
def test_half_is_a_sensible_threshold(trained, tmp_path):
    learned, _, _ = trained
    entry = make_entry(tmp_path, 7)
    picks = finder(learned, SHORT)(entry, Preprocessed(entry.load(), DIAMETER, CHAIN))
    picks = picks[picks.score >= 0.5]
    truth, _ = entry.load_truth()
    distance = np.hypot(picks.x[:, None] - truth.x, picks.y[:, None] - truth.y)
    assert (distance.min(axis=0) < DIAMETER / 4).mean() > 0.8  # recall
    assert (distance.min(axis=1) < DIAMETER / 4).mean() > 0.8  # precision
    assert set(picks.label) == {"irregular"}
    np.testing.assert_allclose(picks.diameter, DIAMETER)


def test_truth_comes_at_working_scale(tmp_path):
    entry = make_entry(tmp_path, 1)
    write_csv(tmp_path / "m1.uncertain.csv", Picks.create([99.5], [49.5], diameter=DIAMETER))
    example = read_training_micrograph(entry, CHAIN).example
    truth, _ = entry.load_truth()
    np.testing.assert_allclose(example.x, (truth.x + 0.5) * 0.8 - 0.5)
    np.testing.assert_allclose(example.avoid, [[79.5, 39.5]])
    assert example.diameter == 24.0
    assert example.image.shape == (192, 224)
    assert abs(np.median(example.image)) < 0.01


def test_without_truth_nothing_can_be_learned(tmp_path):
    entry = replace(make_entry(tmp_path, 0), truth=None)
    run = Run(tmp_path, None, "r", {})
    with pytest.raises(NothingUsableError, match="training"):
        learn(SHORT, Catalogue("discs", (entry,)), CHAIN, 0, run)


def test_what_a_border_cuts_is_not_picked():
    seen = Micrograph("m", "m.png", np.zeros((50, 60), np.float32), None, 0.5, Margins(left=10))
    found = np.array([15.0, 25.0]), np.array([20.0, 20.0]), np.array([0.9, 0.8])
    picks = as_picks(found, seen, 12.0, Calibration(2.0, 0.0))
    assert picks.x.tolist() == [50.5]
    assert picks.diameter.tolist() == [24.0]
    assert picks.score[0] == pytest.approx(16 / 17)  # odds of 4, squared
