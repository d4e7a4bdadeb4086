"""RELION as a picker: its options, and its picks in micrographs of known particles."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial import cKDTree

from deepcryopicker.errors import NothingUsableError, UsageError
from deepcryopicker.rivals.programs import relion as pickers
from deepcryopicker.rivals.programs.program_inputs import Input, ProgramJob, write_input
from deepcryopicker.rivals.programs.schema import RelionLogConfig, RelionTemplateConfig
from deepcryopicker.types import Micrograph, Picks

DIAMETER = 32.0
SIZE = 320
PLACES = np.stack(np.meshgrid(np.arange(40, 300, 60), np.arange(45, 300, 55)), -1).reshape(-1, 2)


def disc(x, y):
    """Darkness of a soft disc with a notch, so that it is not just a blob."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    distance = np.hypot(columns - x, rows - y)
    notch = np.hypot(columns - x - 9, rows - y - 4) < 5
    return 1.0 / (1.0 + np.exp((distance - DIAMETER / 2) / 1.5)) * ~notch


def micrograph(seed):
    image = np.random.default_rng(seed).normal(0, 0.5, (SIZE, SIZE))
    image -= sum(disc(x, y) for x, y in PLACES)
    return Micrograph(f"m{seed}", None, image.astype(np.float32), pixel_size=4.0)


@pytest.fixture
def batch(tmp_path):
    """Two micrographs to be picked and two to learn from."""
    picks = Picks.create(*PLACES.T.astype(float), label="top", diameter=DIAMETER)
    inputs = []
    for seed in range(4):
        write_input(tmp_path, f"n{seed}", micrograph(seed))
        inputs.append(Input(f"m{seed}", f"n{seed}", picks))
    return ProgramJob(tmp_path, tuple(inputs[:2]), tuple(inputs[2:]), DIAMETER, 4.0)


def found(picks, tolerance):
    """Share of the true particles with a pick nearby."""
    distance, _ = cKDTree(picks.positions).query(PLACES)
    return np.mean(distance < tolerance)


@pytest.mark.relion
def test_blobs_are_found(batch, relion):
    picked = pickers.pick_blobs(RelionLogConfig(), batch)
    assert list(picked) == ["m0", "m1"]
    for picks in picked.values():
        assert found(picks, DIAMETER / 4) == 1
        assert picks.score.min() > 0.5  # RELION decides what counts
        assert (picks.diameter == DIAMETER).all()
    log = (batch.folder / "relion_autopick.log").read_text()
    assert "--LoG_diam_min 108.80 --LoG_diam_max 147.20" in log  # Angstrom


@pytest.mark.relion
@pytest.mark.thorough
def test_templates_are_made_of_true_particles_and_find_more(batch, relion):
    config = RelionTemplateConfig(picks=40, classes=2)
    picked = pickers.pick_by_templates(config, batch, seed=0)
    for picks in picked.values():
        good = picks[picks.score >= 0.5]
        assert found(good, DIAMETER / 4) > 0.9
        assert len(good) < 1.3 * len(PLACES)
    # The averages are ours to use again, without any truth.
    templates = batch.folder / "templates.mrcs"
    left = {path.name for path in batch.folder.iterdir()}
    assert not left & {"averages", "particles"}
    blind = ProgramJob(batch.folder, batch.inputs, (), DIAMETER, 4.0)
    given = RelionTemplateConfig(templates=str(templates))
    again = pickers.pick_by_templates(given, blind, seed=0)
    assert again["m0"].positions.tolist() == picked["m0"].positions.tolist()


def test_without_true_particles_there_are_no_templates(batch):
    blind = ProgramJob(batch.folder, batch.inputs, (), DIAMETER, 4.0)
    with pytest.raises(UsageError, match=r"dataset\.coordinates, or give picker\.templates"):
        pickers.pick_by_templates(RelionTemplateConfig(), blind, seed=0)


def test_templates_that_are_not_there_are_refused_by_name(batch, tmp_path):
    config = RelionTemplateConfig(templates=str(tmp_path / "no.mrcs"))
    with pytest.raises(UsageError, match=r"picker\.templates: .*no\.mrcs does not exist"):
        pickers.pick_by_templates(config, batch, seed=0)


def test_a_picker_that_writes_nothing_has_failed(batch, monkeypatch):
    monkeypatch.setattr(pickers, "_run", lambda *_: None)
    with pytest.raises(NothingUsableError, match="RELION did not write any picks"):
        pickers.pick_blobs(RelionLogConfig(), batch)


def test_an_empty_file_means_no_picks(batch, monkeypatch):
    def leave_empty_files(*_):
        for one in batch.inputs:
            (batch.folder / "found" / "micrographs" / f"{one.stem}_autopick.star").touch()

    monkeypatch.setattr(pickers, "_run", leave_empty_files)
    picked = pickers.pick_blobs(RelionLogConfig(), batch)
    assert {name: len(picks) for name, picks in picked.items()} == {"m0": 0, "m1": 0}


@pytest.mark.parametrize(("pixel_size", "lowpass"), [(4.0, "20.00"), (None, "5.33")])
def test_without_a_pixel_size_the_resolution_is_a_share_of_the_diameter(
    tmp_path, pixel_size, lowpass
):
    batch = ProgramJob(tmp_path, (), (), DIAMETER, pixel_size)
    options = pickers.classification_options(RelionTemplateConfig(), batch, seed=3)
    value = dict(pairwise(options))
    assert value["--strict_highres_exp"] == lowpass
    assert value["--random_seed"] == "4"  # 0 and less mean the clock
    assert value["--K"] == "10"


@pytest.mark.parametrize(
    ("shares", "chosen"),
    [([0.1, 0.02, 0.6, 0.05], [0, 2, 3]), ([0.01, 0.02], [1])],
)
def test_averages_of_few_particles_are_left_out(shares, chosen):
    assert pickers.choose_averages(np.array(shares), 0.05).tolist() == chosen


@pytest.mark.parametrize("diameter", [30.0, 59.0, 60.4, 151.0])
def test_boxes_are_even_and_half_as_wide_again(diameter):
    box = pickers.box_size(diameter)
    assert box % 2 == 0
    assert abs(box - 1.5 * diameter) <= 1
