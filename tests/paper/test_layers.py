"""Every network is listed layer by layer, and no parameter is left out."""

import pytest
import torch

from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import (
    CompactConfig,
    ContextConfig,
    ConvolutionalConfig,
    TimmConfig,
)
from deepcryopicker.paper.layers import LAYER_COLUMNS, summarise_layers, total_row

CONFIGS = [
    CompactConfig(),
    ContextConfig(),
    ConvolutionalConfig(),
    TimmConfig("resnet18"),
    TimmConfig("convnext_atto"),
    TimmConfig("efficientnet_b0"),
]


@pytest.mark.thorough
@pytest.mark.parametrize("settings", CONFIGS)
def test_no_parameter_is_left_out(settings):
    with torch.device("meta"):
        network = build_network(settings, 3)
    rows = summarise_layers(network)
    assert total_row(rows)["parameters"] == sum(p.numel() for p in network.parameters())
    assert [row["layer"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(list(row) == list(LAYER_COLUMNS) for row in rows)
    assert rows[-1]["operation"] == "fully connected + softmax"
    assert rows[-1]["output"] == "3x1x1"


def test_companions_join_the_row_before():
    with torch.device("meta"):
        rows = summarise_layers(build_network(ConvolutionalConfig(), 4))
    operations = [row["operation"] for row in rows]
    assert operations[2] == "convolution + batch norm + ReLU"
    assert operations[10] == "fully connected + batch norm + ReLU + dropout"
    assert rows[2]["parameters"] == 96 * 11 * 11 + 2 * 96


def test_dilation_is_named():
    rows = summarise_layers(build_network(CompactConfig(), 4))
    assert rows[-2]["operation"] == "convolution, dilation 3 + batch norm + ReLU + dropout"


def test_the_network_is_left_as_it_was():
    network = build_network(CompactConfig(), 4).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    summarise_layers(network)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])
