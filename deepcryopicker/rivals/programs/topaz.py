"""Topaz, called as a program: its pretrained networks, or one trained on true particles."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.special import expit

from deepcryopicker.errors import NothingUsableError, UsageError
from deepcryopicker.frames import to_original, to_working
from deepcryopicker.io.coordinates.topaz_table import read_topaz_by_micrograph, write_topaz
from deepcryopicker.io.files.atomic import write_text
from deepcryopicker.rivals.programs.process import Program, find_program, run_program
from deepcryopicker.rivals.programs.program_inputs import Input, ProgramJob
from deepcryopicker.rivals.programs.schema import TopazConfig, TopazTrainedConfig
from deepcryopicker.types import Picks

HINT = "`make topaz` installs it, in an environment of its own"
_OWN = Path(__file__).resolve().parents[3] / ".venv-topaz" / "bin"
_CPU = ("--device", "-1")
SMALLER = "smaller"
"""Folder of the micrographs that Topaz has binned and normalised."""
IMAGES, TARGETS = "training-images.txt", "training.txt"
"""Tables of the micrographs to train on, and of the particles in them."""
_PICKS = "picks.txt"
_PROGRESS = {
    "preprocess": ("Topaz: binning", "micrograph"),
    "train": ("Topaz: training in", "step"),
    "extract": ("Topaz: picking in", "step"),
}
THRESHOLD = -6.0
"""Log-likelihood ratio above which Topaz returns picks by default (``topaz extract -t``)."""
LOWEST = -12.0
"""Threshold passed to Topaz, so that it returns candidates below the default."""
_RADIUS = 3  # pixels around a centre that count as positive: Topaz's default


def pick_by_topaz(config: TopazConfig, batch: ProgramJob) -> dict[str, Picks]:
    """Pick a batch with a network of Topaz, which is trained first if so configured.

    Topaz's log-likelihood ratios are shifted so that one half is Topaz's own default threshold.

    Returns
    -------
    dict
        From the name of a micrograph to its picks, original pixels.
    """
    scale = scale_of(config, batch.diameter)
    network = config.network
    if isinstance(config, TopazTrainedConfig):
        network = _train(config, batch, scale)
    _shrink(batch, batch.inputs, scale)
    options = [
        *("--model", network, "--radius", str(max(1, round(batch.diameter / 2 / scale)))),
        *("--threshold", f"{LOWEST:g}", "--output", _PICKS),
        *(*_CPU, *(_small(one) for one in batch.inputs)),
    ]
    _run("extract", options, batch.folder, 1, lambda: 0)
    if not (batch.folder / _PICKS).is_file():
        raise NothingUsableError(f"Topaz did not write any picks: see {batch.folder}")
    found = read_topaz_by_micrograph(batch.folder / _PICKS)
    return {
        one.name: _enlarged(found.get(one.stem, Picks.empty()), scale, batch.diameter)
        for one in batch.inputs
    }


def scale_of(config: TopazConfig, diameter: float) -> int:
    """Return the factor, an integer of at least 1, by which Topaz bins micrographs."""
    return max(1, round(diameter / config.working_diameter))


def training_options(config: TopazTrainedConfig, examples: Sequence[Input]) -> list[str]:
    """Return the options of ``topaz train``, which starts from pretrained weights."""
    counts = [len(one.picks or ()) for one in examples]
    name, _, units = config.network.partition("_u")
    return [
        *("--train-images", IMAGES, "--train-targets", TARGETS),
        *("--num-particles", str(max(1, round(float(np.mean(counts)))))),
        *("--model", name, *(["--units", units] if units else []), "--radius", str(_RADIUS)),
        *("--minibatch-size", str(config.batch), "--epoch-size", str(config.updates)),
        *("--num-epochs", "1", "--save-prefix", "trained", "--output", "training.tsv"),
    ]


def program() -> Program:
    """Find Topaz: in its own environment beside the project, else on the PATH."""
    # Otherwise each of its workers would start as many threads as there are cores.
    return find_program("Topaz", "topaz", HINT, [_OWN], OMP_NUM_THREADS=str(_cores()))


def _train(config: TopazTrainedConfig, batch: ProgramJob, scale: int) -> str:
    """Train on the examples of a batch; return the path of the weights."""
    examples = [one for one in batch.examples if one.picks is not None and len(one.picks)]
    if not examples:
        raise UsageError(
            "picker=topaz_trained needs true particles for training: set dataset.coordinates, "
            "or use picker=topaz_pretrained"
        )
    _shrink(batch, examples, scale)
    write_training(batch.folder, {_small(one): one for one in examples}, scale)
    options = [*training_options(config, examples), *_CPU, "--num-threads", str(_cores())]
    _run("train", options, batch.folder, 1, lambda: 0)
    return "trained_epoch1.sav"


def write_training(folder: Path, examples: Mapping[str, Input], scale: int) -> None:
    """Write the tables of what ``topaz train`` learns from.

    Parameters
    ----------
    folder : Path
        Where it runs.
    examples : mapping
        From the path of each binned micrograph, below `folder`, to its particles.
    scale : int
        By which it was binned.
    """
    listing = [f"{one.stem}\t{path}" for path, one in examples.items()]
    write_text(folder / IMAGES, "\n".join(["image_name\tpath", *listing, ""]))
    targets = [(one.stem, _shrunk(one.picks or Picks.empty(), scale)) for one in examples.values()]
    write_topaz(folder / TARGETS, targets)


def _shrink(batch: ProgramJob, inputs: Sequence[Input], scale: int) -> None:
    folder = batch.folder / SMALLER
    options = ["--scale", str(scale), "--destdir", SMALLER, *_CPU, *(one.file for one in inputs)]
    wanted = [batch.folder / _small(one) for one in inputs]
    folder.mkdir(exist_ok=True)
    _run("preprocess", options, batch.folder, len(inputs), lambda: sum(map(Path.exists, wanted)))


def _run(step: str, options: list[str], folder: Path, total: int, count: Callable[[], int]) -> None:
    progress = _PROGRESS[step]
    run_program(program(), [step, *options], folder, f"topaz_{step}.log", progress, total, count)


def _small(one: Input) -> str:
    return f"{SMALLER}/{one.stem}.mrc"


def _shrunk(picks: Picks, scale: int) -> Picks:
    """Convert picks to pixels of the binned micrograph; Topaz requires integers."""
    x, y = (np.rint(to_working(position, 1.0 / scale)) for position in (picks.x, picks.y))
    return Picks.create(x, y)


def _enlarged(picks: Picks, scale: int, diameter: float) -> Picks:
    x, y = (to_original(position, 1.0 / scale) for position in (picks.x, picks.y))
    return Picks.create(x, y, expit(picks.score - THRESHOLD), diameter=diameter)


def _cores() -> int:
    return len(os.sched_getaffinity(0))
