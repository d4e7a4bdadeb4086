"""Longer tests of outputs as they are wanted, beside those of test_files_outputs.py."""

import shutil

import pytest

from tests.end_to_end.test_files_outputs import copies, modes, star_table, umask

__all__ = ["copies", "umask"]  # fixtures

pytestmark = pytest.mark.thorough


def test_every_file_of_a_private_training_is_private(shell, simulated, umask):
    umask(0o077)
    given = ["trainer.epochs=1", "trainer.epoch_windows=64", "class_set.samples_per_class=16"]
    places = [f"dataset.micrographs={simulated / 'micrographs'}", "dataset.diameter=59"]
    answer = shell("train", "dataset=folder", *places, *given, "baseline=null", run="private")
    assert answer.code == 0
    reported = shell("report", f"report.runs=[{answer.folder}]", run="private_report")
    assert reported.code == 0
    for folder in (answer.folder, reported.folder):
        assert set(modes(folder)) == {"0o600"}


@pytest.mark.parametrize("given", [["dataset=simulated"], []])
def test_simulated_micrographs_are_picked_where_they_are_asked_for(shell, given):
    small = ["dataset.kinds=[apoferritin]", "dataset.micrographs_per_kind=1"]
    typed = [*given, *small, "dataset.shape=[256,256]", "picker=log", "overlays=0"]
    assert shell("pick", *typed, run=f"asked_for_{len(given)}").code == 0


def test_a_suffix_names_files_beside_the_pictures_and_lists_are_made_anew(shell, copies, tmp_path):
    """A finished run takes the new names without picking again, and gives them up again."""
    for path in (copies / "jpg").iterdir():
        shutil.copy(path, tmp_path)
    given = ["dataset=folder", f"dataset.micrographs={tmp_path}", "dataset.diameter=59"]
    typed = ["pick", "picker=log", *given, "overlays=0"]
    first = shell(*typed, run="renamed")
    before = {path.name: path.read_text() for path in (first.folder / "relion").rglob("*.star")}
    again = shell(*typed, "picker.micrograph_suffix=.mrc", run="renamed")
    assert again.code == 0
    assert "2 of 2 files do not exist, such as" in again.out
    names = star_table(first.folder / "relion" / "particles.star", "particles")
    assert {row["rlnMicrographName"] for row in names} == {
        str(path.with_suffix(".mrc")) for path in tmp_path.iterdir()
    }
    for path in (copies / "mrc").iterdir():
        shutil.copy(path, tmp_path)
    for path in sorted(tmp_path.glob("*.png")):
        listed = [f"dataset.micrographs={path}", "dataset=folder", "dataset.diameter=59"]
        last = shell("pick", "picker=log", *listed, "picker.micrograph_suffix=.mrc", run=path.stem)
        assert last.code == 0
        assert [f"{path.with_suffix('.mrc')}"] == [
            row["rlnMicrographName"]
            for row in star_table(last.folder / "relion" / "micrographs.star", "micrographs")
        ]
    for path in tmp_path.glob("*.mrc"):
        path.unlink()
    shell(*typed, run="renamed")
    after = {path.name: path.read_text() for path in (first.folder / "relion").rglob("*.star")}
    assert after == before
