"""A network learns the mean of what it finds in eight orientations."""

import numpy as np
import pytest
import torch

from deepcryopicker.model.compact import Compact
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.picker.scanning.prepare import prepare
from deepcryopicker.trainer.crops.symmetry import _divergence, mean_over_orientations, symmetrise

PARTICLES = (0, 1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    made = Compact(CompactConfig(widths=[4, 4, 4, 4, 4, 4]), 3).eval()
    torch.nn.init.normal_(made.head[-1].weight, std=2.0)
    return made


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(200, 220)).astype(np.float16) for _ in range(6)]


def test_the_mean_is_that_of_each_orientation(network):
    """Against numpy, one window after the other."""
    side = network.window + 2 * network.stride
    image = np.random.default_rng(1).normal(size=(side, side)).astype(np.float32)
    found = mean_over_orientations(network, torch.from_numpy(image)[None, None])[0].numpy()
    expected = np.zeros_like(found)
    for row in range(3):
        for column in range(3):
            top, left = row * network.stride, column * network.stride
            window = image[top : top + network.window, left : left + network.window]
            seen = [np.rot90(each, k) for each in (window, window.T) for k in range(4)]
            batch = torch.from_numpy(np.stack(seen)[:, None].copy())
            with torch.no_grad():
                probability = torch.softmax(network(batch)[..., 0, 0], dim=1)
            expected[:, row, column] = probability.mean(dim=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_mean_rotates_with_the_image(network):
    side = network.window + 4 * network.stride
    image = torch.randn(2, 1, side, side)
    found = mean_over_orientations(network, image)
    turned = mean_over_orientations(network, image.rot90(1, (2, 3)))
    torch.testing.assert_close(turned, found.rot90(1, (2, 3)), atol=1e-5, rtol=0)


def asymmetry(network, teacher, image):
    with torch.no_grad():
        found = torch.log_softmax(network(image), dim=1)
    return float(_divergence(found, mean_over_orientations(teacher, image), PARTICLES))


def test_training_comes_closer_to_the_mean_and_repeats(network, images):
    teacher = prepare(network, "cpu", "float32")
    side = network.window + 20 * network.stride
    image = torch.randn(4, 1, side, side)
    before = asymmetry(network, teacher, image)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    symmetrise(network, teacher, images, PARTICLES, steps=40, seed=3)
    after = {name: value.clone() for name, value in network.state_dict().items()}
    assert asymmetry(network, teacher, image) < 0.7 * before
    for name, value in weights.items():  # statistics stay
        assert ("running" in name or "num_batches" in name or "temperature" in name) == bool(
            torch.equal(value, after[name])
        )
    network.load_state_dict(weights)
    symmetrise(network, teacher, images, PARTICLES, steps=40, seed=3)
    for name, value in after.items():
        torch.testing.assert_close(network.state_dict()[name], value, rtol=0, atol=0)


def test_what_is_likely_a_particle_weighs_more():
    target = torch.tensor([[0.6, 0.2, 0.2], [0.05, 0.05, 0.9]]).T.reshape(1, 3, 1, 2)
    found = torch.tensor([[0.3, 0.3, 0.4], [0.1, 0.0, 0.9]]).T.reshape(1, 3, 1, 2) + 1e-6
    each = (target * (target / found).log()).sum(dim=1).flatten()
    weight = torch.tensor([0.05 + 0.8, 0.05 + 0.1])
    expected = (weight * each).sum() / weight.sum()
    torch.testing.assert_close(
        _divergence(found.log(), target, PARTICLES), expected, rtol=1e-4, atol=1e-5
    )


def test_without_large_images_the_network_stays_as_it_is(network, capsys):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    symmetrise(network, network, [np.zeros((90, 400), np.float16)], PARTICLES, 5, 0)
    assert "needs micrographs of at least 169 working pixels" in " ".join(
        capsys.readouterr().out.split()
    )
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
