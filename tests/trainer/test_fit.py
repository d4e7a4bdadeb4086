"""Training: a task that must be learnt, the same twice, and the same after an interruption."""

import csv
import multiprocessing
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from deepcryopicker.class_set import window_store
from deepcryopicker.errors import NothingUsableError, UsageError
from deepcryopicker.model.build import build_network
from deepcryopicker.model.schema import CompactConfig
from deepcryopicker.trainer.checkpoints import remove_checkpoints
from deepcryopicker.trainer.fit import fit, precision_of
from deepcryopicker.trainer.predict import predict
from deepcryopicker.trainer.schema import TrainerConfig
from deepcryopicker.types import TrainingSet

SIDE = 43
CONFIG = TrainerConfig(epochs=4, patience=4, batch_size=16, device="cpu")


def make_set(windows, target, split, classes=("top", "background")):
    count = len(target)
    heat = np.eye(len(classes), dtype=np.float32)[target]
    group, unit = np.full(count, "a"), np.zeros(count, np.int64)
    return TrainingSet(windows, target, heat, split, group, unit, np.arange(count), classes)


def separable(train=96, held_out=16, side=SIDE):
    """Dark discs on noise against noise alone."""
    rng = np.random.default_rng(0)
    count = train + 2 * held_out
    target = np.arange(count) % 2
    row, column = np.ogrid[:side, :side]
    disc = np.hypot(row - side // 2, column - side // 2) < 10
    windows = rng.normal(0, 0.5, (count, side, side)) - 2.0 * disc * (target == 0)[:, None, None]
    split = np.repeat(["train", "validation", "test"], [train, held_out, held_out])
    return make_set(windows.astype(np.float32), target, split)


def small_network(seed=0):
    torch.manual_seed(seed)
    return build_network(CompactConfig(widths=[4, 4, 6, 6, 8, 8], dropout=0.1), 2)


def train(folder, seed=0, training_set=None, config=CONFIG, **options):
    network = small_network(seed)
    fit(network, training_set or separable(), config, folder, seed, **options)
    return network


class Stop(Exception):
    pass


def stop_after(epoch):
    """Return what interrupts a training at the end of an epoch."""

    def stop(row):
        if row["epoch"] == epoch:
            raise Stop

    return stop


def accuracy(network, data):
    chosen = data.split == "test"
    return (predict(network, data.windows[chosen]).argmax(axis=1) == data.target[chosen]).mean()


def curves(folder):
    with (folder / "metrics.csv").open() as stream:
        return list(csv.DictReader(stream))


def same_weights(one, other):
    one, other = one.state_dict(), other.state_dict()
    return all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "sgd", "learning_rate": 0.02, "schedule": "cosine"},
        {"loss": "heat_map", "schedule": "constant"},
        {"loss": "positive_unlabelled", "epochs": 8},
        {"precision": "bfloat16", "shift": 2},
    ],
)
@pytest.mark.thorough
def test_separable_classes_are_learnt(tmp_path, changes):
    settings = {"epochs": 4, "patience": 8, "batch_size": 16, "device": "cpu"} | changes
    config = TrainerConfig(**settings)
    network = train(tmp_path, config=config)
    assert not network.training
    assert accuracy(network, separable()) == 1


def test_windows_in_a_file_give_the_same_weights(tmp_path, monkeypatch):
    data = separable()
    monkeypatch.setattr(window_store, "_MOST_MEMORY", 0)
    windows = window_store.selected(data.windows, np.arange(len(data.target)), tmp_path)
    assert isinstance(windows.base, np.memmap)
    in_file = make_set(windows, data.target, data.split)
    config = replace(CONFIG, epochs=2)
    networks = [
        train(tmp_path / name, training_set=each, config=config)
        for name, each in (("memory", data), ("file", in_file))
    ]
    assert same_weights(*networks)


def test_shuffled_labels_are_not_learnt(tmp_path):
    """The test windows are not trained on: random labels score no better than chance."""
    data = separable()
    target = np.random.default_rng(1).permutation(data.target)
    shuffled = make_set(data.windows, target, data.split)
    assert accuracy(train(tmp_path, training_set=shuffled), shuffled) < 0.9


def test_same_seed_gives_the_same_weights(tmp_path):
    networks = [train(tmp_path / str(i), seed) for i, seed in enumerate((0, 0, 1))]
    assert same_weights(networks[0], networks[1])
    assert not same_weights(networks[0], networks[2])


def test_weights_are_those_of_the_best_epoch(tmp_path):
    """Wrong validation labels: the better the network, the higher the validation loss."""
    data = separable()
    target = np.where(data.split == "validation", 1 - data.target, data.target)
    network = train(tmp_path, training_set=make_set(data.windows, target, data.split))
    saved = torch.load(tmp_path / "best.ckpt", weights_only=True)
    assert saved["epoch"] < CONFIG.epochs - 1
    for key, value in network.state_dict().items():
        if key != "temperature":
            assert torch.equal(value, saved["state_dict"][f"network.{key}"])


def test_the_temperature_is_fitted_to_the_validation_windows(tmp_path):
    """Wrong validation labels make every confident network too sure."""
    data = separable()
    wrong = np.where(data.split == "validation", 1 - data.target, data.target)
    right = train(tmp_path / "right")
    misled = train(tmp_path / "wrong", training_set=make_set(data.windows, wrong, data.split))
    assert float(right.temperature) < 1 < float(misled.temperature)


