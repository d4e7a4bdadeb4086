"""The paper's network and its rivals: sizes, counts, what learns and what cannot, scans."""

import dataclasses

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from torch import nn
from torch.nn import functional

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.detection.windows import cut
from deepcryopicker.errors import UsageError
from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import ConvolutionalConfig
from deepcryopicker.paper.layers import summarise_layers, total_row
from deepcryopicker.picker.scanning.scan import scan

CLASSES = ("top", "side", "irregular", "background")
OPTIONS = (
    "deepcryopicker",
    "deepcryopicker_unpadded",
    "paper_trainable",
    "paper_literal",
    "deeppicker",
    "deepem",
)
# The same layers at a window that costs seconds rather than minutes.
SMALL = {
    "deepcryopicker": {"window": 67, "wide": [256, 256]},
    "deepcryopicker_unpadded": {"window": 195, "channels": [16, 32, 48, 48, 32], "wide": [64, 64]},
    "paper_trainable": {"window": 67, "wide": [256, 256]},
    "paper_literal": {"window": 67, "wide": [256, 256]},
    "deeppicker": {},
    "deepem": {"window": 128},
}


def option(name, **changes):
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        settings = registry.validated(compose(f"model/{name}"))["model"]
    return dataclasses.replace(settings, **changes)


def small(name, classes=2):
    torch.manual_seed(0)
    return build_network(option(name, **SMALL[name]), classes)


def on_meta(settings, classes=4):
    with torch.device("meta"):
        return build_network(settings, classes)


def discs(count, side, seed):
    """Noise, every second window with a dark disc, and the classes."""
    generator = torch.Generator().manual_seed(seed)
    windows = torch.randn(count, 1, side, side, generator=generator)
    row, column = torch.meshgrid(*[torch.arange(side) - side / 2] * 2, indexing="ij")
    target = torch.arange(count) % 2
    disc = (torch.hypot(row, column) < 0.28 * side).float()
    return windows - target[:, None, None, None] * disc, target


def gradients(network, seed=0):
    """Norm of each convolution's gradient over that of its weights."""
    windows, target = discs(32, network.window, seed)
    functional.cross_entropy(network.train()(windows)[..., 0, 0], target).backward()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    return [float(layer.weight.grad.norm() / layer.weight.detach().norm()) for layer in layers]


@pytest.mark.parametrize(("classes", "parameters"), [(4, 58_274_500), (5, 58_278_597)])
def test_papers_network_has_table_9(classes, parameters):
    network = on_meta(option("paper_literal"), classes)
    rows = summarise_layers(network)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert total_row(rows)["parameters"] == parameters
    table = [
        (row["operation"], row["kernel"], row["stride"], row["padding"], row["output"])
        for row in rows
    ]
    assert table == [
        ("input", None, None, None, "1x227x227"),
        ("preprocessing (of the whole micrograph)", None, None, None, "1x227x227"),
        ("convolution + sigmoid", 11, 4, 0, "96x55x55"),
        ("average pooling", 3, 2, 0, "96x27x27"),
        ("convolution + sigmoid", 5, 1, 2, "256x27x27"),
        ("average pooling", 3, 2, 0, "256x13x13"),
        ("convolution + sigmoid", 3, 1, 1, "384x13x13"),
        ("convolution + sigmoid", 3, 1, 1, "384x13x13"),
        ("convolution + sigmoid", 3, 1, 1, "256x13x13"),
        ("average pooling", 3, 2, 0, "256x6x6"),
        ("fully connected + sigmoid", 6, 1, 0, "4096x1x1"),
        ("fully connected + sigmoid", 1, 1, 0, "4096x1x1"),
        ("fully connected + softmax", 1, 1, 0, f"{classes}x1x1"),
    ]
    counts = [0, 0, 11712, 0, 614656, 0, 885120, 1327488, 884992, 0, 37752832, 16781312]
    assert [row["parameters"] for row in rows] == [*counts, 4097 * classes]


def test_papers_network_without_padding_leaves_2_x_2_pixels_of_a_window():
    settings = option("deepcryopicker_unpadded", batch_norm=False)
    rows = summarise_layers(on_meta(settings))
    sides = [int(row["output"].split("x")[-1]) for row in rows]
    assert sides == [227, 227, 55, 27, 23, 11, 9, 7, 5, 2, 1, 1, 1]
    assert total_row(rows)["parameters"] == 24_720_068
    assert settings == option("deepcryopicker", batch_norm=False, paddings=[0] * 5)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_gives_the_outputs_that_window_and_stride_promise(name):
    network = on_meta(option(name)).eval()
    for extra in (0, 1, 3):
        side = network.window + extra * network.stride
        outputs = network(torch.empty(2, 1, side, network.window, device="meta"))
        assert outputs.shape == (2, 4, extra + 1, 1)


