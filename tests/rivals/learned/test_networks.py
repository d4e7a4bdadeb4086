"""The rivals' networks: layers as published, and the same map in tiles as at once."""

import numpy as np
import pytest
import torch
from torch import nn

from deepcryopicker.rivals.learned.eman2 import Eman2, FourierConvolution
from deepcryopicker.rivals.learned.factory import build_rival
from deepcryopicker.rivals.learned.pixer import Pixer, grid_maxima
from deepcryopicker.rivals.learned.schema import Eman2Config, FastRcnnConfig, PixerConfig
from deepcryopicker.rivals.training.network_scan import probability_map


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def convolutions(network):
    layers = [each for each in network.modules() if isinstance(each, nn.Conv2d)]
    return [(each.in_channels, each.out_channels, *each.kernel_size) for each in layers]


def test_both_networks_of_eman2_have_the_published_layers():
    rival = Eman2()
    layers = [(1, 20, 15, 15), (20, 20, 15, 15), (20, 1, 15, 15)]
    assert convolutions(rival.first) == layers
    assert convolutions(rival.second) == layers
    windows = torch.randn(3, 1, 64, 64)
    assert rival.first(windows).shape == (3, 1, 32, 32)  # pooled by two, once
    assert rival.second(windows).shape == (3,)
    mean = rival.second.network(windows).mean(dim=(1, 2, 3))
    torch.testing.assert_close(rival.second(windows), mean)
    assert (rival.plan.rate, rival.plan.one_cycle, rival.plan.window) == (1e-4, False, 64)


@pytest.mark.parametrize("shape", [(64, 64), (31, 40), (20, 150)])
def test_a_convolution_in_fourier_space_is_a_convolution(shape):
    layer = FourierConvolution(3, 2, 15, padding=7)
    direct = nn.Conv2d(3, 2, 15, padding=7)
    direct.load_state_dict(layer.state_dict())
    image = torch.randn(2, 3, *shape)
    torch.testing.assert_close(layer(image), direct(image), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [Eman2, Pixer])
@pytest.mark.parametrize("shape", [(203, 150), (96, 97)])
def test_tiles_give_the_map_of_the_whole(kind, shape):
    rival = kind().eval()
    image = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    plan = rival.plan
    whole, tiled = (
        probability_map(rival.first, image, plan.unit, plan.stride, plan.margin, tile)
        for tile in (10_000, 64)
    )
    assert whole.shape == tuple(-(-length // plan.stride) for length in shape)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)
    assert np.ptp(whole) > 1e-3


def test_tiles_give_the_boxes_of_the_whole():
    config = FastRcnnConfig(floor=0.0)
    rival = build_rival(config).eval()
    image = np.random.default_rng(0).normal(0, 1, (203, 150)).astype(np.float32)
    whole, tiled = (
        np.sort(np.column_stack(rival.find(config, image, 32.0, tile)), axis=0)
        for tile in (10_000, 64)
    )
    assert len(whole) > 20
    np.testing.assert_allclose(tiled, whole, atol=1e-3)


def test_the_second_network_of_pixer_scores_windows():
    assert build_rival(PixerConfig()).second(torch.randn(3, 1, 40, 40)).shape == (3,)


@pytest.mark.parametrize("config", [Eman2Config(), PixerConfig(), FastRcnnConfig()])
def test_a_rival_is_small(config):
    parameters = sum(each.numel() for each in build_rival(config).parameters())
    assert 10_000 < parameters < 1_000_000


def bumps(places, shape=(60, 70), sigma=3.0):
    row, column = np.indices(shape)
    heat = sum(
        height * np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * sigma**2))
        for x, y, height in places
    )
    return heat.astype(np.float32)


def test_the_search_on_a_grid_finds_every_maximum_once():
    places = [(10.0, 12.0, 0.9), (30.3, 12.0, 0.7), (50.0, 40.0, 0.8), (20.0, 45.0, 0.02)]
    x, y, height = grid_maxima(bumps(places), 10.0, 0.1)
    np.testing.assert_allclose(x, [10, 50, 30.3], atol=0.1)
    np.testing.assert_allclose(y, [12, 40, 12], atol=0.1)
    np.testing.assert_allclose(height, [0.9, 0.8, 0.7], atol=0.02)


def test_of_two_near_maxima_the_higher_is_kept():
    places = [(20.0, 30.0, 0.9), (29.0, 30.0, 0.8)]
    assert len(grid_maxima(bumps(places), 8.0, 0.1)[0]) == 2
    np.testing.assert_allclose(grid_maxima(bumps(places), 12.0, 0.1)[0], [20], atol=0.5)
