"""Sizes, parameter counts, and a scan that equals its windows."""

import numpy as np
import pytest
import timm
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from safetensors.torch import save_file
from torch import nn

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.detection.windows import cut
from deepcryopicker.errors import UsageError
from deepcryopicker.model.build import build_network, start_pretrained
from deepcryopicker.model.schema import CompactConfig, ContextConfig, TimmConfig
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.scanning.scan import build_scan, scan
from deepcryopicker.picker.schema import DenseConfig

CLASSES = ("top", "side", "irregular", "background")


def randomised(network):
    """Give batch normalisation running statistics that are not 0 and 1."""
    torch.manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return network.eval()


@pytest.fixture(scope="module")
def compact():
    torch.manual_seed(0)
    network = randomised(build_network(CompactConfig(), len(CLASSES)))
    network.head[1].weight.data *= 30  # else all probabilities are alike
    return network


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).standard_normal((71, 94)).astype(np.float32)


def windows_one_by_one(network, image, column, row):
    centres = np.column_stack([column, row]).astype(float) * network.stride
    windows = torch.from_numpy(cut(image, centres, network.window, "mean"))[:, None]
    with torch.inference_mode():
        logits = network(windows)
    assert logits.shape == (len(centres), len(CLASSES), 1, 1)
    return torch.softmax(logits, dim=1)[..., 0, 0].numpy()


@pytest.mark.parametrize(
    "config", [CompactConfig(), ContextConfig(), TimmConfig(), TimmConfig("efficientnet_b0")]
)
def test_window_gives_one_output(config):
    network = build_network(config, 4).eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, 1, network.window, network.window)).shape == (2, 4, 1, 1)


def test_compact_network_has_the_window_and_stride_it_says(compact):
    assert (compact.window, compact.stride) == (43, 2)
    image = torch.zeros(1, 1, 101, 101, requires_grad=True)
    output = compact(image)
    output[0, 0, 5, 7].backward()
    row, column = torch.nonzero(image.grad[0, 0], as_tuple=True)
    assert (int(row.min()), int(row.max())) == (10, 10 + 42)
    assert (int(column.min()), int(column.max())) == (14, 14 + 42)


def test_network_with_context_sees_the_window_it_says():
    network = randomised(build_network(ContextConfig(), 4))
    assert (network.window, network.stride) == (165, 2)
    image = torch.randn(1, 1, 181, 181, requires_grad=True)
    network(image)[0, 0, 5, 7].backward()
    row, column = torch.nonzero(image.grad[0, 0], as_tuple=True)
    assert (int(row.min()), int(row.max())) == (10, 10 + 164)
    assert (int(column.min()), int(column.max())) == (14, 14 + 164)


def test_context_is_at_times_left_out_in_training():
    torch.manual_seed(0)
    network = build_network(ContextConfig(dropout=0.0), 4)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
    window = torch.randn(1, 1, 165, 165)
    changed = window.clone()
    changed[..., :40] += 5.0  # outside the window of the fine branch
    pairs = [torch.allclose(*network(torch.cat([window, changed]))) for _ in range(100)]
    assert 0 < sum(pairs) < 20  # both without context, 2 %, in a hundred pairs
    network.eval()
    with torch.inference_mode():
        assert not torch.allclose(*network(torch.cat([window, changed])))


def test_scan_equals_the_windows(compact, image):
    scores = scan(compact, image, CLASSES, 1024)
    assert scores.probability.shape == (4, 36, 47)
    assert (scores.stride, scores.offset, scores.classes) == (2, 0, CLASSES)
    np.testing.assert_allclose(scores.probability.sum(axis=0), 1, atol=1e-5)
    row, column = np.indices(scores.probability.shape[1:]).reshape(2, -1)[:, ::5]
    expected = windows_one_by_one(compact, image, column, row)
    found = scores.probability[:, row, column].T
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.std(axis=0).max() > 0.01  # not the same everywhere


@pytest.mark.parametrize("tile", [25, 64])
def test_tiled_scan_equals_one_pass(compact, image, tile):
    whole = scan(compact, image, CLASSES, 4096).probability
    np.testing.assert_allclose(scan(compact, image, CLASSES, tile).probability, whole, atol=1e-5)


