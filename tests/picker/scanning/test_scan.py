"""Scans at any stride beside windows one by one, and what they do where memory runs out."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from torch import nn

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.detection.windows import cut, extend
from deepcryopicker.errors import MicrographError, UsageError
from deepcryopicker.model.build import build_network
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import (
    CompactConfig,
    ContextConfig,
    ConvolutionalConfig,
    TimmConfig,
)
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.calibration import calibrated
from deepcryopicker.picker.particles import find_particles
from deepcryopicker.picker.scanning.chunks import in_pieces
from deepcryopicker.picker.scanning.fragments import with_stride
from deepcryopicker.picker.scanning.prepare import choose_device, choose_precision, prepare
from deepcryopicker.picker.scanning.scan import build_scan, scan, slide
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig
from deepcryopicker.types import Calibration

SCAN = "deepcryopicker.picker.scanning.scan"
CLASSES = ("top", "background")
# Layers as in the paper's network, but without padding; own stride 16.
UNPADDED = ConvolutionalConfig(
    window=63,
    channels=[4, 6, 8],
    kernels=[7, 3, 2],
    strides=[4, 1, 1],
    paddings=[0, 0, 0],
    pools=[3, 3, 0],
    pool_strides=[2, 2, 0],
    wide=[8],
)


def randomised(settings, seed=0):
    """Give random weights, running statistics that are not 0 and 1, and unsure outputs."""
    torch.manual_seed(seed)
    network = build_network(settings, len(CLASSES)).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return network


def option(name, **changes):
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        settings = registry.validated(compose(f"model/{name}"))["model"]
    return type(settings)(**(vars(settings) | changes))


def noise(height, width, seed=0):
    return np.random.default_rng(seed).standard_normal((height, width)).astype(np.float32)


def logits_of_windows(network, image, stride):
    """Logits of every window that lies inside, cut and classified on its own."""
    side = network.window
    rows, columns = ((size - side) // stride + 1 for size in image.shape)
    corners = [(y * stride, x * stride) for y in range(rows) for x in range(columns)]
    windows = np.stack([image[y : y + side, x : x + side] for y, x in corners])
    with torch.inference_mode():
        logits = network(torch.from_numpy(windows)[:, None])
    return logits[..., 0, 0].numpy().T.reshape(-1, rows, columns)


@pytest.mark.parametrize(
    ("settings", "strides"),
    [
        (CompactConfig(), (1, 2, 4, 6)),
        (ContextConfig(), (2, 4, 6)),
        (UNPADDED, (1, 2, 4, 8, 16, 32)),
        (option("deepcryopicker_unpadded", channels=[4] * 5, wide=[16]), (8, 16, 32)),
        (option("deeppicker"), (2, 4, 8, 16)),
        (option("deepem", window=128), (4, 16)),
    ],
)
def test_any_stride_gives_the_outputs_of_single_windows(settings, strides):
    network = randomised(settings)
    side = network.window
    for stride in strides:
        image = noise(side + 3 * stride - 1, side + 5 * stride)
        with torch.inference_mode():
            found = with_stride(network, stride)(torch.from_numpy(image)[None, None])[0].numpy()
        expected = logits_of_windows(network, image, stride)
        assert expected.shape == (2, 3, 6)
        np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_strides_of_any_divisor():
    """Strides 6 and 2, of which 12 / 4 leaves 2 and 2."""
    settings = ConvolutionalConfig(
        window=40,
        channels=[3, 3],
        kernels=[4, 2],
        strides=[6, 1],
        paddings=[0, 0],
        pools=[0, 2],
        pool_strides=[0, 2],
        wide=[],
        pooling="average",
    )
    network = randomised(settings)
    for stride in (1, 2, 3, 4, 6):
        image = noise(40 + 3 * stride, 40 + 7 * stride)
        with torch.inference_mode():
            found = with_stride(network, stride)(torch.from_numpy(image)[None, None])[0].numpy()
        np.testing.assert_allclose(found, logits_of_windows(network, image, stride), atol=1e-5)


@pytest.mark.parametrize("stride", [8, 16])
def test_padded_network_at_a_finer_stride_is_itself_on_shifted_images(stride):
    network = randomised(option("deepcryopicker", window=67, wide=[16], channels=[4] * 5))
    image = torch.from_numpy(noise(67 + 8 * 32, 67 + 8 * 32))[None, None]
    every = 32 // stride
    with torch.inference_mode():
        finer = with_stride(network, stride)(image)
        for shift in range(every):
            own = network(image[..., shift * stride :, shift * stride :])
            # In the middle, where zeros beyond the image's edges do not reach.
            found = finer[..., 4 * every + shift, 4 * every + shift]
            np.testing.assert_allclose(found, own[..., 4, 4], atol=1e-5)


def test_other_stride_shares_weights_and_leaves_the_network_alone():
    network = randomised(CompactConfig())
    finer = with_stride(network, 1)
    assert {p.data_ptr() for p in finer.parameters()} == {
        p.data_ptr() for p in network.parameters()
    }
    assert (network.stride, finer.stride, finer.window) == (2, 1, 43)
    assert network.trunk[3].stride == (2, 2)
    assert with_stride(network, None) is with_stride(network, 2) is network


@pytest.mark.parametrize(
    ("settings", "stride", "words"),
    [
        (UNPADDED, 3, r"picker.stride=3 is not a divisor .* 16; try [24]"),
        (UNPADDED, 24, "try 16"),
        (TimmConfig(), 2, "less than 4, the smallest of this network"),
        (ContextConfig(), 1, "less than 2, the smallest of this network"),
    ],
)
def test_strides_that_a_network_cannot_have_are_refused(settings, stride, words):
    with pytest.raises(UsageError, match=words):
        with_stride(build_network(settings, 2), stride)


def test_timm_backbones_can_be_thinned():
    network = build_network(TimmConfig(), 2).eval()
    image = torch.from_numpy(noise(48 + 5 * 16, 48 + 4 * 16))[None, None]
    with torch.inference_mode():
        found = with_stride(network, 2 * network.stride)(image)
        np.testing.assert_array_equal(found, network(image)[..., ::2, ::2])


@pytest.mark.parametrize("padding", ["mean", "reflect", "none"])
@pytest.mark.parametrize(("settings", "stride"), [(CompactConfig(), 3), (UNPADDED, 8)])
def test_sliding_scan_classifies_its_windows(settings, stride, padding):
    network = randomised(settings)
    image = noise(80, 97)
    scores = slide(network, image, CLASSES, stride, 7, padding)
    row, column = np.indices(scores.probability.shape[1:]).reshape(2, -1)
    centres = np.column_stack([column, row]) * scores.stride + scores.offset
    assert scores.offset == (network.window // 2 if padding == "none" else 0)
    with torch.inference_mode():
        beyond = "reflect" if padding == "none" else padding  # then it does not matter
        windows = cut(image, centres, network.window, beyond)
        logits = network(torch.from_numpy(windows)[:, None])
    expected = torch.softmax(logits, dim=1)[..., 0, 0].numpy()
    np.testing.assert_allclose(scores.probability[:, row, column].T, expected, atol=1e-5)
    inside = tuple((n - network.window) // stride + 1 for n in image.shape)
    everywhere = tuple((n - 1) // stride + 1 for n in image.shape)
    assert scores.probability.shape[1:] == (inside if padding == "none" else everywhere)


@pytest.mark.parametrize("padding", ["mean", "reflect", "none"])
@pytest.mark.parametrize("tile", [64, 100, 1024])
@pytest.mark.parametrize("stride", [4, 16])
def test_dense_scan_equals_the_sliding_one(padding, tile, stride):
    network = randomised(UNPADDED)
    image = noise(150, 131)
    dense = scan(with_stride(network, stride), image, CLASSES, tile, padding)
    sliding = slide(network, image, CLASSES, stride, 50, padding)
    np.testing.assert_allclose(dense.probability, sliding.probability, atol=1e-5)
    assert (dense.stride, dense.offset) == (sliding.stride, sliding.offset)
    assert dense.probability.std() > 0.01


class Corners(Network):
    """Every `stride`-th pixel, as if it were a window's score; counts the tiles it is given."""

    stride, tiles = 8, 0

    def __init__(self, window):
        super().__init__()
        self.window = window

    def forward(self, image):
        self.tiles += 1
        last = self.window - 1
        corner = image[..., : image.shape[-2] - last : 8, : image.shape[-1] - last : 8]
        return torch.cat([corner, -corner], dim=1)


