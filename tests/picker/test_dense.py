"""The dense picker: frames, invalid borders, settings."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from deepcryopicker.errors import UsageError
from deepcryopicker.frames import to_original
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker import dense
from deepcryopicker.picker.scanning.scan import build_scan
from deepcryopicker.picker.schema import DenseConfig, LabelerPickerConfig, SlidingConfig
from deepcryopicker.types import NO_MARGINS, Margins, Micrograph

DIAMETER = 24.0


class Darkness(Network):
    """The darker the middle pixel of a window, the likelier a particle."""

    window, stride = 5, 2

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(8.0))

    def forward(self, image):
        middle = image[:, :, 2:-2:2, 2:-2:2]
        return torch.cat([-self.weight * middle - 4, torch.zeros_like(middle)], dim=1)


def pick_darkness(places, scale, margins=NO_MARGINS):
    """Pick a micrograph of 110 x 150 working pixels with dark spots at `places`."""
    row, column = np.indices((110, 150))
    image = -sum(np.exp(-((column - x) ** 2 + (row - y) ** 2) / 60) for x, y in places)
    image = image.astype(np.float32)
    micrograph = Micrograph("m", Path("m"), image, scale=scale, margins=margins)
    trained = Trained(Darkness().eval(), CompactConfig(), ("top", "background"), {}, 1.0, {})
    config = DenseConfig(floor=0.2, precision="float32")
    return dense.pick(micrograph, build_scan(trained, config), DIAMETER, config)[0]


@pytest.mark.parametrize("scale", [0.5, 0.1, 1.0])
def test_picks_come_in_original_pixels(scale):
    places = np.array([(40.0, 30.0), (110.5, 80.25), (60.0, 85.0)])  # working pixels
    picks = pick_darkness(places, scale)
    found = sorted(zip(picks.x, picks.y, strict=True))
    np.testing.assert_allclose(found, sorted(to_original(places, scale).tolist()), atol=0.3 / scale)
    np.testing.assert_allclose(picks.diameter, DIAMETER / scale)


@pytest.mark.parametrize("side", Margins._fields)
def test_particles_cut_by_an_invalid_border_are_left_out(side):
    """A particle reaches 12 pixels from its centre; the border is 8 wide."""
    cut = {"left": (17, 55), "right": (132, 55), "top": (75, 17), "bottom": (75, 92)}
    whole = [(40, 30), (110, 30), (40, 80), (110, 80)]  # farther from every side
    margins = Margins(**{side: 8})
    assert len(pick_darkness([*cut.values(), *whole], 0.5)) == 8
    left = pick_darkness([*cut.values(), *whole], 0.5, margins)
    assert len(left) == 7
    x, y = cut[side]
    assert np.hypot(left.x * 0.5 - x, left.y * 0.5 - y).min() > 20


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (DenseConfig, {"threshold": 1.1}),
        (DenseConfig, {"tile": 255}),
        (DenseConfig, {"stride": 0}),
        (DenseConfig, {"padding": "zeros"}),
        (DenseConfig, {"precision": "half"}),
        (SlidingConfig, {"step": 0}),
        (SlidingConfig, {"batch": 0}),
        (LabelerPickerConfig, {"threshold": -0.1}),
        (LabelerPickerConfig, {"threshold": 1.1}),
    ],
)
def test_absurd_settings_are_refused(kind, changes):
    with pytest.raises(UsageError, match=f"picker.{next(iter(changes))}"):
        kind(**changes)
