"""A folder with the results of one run is not given to another one."""

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.runs.saved_config import read_command
from deepcryopicker.runs.status import Outcome, refuse_other_results

SETTINGS = {"seed": 1, "dataset": {"kinds": ["apoferritin"]}}
OTHERS = {"seed": 1, "dataset": {"kinds": ["ribosome"]}}


def leave(folder, command, *results):
    """Write what a run of a command leaves, and the files of some results."""
    text = f"defaults: [_{command}, _self_]\nseed: 1\ndataset: {{kinds: [apoferritin]}}\n"
    (folder / "config.yaml").write_text(text + f"hydra: {{job: {{name: {command}}}}}\n")
    Outcome(0, 1.0).write(folder / "status.json")
    (folder / ".hydra").mkdir()
    for name in results:
        (folder / name).mkdir()
    return folder


@pytest.mark.parametrize("command", ["train", "label"])
def test_another_configuration_is_refused_with_the_key_that_differs(tmp_path, command):
    folder = leave(tmp_path, command, "picks")
    refuse_other_results(folder, command, SETTINGS)
    with pytest.raises(UsageError) as refused:
        refuse_other_results(folder, command, OTHERS)
    assert str(refused.value).splitlines() == [
        f"dataset.kinds is [ribosome] here, but [apoferritin] in the run in {folder}",
        "choose another folder, hydra.run.dir=OTHER, or remove that one first",
    ]


@pytest.mark.parametrize("command", ["report", "evaluate", "classes"])
def test_what_replaces_all_that_it_writes_may_be_repeated_with_other_settings(tmp_path, command):
    refuse_other_results(leave(tmp_path, command, "figures"), command, OTHERS)


@pytest.mark.parametrize("command", ["train", "label", "pick", "classes", "evaluate", "report"])
def test_the_folder_of_another_command_is_refused(tmp_path, command):
    other = "label" if command == "train" else "train"
    folder = leave(tmp_path, other, "labels")
    with pytest.raises(UsageError) as refused:
        refuse_other_results(folder, command, {**SETTINGS, "redo": True})
    assert str(refused.value).splitlines() == [
        f"this is a run of {command}, but {folder} holds a run of {other}",
        "choose another folder: hydra.run.dir=OTHER",
    ]


def test_a_run_that_failed_before_it_made_anything_leaves_the_folder_free(tmp_path):
    folder = leave(tmp_path, "train")
    for name in ("failures.csv", "errors.log", ".lock"):
        (folder / name).write_text("")
    refuse_other_results(folder, "train", OTHERS)
    refuse_other_results(folder, "pick", OTHERS)
    (folder / "diameters.csv").write_text("what,diameter,contrast\n")
    with pytest.raises(UsageError):
        refuse_other_results(folder, "train", OTHERS)


def test_a_folder_without_a_run_is_free(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    refuse_other_results(tmp_path, "train", SETTINGS)


@pytest.mark.parametrize(
    "text", ["", "- 1\n", "defaults: _train\n", "defaults: [7]\n", "defaults: [_x]\n", "a: [\n"]
)
def test_a_configuration_of_nobody_names_no_command(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    assert read_command(tmp_path) is None