@pytest.mark.parametrize(
    ("window", "tile", "expected"), [(43, None, 1024), (227, None, 2724), (227, 256, 256)]
)
def test_tiles_are_at_least_twelve_windows_by_default(window, tile, expected):
    network = Corners(window)
    scan(network, noise(40, 6000), CLASSES, tile)
    assert network.tiles == -(-6000 // expected)


def test_dense_and_sliding_picks_are_the_same():
    network = randomised(UNPADDED, seed=3)
    image = noise(300, 320)
    trained = Trained(network, UNPADDED, CLASSES, {}, 24.0, {})
    settings = {"precision": "float32", "floor": 0.0, "max_area": 1e3}
    found = [
        find_particles(build_scan(trained, each)(image), 24.0, each)
        for each in (DenseConfig(stride=4, **settings), SlidingConfig(step=4, **settings))
    ]
    assert len(found[0]) > 50
    for column in ("x", "y", "score"):
        np.testing.assert_allclose(*(getattr(picks, column) for picks in found), atol=1e-3)


@pytest.mark.parametrize(
    "settings",
    [DenseConfig(precision="float32", stride=8), SlidingConfig(precision="float32", step=8)],
)
def test_score_maps_are_at_a_temperature_of_one(settings):
    """The temperature is fitted to windows, of which half hold a particle; maps are not."""
    trained = trained_to_scan()
    image = noise(120, 150)
    padded = extend(image, (31, 31, 31, 31), "mean")
    logits = torch.from_numpy(logits_of_windows(trained.network, padded, 8))
    expected = torch.softmax(logits, dim=0).numpy()
    for temperature in (0.2, 1.0, 5.0):
        trained.network.temperature.fill_(temperature)
        found = build_scan(trained, settings)(image).probability
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_image_smaller_than_a_window_needs_padding():
    network = randomised(CompactConfig())
    image = noise(40, 90)
    for one in (
        lambda padding: scan(network, image, CLASSES, 1024, padding),
        lambda padding: slide(network, image, CLASSES, 2, 8, padding),
    ):
        assert one("mean").probability.size
        with pytest.raises(MicrographError, match=r"90 x 40 .* window of 43; picker.padding"):
            one("none")


class Forgetful(Network):
    """A mean over 5 x 5 pixels that has no memory for more than so many pixels."""

    window, stride = 5, 1

    def __init__(self, pixels, error):
        super().__init__()
        self.pixels, self.error, self.sizes = pixels, error, []

    def forward(self, image):
        self.sizes.append(image.numel())
        if image.numel() > self.pixels:
            raise self.error
        mean = nn.functional.avg_pool2d(image, 5, 1)
        return torch.cat([mean, -mean], dim=1)


SHORTAGES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
]


