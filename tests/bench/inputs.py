"""Large micrographs on disk for whole programs, and what they need beside them.

The pictures are made by scripts in processes of their own, so that this one stays small (see
``costs.run``).
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from costs import run

SCRIPTS = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Inputs:
    """What every program gets.

    Attributes
    ----------
    files : list of Path
        Distinct MRC files.
    source : str
        In words.
    diameter : float
        Particle diameter, pixels.
    pixel_size : float
        Angstrom.
    """

    files: list[Path]
    source: str
    diameter: float
    pixel_size: float


def make_inputs(folder: Path, most: int, side: int | None = None) -> Inputs:
    """Write up to `most` distinct micrographs into `folder` as MRC, simulated if of a `side`."""
    command = [sys.executable, str(SCRIPTS / "micrographs.py"), str(folder), str(most)]
    command += [str(side)] if side else []
    facts = json.loads(subprocess.check_output(command))
    return Inputs(sorted(folder.glob("*.mrc")), **facts)


def link_copies(files: list[Path], folder: Path, count: int) -> list[Path]:
    """Give `count` different names to `files`, which take turns.

    By hard links: of symbolic ones that lead to one file, `pick` takes one.
    """
    folder.mkdir()
    links = [folder / f"micrograph_{index:03d}.mrc" for index in range(count)]
    for index, link in enumerate(links):
        link.hardlink_to(files[index % len(files)])
    return links


def train_weights(inputs: Inputs, folder: Path) -> Path:
    """Train a network in a minute: how good it is does not change what it costs."""
    weights = folder / "weights"
    command = [
        *(sys.executable, "-m", "deepcryopicker.train", "+experiment=no_labels"),
        f"dataset.micrographs={link_copies(inputs.files[:3], folder / 'training', 3)[0].parent}",
        f"dataset.diameter={inputs.diameter}",
        *("trainer=quick", "class_set.samples_per_class=300", "until=weights"),
        f"hydra.run.dir={weights}",
    ]
    run(command, folder, folder / "training.log")
    return weights


def make_reference(inputs: Inputs, picks: Path, path: Path) -> None:
    """Write the rotational average of the best of `picks` on the first micrograph as MRC."""
    script = str(SCRIPTS / "reference.py")
    options = [str(inputs.files[0]), str(picks), str(inputs.diameter), str(path)]
    subprocess.run([sys.executable, script, *options], check=True)
