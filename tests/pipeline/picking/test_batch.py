"""A batch of micrographs: what it keeps, what it picks again, and its lists."""

import csv
import os
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from deepcryopicker.dataset.catalogue import Block, Entry
from deepcryopicker.errors import MicrographError
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.star.optics_reading import read_optics
from deepcryopicker.io.star.relion_star import read_star_by_micrograph
from deepcryopicker.pipeline.picking.batch import Batch
from deepcryopicker.pipeline.picking.results.recipe import Recipe
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Picks

STEPS = {"n": {"operation": "normalise"}}
CHAIN = PreprocessingConfig(24.0, model_input="n", steps=STEPS)
SETTINGS = {"seed": 0}
FOUND = Picks.create([30.0, 70.0, 110.0], [40.0, 50.0, 60.0], [0.9, 0.6, 0.1], diameter=24.0)


@pytest.fixture
def entries(tmp_path):
    """Four micrographs of two groups; one has truth, one knows its pixel size."""
    made = []
    for number in range(4):
        path = tmp_path / f"m{number}.png"
        noise = np.random.default_rng(number).integers(90, 160, (100, 140), np.uint8)
        Image.fromarray(noise).save(path)
        made.append(Entry(f"m{number}", path, "ab"[number % 2], 24.0))
    write_csv(tmp_path / "truth.csv", FOUND[FOUND.score > 0.5])
    made[0] = replace(made[0], truth=tmp_path / "truth.csv", pixel_size=2.0)
    return made


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return Run(tmp_path / "run", None, "run", {"seed": 0})


class CountingPicker:
    """Makes a picker of three candidates a micrograph, and notes what it has picked."""

    def __init__(self):
        self.made, self.picked = 0, []

    def __call__(self):
        self.made += 1

        def pick(entry, preprocessed):
            assert preprocessed.diameter == 24.0
            self.picked.append(entry.name)
            return FOUND

        return pick


@pytest.fixture
def picker():
    return CountingPicker()


@pytest.fixture
def begin(run, picker):
    """Begin a batch, by default in the folder of the run."""

    def begin(keep=True, folder=None, groups=("a", "b"), **changes):
        given = {
            "preprocessing": CHAIN,
            "make_picker": picker,
            "threshold": 0.5,
            "settings": SETTINGS,
        }
        return Batch(Recipe(**given | changes), run, folder or run.folder, groups, keep)

    return begin


def pick(batch, entries):
    batch.pick(batch.find_finished(entries), (), iter)
    batch.write_lists()
    return batch


def files_in(folder):
    """Coordinate files by name."""
    paths = [
        path for path in folder.rglob("*") if path.suffix in (".star", ".box", ".cbox", ".txt")
    ]
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