@pytest.mark.parametrize("error", SHORTAGES)
def test_tiles_and_batches_halve_where_memory_runs_out(error):
    image = noise(300, 500)
    plenty = Forgetful(10**9, error)
    expected = scan(plenty, image, CLASSES, 1024).probability
    assert len(plenty.sizes) == 1
    short = Forgetful(20_000, error)
    found = scan(short, image, CLASSES, 1024).probability
    np.testing.assert_allclose(found, expected, atol=1e-6)
    failed = [size for size in short.sizes if size > 20_000]
    assert 0 < len(failed) < 4  # it does not try large tiles again
    windows = Forgetful(100 * 25, error)
    found = slide(windows, image[:40, :50], CLASSES, 1, 512).probability
    expected = scan(plenty, image[:40, :50], CLASSES, 1024).probability
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert [size // 25 for size in windows.sizes if size > 100 * 25][:2] == [500, 250]


@pytest.mark.parametrize("error", SHORTAGES)
def test_memory_that_is_never_enough_is_said_in_one_line(error):
    network = Forgetful(0, error)
    for one in (
        lambda: scan(network, noise(300, 500), CLASSES, 1024),
        lambda: slide(network, noise(30, 50), CLASSES, 1, 16),
    ):
        with pytest.raises(MicrographError, match=r"^out of memory .*[^\n]$"):
            one()
    assert min(network.sizes) == 25


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    network = Forgetful(0, RuntimeError("shapes do not fit"))
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        scan(network, noise(30, 50), CLASSES, 1024)
    assert len(network.sizes) == 1


def trained_to_scan():
    network = randomised(UNPADDED)
    return Trained(network, UNPADDED, CLASSES, {}, 24.0, {})


@pytest.mark.parametrize(
    "error", [SHORTAGES[0], RuntimeError("CUDA error: an illegal memory access was encountered")]
)
@pytest.mark.parametrize("settings", [DenseConfig(), SlidingConfig(step=8)])
def test_the_cpu_continues_where_a_gpu_fails(monkeypatch, capsys, error, settings):
    prepared = []

    def pretend(network, device, *rest):
        prepared.append(device)
        return Forgetful(0, error) if device == "cuda" else prepare(network, device, *rest)

    expected = build_scan(trained_to_scan(), settings)(noise(120, 150)).probability
    monkeypatch.setattr(f"{SCAN}.prepare", pretend)
    monkeypatch.setattr(f"{SCAN}.choose_device", lambda _: torch.device("cuda"))
    scan_on_gpu = build_scan(trained_to_scan(), settings)
    for _ in range(2):
        np.testing.assert_allclose(scan_on_gpu(noise(120, 150)).probability, expected, atol=1e-6)
    assert prepared == ["cuda", "cpu"]
    assert capsys.readouterr().out.count("continuing on the CPU") == 1


@pytest.mark.parametrize(
    ("device", "error"),
    [("cuda", RuntimeError("shapes do not fit")), ("cpu", SHORTAGES[1])],
)
def test_other_failures_and_those_of_the_cpu_are_final(monkeypatch, device, error):
    monkeypatch.setattr(f"{SCAN}.prepare", lambda *_: Forgetful(0, error))
    monkeypatch.setattr(f"{SCAN}.choose_device", lambda _: torch.device(device))
    with pytest.raises((RuntimeError, MicrographError)):
        build_scan(trained_to_scan(), DenseConfig())(noise(120, 150))


@pytest.mark.parametrize(
    ("shape", "side"), [((10, 13), 4), ((1, 100), 7), ((5, 5), 5), ((3, 9), 1)]
)
def test_pieces_cover_a_grid_once(shape, side):
    count = np.zeros(shape, int)

    def compute(piece):
        top, bottom, left, right = piece
        assert 0 < bottom - top <= side
        assert 0 < right - left <= side
        count[top:bottom, left:right] += 1

    in_pieces(shape, side, 1, compute)
    assert (count == 1).all()


@pytest.mark.parametrize("settings", [CompactConfig(), ContextConfig(), UNPADDED, TimmConfig()])
def test_prepared_network_gives_what_the_trained_one_gives(settings):
    network = randomised(settings)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    image = torch.from_numpy(noise(181, 170))[None, None]
    with torch.inference_mode():
        expected = network(image)
        spread = float(expected.std())
        exact = prepare(network, "cpu", "float32")(image)
        half = prepare(network, "cpu", "bfloat16")(image)
    np.testing.assert_allclose(exact, expected, atol=1e-4 * spread)
    np.testing.assert_allclose(half, expected, atol=0.2 * spread)
    assert not torch.allclose(half, expected, atol=1e-4 * spread)  # it is another precision
    assert exact.dtype == half.dtype == torch.float32
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_prepared_network_keeps_window_stride_and_temperature():
    network = randomised(CompactConfig())
    network.temperature.fill_(0.5)
    ready = prepare(network, "cpu", "auto", 1)
    assert (ready.window, ready.stride, float(ready.temperature)) == (43, 1, 0.5)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in ready.modules())


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_automatic_precision_asks_the_processor(monkeypatch, flags, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)
    assert choose_precision("auto", torch.device("cpu")) == dtype
    assert choose_precision("auto", torch.device("cuda")) == torch.float16
    assert choose_precision("float32", torch.device("cuda")) == torch.float32