@pytest.mark.parametrize(
    ("name", "stride"),
    [("deepcryopicker", 32), ("deepcryopicker_unpadded", 32), ("deeppicker", 16), ("deepem", 16)],
)
def test_stride_is_the_product_of_all_strides(name, stride):
    assert on_meta(option(name)).stride == stride


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_scans_an_image(name):
    image = np.random.default_rng(0).standard_normal((130, 150)).astype(np.float32)
    network = small(name, len(CLASSES)).eval()
    probability = scan(network, image, CLASSES, 64).probability
    assert probability.shape == (4, *((n - 1) // network.stride + 1 for n in image.shape))
    np.testing.assert_allclose(probability.sum(axis=0), 1, atol=1e-5)  # and so finite


@pytest.mark.parametrize("name", ["deepcryopicker_unpadded", "deeppicker", "deepem"])
def test_without_padding_a_scan_equals_its_windows(name):
    image = np.random.default_rng(0).standard_normal((100, 140)).astype(np.float32)
    network = small(name, len(CLASSES)).eval()
    network.head[-1].weight.data /= 5.0  # a random network is sure of one class everywhere
    probability = scan(network, image, CLASSES, 64).probability
    row, column = np.indices(probability.shape[1:]).reshape(2, -1)
    centres = np.column_stack([column, row]).astype(float) * network.stride
    with torch.inference_mode():
        windows = torch.from_numpy(cut(image, centres, network.window, "mean"))[:, None]
        expected = torch.softmax(network(windows), dim=1)[..., 0, 0].numpy()
    np.testing.assert_allclose(probability[:, row, column].T, expected, atol=1e-5)
    assert expected.std(axis=0).max() > 1e-3  # not the same everywhere


def test_to_the_letter_the_papers_network_cannot_learn():
    network = small("paper_literal")
    *below, last = gradients(network)
    assert below == [0.0] * 7
    assert last > 0
    logits = network.eval()(discs(4, network.window, 0)[0])
    assert (logits == logits[:1]).all()


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "paper_literal"])
@pytest.mark.thorough
def test_a_trainable_option_has_gradients_in_every_layer(name):
    # Relative to the weights: 1e-4 of the last layer's is what plain Xavier gave the first.
    found = gradients(small(name))
    assert min(found) > 1e-3
    assert found[0] > 0.02 * found[-1]


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "paper_literal"])
@pytest.mark.thorough
def test_a_trainable_option_learns_to_see_a_dark_disc(name):
    network = small(name).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    losses = []
    for step in range(20):
        windows, target = discs(16, network.window, step)
        loss = functional.cross_entropy(network(windows)[..., 0, 0], target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-3:]) < 0.25


def test_dropout_is_placed_as_asked():
    for place, first in (("before", nn.Dropout), ("after", nn.Conv2d)):
        network = build_network(option("deeppicker", dropout_place=place), 2)
        assert type(network.head[0]) is first
        assert sum(isinstance(layer, nn.Dropout) for layer in network.head) == 1


def test_a_window_too_small_names_the_layer_and_the_window_it_needs():
    with pytest.raises(UsageError, match=r"model\.window=66 .* pooling 5 .*\n.*at least 67"):
        ConvolutionalConfig(window=66)
    assert ConvolutionalConfig(window=67).side_left() == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernels": [11, 5]}, r"model\.kernels must have an entry for each of the 5"),
        ({"channels": []}, r"model\.channels and model\.wide"),
        ({"wide": [8] * 11}, r"model\.channels and model\.wide"),
        ({"channels": [96, 256, 384, 384, 10**9]}, r"model\.channels must lie in \[1, 4096\]"),
        ({"channels": [0, 256, 384, 384, 256]}, r"model\.channels"),
        ({"strides": [0, 1, 1, 1, 1]}, r"model\.strides"),
        ({"paddings": [6, 2, 1, 1, 1]}, r"model\.paddings must be less than half"),
        ({"pool_strides": [2, 2, 1, 0, 2]}, r"model\.pool_strides must be 0 where"),
        ({"wide": [10**9]}, r"model\.wide"),
        ({"window": 10**9}, r"model\.window"),
        ({"activation": "sigmoidd"}, r"(?s)model\.activation.*Did you mean sigmoid"),
        ({"pooling": "mean"}, r"model\.pooling"),
        ({"initialisation": "random"}, r"model\.initialisation"),
        ({"dropout_place": "between"}, r"model\.dropout_place"),
        ({"dropout": 1.0}, r"model\.dropout"),
    ],
)
def test_absurd_settings_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        ConvolutionalConfig(**changes)


def test_a_network_of_absurd_size_is_not_built():
    settings = option("deepcryopicker", channels=[4096] * 5, wide=[16384])
    with pytest.raises(UsageError, match="parameters, at most 500,000,000"):
        build_network(settings, 4)
