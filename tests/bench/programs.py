"""The command lines that are measured: our `pick`, RELION's pickers, Topaz's two steps."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from costs import ONE_THREAD
from inputs import Inputs

from deepcryopicker import __version__

ROOT = Path(__file__).resolve().parents[2]
LOG_RANGE = 0.63, 0.84
"""Diameters for RELION's Laplacian of Gaussian, in particle diameters: best on beta-galactosidase,
where it is 120 to 160 Angstrom (its own diameter gives F1 0.66 there rather than 0.77)."""
TOPAZ_SCALE = 4
TOPAZ_MODEL = "resnet8_u32"


@dataclass(frozen=True)
class Program:
    """Something that picks, or a step of it.

    Attributes
    ----------
    name : str
    executable : str or None
        Path of what is run; None where it is not installed.
    missing : str
        What to say where it is not installed.
    arguments : callable
        From micrographs, all in one folder, and the name of a new folder for results.
    environment : dict
    """

    name: str
    executable: str | None
    missing: str
    arguments: Callable[[list[Path], str], list[str]]
    environment: dict[str, str]

    def command(self, micrographs: list[Path], results: str) -> list[str]:
        """Return the whole command line."""
        assert self.executable is not None
        return [self.executable, *self.arguments(micrographs, results)]

    def version(self) -> str:
        """Ask the program, ours excepted."""
        if self.executable is None:
            return ""
        if self.executable == sys.executable:
            return __version__
        said = subprocess.run([self.executable, "--version"], capture_output=True, text=True)
        found = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
        return found.group() if found else "?"


def picking(
    micrographs: Path, diameter: float, results: Path | str, weights: Path | str = "general"
) -> list[str]:
    """Return the arguments for Python of ``pick``; without overlays, since rivals draw none."""
    return [
        *("-m", "deepcryopicker.pick", f"picker.weights={weights}", "dataset=folder"),
        *(f"dataset.micrographs={micrographs}", f"dataset.diameter={diameter}", "overlays=0"),
        f"hydra.run.dir={results}",
    ]


def label_free(micrographs: Path, diameter: float, results: Path) -> list[str]:
    """Return the arguments for Python of training without labels."""
    return [
        *("-m", "deepcryopicker.train", "+experiment=no_labels", "overlays=0", "logger=csv"),
        *(f"dataset.micrographs={micrographs}", f"dataset.diameter={diameter}"),
        f"hydra.run.dir={results}",
    ]


def ours(weights: Path | str, diameter: float) -> list[Program]:
    """Pick with one thread, then as a user does, with all cores."""

    def arguments(micrographs: list[Path], results: str) -> list[str]:
        typed = picking(micrographs[0].parent, diameter, results, weights)
        return [*typed, "picker.device=cpu"]

    return [
        Program("deepcryopicker pick", sys.executable, "", arguments, ONE_THREAD),
        Program(
            f"deepcryopicker pick, {len(os.sched_getaffinity(0))} cores",
            sys.executable,
            "",
            arguments,
            {},
        ),
    ]


def relion(inputs: Inputs, reference: Path) -> list[Program]:
    """Pick by the Laplacian of Gaussian, and with one reference that is not rotated."""
    executable = shutil.which("relion_autopick")
    angstrom = inputs.diameter * inputs.pixel_size

    def picker(*options: str) -> Callable[[list[Path], str], list[str]]:
        return lambda micrographs, results: [
            *("--i", f"{micrographs[0].parent}/*.mrc", "--odir", f"{results}/"),
            *("--angpix", str(inputs.pixel_size), *options),
        ]

    least, greatest = (f"{share * angstrom:.0f}" for share in LOG_RANGE)
    blobs = picker("--LoG", "--LoG_diam_min", least, "--LoG_diam_max", greatest)
    template = picker(
        *("--ref", str(reference), "--angpix_ref", str(inputs.pixel_size), "--ang", "360"),
        *("--shrink", "0", "--lowpass", "20", "--particle_diameter", f"{angstrom:.0f}"),
    )
    missing = "RELION is not installed: `make relion` does it on Debian, as root"
    return [
        Program("RELION LoG", executable, missing, blobs, ONE_THREAD),
        Program("RELION template", executable, missing, template, ONE_THREAD),
    ]


def topaz(inputs: Inputs) -> list[Program]:
    """Scale and normalise, then pick with the pretrained network; the second needs the first."""
    own = ROOT / ".venv-topaz" / "bin" / "topaz"
    executable = str(own) if own.is_file() else shutil.which("topaz")
    cpu = "--device", "-1", "--num-threads", "1"

    def normalised(micrographs: list[Path]) -> str:
        return f"topaz-{len(micrographs)}"

    def preprocess(micrographs: list[Path], _: str) -> list[str]:
        options = "--scale", str(TOPAZ_SCALE), "--destdir", normalised(micrographs)
        return ["preprocess", *options, *cpu, *map(str, micrographs)]

    def extract(micrographs: list[Path], results: str) -> list[str]:
        radius = round(inputs.diameter / 2 / TOPAZ_SCALE)
        return [
            *("extract", "--model", TOPAZ_MODEL, "--radius", str(radius), *cpu),
            *("--up-scale", str(TOPAZ_SCALE), "--output", f"{results}.txt"),
            *(f"{normalised(micrographs)}/{path.name}" for path in micrographs),
        ]

    missing = "Topaz is not installed: `make topaz` does it"
    return [
        Program("Topaz preprocess", executable, missing, preprocess, ONE_THREAD),
        Program(f"Topaz extract {TOPAZ_MODEL}", executable, missing, extract, ONE_THREAD),
    ]
