"""Training in several processes: unused layers, two nodes on one machine, and what is refused."""

import multiprocessing
import os
import socket

import pytest
import torch
from torch import nn

from deepcryopicker.errors import UsageError
from deepcryopicker.model.build import build_network
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import CompactConfig, TimmConfig
from deepcryopicker.model.weights import Trained, load_weights, save_weights
from deepcryopicker.trainer.fit import fit
from deepcryopicker.trainer.processes import freeze_unused, require_address
from deepcryopicker.trainer.schema import TrainerConfig
from tests.trainer.test_fit import accuracy, curves, separable

CLASSES = ("top", "background")
SMALL = CompactConfig(widths=[4, 4, 6, 6, 8, 8], dropout=0.1)


class Partly(Network):
    """A network with a layer that its logits do not depend on."""

    window, stride = 8, 1

    def __init__(self):
        super().__init__()
        self.used = nn.Sequential(nn.Conv2d(1, 2, 8), nn.BatchNorm2d(2))
        self.unused = nn.Conv2d(2, 2, 1)

    def forward(self, image):
        found = self.used(image)
        self.unused(found)
        return found


def test_layers_without_a_gradient_are_not_trained():
    network = Partly().train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert freeze_unused(network) == ["unused.weight", "unused.bias"]
    left = [name for name, each in network.named_parameters() if each.requires_grad]
    assert left == ["used.0.weight", "used.0.bias", "used.1.weight", "used.1.bias"]
    assert all(each.grad is None for each in network.parameters())
    assert network.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert freeze_unused(network) == []


@pytest.mark.parametrize(
    ("config", "some"),
    [
        (SMALL, False),
        (TimmConfig(backbone="xception41"), True),
    ],
)
def test_of_a_backbone_only_what_is_behind_the_features_is_unused(config, some):
    network = build_network(config, 2)
    unused = freeze_unused(network)
    assert bool(unused) is some
    assert all(name.startswith("features.blocks_1.") for name in unused)


def timm_network(backbone):
    torch.manual_seed(0)
    return build_network(TimmConfig(backbone=backbone), 2)


@pytest.mark.thorough
@pytest.mark.parametrize("backbone", ["efficientnet_b0", "xception41"])
def test_two_processes_train_a_backbone_with_unused_layers(tmp_path, backbone):
    network = timm_network(backbone)
    side = network.window
    data = separable(side=side)
    config = TrainerConfig(epochs=2, patience=4, batch_size=16, device="cpu", devices=2)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fit(network, data, config, tmp_path, seed=0)
    assert len(curves(tmp_path)) == 2
    changed = [key for key, value in network.state_dict().items() if not value.equal(before[key])]
    assert "head.weight" in changed


def _train_on_node(rank, port, folder, windows):
    """Train as one of two nodes, and leave the weights, or the error, in the folder."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "NODE_RANK": str(rank)}
    torch.manual_seed(rank)  # the first node's weights are those that all start from
    network = build_network(SMALL, 2)
    config = TrainerConfig(epochs=8, patience=8, batch_size=16, device="cpu", num_nodes=2)
    try:
        fit(network, separable(train=windows), config, folder, seed=0)
    except UsageError as error:
        (folder / "error.txt").write_text(str(error))
        return
    save_weights(folder, Trained(network, SMALL, CLASSES, {}, 20.0, {}))


def together(folder, windows):
    """Run two nodes, each in a folder of its own, with so many windows."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    context = multiprocessing.get_context("spawn")
    folders = [folder / str(rank) for rank in range(2)]
    for each in folders:
        each.mkdir()
    nodes = [
        context.Process(target=_train_on_node, args=(rank, port, folders[rank], windows[rank]))
        for rank in range(2)
    ]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join()
    return folders


@pytest.mark.thorough
def test_two_nodes_end_with_the_same_network(tmp_path):
    folders = together(tmp_path, (96, 96))
    first, second = (load_weights(folder).network for folder in folders)
    for key, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key
    assert accuracy(second, separable()) == 1
    rows = [curves(folder) for folder in folders]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 8


@pytest.mark.thorough
def test_nodes_with_other_windows_are_refused(tmp_path):
    folders = together(tmp_path, (96, 160))
    for folder in folders:
        text = (folder / "error.txt").read_text()
        assert text.startswith("the nodes have other numbers of windows (batches on the nodes: ")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "MASTER_ADDR, MASTER_PORT, NODE_RANK"),
        ({"MASTER_ADDR": "a", "MASTER_PORT": "1"}, "environment variables NODE_RANK on"),
        ({"MASTER_ADDR": "a", "MASTER_PORT": "1", "NODE_RANK": "2"}, "from 0 to 1, got 2"),
        ({"MASTER_ADDR": "a", "MASTER_PORT": "1", "NODE_RANK": "-1"}, "from 0 to 1, got -1"),
    ],
)
def test_a_node_must_know_its_place(monkeypatch, given, expected):
    for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=expected):
        require_address(TrainerConfig(num_nodes=2))
    require_address(TrainerConfig())
