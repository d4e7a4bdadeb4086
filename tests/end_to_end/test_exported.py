"""An exported picker picks as the run folder that it is from, without it."""

import shutil

import pytest

from deepcryopicker.export_picker import main
from tests.end_to_end.test_pick import code_of_verdict


@pytest.fixture
def in_folder(simulated):
    return ["dataset=folder", f"dataset.micrographs={simulated / 'micrographs'}"]


def test_the_file_alone_gives_the_picks_of_the_run_folder(
    shell, trained, in_folder, tmp_path, capsys
):
    run, alone = tmp_path / "run", tmp_path / "alone"
    shutil.copytree(trained.folder, run)
    alone.mkdir()
    assert main([str(run), str(alone / "picker.safetensors")]) == 0
    shutil.rmtree(run)
    answer = shell(
        "pick", f"picker.weights={alone / 'picker.safetensors'}", *in_folder, run="exported"
    )
    assert answer.code == code_of_verdict(answer)
    assert answer.picks() == trained.picks()
    assert "estimated" not in answer.out


@pytest.mark.thorough
def test_a_training_continues_from_the_file(shell, trained, in_folder, tmp_path):
    path = tmp_path / "picker.safetensors"
    assert main([str(trained.folder), str(path)]) == 0
    given = [f"start_from={path}", *in_folder, "until=weights", "trainer.epochs=1"]
    answer = shell("train", *given, "class_set.samples_per_class=32", run="from_exported")
    assert (answer.code, answer.err) == (0, "")


def test_a_damaged_file_is_refused_in_a_line(shell, trained, in_folder, tmp_path):
    path = tmp_path / "picker.safetensors"
    assert main([str(trained.folder), str(path)]) == 0
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] + bytes(100))
    answer = shell("pick", f"picker.weights={path}", *in_folder, run="damaged_export")
    assert answer.code == 2
    assert answer.err.startswith(f"error: {path} is damaged")
    assert len(answer.err.splitlines()) == 2
