"""What tracking leaves behind, read back from the files of offline runs."""

import os
import signal
import subprocess
import sys
import time
from base64 import b64decode
from hashlib import md5
from pathlib import Path

import cv2
import numpy as np
import pytest

from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.logger.identity import Identity, identify
from deepcryopicker.logger.schema import LoggerConfig, WandbConfig
from deepcryopicker.logger.tracker import Tracker, open_tracker
from tests.logger.wandb_records import read_file, read_run

OFFLINE = LoggerConfig(WandbConfig(project="picking"))
AXES = ("learning_rate", "train_*", "validation_*")
EPOCHS = [
    {"epoch": epoch, "train_loss": 1 / (epoch + 1), "validation_loss": 2.5 - epoch}
    for epoch in range(3)
]
SCORES = {
    "f1": 0.75,
    "picks": 12,
    "patches": {"accuracy": 0.5},
    "groups": {"klh": {"f1": 0.25}, "apoferritin": {"f1": 1}},
    "interval": [0.1, 0.9],
    "commit": None,
}
NUMBERS = {
    "f1": 0.75,
    "picks": 12,
    "patches.accuracy": 0.5,
    "groups.klh.f1": 0.25,
    "groups.apoferritin.f1": 1,
}
SETTINGS = {
    "seed": 1,
    "model": {"channels": [8, 16], "dropout": None},
    "note": "x" * 70_000,  # makes the file longer than two blocks
}
CHOICES = {"model": "compact", "picker": "dense", "hydra/launcher": "basic", "trainer": "quick"}
IDENTITY = identify(
    "0:seed=1,model=compact", "outputs/a_sweep", "train", CHOICES, SETTINGS, resumes=False
)
SECOND = Identity("1:seed=2", "outputs/a_sweep", settings={"seed": 2})
CURVES = {
    "network": Curve(np.array([0.9, 0.4]), np.array([1.0, 0.5]), np.array([0.2, 0.8])),
    "DoG": Curve(np.array([3.0]), np.array([0.25]), np.array([0.5])),
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two pictures of different sizes, and a file of weights."""
    folder = tmp_path_factory.mktemp("run")
    for name, height in (("a", 20), ("b", 24)):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((height, 30, 3), height, np.uint8))
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 100)
    (folder / "inputs.csv").write_text("micrograph,path,sha256\n")
    return folder


def fill(tracker, pictures):
    tracker.log_pictures("before", [pictures / "a.png"])
    for number, row in enumerate(EPOCHS, start=1):
        tracker.log_epoch(row, 1 + number // 3)
    tracker.log_scores(SCORES)
    tracker.log_curves("precision_recall", CURVES)
    tracker.log_confusion(["top", "side"], np.array([[5, 1], [2, 9]]))
    tracker.log_pictures("samples", [pictures / "a.png"])
    tracker.log_pictures("overlays", [pictures / "a.png", pictures / "b.png"])
    tracker.log_pictures("nothing", [])
    tracker.log_table("sweep", ["job", "f1"], [[0, 0.5], [1, None]])
    tracker.log_files("model", "model", [pictures / "model.safetensors"])
    tracker.log_files("data", "dataset", [pictures / "inputs.csv"], used=True)
    tracker.log_files("none", "picks", [])


@pytest.fixture(scope="module")
def folder(pictures):
    """The run folder of a complete run."""
    with open_tracker(OFFLINE, pictures, IDENTITY) as tracker:
        fill(tracker, pictures)
    return pictures


@pytest.fixture(scope="module")
def run(folder):
    return read_run(folder)


@pytest.fixture(scope="module")
def failed(tmp_path_factory, run):
    """The next run of the same process, ended by an exception."""
    folder = tmp_path_factory.mktemp("failed")

    def train():
        with open_tracker(OFFLINE, folder, SECOND) as tracker:
            tracker.log_epoch(EPOCHS[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train()
    return read_run(folder)


def test_the_run_is_called_what_was_given(run):
    assert (run.project, run.name) == ("picking", "0:seed=1,model=compact")
    assert (run.group, run.job_type) == ("outputs/a_sweep", "train")  # the whole path of the sweep
    assert run.tags == ["model=compact", "picker=dense"]
    assert {key: run.config[key] for key in SETTINGS} == SETTINGS
    assert run.config["choices"] == {"model": "compact", "picker": "dense", "trainer": "quick"}


def test_the_history_has_every_epoch_with_its_round(run):
    rounds = (1, 1, 2)
    assert run.epochs == [
        {**row, "round": number} for row, number in zip(EPOCHS, rounds, strict=True)
    ]


def test_curves_of_training_have_the_epoch_as_their_axis(run):
    axes = {metric.glob_name or metric.name: metric.step_metric for metric in run.metrics}
    assert axes == {"epoch": "", **dict.fromkeys(AXES, "epoch")}


def test_the_summary_has_every_number_of_the_scores(run):
    assert {key: run.summary.get(key) for key in NUMBERS} == NUMBERS
    assert not {"interval", "commit"} & set(run.summary)


def test_precision_and_recall_are_a_table_and_a_chart_of_it(run):
    table = run.table("precision_recall")
    assert table["columns"] == ["method", "threshold", "recall", "precision"]
    assert table["data"] == [
        ["network", 0.9, 0.2, 1.0],
        ["network", 0.4, 0.8, 0.5],
        ["DoG", 3.0, 0.5, 0.25],
    ]
    chart = run.config["_wandb.visualize.precision_recall"]["panel_config"]
    assert chart["fieldSettings"] == {"x": "recall", "y": "precision", "stroke": "method"}


def test_confusion_is_a_table_and_a_chart_of_it(run):
    table = run.table("confusion")
    assert table["columns"] == ["true", "predicted", "count"]
    assert table["data"][:2] == [["top", "top", 5], ["top", "side", 1]]
    assert table["data"][2:] == [["side", "top", 2], ["side", "side", 9]]
    chart = run.config["_wandb.visualize.confusion"]["panel_config"]
    assert chart["panelDefId"] == "wandb/confusion_matrix/v1"
    columns = {"Actual": "true", "Predicted": "predicted", "nPredictions": "count"}
    assert chart["fieldSettings"] == columns


@pytest.mark.parametrize(
    ("key", "name"),
    [("pictures/samples", "a"), ("pictures/overlays/a", "a"), ("pictures/overlays/b", "b")],
)
def test_pictures_are_files_of_the_run(run, pictures, key, name):
    entry = run.picture(key)
    assert entry["caption"] == name
    kept = run.folder / "files" / entry["path"]
    assert kept.read_bytes() == (pictures / f"{name}.png").read_bytes()


@pytest.mark.parametrize(
    ("name", "kind", "file", "used"),
    [("model", "model", "model.safetensors", False), ("data", "dataset", "inputs.csv", True)],
)
def test_files_are_artifacts_that_refer_to_them(run, folder, name, kind, file, used):
    artifact = run.artifacts[name]
    (entry,) = artifact.manifest.contents
    assert (artifact.type, artifact.use_after_commit, entry.path) == (kind, used, file)
    content = (folder / file).read_bytes()
    assert (entry.local_path, entry.size) == (file, len(content))  # a moved folder can be uploaded
    assert b64decode(entry.digest) == md5(content, usedforsecurity=False).digest()
    assert "none" not in run.artifacts


def test_a_table_may_have_empty_cells(run):
    assert run.file("sweep")["data"] == [[0, 0.5], [1, None]]


def test_a_run_succeeds_unless_an_exception_ends_it(run, failed):
    assert run.exit_code == 0
    assert failed.exit_code == 1


def test_runs_of_one_process_are_kept_apart(run, failed):
    assert run.id != failed.id
    assert (failed.name, failed.group, failed.config["seed"]) == ("1:seed=2", "outputs/a_sweep", 2)
    assert failed.epochs == [{**EPOCHS[0], "round": 1}]
    assert "f1" not in failed.summary


@pytest.mark.parametrize("damage", ["changed", "cut"])
def test_a_damaged_file_is_not_read(run, tmp_path, damage):
    (path,) = run.folder.glob("*.wandb")
    data = bytearray(path.read_bytes())
    assert len(data) > 2 * 32 * 1024
    if damage == "changed":
        data[50_000] ^= 1
    else:
        del data[40_000:]
    other = tmp_path / path.name
    other.write_bytes(data)
    with pytest.raises(ValueError, match="damaged"):
        read_file(other)


def test_a_run_stays_one_run_through_interruptions(tmp_path, run):
    with open_tracker(OFFLINE, tmp_path, Identity("first")) as tracker:
        tracker.log_epoch(EPOCHS[0])
    first = read_run(tmp_path)
    with open_tracker(OFFLINE, tmp_path, Identity("first", resumes=True)) as tracker:
        for row in EPOCHS:
            tracker.log_epoch(row)
    again = read_run(tmp_path)  # the incomplete records are gone
    assert (again.id, len(again.epochs)) == (first.id, 3)
    with open_tracker(OFFLINE, tmp_path, Identity("another")) as tracker:
        tracker.log_epoch(EPOCHS[0])
    assert len(list(tmp_path.glob("wandb/offline-run-*"))) == 2


@pytest.mark.parametrize("reason", ["logger=csv", "WANDB_MODE=disabled"])
def test_what_tracks_nothing_writes_nothing(tmp_path, pictures, monkeypatch, capfd, reason):
    config = OFFLINE
    if reason == "logger=csv":
        config = LoggerConfig(WandbConfig(enabled=False))
    else:
        monkeypatch.setenv("WANDB_MODE", "disabled")
    with open_tracker(config, tmp_path, Identity("run")) as tracker:
        fill(tracker, pictures)
    assert type(tracker) is Tracker
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_the_argument_wins_over_the_mode_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    open_tracker(OFFLINE, tmp_path, Identity("run")).close()
    assert read_run(tmp_path).exit_code == 0


def test_a_failure_of_tracking_is_reported_once_and_the_run_continues(tmp_path, capfd):
    environment = dict(os.environ)
    with open_tracker(OFFLINE, tmp_path, Identity("run")) as tracker:
        tracker.log_epoch(EPOCHS[0])
        tracker.log_pictures("samples", [tmp_path / "absent.png"])
        tracker.log_epoch(EPOCHS[1])
        tracker.log_pictures("samples", [tmp_path / "absent.png"])
    tracker.close()  # a second time
    tracker.log_epoch(EPOCHS[2])
    out, err = capfd.readouterr()
    assert err == ""
    assert len(out.splitlines()) == 1
    assert out.startswith("W&B ")
    assert "absent.png" in out
    assert out.endswith("; tracking of this run stops here\n")
    run = read_run(tmp_path)
    assert run.epochs == [{**EPOCHS[0], "round": 1}]
    assert run.exit_code == 0  # the run itself did not fail
    assert dict(os.environ) == environment


@pytest.mark.skipif(sys.platform != "linux", reason="finds W&B's service in /proc")
def test_a_run_whose_tracking_dies_harms_neither_itself_nor_the_next(tmp_path, capfd):
    def children():
        listed = Path("/proc/self/task").glob("*/children")
        return {int(pid) for path in listed for pid in path.read_text().split()}

    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    before = children()
    with open_tracker(OFFLINE, first, Identity("run")) as tracker:
        (service,) = children() - before
        os.kill(service, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while tracker.tracking and time.monotonic() < deadline:
            tracker.log_epoch(EPOCHS[0])
            time.sleep(0.01)
    out, err = capfd.readouterr()
    assert (len(out.splitlines()), err) == (1, "")
    with open_tracker(OFFLINE, second, Identity("run")) as tracker:
        tracker.log_epoch(EPOCHS[1])
    assert read_run(second).epochs == [{**EPOCHS[1], "round": 1}]
    assert capfd.readouterr() == ("", "")


# Opens a tracker as a command would. Names that are looked up on a network go to a file,
# also those at the end of the process.
PROGRAM = """
import socket, sys
from pathlib import Path

home, folder, offline = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "offline"

def refuse(host, *others, **more):
    with (folder / "asked").open("a") as stream:
        stream.write(f"{host}\\n")
    raise OSError("no network")

socket.getaddrinfo = refuse

from deepcryopicker.errors import UsageError
from deepcryopicker.logger.schema import LoggerConfig, WandbConfig
from deepcryopicker.logger.identity import Identity
from deepcryopicker.logger.tracker import open_tracker

try:
    config = LoggerConfig(WandbConfig(offline=offline))
    with open_tracker(config, folder, Identity("run", settings={"seed": 1})) as tracker:
        tracker.log_epoch({"epoch": 0, "train_loss": 0.5})
        tracker.log_confusion(["top"], [[1]])
except UsageError as error:
    print(f"error: {error}")
"""


def without_network():
    """Return what to put before a command to take its network away, where the system can."""
    command = ["unshare", "--map-root-user", "--net"]
    try:
        subprocess.run([*command, "true"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return command


def run_alone(tmp_path, mode, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **variables):
    """Run `PROGRAM` in an empty home, without network; return home, run folder and output."""
    home, folder = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    folder.mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("WANDB", "XDG"))}
    answer = subprocess.run(
        [*without_network(), sys.executable, "-c", PROGRAM, str(home), str(folder), mode],
        env={**kept, "HOME": str(home), **variables},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        timeout=60,
        check=True,
    )
    return home, folder, answer


@pytest.mark.thorough
def test_offline_nothing_is_asked_sent_or_written_elsewhere(tmp_path):
    home, folder, answer = run_alone(tmp_path, "offline")
    assert (answer.stdout, answer.stderr) == ("", "")
    assert not (folder / "asked").exists()
    assert list(home.rglob("*")) == []
    assert read_run(folder).epochs == [{"epoch": 0, "train_loss": 0.5, "round": 1}]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_online_without_a_key_is_wrong_usage_and_nobody_is_asked(tmp_path):
    ours, theirs = os.openpty()  # a terminal on which W&B could ask
    try:
        _, folder, answer = run_alone(tmp_path, "online", stdin=theirs, stderr=theirs)
    finally:
        os.close(theirs)
        os.close(ours)
    assert answer.stdout == (
        "error: logger.wandb.offline=false: No API key configured\n"
        "run `wandb login`, or track in the run folder with logger.wandb.offline=true\n"
    )
    assert list(folder.glob("wandb/*run-*")) == []


@pytest.mark.thorough
def test_online_without_network_the_run_is_kept_offline(tmp_path):
    _, folder, answer = run_alone(
        tmp_path,
        "online",
        WANDB_API_KEY="0" * 40,
        WANDB_BASE_URL="http://127.0.0.1:9",
        WANDB_INIT_TIMEOUT="2",
    )
    assert answer.stderr == ""
    (line,) = answer.stdout.splitlines()
    assert line.startswith("W&B ")
    assert line.endswith("; this run is tracked offline")
    assert read_run(folder).epochs == [{"epoch": 0, "train_loss": 0.5, "round": 1}]