def rows(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_every_micrograph_is_picked_once_and_counted(begin, run, entries, picker):
    batch = pick(begin(), entries)
    assert (picker.made, picker.picked) == (1, ["m0", "m1", "m2", "m3"])
    assert [(one.record.picks, one.record.candidates) for one in batch.done] == [(2, 3)] * 4
    assert [one.record.pixel_size for one in batch.done] == [2.0, None, None, None]
    assert [len(one.load(0.5)) for one in batch.done] == [2] * 4
    summary = rows(run.folder / "summary.csv")
    assert [row["micrograph"] for row in summary] == ["m0", "m1", "m2", "m3"]
    assert {(row["picks"], row["candidates"], row["diameter"]) for row in summary} == {
        ("2", "3", "24.00")
    }
    assert [bool(row["snr"]) for row in summary] == [True, False, False, False]


def test_micrographs_picked_at_the_same_time_have_the_same_files(
    begin, run, entries, tmp_path, monkeypatch
):
    monkeypatch.setattr("deepcryopicker.pipeline.inputs.prefetch.count_threads", lambda: 3)
    together = threading.Barrier(3)

    def make_picker():
        def pick(entry, preprocessed):
            if entry.name != "m3":
                together.wait(10)  # the first three are picked in three threads
            if entry.name == "m1":
                raise MicrographError("no picks")
            return replace(FOUND, x=FOUND.x + int(entry.name[1:]))

        return pick

    pick(begin(make_picker=make_picker, concurrent=True), entries)
    assert [row["micrograph"] for row in run.failures] == ["m1"]
    together = SimpleNamespace(wait=lambda _: None)
    one_by_one = tmp_path / "one_by_one"
    pick(begin(make_picker=make_picker, folder=one_by_one), entries)
    same = {name: text.replace("one_by_one", "run") for name, text in files_in(one_by_one).items()}
    assert files_in(run.folder) == same
    for path in sorted((one_by_one / "picks").iterdir()):
        assert (run.folder / "picks" / path.name).read_text() == path.read_text()


def test_the_same_again_picks_nothing_and_asks_for_no_picker(begin, entries, picker):
    first = pick(begin(), entries)
    second = pick(begin(), entries)
    assert (picker.made, len(picker.picked)) == (1, 4)
    assert [one.record for one in second.done] == [one.record for one in first.done]


def test_what_version_0_1_0_has_picked_is_kept(begin, run, entries, picker, tmp_path):
    """Its settings have other names; a run that takes it over knows it by the new ones."""
    pick(begin(settings={"picker": {"most": 9, "device": "auto"}}), entries[:2])
    settings = {"picker": {"max_picks": 9, "device": "auto"}}
    pick(begin(settings=settings), entries)
    assert picker.picked == ["m0", "m1", "m2", "m3"]
    assert begin(settings=settings).find_finished(entries) == []
    other = begin(settings=settings, folder=tmp_path / "other")
    other.copy_finished(run.folder, entries)
    assert other.find_finished(entries) == []
    assert begin(settings=settings, folder=tmp_path / "other").find_finished(entries) == []


def test_formats_asked_for_later_are_written_from_the_candidates(begin, run, entries, picker):
    """As they would have been at once; nothing is picked again."""
    every = ("csv", "relion", "box", "cbox", "topaz")
    pick(begin(outputs=("csv",)), entries)
    names = {path.name for path in run.folder.iterdir()}
    assert not names & {"relion", "box", "cbox", "topaz.txt"}
    pick(begin(outputs=every), entries)
    assert len(picker.picked) == len(entries)
    later = files_in(run.folder)
    assert {"box/m0.box", "cbox/m3.cbox", "topaz.txt", "relion/a/particles.star"} <= set(later)
    pick(begin(outputs=every, keep=False), entries)
    assert files_in(run.folder) == later


@pytest.mark.parametrize(
    "changes",
    [{"settings": {"seed": 1}}, {"learned_from": ("m0", "m1")}, {"keep": False}],
    ids=["settings", "learned_from", "keep"],
)
def test_all_is_picked_again_where_anything_that_decides_has_changed(
    begin, entries, picker, changes
):
    pick(begin(), entries)
    pick(begin(**changes), entries)
    assert picker.picked == ["m0", "m1", "m2", "m3"] * 2


def test_only_the_micrograph_that_changed_is_picked_again(begin, run, entries, picker):
    """Its file, its truth, what is known of it, or its picks, which somebody has removed."""
    pick(begin(), entries)
    picker.picked.clear()
    later = entries[1].path.stat().st_mtime_ns + 10**9
    os.utime(entries[1].path, ns=(later, later))
    write_csv(entries[0].truth, FOUND)
    (run.folder / "picks" / "m2.csv").unlink()
    changed = [*entries[:3], replace(entries[3], pixel_size=3.0)]
    assert [one.name for one in begin().find_finished(changed)] == ["m0", "m1", "m2", "m3"]
    same = [entries[3]]
    assert begin().find_finished(same) == []


def test_names_of_groups_and_optics_decide_no_picks(begin, entries):
    pick(begin(), entries)
    assert begin().find_finished([replace(entries[1], group="a")]) == []


def test_a_micrograph_that_fails_is_left_for_the_next_time(begin, run, entries, picker):
    whole = entries[1].path.read_bytes()
    entries[1].path.write_bytes(b"no picture")
    batch = pick(begin(), entries)
    assert [one.entry.name for one in batch.done] == ["m0", "m2", "m3"]
    assert [row["micrograph"] for row in run.failures] == ["m1"]
    entries[1].path.write_bytes(whole)
    assert [one.name for one in begin().find_finished(entries)] == ["m1"]


def test_work_that_is_cut_short_is_not_lost(begin, entries):
    batch = begin()
    batch.pick(entries, (), lambda all_of_them: iter(all_of_them[:2]))
    assert [one.name for one in begin().find_finished(entries)] == ["m2", "m3"]


def test_what_another_folder_has_finished_is_taken_from_it(begin, run, entries, picker, tmp_path):
    pick(begin(folder=tmp_path / "other"), entries[:2])
    batch = begin()
    batch.copy_finished(tmp_path / "other", entries)
    assert [one.name for one in batch.find_finished(entries)] == ["m2", "m3"]
    assert picker.picked == ["m0", "m1"]
    for name in ("picks/m0.csv", "truth/m0.csv"):
        there = (tmp_path / "other" / name).read_bytes()
        assert (run.folder / name).read_bytes() == there


def test_nothing_is_taken_from_a_folder_of_other_settings(begin, entries, tmp_path):
    pick(begin(folder=tmp_path / "other", settings={"seed": 1}), entries)
    batch = begin()
    batch.copy_finished(tmp_path / "other", entries)
    assert batch.find_finished(entries) == entries


def test_every_group_has_lists_of_its_own_and_blocks_have_none(begin, run, entries, capsys):
    block = Block("m3", top=0, left=0, height=90, width=120)
    parts = [*entries[:3], replace(entries[3], name="m3_block1", block=block)]
    batch = pick(begin(), parts)
    assert batch.relion == {name: run.folder / "relion" / name for name in "ab"}
    listed = {
        group: [len(picks) for picks in read_star_by_micrograph(folder / "particles.star").values()]
        for group, folder in batch.relion.items()
    }
    assert listed == {"a": [2, 2], "b": [2]}  # picks above the threshold
    assert capsys.readouterr().out.count("the files have no pixel size") == 2


def test_optics_of_the_one_pixel_size_that_is_known_are_listed(begin, run, entries):
    batch = pick(begin(groups=("a",)), [entries[0]])
    (optics,) = read_optics(run.folder / "relion" / "micrographs.star").values()
    assert batch.relion == {"a": run.folder / "relion"}
    assert optics.pixel_size == 2.0
