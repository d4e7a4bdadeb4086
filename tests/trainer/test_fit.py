"""Training: harmless augmentation, a task that must be learnt, and the same twice."""

import numpy as np
import pytest
import torch

from deepcryopicker.errors import UsageError
from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.trainer.fit import fit
from deepcryopicker.trainer.module import augment
from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import TrainingSet

SIDE = 43
CONFIG = TrainerConfig(epochs=4, patience=4, batch_size=16, device="cpu")


def separable(train=96, held_out=16):
    """Dark discs on noise against noise alone."""
    rng = np.random.default_rng(0)
    count = train + 2 * held_out
    target = np.arange(count) % 2
    row, column = np.ogrid[:SIDE, :SIDE]
    disc = np.hypot(row - SIDE // 2, column - SIDE // 2) < 10
    windows = rng.normal(0, 0.5, (count, SIDE, SIDE)) - 2.0 * disc * (target == 0)[:, None, None]
    split = np.repeat(["train", "validation", "test"], [train, held_out, held_out])
    return TrainingSet(windows.astype(np.float32), target, split, ("top", "background"))


def train(folder, seed=0, training_set=None, config=CONFIG):
    torch.manual_seed(seed)
    network = build_network(CompactConfig(widths=[4, 4, 6, 6, 8, 8], dropout=0.1), 2)
    scores = fit(network, training_set or separable(), config, folder, [], [], seed)
    return network, scores


def test_separable_classes_are_learnt(tmp_path):
    network, scores = train(tmp_path)
    assert scores["test_accuracy"] == 1
    assert scores["test_loss"] < 0.5
    assert not network.training
    data = separable()
    with torch.inference_mode():
        found = network(torch.from_numpy(data.windows)[:, None])[..., 0, 0].argmax(dim=1)
    assert (found.numpy() == data.target).mean() > 0.95


def test_shuffled_labels_are_not_learnt(tmp_path):
    """The test windows are not trained on: random labels score no better than chance."""
    data = separable()
    rng = np.random.default_rng(1)
    shuffled = TrainingSet(data.windows, rng.permutation(data.target), data.split, data.classes)
    _, scores = train(tmp_path, training_set=shuffled)
    assert scores["test_accuracy"] < 0.9


def test_same_seed_gives_the_same_weights(tmp_path):
    states = [train(tmp_path / str(i), seed)[0].state_dict() for i, seed in enumerate((0, 0, 1))]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert not all(torch.equal(states[0][key], states[2][key]) for key in states[0])


def test_weights_are_those_of_the_best_epoch(tmp_path):
    """Wrong validation labels: the better the network, the higher the validation loss."""
    data = separable()
    target = np.where(data.split == "validation", 1 - data.target, data.target)
    wrong = TrainingSet(data.windows, target, data.split, data.classes)
    network, _ = train(tmp_path, training_set=wrong)
    (best,) = tmp_path.glob("*.ckpt")
    saved = torch.load(best, weights_only=True)
    assert saved["epoch"] < CONFIG.epochs - 1
    for key, value in network.state_dict().items():
        assert torch.equal(value, saved["state_dict"][f"network.{key}"])


def test_without_test_windows_there_are_no_test_scores(tmp_path):
    data = separable()
    kept = data.split != "test"
    data = TrainingSet(data.windows[kept], data.target[kept], data.split[kept], data.classes)
    assert train(tmp_path, training_set=data)[1] == {}


def test_last_batch_of_one_window_does_not_stop_training(tmp_path):
    network, _ = train(
        tmp_path,
        training_set=separable(train=33),
        config=TrainerConfig(epochs=1, batch_size=16, device="cpu"),
    )
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


def test_augmentation_without_jitter_only_moves_pixels():
    windows = torch.arange(64 * 25, dtype=torch.float32).reshape(64, 1, 5, 5)
    torch.manual_seed(0)
    found = augment(windows, 0.0)
    for before, after in zip(windows, found, strict=True):
        assert torch.equal(before.flatten(), after.flatten().sort().values)
        assert after[0, 2, 2] == before[0, 2, 2]


def test_augmentation_reaches_all_eight_symmetries():
    windows = torch.arange(9, dtype=torch.float32).reshape(1, 1, 3, 3).repeat(300, 1, 1, 1)
    torch.manual_seed(0)
    before = windows.clone()
    found = {tuple(window.flatten().tolist()) for window in augment(windows, 0.0)}
    window = np.arange(9).reshape(3, 3)
    turns = [np.rot90(side, k) for side in (window, window.T) for k in range(4)]
    assert found == {tuple(map(float, turn.ravel())) for turn in turns}
    assert torch.equal(windows, before)


def test_jitter_is_one_factor_and_offset_per_window():
    torch.manual_seed(0)
    windows = torch.randn(400, 1, 7, 7)
    found = augment(windows, 0.1)
    factor = found.flatten(1).std(dim=1) / windows.flatten(1).std(dim=1)
    offset = found.flatten(1).mean(dim=1) - factor * windows.flatten(1).mean(dim=1)
    assert factor.mean().item() == pytest.approx(1, abs=0.02)
    assert factor.std().item() == pytest.approx(0.1, rel=0.15)
    assert offset.std().item() == pytest.approx(0.1, rel=0.15)


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 0},
        {"patience": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"jitter": -0.1},
        {"label_smoothing": 1.0},
        {"device": "gpu"},
    ],
)
def test_absurd_settings_are_refused(changes):
    with pytest.raises(UsageError, match=f"trainer.{next(iter(changes))}"):
        TrainerConfig(**changes)
