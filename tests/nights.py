"""A night in small: micrographs, a network that was never trained, and `pick` as a process."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import mrcfile
import numpy as np
import torch
from hydra import compose, initialize_config_dir

from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.model.build import build_network
from deepcryopicker.model.weights import Trained, save_weights
from deepcryopicker.types import Picks

PIXEL_SIZE, DIAMETER = 2.0, 24.0
DEADLINE = 900.0  # seconds, on a machine that does other things too
DONE_IN_DOUBT = 3
"""Exit code of `pick` with networks that were trained briefly or never."""
# Of a run, and different every time: when it was, and how long it took.
NOT_COMPARED = {"status.json", "timings.json", "errors.log", "pick.log", "hydra.yaml", ".lock"}


def write_micrograph(path, seed, side=256):
    """Write noise with some dark blobs, and return their centres."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    centres = rng.uniform(20, side - 20, (8, 2))
    image = rng.normal(10, 1, (side, side))
    for x, y in centres:
        image -= 2 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 6.0**2))
    mrcfile.write(path, image.astype(np.float32), voxel_size=PIXEL_SIZE, overwrite=True)
    return Picks.create(*centres.T, diameter=DIAMETER)


def write_weights(folder):
    """Write a network with random weights and everything that `pick` takes from a training."""
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        settings = registry.validated(compose("train"))
    torch.manual_seed(0)
    classes = tuple(settings.class_set.classes)
    network = build_network(settings.model, len(classes)).eval()
    chain = asdict(settings.preprocessing)
    save_weights(folder, Trained(network, settings.model, classes, chain, DIAMETER, {}))
    return folder


@dataclass(frozen=True)
class Night:
    """Micrographs with their truth, and weights, all below one folder."""

    folder: Path

    @classmethod
    def make(cls, folder, count, side=256):
        (folder / "micrographs").mkdir(parents=True)
        for index in range(count):
            truth = write_micrograph(folder / "micrographs" / f"m{index:02d}.mrc", index, side)
            write_csv(folder / "truth" / f"m{index:02d}.csv", truth)
        write_weights(folder / "weights")
        return cls(folder)

    @property
    def micrographs(self):
        return self.folder / "micrographs"

    @property
    def without_truth(self):
        """Overrides of `pick`."""
        return [
            f"picker.weights={self.folder / 'weights'}",
            "dataset=folder",
            f"dataset.micrographs={self.micrographs}",
        ]

    @property
    def overrides(self):
        return [*self.without_truth, f"dataset.coordinates={self.folder / 'truth'}", "overlays=2"]


def start(folder, *overrides, before=(), **options):
    """Start `pick` in a folder, whose ``run`` is the run folder."""
    folder.mkdir(exist_ok=True)
    command = [*before, sys.executable, "-m", "deepcryopicker.pick", *overrides]
    if not any(each.startswith("hydra.run.dir=") for each in overrides):
        command.append("hydra.run.dir=run")
    return subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_interrupts,
        **{"env": os.environ | {"OMP_NUM_THREADS": "1"}, **options},
    )


def _hear_interrupts():
    """Undo what a shell does to jobs in the background: they are deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process):
    """Wait for the end: exit code, output, errors."""
    out, err = process.communicate(timeout=DEADLINE)
    return process.returncode, out, err


def wait_for(happened, process=None):
    """Wait until something has happened; fail at the deadline or if the process ends before."""
    deadline = time.monotonic() + DEADLINE
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        if process is not None and process.poll() is not None and not happened():
            raise AssertionError(process.communicate())
        time.sleep(0.002)


def files_of(run):
    """Return every file of a run that is to be the same each time, by its path."""
    return {
        path.relative_to(run).as_posix(): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in NOT_COMPARED
    }


def picked(run):
    """Names of the micrographs whose candidates are written."""
    return sorted(path.stem for path in (run / "picks").glob("*.csv"))
