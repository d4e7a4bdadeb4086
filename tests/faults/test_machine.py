"""What machines do to a long run: kills, signals, full and forbidden disks, bare environments."""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.nights import (
    DEADLINE,
    DONE_IN_DOUBT,
    Night,
    files_of,
    finish,
    picked,
    start,
    wait_for,
)

pytestmark = pytest.mark.thorough

MOMENTS = 20


@pytest.fixture(scope="session")
def night(tmp_path_factory):
    return Night.make(tmp_path_factory.mktemp("night"), 6)


@pytest.fixture(scope="session")
def undisturbed(night, tmp_path_factory):
    """The files of a run that nothing befell."""
    folder = tmp_path_factory.mktemp("undisturbed")
    code, _, err = finish(start(folder, *night.overrides))
    assert (code, err) == (DONE_IN_DOUBT, "")
    return files_of(folder / "run")


@pytest.fixture(scope="session")
def long_night(tmp_path_factory):
    """Enough micrographs to be interrupted."""
    night = Night.make(tmp_path_factory.mktemp("long"), 2, side=512)
    for index in range(2, 60):
        source = night.micrographs / f"m{index % 2:02d}.mrc"
        (night.micrographs / f"m{index:02d}.mrc").hardlink_to(source)
    return night


@pytest.fixture
def small_disk(tmp_path):
    """Return a function that mounts a disk of so many kilobytes, with options."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(kilobytes, *options):
        wanted = ",".join([f"size={kilobytes}k", *options])
        command = ["mount", "-t", "tmpfs", "-o", wanted, "tmpfs", str(place)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"this user may not mount a disk: {done.stderr.strip()}")
        return place

    yield mount
    subprocess.run(["umount", str(place)], capture_output=True)


def kill_and_continue(night, undisturbed, folder, number):
    """Kill a run once a share of its files is there, and compare what the next one makes of it."""
    draw = random.Random(number)
    process = start(folder, *night.overrides)
    share = draw.uniform(0, 1)
    run = folder / "run"
    total = len(undisturbed) * share
    wait_for(lambda: sum(1 for path in run.rglob("*") if path.is_file()) >= total, process)
    time.sleep(draw.uniform(0, 0.05))
    process.kill()
    process.communicate()
    finished = len((run / "manifest.jsonl").read_text().splitlines()) if share > 0.5 else 0
    before = {name: (run / "picks" / f"{name}.csv").stat().st_mtime_ns for name in picked(run)}

    code, _, err = finish(start(folder, *night.overrides))
    assert (code, err) == (DONE_IN_DOUBT, "")
    assert files_of(run) == undisturbed
    again = [
        name
        for name, changed in before.items()
        if (run / "picks" / f"{name}.csv").stat().st_mtime_ns != changed
    ]
    assert len(again) <= 1
    assert len(before) - len(again) <= max(finished, len(before))


# Case 63. One moment in `make test`, two more in `make test-slow`, all in `make test-faults`.
@pytest.mark.parametrize(
    "number",
    [
        0,
        pytest.param(1, marks=pytest.mark.thorough),
        pytest.param(2, marks=pytest.mark.thorough),
        *(
            pytest.param(number, marks=(pytest.mark.faults, pytest.mark.slow))
            for number in range(3, MOMENTS)
        ),
    ],
)
def test_a_killed_run_continues_to_the_same_files(night, undisturbed, tmp_path, number):
    kill_and_continue(night, undisturbed, tmp_path, number)


# Case 64.
def test_a_full_disk_ends_the_run_at_once_and_the_next_continues(night, undisturbed, small_disk):
    disk = small_disk(64)
    code, _, err = finish(start(disk, *night.overrides))
    assert code == 1
    assert err.startswith("error: disk full writing ")
    assert "Traceback" not in err
    run = disk / "run"
    assert not list(run.rglob(".*.tmp-*"))
    for line in (run / "manifest.jsonl").read_text().splitlines(keepends=True):
        assert line.encode() in undisturbed["manifest.jsonl"]
    subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
    code, _, err = finish(start(disk, *night.overrides))
    assert (code, err) == (DONE_IN_DOUBT, "")
    assert files_of(run) == undisturbed


# Case 65.
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(night, small_disk, tmp_path):
    disk = small_disk(64, "ro")
    file = tmp_path / "file"
    file.touch()
    for place in (disk / "run", file / "run"):
        nowhere = "picker.weights=nowhere"  # refused too, but later
        process = start(tmp_path, *night.overrides, nowhere, f"hydra.run.dir={place}")
        code, out, err = finish(process)
        assert code == 2
        assert out == ""
        assert str(place.parent) in err
        assert "hydra.run.dir=OTHER" in err
        assert len(err.splitlines()) == 2


# Case 67.
@pytest.mark.parametrize(
    ("sent", "expected"),
    [pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow), (signal.SIGINT, 130)],
)
def test_signals_leave_a_summary_and_the_next_run_continues(long_night, tmp_path, sent, expected):
    run = tmp_path / "run"
    process = start(tmp_path, *long_night.without_truth, "overlays=0")
    wait_for(lambda: len(picked(run)) >= 4, process)
    process.send_signal(sent)
    code, out, err = finish(process)
    assert (code, err) == (expected, "")
    assert "to continue, run the same command with hydra.run.dir=" in out
    assert not (run / "status.json").exists()
    assert not list(run.rglob(".*.tmp-*"))
    with (run / "summary.csv").open() as stream:
        done = [row["micrograph"] for row in csv.DictReader(stream)]
    assert 1 <= len(done) < 60
    assert set(done) <= set(picked(run))
    assert len(list((run / "relion").rglob("autopick.star"))) == 1

    process = start(tmp_path, *long_night.without_truth, "overlays=0")
    code, out, err = finish(process)
    assert (code, err) == (DONE_IN_DOUBT, "")
    assert f"picking: {len(done)} of 60 micrographs already finished" in out


@pytest.mark.thorough
def test_relion_aborts_its_job_by_a_file(long_night, tmp_path):
    listing = tmp_path / "micrographs.star"
    names = "".join(f"{path}\n" for path in sorted(long_night.micrographs.iterdir()))
    listing.write_text(f"data_\n\nloop_\n_rlnMicrographName\n{names}")
    weights = f"picker.weights={long_night.folder / 'weights'}"
    command = [sys.executable, "-m", "deepcryopicker.relion_external", "--o", "job/", "--j", "1"]
    command += ["--in_mics", str(listing), weights, "overlays=0"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: len(picked(tmp_path / "job")) >= 2, process)
    (tmp_path / "job" / "RELION_JOB_ABORT_NOW").touch()
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 143
    left = {path.name for path in (tmp_path / "job").glob("RELION_JOB_EXIT_*")}
    assert left == {"RELION_JOB_EXIT_ABORTED"}
    assert (tmp_path / "job" / "summary.csv").is_file()


@pytest.mark.thorough
def test_a_second_run_in_the_same_folder_is_refused(long_night, tmp_path):
    first = start(tmp_path, *long_night.without_truth, "overlays=0")
    wait_for(lambda: len(picked(tmp_path / "run")) >= 1, first)
    code, out, err = finish(start(tmp_path, *long_night.without_truth, "overlays=0"))
    assert (code, out) == (2, "")
    assert err.startswith(f"error: another run is using {tmp_path}/run: process {first.pid}")
    code, _, err = finish(first)
    assert (code, err) == (DONE_IN_DOUBT, "")
    assert len(picked(tmp_path / "run")) == 60


# Case 68.
def test_a_bare_environment_is_enough(night, undisturbed, tmp_path):
    """No network, home, display; a decimal comma, a strict umask, files from the future."""
    offline = ["unshare", "--net"]
    if subprocess.run([*offline, "true"], capture_output=True).returncode:
        offline = []  # only root may
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "HOME": str(tmp_path / "no such home"),
        "LC_ALL": "de_DE.UTF-8",
        "LANG": "de_DE.UTF-8",
        "OMP_NUM_THREADS": "1",
    }
    process = start(tmp_path, *night.overrides, before=offline, env=environment, umask=0o077)
    code, _, err = finish(process)
    assert (code, err) == (DONE_IN_DOUBT, "")
    assert files_of(tmp_path / "run") == undisturbed


@pytest.mark.thorough
def test_clocks_of_other_machines_play_no_part(night, tmp_path):
    """What was picked is known again though its file comes from the future."""
    copies = tmp_path / "copies"
    shutil.copytree(night.micrographs, copies)
    ahead = time.time() + 10 * 365 * 86400
    for path in copies.iterdir():
        os.utime(path, (ahead, ahead))
    given = [*night.without_truth, f"dataset.micrographs={copies}", "overlays=0"]
    for expected in ("", "picking: 6 of 6 micrographs already finished"):
        code, out, err = finish(start(tmp_path, *given))
        assert (code, err) == (DONE_IN_DOUBT, "")
        assert expected in out
