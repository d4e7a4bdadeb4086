"""The command on the page that learns from the corrections of a run."""

import numpy as np
import pytest

from deepcryopicker.reporting.content.correcting import correcting
from deepcryopicker.reporting.content.scored_pickers import ScoredMicrograph, ScoredPicker
from deepcryopicker.reporting.reading.pick_sets import PickSet
from deepcryopicker.reporting.reading.run_folders import RunFolder
from deepcryopicker.types import Picks

LEARN = "python -m deepcryopicker.train +experiment=corrections"
FILE = "dataset.coordinates=corrections.json"


def command(folder, schema, overrides, name="micrographs"):
    run = RunFolder(
        folder,
        command="pick",
        settings={"dataset": {"name": name}},
        schemas={"dataset": schema},
        overrides=overrides,
    )
    found = Picks.create(np.zeros(3), np.zeros(3), diameter=59.0)
    one = ScoredMicrograph("one", found, None, None)
    return correcting(ScoredPicker(PickSet("picks", run, folder, 0.5), [one], []), {}).train


@pytest.mark.parametrize("chosen", [[], ["dataset=folder"]])
def test_a_folder_is_the_default_of_the_experiment(tmp_path, chosen):
    typed = [*chosen, "dataset.micrographs=my data", "dataset.diameter=60", "seed=2"]
    expected = f"{LEARN} 'dataset.micrographs=my data' dataset.diameter=60 {FILE}"
    assert command(tmp_path, "folder", typed) == expected


def test_the_diameter_is_that_of_the_picks_where_none_was_given(tmp_path):
    expected = f"{LEARN} dataset.micrographs=m dataset.diameter=59 {FILE}"
    assert command(tmp_path, "folder", ["dataset.micrographs=m"]) == expected


@pytest.mark.parametrize("typed", ["dataset=klh", "+experiment=klh"])
def test_a_public_dataset_is_named(tmp_path, typed):
    found = command(tmp_path, "public", [typed, "dataset.coordinates=mine"], "klh")
    assert found == f"{LEARN} dataset=klh {FILE}"


def test_simulated_micrographs_are_not_corrected(tmp_path):
    assert command(tmp_path, "simulated", ["dataset=simulated"]) == ""
