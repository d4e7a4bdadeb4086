"""Run folders made by hand: small, and with whatever a test wants to be wrong with them."""

import contextlib
import io
import json
import signal
import sys
from pathlib import Path

import mrcfile
import numpy as np
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from deepcryopicker.app import hydra_app
from deepcryopicker.config import registry
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.evaluation.scores import evaluate_micrograph, summarise
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.files.tables import write_rows
from deepcryopicker.runs.saved_config import as_primary
from deepcryopicker.runs.status import Outcome
from deepcryopicker.types import Picks

HEIGHT, WIDTH, DIAMETER = 120, 150, 16.0
HOSTILE = "<script>alert(1)<" + "%2Fscript>"  # a slash would be a folder


def particles(seed, count=20):
    """True particles of one micrograph, of two shapes."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(10, WIDTH - 10, count), rng.uniform(10, HEIGHT - 10, count)
    label = np.where(np.arange(count) % 3, "top", "side")
    return Picks.create(x, y, label=label, diameter=DIAMETER)


def candidates(truth, seed, skill=1.0):
    """Picks that find most of the truth, and others; the better ones score higher."""
    rng = np.random.default_rng(seed + 1000)
    near = truth[rng.random(len(truth)) < 0.85]
    wrong = particles(seed + 2000, 15)
    score = np.concatenate(
        [rng.beta(2 + 4 * skill, 2, len(near)), rng.beta(2, 2 + 4 * skill, len(wrong))]
    )
    joined = near.joined(wrong)
    return Picks.create(
        joined.x + rng.normal(0, 1.5, len(joined)),
        joined.y + rng.normal(0, 1.5, len(joined)),
        np.round(score, 6),
        joined.label,
        DIAMETER,
    )


def make_dataset(folder, names, with_truth=True, shape=(HEIGHT, WIDTH)):
    """Write micrographs of noise and, beside them, their truth."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(names):
        path = folder / "micrographs" / f"{name}.mrc"
        path.parent.mkdir(parents=True, exist_ok=True)
        with mrcfile.new(path, overwrite=True) as file:
            file.set_data(rng.normal(0, 1, shape).astype(np.float32))
        if with_truth:
            write_csv(folder / "coordinates" / f"{name}.csv", particles(number))
    return folder


def settings_of(command, *overrides):
    """The resolved configuration of a command, and the text of its ``config.yaml``."""
    registry.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        composed = compose(command, list(overrides))
    OmegaConf.resolve(composed)
    return composed, as_primary(composed)


def make_pick_run(folder, data, names, skill=1.0, extra=(), outcome=None, metrics=None):
    """Write what ``pick`` leaves in its folder; scores are there where the dataset has truth."""
    truth = data / "coordinates"
    overrides = [
        "picker=log",
        "dataset=folder",
        f"dataset.micrographs={data / 'micrographs'}",
        "dataset.name=invented",
        f"dataset.diameter={DIAMETER}",
        *([f"dataset.coordinates={truth}"] if truth.is_dir() else []),
        *extra,
    ]
    _, text = settings_of("pick", *overrides)
    evaluated = []
    for number, name in enumerate(names):
        path = folder / "picks" / f"{name}.csv"
        write_csv(path, candidates(particles(number), number, skill))
        if truth.is_dir():
            pair = read_picks(path), read_picks(truth / f"{name}.csv")
            evaluated.append(evaluate_micrograph(name, *pair, Picks.empty(), DIAMETER / 2))
    rows = [{"micrograph": name, "diameter": f"{DIAMETER:.2f}"} for name in names]
    write_rows(folder / "summary.csv", rows, ("micrograph", "diameter", "pixel_size"))
    scores = summarise(evaluated, 0.5, DIAMETER / 2) if evaluated else {"picks": 1}
    scores |= {"provenance": {"version": "0", "commit": "abc", "versions": {"numpy": "2"}}}
    write_run(folder, text, overrides, {**scores, **(metrics or {})}, outcome)
    return folder


def write_run(folder, text, overrides, metrics, outcome=None):
    """Write the files in which a run describes itself."""
    (folder / ".hydra").mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(text)
    (folder / ".hydra" / "overrides.yaml").write_text(OmegaConf.to_yaml(list(overrides)))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "timings.json").write_text('{"picking": 2.0}')
    (outcome or Outcome(0, 3.5)).write(folder / "status.json")


def names_of(count):
    return [f"one_{number:04d}" for number in range(count)]


def evaluated_in(folder, data):
    """What the picks of a run found, by micrograph, matched here and now."""
    found = {}
    for path in sorted((folder / "picks").rglob("*.csv")):
        truth = read_picks(data / "coordinates" / path.name)
        picks = read_picks(path)
        found[path.stem] = evaluate_micrograph(path.stem, picks, truth, Picks.empty(), DIAMETER / 2)
    return found


def as_list(paths):
    return f"report.runs=[{','.join(str(Path(path)) for path in paths)}]"


def typed(function, name, *words):
    """Run a command in this process; its exit code and what it wrote to stderr."""
    argv, terminate, said = sys.argv, signal.getsignal(signal.SIGTERM), io.StringIO()
    sys.argv = [name, *words]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            return hydra_app.command(function, name), said.getvalue()
    finally:
        sys.argv = argv
        signal.signal(signal.SIGTERM, terminate)
