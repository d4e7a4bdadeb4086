"""Seconds of each stage add up, whatever becomes of it."""

import json
import time

import pytest

from deepcryopicker.runs import folder
from deepcryopicker.runs.folder import Run


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, None, "run", {})


@pytest.fixture
def clock(monkeypatch):
    """A clock that is put forward by hand."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(folder, "time", clock)
    return clock


def seconds(run):
    return json.loads((run.folder / "timings.json").read_text())


def test_real_seconds_are_counted(run):
    with run.timed("training"):
        time.sleep(0.2)
    assert 0.2 <= seconds(run)["training"] < 2


def test_stages_stand_side_by_side_and_each_adds_up(run, clock):
    for stage, took in (("labelling", 2.5), ("training", 40.0), ("labelling", 0.25)):
        with run.timed(stage):
            clock.now += took
        clock.now += 7.0  # what lies between is nobody's
    assert seconds(run) == {"labelling": 2.75, "training": 40.0}
    assert list(run.folder.iterdir()) == [run.folder / "timings.json"]


def test_nothing_is_written_before_a_stage_ends(run, clock):
    with run.timed("training"):
        clock.now += 1.0
        assert not (run.folder / "timings.json").exists()


def fail(run, clock, problem):
    with run.timed("training"):
        clock.now += 3.0
        raise problem


def test_a_failure_is_handed_on_and_its_time_counted(run, clock):
    with pytest.raises(KeyError, match="what went wrong"):
        fail(run, clock, KeyError("what went wrong"))
    assert seconds(run) == {"training": 3.0}


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_run_that_is_taken_up_again_counts_what_it_took_before(run, clock, problem):
    with pytest.raises(problem):
        fail(run, clock, problem())
    again = Run(run.folder, None, "run", {}, resumes=True)
    with again.timed("training"):
        clock.now += 4.5
    assert seconds(run) == {"training": 7.5}