def test_there_is_a_row_for_every_epoch(tmp_path):
    seen = []
    train(tmp_path, on_epoch=seen.append)
    rows = curves(tmp_path)
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2, 3] == [row["epoch"] for row in seen]
    losses = [float(row["train_loss"]) for row in rows]
    assert losses[-1] < losses[0]


def _train_slowly(folder):
    """Train, but take a while over every epoch, so that a signal arrives in the middle."""
    train(folder, on_epoch=lambda row: time.sleep(0.5))


@pytest.mark.thorough
def test_killed_training_resumes_to_the_same_weights(tmp_path):
    """SIGKILL after two epochs; nothing of the process is left but its files."""
    undisturbed = train(tmp_path / "undisturbed")
    folder = tmp_path / "killed"
    process = multiprocessing.get_context("spawn").Process(target=_train_slowly, args=(folder,))
    process.start()
    deadline = time.monotonic() + 60
    while not (folder / "last.ckpt").exists() or len(curves(folder)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    killed_at = len(curves(folder))
    assert killed_at < CONFIG.epochs

    rows = []
    resumed = train(folder, resume=True, on_epoch=rows.append)
    assert same_weights(resumed, undisturbed)
    assert curves(folder) == curves(tmp_path / "undisturbed")
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3]


def test_a_moved_run_resumes_to_the_same_weights(tmp_path):
    """The best epoch so far is that of the folder before it was moved."""

    undisturbed = train(tmp_path / "undisturbed")
    with pytest.raises(Stop):
        train(tmp_path / "here", on_epoch=stop_after(2))
    (tmp_path / "here").rename(tmp_path / "there")
    assert same_weights(train(tmp_path / "there", resume=True), undisturbed)


def test_a_damaged_checkpoint_does_not_stop_training(tmp_path):
    undisturbed = train(tmp_path / "undisturbed")
    (tmp_path / "damaged").mkdir()
    whole = (tmp_path / "undisturbed" / "last.ckpt").read_bytes()
    (tmp_path / "damaged" / "last.ckpt").write_bytes(whole[: len(whole) // 2])
    assert same_weights(train(tmp_path / "damaged", resume=True), undisturbed)


def test_a_training_that_is_over_resumes_to_its_weights(tmp_path):
    first = train(tmp_path)
    assert same_weights(train(tmp_path, resume=True), first)


def test_a_training_that_diverges_says_so(tmp_path):
    config = TrainerConfig(
        epochs=2, optimizer="sgd", learning_rate=1e30, schedule="constant", device="cpu"
    )
    with pytest.raises(NothingUsableError, match=r"diverged.*trainer\.learning_rate"):
        train(tmp_path, config=config)


@pytest.mark.thorough
def test_within_a_slurm_job_it_is_still_us_who_start_processes(tmp_path, monkeypatch):
    for key, value in {"JOB_ID": "1", "NTASKS": "1", "PROCID": "0", "LOCALID": "0"}.items():
        monkeypatch.setenv(f"SLURM_{key}", value)
    monkeypatch.setenv("SLURM_JOB_NAME", "train")
    monkeypatch.setenv("SLURM_NODEID", "0")
    config = TrainerConfig(epochs=2, patience=4, batch_size=16, device="cpu", devices=2)
    rows = []
    train(tmp_path, config=config, on_epoch=rows.append)
    assert len(rows) == 2


@pytest.mark.thorough
def test_without_resume_old_checkpoints_do_not_matter(tmp_path):
    first = train(tmp_path / "one")
    train(tmp_path / "two", seed=1)
    assert (tmp_path / "two" / "last.ckpt").exists()
    again = train(tmp_path / "two", seed=0)
    assert same_weights(first, again)


def test_checkpoints_can_be_removed(tmp_path):
    train(tmp_path)
    remove_checkpoints(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


@pytest.mark.thorough
def test_two_processes_train_together(tmp_path):
    """Each sees half of every epoch; what comes out is one network."""
    config = TrainerConfig(epochs=8, patience=8, batch_size=16, device="cpu", devices=2)
    rows = []
    network = train(tmp_path, config=config, on_epoch=rows.append)
    assert accuracy(network, separable()) == 1
    assert [row["epoch"] for row in rows] == list(range(8))


def test_last_batch_of_one_window_does_not_stop_training(tmp_path):
    config = TrainerConfig(epochs=1, batch_size=16, device="cpu")
    network = train(tmp_path, training_set=separable(train=33), config=config)
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


@pytest.mark.parametrize(
    ("precision", "instructions", "expected"),
    [
        ("auto", True, "32-true"),
        ("fastest", True, "bf16-mixed"),
        ("fastest", False, "32-true"),
        ("bfloat16", False, "bf16-mixed"),
        ("float32", True, "32-true"),
    ],
)
def test_precision_on_a_cpu(monkeypatch, precision, instructions, expected):
    monkeypatch.setattr("deepcryopicker.trainer.fit.multiplies_bfloat16", lambda: instructions)
    assert precision_of(TrainerConfig(precision=precision, device="cpu")) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 0},
        {"patience": 0},
        {"batch_size": 1},
        {"devices": 0},
        {"num_nodes": 0},
        {"learning_rate": 0.0},
        {"jitter": -0.1},
        {"shift": -1},
        {"label_smoothing": 1.0},
        {"device": "gpu"},
        {"optimizer": "adam"},
        {"schedule": "step"},
        {"loss": "focal"},
        {"precision": "half"},
    ],
)
def test_absurd_settings_are_refused(changes):
    with pytest.raises(UsageError, match=f"trainer.{next(iter(changes))}"):
        TrainerConfig(**changes)
