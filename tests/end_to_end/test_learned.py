"""``pick`` with a trained rival: inherits scale and diameter, and refuses what does not fit."""

from dataclasses import asdict

import pytest
import torch

from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.factory import build_rival
from deepcryopicker.rivals.learned.rival_weights import Learned, save
from deepcryopicker.rivals.learned.schema import PixerConfig

pytestmark = pytest.mark.thorough

STEPS = {"standardise": {"operation": "normalise"}, "n": {"operation": "standardise"}}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A rival that knows nothing, in a folder."""
    folder = tmp_path_factory.mktemp("rival")
    torch.manual_seed(0)
    chain = asdict(PreprocessingConfig(24.0, model_input="n", steps=STEPS))
    config = PixerConfig()
    save(folder, Learned(build_rival(config).eval(), config, chain, 59.09, 10, {}))
    return folder


@pytest.fixture
def in_folder(simulated):
    return ["dataset=folder", f"dataset.micrographs={simulated / 'micrographs'}"]


def test_a_rival_picks_with_what_travels_with_its_weights(shell, weights, in_folder):
    given = ["picker=pixer", f"picker.weights={weights}", "picker.floor=0"]
    answer = shell("pick", *given, *in_folder, run="rival")
    assert (answer.code, answer.err) == (0, "")
    assert "estimated" not in answer.out
    picks = answer.picks()
    assert len(picks) == 3
    first = next(iter(picks.values())).decode().splitlines()
    assert first[0] == "x,y,score,class,diameter,size,contrast"
    assert {line.split(",")[3] for line in first[1:]} == {"irregular"}


@pytest.mark.parametrize(
    ("picker", "override", "expected"),
    [
        ("eman2", "overlays=0", ["picker=eman2", "trained with picker=pixer"]),
        ("pixer", "preprocessing.working_diameter=40", ["working_diameter=40", "with 24"]),
        ("dense", "overlays=0", ["there is no", "model.safetensors"]),
    ],
)
def test_what_does_not_fit_is_refused(shell, weights, in_folder, picker, override, expected):
    given = [f"picker={picker}", f"picker.weights={weights}", *in_folder, override]
    answer = shell("pick", *given)
    assert answer.code == 2
    assert len(answer.err.splitlines()) <= 3
    for part in expected:
        assert part in answer.err


def test_a_rival_needs_weights(shell, in_folder):
    answer = shell("pick", "picker=fast_rcnn", *in_folder)
    assert answer.code == 2
    assert "picker.weights is missing" in answer.err
