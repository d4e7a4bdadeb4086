"""A network learns from crops with a target at every output."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from deepcryopicker.model.compact import Compact
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.picker.scanning.scan import scan
from deepcryopicker.trainer import crop_training
from deepcryopicker.trainer.crop_training import (
    crop_loss,
    labelled_image,
    train_on_crops,
    with_random_sharpness,
)

CLASSES = ("top", "side", "background")
PARTICLES = (0, 1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Compact(CompactConfig(widths=[4, 4, 4, 4, 4, 4]), 3).eval()


def blobs(network, count=6, side=140):
    """Images of noise with dark blobs, and a map that knows where these are."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        image = rng.normal(size=(side, side)).astype(np.float32)
        outputs = -(-side // network.stride)
        target = np.full((outputs, outputs), 2, np.int8)
        for y, x in rng.integers(10, outputs - 10, (6, 2)):
            row, column = np.indices(image.shape) - network.stride * np.array([y, x])[:, None, None]
            image -= 4 * np.exp(-(row**2 + column**2) / 50)
            target[y - 1 : y + 2, x - 1 : x + 2] = 0
        made.append(labelled_image(image, target, network))
    return made


def test_the_loss_is_a_weighted_mean():
    """Against numpy, one output after the other."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    target = rng.integers(-1, 3, (2, 4, 5))
    total = weight = 0.0
    for image, row, column in np.ndindex(2, 4, 5):
        goal = target[image, row, column]
        if goal < 0:
            continue
        probability = np.exp(logits[image, :, row, column])
        probability /= probability.sum()
        heavy = 0.05 + max(probability[0] + probability[1], float(goal in PARTICLES))
        total -= heavy * np.log(probability[goal])
        weight += heavy
    found = crop_loss(torch.from_numpy(logits), torch.from_numpy(target), PARTICLES)
    assert float(found) == pytest.approx(total / weight, rel=1e-5)


def test_what_is_unknown_costs_nothing():
    found = crop_loss(torch.randn(1, 3, 4, 4), torch.full((1, 4, 4), -1), PARTICLES)
    assert float(found) == 0


def test_the_gradient_takes_the_weights_as_given():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    target = torch.full((1, 2, 2), 2)
    crop_loss(logits, target, PARTICLES).backward()
    with torch.no_grad():
        likely = torch.softmax(logits, 1)[:, :2].sum(1, keepdim=True) + 0.05
        expected = torch.softmax(logits, 1) - torch.tensor([0.0, 0, 1])[None, :, None, None]
    torch.testing.assert_close(logits.grad, expected * likely / likely.sum())


def test_targets_lie_where_a_scan_finds_them(network):
    """The crop at an output of the map has there what the whole scan has."""
    rng = np.random.default_rng(1)
    image = rng.normal(size=(150, 170)).astype(np.float16).astype(np.float32)
    whole = scan(network, image, CLASSES).probability
    target = np.zeros(whole.shape[1:], np.int8)
    one = labelled_image(image, target, network)
    row, column = 11, 5
    side = network.window + network.stride * 3
    top, left = row * network.stride, column * network.stride
    crop = torch.from_numpy(one.image[top : top + side, left : left + side].astype(np.float32))
    with torch.no_grad():
        found = torch.softmax(network(crop[None, None])[0], 0).numpy()
    expected = whole[:, row : row + 4, column : column + 4]
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_small_images_are_filled_up(network):
    target = np.ones((10, 60), np.int8)
    one = labelled_image(np.zeros((20, 120), np.float32), target, network)
    assert one.target.shape == (48, 60)
    assert (one.target[10:] == -1).all()
    assert (one.target[:10] == 1).all()
    train_on_crops(network, [one], PARTICLES, 2, 0.0, 0.5, 0, bfloat16=True)


def test_it_finds_blobs_after_training(network, monkeypatch):
    monkeypatch.setattr(crop_training, "_LEARNING_RATE", 1e-2)
    labelled = blobs(network)
    train_on_crops(network, labelled, PARTICLES, 120, 0.1, 0.0, 0)
    one = blobs(network, 7)[-1]  # not seen
    with torch.no_grad():
        image = torch.from_numpy(one.image.astype(np.float32))[None, None]
        found = torch.softmax(network(image)[0], 0)[:2].sum(0).numpy()
    outputs = tuple(slice(size) for size in one.target.shape)
    found = found[outputs]
    assert found[one.target == 0].mean() > 4 * found[one.target == 2].mean()
    assert not network.training


def test_equal_seeds_give_equal_weights(network):
    labelled = blobs(network, 2)
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(0)
        copy = Compact(CompactConfig(widths=[4, 4, 4, 4, 4, 4]), 3)
        copy.load_state_dict(network.state_dict())
        train_on_crops(copy, labelled, PARTICLES, 3, 0.1, 0.8, seed)
        states.append(copy.state_dict())
    same, other = (
        all(torch.equal(states[0][key], each[key]) for key in each) for each in states[1:]
    )
    assert same
    assert not other


def test_batch_normalisation_keeps_its_statistics(network):
    before = {k: v.clone() for k, v in network.state_dict().items() if "running" in k}
    train_on_crops(network, blobs(network, 2), PARTICLES, 3, 0.1, 0.8, 0)
    assert before
    assert all(torch.equal(network.state_dict()[key], value) for key, value in before.items())


def statistics(network):
    return [v.clone() for k, v in network.state_dict().items() if "running" in k]


def test_from_random_weights_statistics_are_learned_in_the_first_half(network, monkeypatch):
    given = statistics(network)
    seen = []
    drawn = crop_training._random_crops

    def watched(*arguments):
        seen.append(statistics(network))
        return drawn(*arguments)

    monkeypatch.setattr(crop_training, "_random_crops", watched)
    train_on_crops(network, blobs(network, 2), PARTICLES, 6, 0.1, 0.8, 0, from_start=True)
    seen.append(statistics(network))
    changed = [
        not all(map(torch.equal, before, after))
        for before, after in zip([given, *seen], seen, strict=False)
    ]
    assert changed == [False, True, True, True, False, False, False]
    assert not network.training


def test_from_random_weights_it_finds_blobs(network):
    """Larger steps and learned statistics: with those of a trained network it finds less."""
    states = {}
    start = {name: value.clone() for name, value in network.state_dict().items()}
    for from_start in (True, False):
        network.load_state_dict(start)
        train_on_crops(network, blobs(network), PARTICLES, 150, 0.1, 0.0, 0, from_start=from_start)
        one = blobs(network, 7)[-1]
        with torch.no_grad():
            image = torch.from_numpy(one.image.astype(np.float32))[None, None]
            found = torch.softmax(network(image)[0], 0)[:2].sum(0).numpy()
        found = found[tuple(slice(size) for size in one.target.shape)]
        states[from_start] = found[one.target == 0].mean() / found[one.target == 2].mean()
    assert states[True] > 4
    assert states[True] > states[False]


class Drawn:
    """Random numbers as given."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def random(self):
        return self.numbers.pop(0)

    def uniform(self, low, high):
        return low + (high - low) * self.numbers.pop(0)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.75, 1.0])
def test_sharpness_is_that_of_a_gaussian(share):
    """Against SciPy: from sharpened by 0.8 to blurred by 0.8, with half the widest Gaussian."""
    image = np.random.default_rng(0).normal(size=(64, 70)).astype(np.float32)
    found = with_random_sharpness(image, 0.8, Drawn(0.5, 0.5, share))
    width = np.sqrt(0.8 * 8.0)  # half way, by logarithm
    blurred = ndimage.gaussian_filter(image, width, mode="mirror", truncate=6)
    expected = image + (2 * share - 1) * 0.8 * (blurred - image)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_some_images_keep_their_sharpness():
    image = np.random.default_rng(0).normal(size=(64, 70)).astype(np.float32)
    assert with_random_sharpness(image, 0.8, Drawn(0.7)) is image
    assert with_random_sharpness(image, 0.0, Drawn()) is image
