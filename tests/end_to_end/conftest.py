"""Commands run inside this process, and the runs that several tests look at."""

import contextlib
import io
import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.app import hydra_app
from deepcryopicker.classes import classes
from deepcryopicker.evaluate import evaluate
from deepcryopicker.filter import filter as filter_command
from deepcryopicker.io.images.reader import read_micrograph
from deepcryopicker.label import label
from deepcryopicker.pick import pick
from deepcryopicker.report import report
from deepcryopicker.train import train

COMMANDS = {
    "train": train,
    "label": label,
    "pick": pick,
    "classes": classes,
    "filter": filter_command,
    "evaluate": evaluate,
    "report": report,
}
TRACKED = ("label", "evaluate")
SMALL = (
    "dataset.kinds=[apoferritin]",
    "dataset.micrographs_per_kind=3",
    "dataset.shape=[384,448]",
)
# 35 steps of training: with 14 the network finds little more than chance does on some processors.
SHORT = ("trainer.epochs=5", "trainer.epoch_windows=400", "class_set.samples_per_class=64")


def places_to_correct(picks, truth, diameter):
    """Where a person would click: false picks, missed particles, then right picks, (N, 2)."""
    away = np.hypot(*(truth.positions[:, None] - picks.positions[None]).T).T
    to_truth = away.min(axis=0, initial=np.inf)
    false, right = (
        picks.positions[each] for each in (to_truth > diameter / 2, to_truth <= diameter / 2)
    )
    missed = truth.positions[away.min(axis=1, initial=np.inf) > diameter]
    return np.concatenate([false, missed, right])


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def metrics(self):
        return json.loads((self.folder / "metrics.json").read_text())

    def picks(self):
        files = sorted((self.folder / "picks").rglob("*.csv"))
        return {path.name: path.read_bytes() for path in files}


@dataclass(frozen=True)
class Shell:
    """Runs commands in one working folder, which also holds the simulated micrographs.

    Tests of all files share it: give every run a name of its own.
    """

    folder: Path

    def __call__(self, name, *overrides, run="run", sweep=False):
        folder = self.folder / run
        where = f"hydra.{'sweep' if sweep else 'run'}.dir={folder}"
        # Tracking takes seconds; test_tracking.py looks at what it leaves.
        quiet = [] if name not in TRACKED or "logger=default" in overrides else ["logger=csv"]
        typed = [*(["-m"] if sweep else []), *overrides, *quiet, where]
        out, err = io.StringIO(), io.StringIO()
        argv, here, terminate = sys.argv, Path.cwd(), signal.getsignal(signal.SIGTERM)
        sys.argv = [name, *typed]
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = hydra_app.command(COMMANDS[name], name)
        finally:
            sys.argv = argv
            os.chdir(here)
            signal.signal(signal.SIGTERM, terminate)
        return Answer(code, out.getvalue(), err.getvalue(), folder)


@pytest.fixture(scope="session")
def shell(tmp_path_factory):
    return Shell(tmp_path_factory.mktemp("commands"))


@pytest.fixture(scope="session")
def trained(shell):
    """The main job on three small micrographs."""
    outputs = "outputs=[csv,relion,box,cbox,topaz]"
    return shell("train", *SMALL, *SHORT, outputs, run="trained")


@pytest.fixture(scope="session")
def simulated(trained, shell, tmp_path_factory):
    """Folder with the ``micrographs`` and ``coordinates`` that `trained` has seen.

    A copy: other tests simulate more micrographs into the folders of the shell.
    """
    folder = tmp_path_factory.mktemp("simulated")
    stems = [f"apoferritin_{index:03d}" for index in range(3)]
    (source,) = (
        path.parent.parent
        for path in shell.folder.glob(f"outputs/simulated/*/micrographs/{stems[0]}.mrc")
        if read_micrograph(path).image.shape == (384, 448)
    )
    for part, suffix in (("micrographs", "mrc"), ("coordinates", "csv")):
        (folder / part).mkdir()
        for stem in stems:
            shutil.copy(source / part / f"{stem}.{suffix}", folder / part)
    return folder


@pytest.fixture(scope="session")
def with_coordinates(simulated):
    """Overrides for the simulated micrographs as anybody's folder, with their particles."""
    return [
        "dataset=folder",
        f"dataset.micrographs={simulated / 'micrographs'}",
        f"dataset.coordinates={simulated / 'coordinates'}",
        "dataset.diameter=75",
    ]


@pytest.fixture(scope="session")
def partly_damaged(simulated, tmp_path_factory):
    """The simulated micrographs, and one that was cut short."""
    folder = tmp_path_factory.mktemp("partly")
    for path in sorted((simulated / "micrographs").iterdir()):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "cut.mrc").write_bytes(path.read_bytes()[:50_000])
    return folder
