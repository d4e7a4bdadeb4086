"""The same `pick` again: what is finished is kept, what has changed is picked, and parts add up."""

import json
import shutil

import pytest

from deepcryopicker.dataset.shard import Shard
from deepcryopicker.io.star.optics_reading import read_optics
from deepcryopicker.io.star.star_tables import read_tables
from tests.nights import DONE_IN_DOUBT, Night, files_of, write_micrograph


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    return Night.make(tmp_path_factory.mktemp("night"), 6)


@pytest.fixture(scope="module")
def undisturbed(shell, night):
    answer = shell("pick", *night.overrides, run="undisturbed")
    assert (answer.code, answer.err) == (DONE_IN_DOUBT, "")
    return answer


@pytest.fixture
def copied(undisturbed, shell, request):
    """A finished run in a folder of its own, and its name."""
    name = f"copy of {request.node.name}".replace("[", "_").replace("]", "").replace(" ", "_")
    shutil.copytree(undisturbed.folder, shell.folder / name)
    return shell.folder / name


def times(folder):
    """When the candidates of each micrograph were written."""
    return {path.stem: path.stat().st_mtime_ns for path in (folder / "picks").glob("*.csv")}


def again(folder, before):
    """Names of the micrographs that were picked anew."""
    return sorted(name for name, at in times(folder).items() if before.get(name) != at)


def with_paths_of(files, folder, other):
    """Files of one run folder, as they would be in another one."""
    old, new = folder.name.encode(), other.name.encode()
    return {name: data.replace(old, new) for name, data in files.items()}


@pytest.mark.thorough
def test_a_finished_run_is_left_as_it_is(shell, night, copied, undisturbed):
    before = times(copied)
    answer = shell("pick", *night.overrides, run=copied.name)
    assert (answer.code, answer.err) == (DONE_IN_DOUBT, "")
    assert "picking: 6 of 6 micrographs already finished" in answer.out
    assert again(copied, before) == []
    expected = with_paths_of(files_of(undisturbed.folder), undisturbed.folder, copied)
    assert files_of(copied) == expected
    assert "f1" in answer.metrics


def test_micrographs_that_are_new_changed_or_lost_are_picked(shell, night, copied, tmp_path):
    given = tmp_path / "micrographs"
    shutil.copytree(night.micrographs, given)
    overrides = [*night.without_truth, f"dataset.micrographs={given}"]
    assert shell("pick", *overrides, run="grows").code == DONE_IN_DOUBT
    folder = shell.folder / "grows"
    before = times(folder)
    write_micrograph(given / "m01.mrc", 77)
    write_micrograph(given / "m99.mrc", 99)
    (folder / "picks" / "m04.csv").unlink()
    answer = shell("pick", *overrides, run="grows")
    assert answer.code == DONE_IN_DOUBT
    assert again(folder, before) == ["m01", "m04", "m99"]
    assert answer.metrics["micrographs"] == 7
    summary = (folder / "summary.csv").read_text().splitlines()[1:]
    assert [line.partition(",")[0] for line in summary] == sorted(times(folder))


def test_what_failed_is_tried_again(shell, night, tmp_path):
    given = tmp_path / "micrographs"
    shutil.copytree(night.micrographs, given)
    whole = (given / "m03.mrc").read_bytes()
    (given / "m03.mrc").write_bytes(whole[:5000])
    overrides = [*night.without_truth, f"dataset.micrographs={given}"]
    answer = shell("pick", *overrides, run="mended")
    assert answer.code == 3
    assert "m03" in (answer.folder / "failures.csv").read_text()
    (given / "m03.mrc").write_bytes(whole)
    answer = shell("pick", *overrides, run="mended")
    assert answer.code == DONE_IN_DOUBT
    assert "picking: 5 of 6 micrographs already finished" in answer.out
    assert not (answer.folder / "failures.csv").exists()
    assert "m03" in times(answer.folder)


def test_another_configuration_is_refused_and_touches_nothing(shell, night, copied):
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    answer = shell("pick", *night.overrides, "picker.threshold=0.4", run=copied.name)
    assert answer.code == 2
    assert answer.err.splitlines() == [
        f"error: picker.threshold is 0.4 here, but 0.5 in the run in {copied}",
        "choose another folder, hydra.run.dir=OTHER, or pick all micrographs again: redo=true",
    ]
    after = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    assert set(after) - set(before) <= {copied / "refused.json"}
    assert {path: after[path] for path in before} == before


@pytest.mark.thorough
def test_all_is_picked_again_by_choice(shell, night, copied):
    before = times(copied)
    given = [*night.overrides, "picker.threshold=0.4", "redo=true"]
    answer = shell("pick", *given, run=copied.name)
    assert answer.code == DONE_IN_DOUBT
    assert again(copied, before) == sorted(before)
    assert shell("pick", *given[:-1], run=copied.name).code == DONE_IN_DOUBT  # continues from there


@pytest.mark.thorough
def test_a_labeler_that_learns_from_other_micrographs_picks_all_again(shell, night, tmp_path):
    given = tmp_path / "micrographs"
    shutil.copytree(night.micrographs, given)
    overrides = ["picker=log", "dataset=folder", "dataset.diameter=24"]
    overrides += [f"dataset.micrographs={given}"]
    assert shell("pick", *overrides, run="learned").code == 0
    folder = shell.folder / "learned"
    before = times(folder)
    answer = shell("pick", *overrides, run="learned")
    assert "learning" not in answer.out  # nothing was left to pick
    assert again(folder, before) == []
    write_micrograph(given / "m99.mrc", 99)
    assert shell("pick", *overrides, run="learned").code == 0
    assert again(folder, before) == [*sorted(before), "m99"]


