"""What version 0.1.0 left: its weights pick, its runs are shown and are not overwritten."""

import hashlib
import itertools
import json
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.model.weights import load_weights
from deepcryopicker.pick import pick
from deepcryopicker.reporting.content.scored_pickers import score_picker
from deepcryopicker.reporting.reading.pick_sets import list_pick_sets
from deepcryopicker.reporting.reading.run_folders import find_runs
from deepcryopicker.runs.status import Outcome
from deepcryopicker.train import train
from deepcryopicker.types import Picks

from .common import typed

WRITTEN = Path(__file__).parent / "version_0_1_0"  # by a run of that version on KLH
TRUTH = Picks.create([60.0, 300.0], [60.0, 300.0], diameter=150.0)
PICKS = Picks.create([134.0, 80.0, 376.0], [60.0, 300.0, 300.0], [0.9, 0.8, 0.7], diameter=150.0)


def network():
    """Weights of the compact network, by the names and shapes of version 0.1.0."""
    weights = {"temperature": torch.tensor(0.5)}
    channels = (1, 16, 24, 32, 48, 48, 64)
    for layer, (before, after) in enumerate(itertools.pairwise(channels)):
        side = (5, 3, 5, 3, 3, 3)[layer]
        weights[f"trunk.{3 * layer}.weight"] = torch.full((after, before, side, side), 0.01)
        for name, value in (
            ("weight", 1.0),
            ("bias", 0.0),
            ("running_mean", 0),
            ("running_var", 1),
        ):
            weights[f"trunk.{3 * layer + 1}.{name}"] = torch.full((after,), float(value))
        weights[f"trunk.{3 * layer + 1}.num_batches_tracked"] = torch.tensor(3)
    weights["head.1.weight"] = torch.full((4, 64, 1, 1), 0.01)
    weights["head.1.bias"] = torch.tensor([1.0, 0.0, 0.0, 0.0])
    return weights


@pytest.fixture
def run(tmp_path):
    """A folder as a training of version 0.1.0 left it: no outcomes, truth kept beside the picks."""
    data, folder = tmp_path / "data", tmp_path / "run"
    (data / "micrographs").mkdir(parents=True)
    noise = np.random.default_rng(0).normal(0, 1, (400, 400)).astype(np.float32)
    mrcfile.write(data / "micrographs" / "m.mrc", noise, voxel_size=2.2)
    for path in (data / "coordinates", folder / "truth"):
        write_csv(path / "m.csv", TRUTH)
    write_csv(folder / "picks" / "m.csv", PICKS)
    save_file(network(), folder / "model.safetensors")
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    for path in WRITTEN.iterdir():
        text = path.read_text().replace("PLACE", str(data)).replace("SUM", digest)
        (folder / path.name).write_text(text)
    row = {"micrograph": "m", "path": str(data), "picks": 3, "candidates": 3, "diameter": "150.00"}
    write_rows(folder / "summary.csv", [row], (*row, "pixel_size", "snr"))
    scores = {"hits": 2, "false": 1, "missed": 0, "per_micrograph": [{"micrograph": "m"}]}
    (folder / "metrics.json").write_text(json.dumps(scores))
    (folder / "made_by.json").write_text(json.dumps({"seed": 0, "dataset": {"name": "klh"}}))
    Outcome(0, 9.5).write(folder / "status.json")
    return folder


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_its_picks_are_matched_again_and_shown(run):
    (pick_set,) = list_pick_sets(find_runs([str(run)]))
    scored = score_picker(pick_set, None)
    (one,) = scored.micrographs
    # Within half the diameter, 75 pixels: the first is 74 from its particle, the third 76.
    assert one.evaluated.outcome.tolist() == [1, 0, 0]
    assert one.radius == 75.0
    (note,) = scored.notes  # the counts above are made up
    assert note.startswith(
        "hits, false picks and missed particles are 1, 2 and 1 here, but 2, 1 and 0 in"
    )


def test_its_weights_are_loaded_and_pick(run, tmp_path):
    trained = load_weights(run)
    assert trained.diameter == 150.0
    assert trained.classes == ("top", "side", "irregular", "background")
    assert trained.calibration.slope == pytest.approx(1.77295596591134)
    folder = tmp_path / "picked"
    given = [f"picker.weights={run}", "dataset=folder"]
    given += [f"dataset.micrographs={tmp_path / 'data' / 'micrographs'}", f"hydra.run.dir={folder}"]
    assert typed(pick, "pick", *given) == (3, "")  # it finds what noise has too
    assert (folder / "picks" / "m.csv").is_file()


def test_its_folder_is_refused_in_two_lines_and_not_touched(run):
    before = contents(run)
    code, said = typed(train, "train", "dataset=klh", f"hydra.run.dir={run}")
    assert code == 2
    first, second = said.splitlines()
    assert f"in the run in {run}" in first
    assert "hydra.run.dir=OTHER" in second
    after = contents(run)
    assert {path: after[path] for path in before} == before
