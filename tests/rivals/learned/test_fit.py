"""Rivals learn in seconds where there is little to learn, and the same from the same seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deepcryopicker.errors import NothingUsableError
from deepcryopicker.evaluation.matching import match
from deepcryopicker.evaluation.metrics import average_precision
from deepcryopicker.rivals.learned.factory import build_rival, fit
from deepcryopicker.rivals.learned.schema import Eman2Config, FastRcnnConfig, PixerConfig
from deepcryopicker.rivals.training.optimise import minimise
from deepcryopicker.types import Picks

from .common import discs, quiet

RIVALS = {
    "eman2": (Eman2Config(steps=20, device="cpu"), 28.0),
    "pixer": (PixerConfig(steps=30, device="cpu"), 24.0),
    "fast_rcnn": (FastRcnnConfig(steps=20, device="cpu"), 24.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RIVALS)
def test_it_finds_what_it_was_shown_on_another_micrograph(name):
    config, diameter = RIVALS[name]
    rival = fit(config, [discs(seed, diameter) for seed in (0, 1, 2)], 0, quiet)
    assert not rival.training
    test = discs(9, diameter)
    x, y, score = rival.find(config, test.image, diameter)
    assert (np.diff(score) <= 0).all()
    assert ((score >= config.floor) & (score <= 1)).all()
    picks, truth = Picks.create(x, y, score), Picks.create(test.x, test.y)
    outcome = match(picks, truth, Picks.empty(), diameter / 4)
    # Without learning, decoys and particles would be one, and AP no more than a half.
    assert average_precision(score, outcome, len(truth)) > 0.8


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_whatever_is_forbidden(name):
    config, diameter = RIVALS[name]
    config = replace(config, steps=2)
    inside = np.zeros((200, 240), bool)
    inside[:, :150] = True
    example = discs(0, diameter, inside=inside)
    changed = example.image.copy()
    changed[:, 150:] = 100.0
    before = torch.random.get_rng_state()
    states = [
        fit(config, [replace(example, image=image)], 0, quiet).state_dict()
        for image in (example.image, changed)
    ]
    torch.testing.assert_close(*states, rtol=0, atol=0)
    assert torch.equal(torch.random.get_rng_state(), before)  # nobody else's draws change


@pytest.mark.thorough
def test_another_seed_gives_other_weights():
    config = PixerConfig(steps=1, device="cpu")
    states = [fit(config, [discs(0)], seed, quiet).state_dict() for seed in (0, 1)]
    assert any((states[0][key] != states[1][key]).any() for key in states[0])


@pytest.mark.parametrize("name", RIVALS)
def test_without_particles_there_is_nothing_to_learn(name):
    config, diameter = RIVALS[name]
    example = discs(0, diameter)
    empty = replace(example, x=np.zeros(0), y=np.zeros(0))
    with pytest.raises(NothingUsableError, match=r"no window of .* around a particle"):
        fit(config, [empty], 0, quiet)


@pytest.mark.parametrize("name", RIVALS)
def test_where_nothing_is_proposed_nothing_is_found(name):
    config, diameter = RIVALS[name]
    rival = build_rival(config).eval()
    found = rival.find(replace(config, floor=1.0), discs(0, diameter).image, diameter)
    assert [len(column) for column in found] == [0, 0, 0]


class Number(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.value = torch.nn.Parameter(torch.tensor(4.0))


def test_the_best_weights_are_kept_and_no_more_time_is_spent():
    """The loss pulls towards 0, and validation is best at 3."""
    network, steps = Number(), []
    minimise(
        network,
        lambda: steps.append(1) or network.value**2,
        lambda: (network.value - 3.0) ** 2,
        torch.optim.SGD(network.parameters(), 0.001),
        1000,
        quiet,
        "training",
    )
    assert len(steps) < 1000
    assert not network.training
    assert network.value.item() == pytest.approx(3.0, abs=0.3)


def test_a_training_that_diverges_says_so():
    network = Number()
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    with pytest.raises(NothingUsableError, match="training diverged"):
        minimise(
            network,
            lambda: network.value * float("nan"),
            lambda: network.value,
            optimizer,
            3,
            quiet,
            "training",
        )
