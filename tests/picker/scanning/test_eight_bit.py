"""Scans in integers of 8 bits beside the same network in floats."""

from copy import deepcopy
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from deepcryopicker.model.build import build_network
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import CompactConfig, ContextConfig
from deepcryopicker.model.weights import GENERAL_FOLDER, Trained, load_weights
from deepcryopicker.picker.scanning import eight_bit
from deepcryopicker.picker.scanning.eight_bit import EightBit, in_eight_bits
from deepcryopicker.picker.scanning.scan import build_scan, scan, slide
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig

STANDARDISED = {"model_input": "seen", "steps": {"seen": {"operation": "standardise"}}}
CLASSES = ("top", "background")

needs_integers = pytest.mark.skipif(
    not eight_bit._multiplies_bytes(), reason="this CPU does not multiply bytes"
)


@cache
def network_of(kind):
    """Give random weights whose batch normalisation knows white noise."""
    torch.manual_seed(0)
    network = build_network(kind(), len(CLASSES))
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # the mean of all batches
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0.0, 0.3)
    with torch.no_grad():
        for seed in range(4):
            network.train()(torch.from_numpy(noise(220, 220, seed))[None, None])
    return network.eval()


def trained(kind=CompactConfig, preprocessing=STANDARDISED):
    return Trained(network_of(kind), kind(), CLASSES, preprocessing, 24.0, {})


def noise(height, width, seed=9):
    return np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)


def logits(network, image):
    with torch.inference_mode():
        return network(torch.from_numpy(image)[None, None]).numpy()


@needs_integers
@pytest.mark.parametrize("kind", [CompactConfig, ContextConfig])
def test_logits_are_those_of_floats(kind):
    network = network_of(kind)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    image = noise(300, 351)
    expected, found = logits(network, image), logits(EightBit(network), image)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert (found - expected).std() < 0.2 * expected.std()
    assert not np.array_equal(found, expected)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@needs_integers
def test_the_general_network_gives_the_logits_of_floats():
    network = load_weights(GENERAL_FOLDER / "model.safetensors").network
    expected, found = (logits(each, noise(400, 400)) for each in (network, EightBit(network)))
    for chosen in range(expected.shape[1]):
        assert np.corrcoef(expected[:, chosen].ravel(), found[:, chosen].ravel())[0, 1] > 0.998
    assert (found - expected).std() < 0.08 * expected.std()  # beyond it, floats would scan


@needs_integers
@pytest.mark.parametrize("kind", [CompactConfig, ContextConfig])
@pytest.mark.parametrize("tile", [256, 300])
def test_tiles_and_windows_give_the_map_of_the_whole(kind, tile):
    network = EightBit(network_of(kind))
    image = noise(390, 310)
    whole = scan(network, image, CLASSES, 4096).probability
    tiles = scan(network, image, CLASSES, tile).probability
    windows = slide(network, image, CLASSES, 16, 64).probability
    np.testing.assert_allclose(tiles, whole, atol=1e-6)
    np.testing.assert_allclose(windows, whole[:, ::8, ::8], atol=1e-6)


@needs_integers
def test_extreme_pixels_count_as_eight_deviations():
    network = EightBit(network_of(CompactConfig))
    image = noise(100, 100)
    image[40:60, 40:60] = 1e6
    clipped = np.minimum(image, 127 / 16)
    np.testing.assert_array_equal(logits(network, image), logits(network, clipped))


@needs_integers
def test_the_dense_scan_of_the_general_weights_chooses_integers_by_itself():
    image, known = noise(200, 180), load_weights(GENERAL_FOLDER / "model.safetensors")
    found = build_scan(known, DenseConfig(device="cpu"))(image).probability
    integers = scan(EightBit(known.network), image, known.classes).probability
    np.testing.assert_array_equal(found, integers)
    floats = build_scan(known, DenseConfig(device="cpu", precision="float32"))(image).probability
    assert not np.array_equal(found, floats)
    np.testing.assert_allclose(found, floats, atol=0.08)


@needs_integers
@pytest.mark.parametrize(
    ("preprocessing", "config"),
    [
        ({}, DenseConfig()),
        ({"model_input": "a", "steps": {"a": {"operation": "stretch"}}}, DenseConfig()),
        (STANDARDISED, SlidingConfig()),
        (STANDARDISED, DenseConfig(stride=4)),
        (STANDARDISED, DenseConfig(precision="bfloat16")),
    ],
)
def test_other_inputs_and_scans_stay_in_floats(monkeypatch, preprocessing, config):
    monkeypatch.setattr(eight_bit, "EightBit", None)
    config.device = "cpu"
    build_scan(trained(preprocessing=preprocessing), config)


def test_other_networks_stay_in_floats():
    class Other(Network):
        def forward(self, image):
            return image

    assert in_eight_bits(Other(), STANDARDISED) is None


@pytest.mark.parametrize("capabilities", [{}, {"avx512_f": True, "avx512_vnni": False}])
def test_cpus_without_the_instructions_stay_in_floats(monkeypatch, capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert in_eight_bits(network_of(CompactConfig), STANDARDISED) is None


@pytest.mark.parametrize("answer", [AttributeError, RuntimeError, 1e9, float("nan")])
def test_a_torch_without_the_convolution_stays_in_floats(monkeypatch, answer):
    convolve = eight_bit._IntegerConvolution.forward

    def changed(layer, image):
        if isinstance(answer, type):
            raise answer
        return convolve(layer, image) * answer

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx_vnni": True}, raising=False)
    monkeypatch.setattr(eight_bit._IntegerConvolution, "forward", changed)
    assert in_eight_bits(network_of(CompactConfig), STANDARDISED) is None


@needs_integers
def test_a_network_after_a_few_training_steps_stays_in_floats():
    """Its batch normalisation is far from its outputs, which fill a few of the 256 steps."""
    network = deepcopy(network_of(CompactConfig))
    assert in_eight_bits(network, STANDARDISED) is not None
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_var.mul_(6.0)
    assert in_eight_bits(network, STANDARDISED) is None
