"""Pickers get a micrograph at their scale, and return picks in its original pixels."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.model.network import Network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.pipeline.picking.build_picker import build_picker
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Micrograph

DIAMETER = 48.0
PLACES = [(90.0, 75.0), (310.5, 120.25), (160.0, 260.0)]


class Notes(list):
    """What every copy of a network has seen: scans work with copies."""

    def __deepcopy__(self, memo):
        return self


class Darkness(Network):
    """The darker the middle pixel of a window, the likelier a particle; notes what it sees."""

    window, stride = 5, 2

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))
        self.seen = Notes()

    def forward(self, image):
        self.seen.append(tuple(image.shape[-2:]))
        middle = image[:, :, 2:-2:2, 2:-2:2]
        return torch.cat([-self.weight * middle - 6, torch.zeros_like(middle)], dim=1)


@pytest.mark.parametrize("scaling", ["continuous", "grid"])
@pytest.mark.parametrize("factor", [0.6, 1.0, 1.6])
def test_another_scale_changes_what_is_seen_but_not_where_it_is(factor, scaling):
    row, column = np.indices((340, 400))
    image = 100 - sum(50 * np.exp(-((column - x) ** 2 + (row - y) ** 2) / 200) for x, y in PLACES)
    image += np.random.default_rng(0).normal(0, 6, image.shape)
    micrograph = Micrograph("m", Path("m.mrc"), image.astype(np.float32))
    steps = {"standardise": {"operation": "normalise"}, "n": {"operation": "standardise"}}
    chain = PreprocessingConfig(20.0, scaling, model_input="n", steps=steps)
    network = Darkness()
    trained = Trained(network, CompactConfig(), ("top", "background"), {}, DIAMETER, {})
    config = DenseConfig(device="cpu", scale_factor=factor, max_area=None, smoothing=0.08)
    pick = build_picker(config, None, chain, trained, None)

    picks = pick(Entry("m", Path("m.mrc"), "g"), Preprocessed(micrograph, DIAMETER, chain))

    picks = picks[np.arange(len(PLACES))]  # the best
    found = sorted(zip(picks.x, picks.y, strict=True))
    np.testing.assert_allclose(found, sorted(PLACES), atol=3)
    np.testing.assert_allclose(picks.diameter, DIAMETER)
    scale = {"continuous": 20 * factor / 48, "grid": {0.6: 0.25, 1.0: 0.375, 1.6: 0.625}[factor]}
    np.testing.assert_allclose(network.seen, [(340 * scale[scaling], 400 * scale[scaling])], atol=8)
