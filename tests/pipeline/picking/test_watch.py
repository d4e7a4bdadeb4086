"""A folder that fills up: which files are whole, which never will be, and when it is enough."""

import threading
import time

import pytest

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.pipeline.picking.watch import Arrivals
from tests.nights import DONE_IN_DOUBT, Night, finish, picked, start, wait_for, write_micrograph


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "whole"
    path.mkdir()
    write_micrograph(path / "a.mrc", 0, side=64)
    return (path / "a.mrc").read_bytes()


@pytest.fixture
def entry(tmp_path):
    return Entry("a", tmp_path / "a.mrc", "folder")


def test_a_file_is_whole_once_it_stays_as_large_as_promised(entry, whole):
    arrivals = Arrivals(patience=10)
    for now, size in enumerate((100, 5000, 5000, len(whole))):
        entry.path.write_bytes(whole[:size])
        found, broken, changed = arrivals.poll([entry], float(now))
        assert (found, broken) == ([], {})
        assert changed or size == 5000
        assert arrivals.waits(entry)
    assert arrivals.poll([entry], 5.0) == ([entry], {}, False)
    assert not arrivals.waits(entry)
    assert arrivals.poll([entry], 6.0) == ([], {}, False)  # once


def test_a_file_that_stays_cut_fails_after_some_time_and_is_looked_at_when_it_grows(entry, whole):
    arrivals = Arrivals(patience=10)
    entry.path.write_bytes(whole[:5000])
    for now in (0.0, 5.0, 9.9):
        assert arrivals.poll([entry], now)[:2] == ([], {})
    found, broken, _ = arrivals.poll([entry], 10.0)
    assert found == []
    assert "truncated" in broken[entry]
    assert broken[entry].endswith("unchanged for 10 s")
    assert arrivals.poll([entry], 11.0)[:2] == ([], {})  # reported once
    assert arrivals.waiting == 0
    entry.path.write_bytes(whole)
    assert arrivals.poll([entry], 12.0) == ([], {}, True)
    assert arrivals.poll([entry], 13.0) == ([entry], {}, False)


def test_a_file_that_is_written_again_is_picked_again(entry, whole):
    arrivals = Arrivals(patience=10)
    entry.path.write_bytes(whole)
    arrivals.settle(entry)
    assert arrivals.poll([entry], 0.0) == ([], {}, False)
    entry.path.write_bytes(whole + b"more")
    assert arrivals.poll([entry], 1.0) == ([], {}, True)
    assert arrivals.poll([entry], 2.0) == ([entry], {}, False)


def test_a_file_that_vanishes_is_not_whole(entry, whole):
    arrivals = Arrivals(patience=10)
    entry.path.write_bytes(whole)
    arrivals.poll([entry], 0.0)
    entry.path.unlink()
    assert arrivals.poll([entry], 1.0)[0] == []


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    return Night.make(tmp_path_factory.mktemp("night"), 4)


@pytest.fixture
def watched(night, tmp_path):
    """A folder that is followed, and the overrides to do so."""
    folder = tmp_path / "arriving"
    folder.mkdir()
    given = [*night.without_truth, f"dataset.micrographs={folder}", "overlays=1", "watch=true"]
    return folder, [*given, "watching.every=0.1", "watching.patience=1"]


def arrive(night, folder, name, pieces=3, pause=0.3):
    """Write a micrograph little by little."""
    data = (night.micrographs / name).read_bytes()
    step = -(-len(data) // pieces)
    with (folder / name).open("wb") as stream:
        for first in range(0, len(data), step):
            stream.write(data[first : first + step])
            stream.flush()
            time.sleep(pause)


@pytest.mark.thorough
def test_what_arrives_is_picked_until_there_is_a_stop_file(night, watched, tmp_path):
    folder, overrides = watched
    run = tmp_path / "run"
    (folder / "grid").mkdir()
    (folder / "m00.mrc").write_bytes((night.micrographs / "m00.mrc").read_bytes())
    process = start(tmp_path, *overrides)
    wait_for(lambda: picked(run) == ["m00"], process)
    writer = threading.Thread(target=arrive, args=(night, folder, "m01.mrc"))
    writer.start()
    (folder / "m02.mrc").write_bytes((night.micrographs / "m02.mrc").read_bytes()[:5000])
    wait_for(lambda: (run / "failures.csv").is_file(), process)
    (folder / "grid" / "m03.mrc").write_bytes((night.micrographs / "m03.mrc").read_bytes())
    writer.join()
    wait_for(lambda: (run / "picks" / "grid" / "m03.csv").is_file(), process)
    wait_for(lambda: "m01" in picked(run), process)
    (run / "STOP").touch()
    code, out, err = finish(process)
    assert (code, err) == (3, "")
    assert "to stop: touch" in out
    assert picked(run) == ["m00", "m01"]
    assert not (run / "STOP").exists()
    summary = (run / "summary.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in summary] == ["micrograph", "grid/m03", "m00", "m01"]
    assert (run / "relion" / "autopick.star").read_text().count("_autopick.star") == 3
    failures = (run / "failures.csv").read_text().splitlines()
    assert len(failures) == 2
    assert "truncated" in failures[1]

    # The same command continues; a file that is now complete is no longer a failure.
    (folder / "m02.mrc").write_bytes((night.micrographs / "m02.mrc").read_bytes())
    code, out, err = finish(start(tmp_path, *overrides, "watching.idle=1"))
    assert (code, err) == (DONE_IN_DOUBT, "")
    assert "3 micrographs picked by an earlier run, 1 left" in out
    assert "m02" in picked(run)
    assert not (run / "failures.csv").exists()
    assert len((run / "summary.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("dataset.micrographs=nowhere", "needs a folder, but dataset.micrographs=nowhere"),
        ("dataset.coordinates=.", "watch=true does not score picks"),
        ("picker=log", "watch=true needs a trained network"),
        ("dataset=simulated", "watch=true needs a folder"),
        ("watching.every=0", "watching.every must be > 0 seconds"),
    ],
)
@pytest.mark.thorough
def test_what_cannot_be_watched_is_refused(night, watched, tmp_path, override, message):
    _, overrides = watched
    if override.startswith(("picker=", "dataset=")):
        key = override.partition("=")[0]
        overrides = [one for one in overrides if not one.startswith(f"{key}.")]
        overrides = [one for one in overrides if not one.startswith(f"{key}=")]
    code, out, err = finish(start(tmp_path, *overrides, override))
    assert (code, out) == (2, "")
    assert message in err
