"""Logits window by window, and the temperature that calibrates them."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax

from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.trainer import predict as module
from deepcryopicker.trainer.predict import fit_temperature, predict

SIDE = 43


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    built = build_network(CompactConfig(widths=[4, 4, 6, 6, 8, 8], dropout=0.5), 3)
    built.temperature.fill_(7.0)
    return built.eval()


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(0).normal(0, 1, (23, SIDE, SIDE)).astype(np.float32)


def test_windows_are_seen_one_by_one(network, windows):
    found = predict(network, windows)
    assert (found.shape, found.dtype) == ((23, 3), np.float32)
    with torch.no_grad():
        alone = [network(torch.from_numpy(each)[None, None])[0, :, 0, 0] for each in windows]
    np.testing.assert_allclose(found, torch.stack(alone), atol=1e-5)
    assert np.ptp(found, axis=0).min() > 1e-3  # they differ


def test_logits_are_given_before_the_temperature(network, windows):
    before = predict(network, windows)
    network.temperature.fill_(3.0)
    np.testing.assert_array_equal(predict(network, windows), before)


@pytest.mark.parametrize("size", [1, 7, 22, 23, 24])
def test_the_size_of_a_batch_does_not_matter(network, windows, monkeypatch, size):
    at_once = predict(network, windows)
    monkeypatch.setattr(module, "_BATCH", size)
    np.testing.assert_allclose(predict(network, windows), at_once, atol=1e-5)


def drawn(temperature, count=40_000, classes=4, seed=0):
    """Logits, and targets that occur as often as softmax(logits / temperature) says."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (count, classes)).astype(np.float32)
    probability = softmax(logits.astype(float) / temperature, axis=1)
    target = (rng.random((count, 1)) > probability.cumsum(axis=1)).sum(axis=1)
    return logits, np.minimum(target, classes - 1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_of_the_targets_is_found(temperature):
    assert fit_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("temperature", [0.3, 1.7, 6.0])
def test_no_other_temperature_is_likelier(temperature):
    logits, target = drawn(temperature, count=300)
    grid = np.geomspace(0.05, 20, 2000)
    losses = [
        -log_softmax(logits.astype(float) / each, axis=1)[np.arange(300), target].mean()
        for each in grid
    ]
    assert fit_temperature(logits, target) == pytest.approx(grid[np.argmin(losses)], rel=0.01)


def test_it_is_kept_within_bounds():
    """Without a mistake, the surer the better; with nothing but mistakes, the less sure."""
    target = np.arange(60) % 3
    perfect = np.eye(3, dtype=np.float32)[target]
    assert fit_temperature(perfect, target) < 0.15
    assert fit_temperature(1000 * perfect, target) == pytest.approx(1, rel=0.01)
    assert fit_temperature(perfect, (target + 1) % 3) == pytest.approx(20, rel=0.05)