def test_absent_devices_and_their_precisions_are_refused(monkeypatch):
    with pytest.raises(UsageError, match=r"picker\.precision=float16 .* bfloat16"):
        choose_precision("float16", torch.device("cpu"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(UsageError, match=r"picker\.device=cuda, but torch does not find a GPU"):
        choose_device("cuda")


@pytest.mark.parametrize("settings", [DenseConfig(device="cpu"), SlidingConfig(device="cpu")])
def test_calibrated_weights_give_calibrated_scores_of_the_same_places(settings):
    network, curve = randomised(UNPADDED), Calibration(0.6, -0.7)
    image = noise(200, 230)
    settings = replace(settings, smoothing=0.1, max_area=None, floor=0.0, distance=0.4)
    plain = Trained(network, UNPADDED, CLASSES, {}, 24.0, {})
    maps = [build_scan(one, settings)(image) for one in (plain, replace(plain, calibration=curve))]
    np.testing.assert_array_equal(maps[0].probability, maps[1].probability)
    before, after = (find_particles(scores, 48.0, settings) for scores in maps)
    assert len(before) > 5
    np.testing.assert_allclose(after.score, calibrated(before.score, curve), rtol=1e-5)
    assert np.abs(after.score - before.score).max() > 0.05
    # Sub-pixel places follow the curve a little.
    for axis in ("x", "y"):
        step = maps[0].stride
        np.testing.assert_allclose(getattr(after, axis), getattr(before, axis), atol=0.2 * step)
    assert after.label.tolist() == before.label.tolist()
