"""Micrographs are handed to a program as plain files, and its picks are looked up by name."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest
from PIL import Image

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import MicrographError, MissingProgramError
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.rivals.programs import run_program
from deepcryopicker.rivals.programs.run_program import pick_with_program, program_of
from deepcryopicker.rivals.programs.schema import (
    RelionLogConfig,
    RelionTemplateConfig,
    TopazConfig,
    TopazTrainedConfig,
)
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Picks

TRUTH = Picks.create([10.0, 20.0], [12.0, 22.0], label="top", diameter=16.0)


class Installed:
    """A program that is there."""

    name = "Somebody's"

    def version(self):
        return "1.2"


def make_entry(folder, name, group, truth=False):
    path = folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.random.default_rng(len(name)).integers(0, 255, (40, 50), np.uint8)
    Image.fromarray(grey).save(path)
    coordinates = None
    if truth:
        coordinates = path.with_suffix(".csv")
        write_csv(coordinates, TRUTH)
    return Entry(name, path, group, 16.0, pixel_size=3.0, truth=coordinates)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return Run(tmp_path / "run", None, "run", {"seed": 7})


@pytest.fixture
def jobs(monkeypatch):
    """The jobs that RELION's blob picker was given; it finds one particle in each micrograph."""
    given = []

    def pick_blobs(config, job):
        for one in (*job.inputs, *job.examples):
            with mrcfile.open(job.folder / one.file) as file:
                assert file.data.dtype == np.float32
                assert file.data.shape == (40, 50)
                assert float(file.voxel_size.x) == pytest.approx(3.0)
        given.append(job)
        return {one.name: Picks.create([float(i)], [5.0]) for i, one in enumerate(job.inputs)}

    monkeypatch.setattr(run_program.relion, "program", Installed)
    monkeypatch.setattr(run_program.relion, "pick_blobs", pick_blobs)
    return given


def test_every_micrograph_is_written_plainly_and_gets_the_picks_of_its_name(tmp_path, run, jobs):
    names = ("odd name, with (signs)", "grid/one", "m")
    entries = tuple(make_entry(tmp_path, name, "g") for name in names)
    pick = pick_with_program(RelionLogConfig(), Catalogue("all", entries), None, run)
    (job,) = jobs
    assert [one.name for one in job.inputs] == list(names)
    assert [one.stem for one in job.inputs] == [f"micrograph_0000{n}" for n in (1, 2, 3)]
    assert (job.diameter, job.pixel_size, job.examples) == (16.0, 3.0, ())
    assert [pick(entry, None).x.tolist() for entry in entries] == [[0.0], [1.0], [2.0]]
    assert run.notes["program"] == "Somebody's 1.2"
    assert not (run.folder / "program" / "micrographs").exists()  # the user has them already


def test_groups_are_picked_apart_each_with_examples_of_its_own(tmp_path, run, jobs):
    entries = tuple(make_entry(tmp_path, name, name[0]) for name in ("a1", "b1", "a2"))
    known = tuple(make_entry(tmp_path, name, name[0], truth=True) for name in ("a3", "b3"))
    catalogue, examples = Catalogue("all", entries), Catalogue("known", known)
    pick_with_program(RelionLogConfig(), catalogue, examples, run)
    assert [[one.name for one in job.inputs] for job in jobs] == [["a1", "a2"], ["b1"]]
    assert [[one.name for one in job.examples] for job in jobs] == [["a3"], ["b3"]]
    assert [job.folder.name for job in jobs] == ["a", "b"]
    assert jobs[0].examples[0].picks.x.tolist() == TRUTH.x.tolist()


def test_an_unreadable_micrograph_is_skipped_and_has_no_picks(tmp_path, run, jobs):
    entries = tuple(make_entry(tmp_path, name, "g") for name in ("good", "bad"))
    entries[1].path.write_bytes(b"no picture")
    pick = pick_with_program(RelionLogConfig(), Catalogue("all", entries), None, run)
    assert [one.name for one in jobs[0].inputs] == ["good"]
    assert [row["micrograph"] for row in run.failures] == ["bad"]
    assert len(pick(entries[0], None)) == 1
    with pytest.raises(MicrographError, match="did not write any picks"):
        pick(entries[1], None)


def test_where_no_micrograph_can_be_read_no_program_runs(tmp_path, run, jobs):
    entry = make_entry(tmp_path, "bad", "g")
    entry.path.write_bytes(b"no picture")
    pick_with_program(RelionLogConfig(), Catalogue("all", (entry,)), None, run)
    assert jobs == []


def test_files_of_an_earlier_attempt_are_gone(tmp_path, run, jobs):
    stale = run.folder / "program" / "micrographs" / "micrograph_00009.mrc"
    stale.parent.mkdir(parents=True)
    stale.touch()
    (run.folder / "program" / "old.star").touch()
    entry = make_entry(tmp_path, "m", "g")
    pick_with_program(RelionLogConfig(), Catalogue("all", (entry,)), None, run)
    assert not (run.folder / "program" / "old.star").exists()


@pytest.mark.parametrize(
    ("config", "module", "function", "seeded"),
    [
        (RelionTemplateConfig(), "relion", "pick_by_templates", True),
        (TopazConfig(), "topaz", "pick_by_topaz", False),
        (TopazTrainedConfig(), "topaz", "pick_by_topaz", False),
    ],
)
def test_every_kind_of_picker_runs_its_own_program(
    tmp_path, run, monkeypatch, config, module, function, seeded
):
    called = []

    def pick(*given):
        called.append(given)
        return {one.name: Picks.empty() for one in given[1].inputs}

    monkeypatch.setattr(getattr(run_program, module), "program", Installed)
    monkeypatch.setattr(getattr(run_program, module), function, pick)
    entry = make_entry(tmp_path, "m", "g")
    pick_with_program(config, Catalogue("all", (entry,)), None, run)
    ((given, _, *seed),) = called
    assert given is config
    assert seed == ([7] if seeded else [])


def test_a_program_that_is_not_installed_is_missed_before_anything_is_written(
    tmp_path, run, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr("deepcryopicker.rivals.programs.topaz._OWN", Path("/nowhere"))
    entry = make_entry(tmp_path, "m", "g")
    for config in (RelionLogConfig(), TopazConfig()):
        with pytest.raises(MissingProgramError, match="is not installed"):
            program_of(config)
        with pytest.raises(MissingProgramError):
            pick_with_program(config, Catalogue("all", (entry,)), None, run)
    assert not (run.folder / "program").exists()
