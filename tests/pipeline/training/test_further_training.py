"""Further training sees the micrographs that are learned from, with their labels."""

from dataclasses import replace

import mrcfile
import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from deepcryopicker.class_set.sampling_sites import Sites
from deepcryopicker.class_set.split import assign_splits
from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.model.build import build_network
from deepcryopicker.pipeline.training.fitting import further_training
from deepcryopicker.pipeline.training.fitting.further_training import crop_steps, train_further
from deepcryopicker.pipeline.training.labelled_windows import LabelledMicrograph
from deepcryopicker.runs.attempts import AllOrNothing
from deepcryopicker.types import Picks

DIAMETER = 48.0
SIDE = 320


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Eight micrographs, each with one particle and one empty place."""
    folder = tmp_path_factory.mktemp("micrographs")
    made = []
    for number in range(8):
        path = folder / f"m{number}.mrc"
        noise = np.random.default_rng(number).normal(size=(SIDE, SIDE)).astype(np.float32)
        mrcfile.write(path, noise)
        x, y = np.array([100.0, 250.0]), np.array([60.0 + 10 * number, 250.0])
        kind = np.array(["top", "empty"])
        whole = np.zeros(2, np.int64), np.zeros(2, bool)
        sites = Sites(x, y, kind, kind, np.ones(2), *whole)
        entry = Entry(path.stem, path, "one")
        made.append(LabelledMicrograph(entry, sites, DIAMETER, Picks.empty(), np.array([], "<U1")))
    return made


def configured(*given):
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        common = ("+experiment=klh", "class_set.test=0.25", "class_set.validation=0.2")
        return registry.validated(compose("train", [*common, *given]))


def network_of(config):
    return build_network(config.model, len(config.class_set.classes)).eval()


def test_nothing_more_is_trained_by_default(sources):
    config = configured()
    assert not train_further(network_of(config), sources, 99, config, AllOrNothing())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), 0),
        (("labeler=truth",), 2 * 12 * 63),  # of 4,000 windows, 64 at once
        (("labeler=truth", "trainer.epoch_windows=6401", "trainer.epochs=3"), 2 * 3 * 101),
        (("labeler=truth", "trainer.crop_steps=5"), 5),
        (("trainer.crop_steps=5",), 5),
        (("labeler=truth", "model=deepcryopicker"), 0),
        (("labeler=truth", "trainer=paper"), 0),
    ],
)
def test_labels_are_learned_from_on_crops_as_long_as_on_windows(given, expected):
    config = configured(*given)
    assert crop_steps(network_of(config), 4000, config) == expected


def test_crops_are_of_the_micrographs_to_train_on(sources, monkeypatch):
    seen = []
    monkeypatch.setattr(further_training, "train_on_crops", lambda *given, **_: seen.append(given))
    config = configured("trainer.crop_steps=7", "trainer.sharpness=0.3")
    network = network_of(config)
    assert train_further(network, sources, 99, config, AllOrNothing())
    [(trained, labelled, particles, *settings)] = seen
    assert trained is network
    assert settings == [7, config.trainer.jitter, 0.3, config.seed]
    splits = assign_splits(["one"] * 8, config.class_set, config.seed)[:, 0]
    rows = [60.0 + 10 * number for number in np.flatnonzero(splits == "train")]
    assert len(labelled) == len(rows) < 8
    top = config.class_set.classes.index("top")
    assert top in particles
    for one, row in zip(labelled, rows, strict=True):
        found = np.argwhere(one.target == top).mean(axis=0)
        # A particle is 24 working pixels wide; outputs lie two apart.
        expected = (np.array([row, 100.0]) + 0.5) * 24 / DIAMETER / network.stride
        np.testing.assert_allclose(found, expected, atol=1)
        assert (one.target == config.class_set.classes.index("background")).any()


def test_a_micrograph_that_cannot_be_read_is_left_out(sources, monkeypatch, tmp_path):
    class Patient(AllOrNothing):
        def attempt(self, stage, name, path, work):
            try:
                return work()
            except Exception:
                return None

    seen = []
    monkeypatch.setattr(
        further_training, "train_on_crops", lambda *given, **_: seen.append(given[1])
    )
    config = configured("trainer.crop_steps=7")
    whole = len(sources)
    train_further(network_of(config), sources, 99, config, Patient())
    splits = assign_splits(["one"] * whole, config.class_set, config.seed)[:, 0]
    lost = int(np.flatnonzero(splits == "train")[0])
    broken = list(sources)
    entry = replace(sources[lost].entry, path=tmp_path / "gone.mrc")
    broken[lost] = replace(sources[lost], entry=entry)
    train_further(network_of(config), broken, 99, config, Patient())
    assert len(seen[1]) == len(seen[0]) - 1


@pytest.mark.parametrize(
    ("given", "random"),
    [
        (("trainer.epochs=0",), True),
        (("trainer.epochs=0", "start_from=general", "model=context"), False),
        ((), False),
    ],
)
def test_without_windows_random_weights_are_trained_on_crops(sources, monkeypatch, given, random):
    seen = []
    monkeypatch.setattr(further_training, "train_on_crops", lambda *_, **named: seen.append(named))
    config = configured("trainer.crop_steps=7", *given)
    train_further(network_of(config), sources, 99, config, AllOrNothing())
    assert seen == [{"bfloat16": False, "from_start": random}]