@pytest.mark.thorough
def test_the_last_shard_puts_the_parts_together(shell, night, undisturbed):
    """With the same files as in one go, and scores to the last digit."""
    for index in (1, 2, 3):
        answer = shell("pick", *night.overrides, f"shard={index}/3", run="three_shards")
        assert answer.code in (0, DONE_IN_DOUBT)
        assert answer.err == ""
        assert ("merging them" in answer.out) == (index == 3)
    parts = [times(answer.folder / "shards" / f"{index}of3") for index in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == sorted(times(undisturbed.folder))
    found, expected = files_of(answer.folder), files_of(undisturbed.folder)
    expected = with_paths_of(expected, undisturbed.folder, answer.folder)
    for name in ("manifest.jsonl", ".hydra/overrides.yaml"):  # in the order of the shards
        del found[name], expected[name]
    assert {key: found[key] for key in found if not key.startswith("shards/")} == expected


def test_a_shard_may_have_nothing_to_do(shell, night):
    taken = [Shard(index, 40) for index in range(1, 41)]
    (idle, *_) = [one for one in taken if not any(one.takes(f"m{n:02d}") for n in range(6))]
    answer = shell("pick", *night.overrides, f"shard={idle.index}/40", run="idle_shard")
    assert (answer.code, answer.err) == (0, "")
    assert "merging them" not in answer.out


@pytest.mark.thorough
def test_a_sweep_over_shards_ends_with_the_whole(shell, night, undisturbed):
    overrides = [*night.overrides, "shard=1/2,2/2"]
    answer = shell("pick", *overrides, run="shard_sweep", sweep=True)
    assert (answer.code, answer.err) == (DONE_IN_DOUBT, "")
    assert times(answer.folder).keys() == times(undisturbed.folder).keys()
    expected = undisturbed.metrics
    assert answer.metrics == expected
    assert (answer.folder / "sweep.csv").is_file()
    before = times(answer.folder)
    answer = shell("pick", *overrides, run="shard_sweep", sweep=True)
    assert answer.code == DONE_IN_DOUBT
    assert "merging them" not in answer.out  # it has been done
    assert again(answer.folder, before) == []


@pytest.mark.thorough
def test_the_whole_picks_what_shards_have_left(shell, night, undisturbed):
    """A lost machine: the same command without shard= finishes the work."""
    assert shell("pick", *night.overrides, "shard=1/2", run="lost").code == DONE_IN_DOUBT
    answer = shell("pick", *night.overrides, run="lost")
    assert (answer.code, answer.err) == (DONE_IN_DOUBT, "")
    assert answer.metrics == undisturbed.metrics
    assert answer.picks() == undisturbed.picks()


def test_a_shard_that_is_none_is_refused(shell, night):
    answer = shell("pick", *night.overrides, "shard=3/2", run="no_shard")
    assert answer.code == 2
    assert answer.err == "error: shard must be 1/N, 2/N, ... or N/N, got 3/2\n"


def test_the_manifest_names_every_micrograph_once(undisturbed):
    lines = (undisturbed.folder / "manifest.jsonl").read_text().splitlines()
    names = [json.loads(line)["name"] for line in lines]
    assert names == [f"m{index:02d}" for index in range(6)]


def test_optics_groups_are_carried_through(shell, night, tmp_path):
    """From the list of micrographs to that of particles, with the pixel size."""
    rows = "".join(f"{night.micrographs}/m{index:02d}.mrc {1 + index % 2}\n" for index in range(4))
    path = tmp_path / "micrographs_ctf.star"
    path.write_text(
        "data_optics\n\nloop_\n_rlnOpticsGroupName\n_rlnOpticsGroup\n_rlnVoltage\n"
        "_rlnSphericalAberration\n_rlnAmplitudeContrast\n_rlnMicrographPixelSize\n"
        "one 1 200.0 1.4 0.07 2.01\ntwo 2 300.0 2.7 0.1 2.01\n\n"  # of the headers: 2.0
        "data_micrographs\n\nloop_\n_rlnMicrographName\n_rlnOpticsGroup\n" + rows
    )
    given = [*night.without_truth, f"dataset.micrographs={path}", "overlays=0"]
    answer = shell("pick", *given, run="optics")
    assert (answer.code, answer.err) == (DONE_IN_DOUBT, "")
    optics = read_optics(answer.folder / "relion" / "micrographs.star")
    assert [one.group for one in optics.values()] == [1, 2, 1, 2]
    assert {one.pixel_size for one in optics.values()} == {2.01}
    first = dict(next(iter(optics.values())).values)
    assert float(first["rlnVoltage"]) == 200
    assert float(first["rlnSphericalAberration"]) == 1.4
    path = answer.folder / "relion" / "particles.star"
    (found,) = (
        {(row[-1][-7:], row[-2]) for _, row in table.rows}  # micrograph and optics group
        for table in read_tables(path)
        if table.block == "particles"
    )
    assert found <= {(f"m{index:02d}.mrc", str(1 + index % 2)) for index in range(4)}
    assert ",2.01," in (answer.folder / "summary.csv").read_text()
    assert "placeholders" not in (answer.folder / "relion" / "particles.star").read_text()