@pytest.mark.parametrize(
    ("backbone", "dense"),
    [
        ("resnet18", True),
        ("convnext_atto", True),
        ("densenet121", True),
        ("mobilenetv2_050", True),
        ("repvgg_a0", True),
        ("efficientnet_b0", False),  # squeeze-and-excitation sees the whole image
        ("mobilenetv3_small_100", False),
        ("tf_efficientnet_b0", False),
    ],
)
def test_timm_scan_equals_its_windows(image, backbone, dense):
    torch.manual_seed(0)
    network = randomised(build_network(TimmConfig(backbone), 4))
    assert network.dense == dense
    config = DenseConfig(precision="float32", device="cpu")
    trained = Trained(network, TimmConfig(backbone), CLASSES, {}, 60.0, {})
    scores = build_scan(trained, config)(image)
    assert scores.probability.shape[1:] == tuple((n - 1) // 4 + 1 for n in image.shape)
    row, column = np.indices(scores.probability.shape[1:]).reshape(2, -1)[:, ::3]
    expected = windows_one_by_one(network, image, column, row)
    np.testing.assert_allclose(scores.probability[:, row, column].T, expected, atol=1e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(path.stem for path in (CONF_DIR / "model").glob("*.yaml")))
def test_dense_map_of_every_network_agrees_with_its_windows(name):
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = OmegaConf.to_object(compose("train", [f"model={name}"]).model)
    torch.manual_seed(0)
    network = randomised(build_network(config, len(CLASSES)))
    side = network.window + 4 * network.stride
    image = np.random.default_rng(0).standard_normal((side, side)).astype(np.float32)
    settings = DenseConfig(precision="float32", device="cpu", padding="none")
    trained = Trained(network, config, CLASSES, {}, 60.0, {})
    found = build_scan(trained, settings)(image).probability
    windows = torch.from_numpy(image).unfold(0, network.window, network.stride)
    windows = windows.unfold(1, network.window, network.stride).flatten(0, 1)[:, None]
    with torch.inference_mode():
        logits = torch.cat([network(window[None]) for window in windows])
    expected = torch.softmax(logits, dim=1)[..., 0, 0].T.numpy()
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-5)


@pytest.mark.parametrize("backbone", ["swin_tiny_patch4_window7_224", "mambaout_femto"])
def test_backbone_that_cannot_be_scanned_is_refused(backbone):
    with pytest.raises(UsageError, match=f"model.backbone: {backbone} does not take windows"):
        build_network(TimmConfig(backbone), 4)


def test_stride_that_the_backbone_lacks_is_refused():
    with pytest.raises(UsageError, match=r"resnet18 has features every 2, 4, 8, 16, 32 pixels"):
        build_network(TimmConfig("resnet18", stride=9), 4)


def test_tags_of_published_weights_are_names_too():
    tagged, plain = (
        build_network(TimmConfig(name), 4) for name in ("resnet18.a1_in1k", "resnet18")
    )
    assert str(tagged) == str(plain)
    with pytest.raises(UsageError, match=r"Did you mean resnet18.a1_in1k"):
        build_network(TimmConfig("resnet18.a1_in2k"), 4)


def test_training_begins_with_a_local_file_of_weights(tmp_path):
    donor = timm.create_model("regnetx_002", in_chans=3)
    path = tmp_path / "regnet.safetensors"
    save_file(donor.state_dict(), path)
    config = TimmConfig("regnetx_002", checkpoint=str(path))
    network = build_network(config, 4)
    start_pretrained(network, config)
    colours = donor.stem.conv.weight.sum(dim=1, keepdim=True)  # of a grey picture
    torch.testing.assert_close(network.features.stem.conv.weight, colours)


@pytest.mark.parametrize("content", [b"", b"not weights"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path, content):
    path = tmp_path / "regnet.safetensors"
    path.write_bytes(content)
    config = TimmConfig("regnetx_002", checkpoint=str(path))
    with pytest.raises(UsageError, match=r"model.checkpoint: .* cannot be loaded"):
        start_pretrained(build_network(config, 4), config)


def test_unknown_backbone_names_the_nearest():
    with pytest.raises(UsageError, match="Did you mean resnet18"):
        build_network(TimmConfig("resnet81"), 4)


@pytest.mark.parametrize(
    ("kind", "settings", "key"),
    [
        (CompactConfig, {"widths": [1, 2]}, "model.widths"),
        (CompactConfig, {"dropout": 1.0}, "model.dropout"),
        (ContextConfig, {"widths": [1, 2]}, "model.widths"),
        (ContextConfig, {"dilations": []}, "model.dilations"),
        (ContextConfig, {"dilations": [1, 2]}, "model.coarse_widths"),
        (ContextConfig, {"dilations": [1, 1, 2, 4, 8, 400]}, "model.dilations"),
        (ContextConfig, {"dropout": 1.0}, "model.dropout"),
        (CompactConfig, {"dropout": -0.1}, "model.dropout"),
        (CompactConfig, {"widths": [1, 1, 1, 1, 1, 10**9]}, "model.widths"),
        (TimmConfig, {"window": 10**9}, "model.window"),
        (TimmConfig, {"window": 7}, "model.window"),
        (TimmConfig, {"stride": 0}, "model.stride"),
        (TimmConfig, {"checkpoint": "resnet18.pth"}, "other files than .safetensors"),
    ],
)
def test_absurd_settings_are_refused(kind, settings, key):
    with pytest.raises(UsageError, match=key):
        kind(**settings)
