"""Train a rival on the true particles of a dataset, and pick with it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.detection.bounds import clear_of_margins
from deepcryopicker.evaluation.label_calibration import CALIBRATE_ON, MatchedPicks, calibration_of
from deepcryopicker.evaluation.matching import match
from deepcryopicker.frames import picks_to_original, to_working
from deepcryopicker.io.console import console, counted, track
from deepcryopicker.model.trained_diameter import common_angstrom
from deepcryopicker.picker.calibration import calibrated
from deepcryopicker.picker.scanning.prepare import choose_device
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.factory import fit
from deepcryopicker.rivals.learned.rival import Found, Rival
from deepcryopicker.rivals.learned.rival_weights import Learned, name_of, save
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.rivals.training.examples import Example, split_examples
from deepcryopicker.runs.folder import Run
from deepcryopicker.runs.made_with import provenance
from deepcryopicker.types import Calibration, Micrograph, Picks


@dataclass(frozen=True)
class TrainingMicrograph:
    """A micrograph for the training of a rival.

    Attributes
    ----------
    name : str
    example : Example
    diameter : float
        Particle diameter, original pixels.
    pixel_size : float or None
        Angstrom per original pixel, None if unknown.
    """

    name: str
    example: Example
    diameter: float
    pixel_size: float | None


def learn(
    config: LearnedConfig,
    catalogue: Catalogue,
    preprocessing: PreprocessingConfig,
    seed: int,
    run: Run,
) -> Learned:
    """Train a rival on every micrograph of a catalogue that has truth, and save it in the run.

    Parameters
    ----------
    config : LearnedConfig
    catalogue : Catalogue
        Micrographs to train on; their images are kept in memory at working scale.
    preprocessing : PreprocessingConfig
    seed : int
        The same seed gives the same weights on the same CPU.
    run : Run

    Returns
    -------
    Learned
        With scores calibrated on the micrographs kept for validation: 0.5 is close to the
        threshold of the best F1 there.
    """
    read: list[TrainingMicrograph] = []
    labelled = [one for one in catalogue.entries if one.truth is not None]
    for entry in track(labelled, "reading training data from"):
        work = partial(read_training_micrograph, entry, preprocessing)
        micrograph = run.attempt("read", entry.name, entry.path, work)
        if micrograph is not None:
            read.append(micrograph)
    run.require(len(read), "training")
    examples = [one.example for one in read]
    particles = sum(int(one.holds(one.x, one.y).sum()) for one in examples)
    name = name_of(config)
    size = f"{counted(particles, 'particle')} in {counted(len(read), 'micrograph')}"
    console.print(f"{name}: training on {size}")
    rival = fit(config, examples, seed, partial(track, unit="step"))
    learned = Learned(
        rival,
        config,
        asdict(preprocessing),
        float(np.median([one.diameter for one in read])),
        particles,
        {
            **provenance(),
            "dataset": catalogue.name,
            "seed": seed,
            "micrographs": [one.name for one in read],
        },
        _calibrate(rival, config, split_examples(examples, seed)[1]),
        common_angstrom([one.diameter for one in read], [one.pixel_size for one in read]),
    )
    save(run.folder, learned)
    return learned


def read_training_micrograph(
    entry: Entry, preprocessing: PreprocessingConfig
) -> TrainingMicrograph:
    """Read a micrograph and its truth, and convert both to working scale."""
    micrograph = entry.load()
    preprocessed = Preprocessed(micrograph, entry.particle_diameter(micrograph), preprocessing)
    truth, uncertain = entry.load_truth() or (Picks.empty(), Picks.empty())
    seen = preprocessed.standard
    example = Example(
        seen.image,
        to_working(truth.x, seen.scale),
        to_working(truth.y, seen.scale),
        to_working(uncertain.positions, seen.scale),
        preprocessed.working_diameter,
    )
    return TrainingMicrograph(entry.name, example, preprocessed.diameter, micrograph.pixel_size)


def finder(learned: Learned, config: LearnedConfig) -> Callable[[Entry, Preprocessed], Picks]:
    """Return a function from a preprocessed micrograph to picks.

    Parameters
    ----------
    learned : Learned
    config : LearnedConfig
        Settings of picking: threshold, distance, floor, device.

    Raises
    ------
    UsageError
        If the device is missing.
    """
    rival = learned.rival.to(choose_device(config.device))

    def pick(entry: Entry, preprocessed: Preprocessed) -> Picks:
        seen, diameter = preprocessed.standard, preprocessed.working_diameter
        found = rival.find(config, seen.image, diameter)
        return as_picks(found, seen, diameter, learned.calibration)

    return pick


def as_picks(found: Found, seen: Micrograph, diameter: float, calibration: Calibration) -> Picks:
    """Turn candidates at working scale into picks, without those cut by an invalid border.

    Parameters
    ----------
    found : (N,) x, (N,) y, (N,) score
    seen : Micrograph
        Micrograph in which they were found.
    diameter : float
        Working pixels.
    calibration : Calibration
        Applied to the scores.

    Returns
    -------
    Picks
        Original pixels.
    """
    x, y, score = found
    probability = calibrated(score.astype(np.float32), calibration)
    picks = Picks.create(x, y, probability, diameter=diameter)
    whole = clear_of_margins(x, y, seen.image.shape, seen.margins, diameter / 2.0)
    return picks_to_original(picks[whole], seen.scale)


def _calibrate(rival: Rival, config: LearnedConfig, examples: Sequence[Example]) -> Calibration:
    """Calibrate the scores, on positions where training was allowed."""
    matched = []
    for example in track(examples[:CALIBRATE_ON], "calibrating scores on"):
        x, y, score = rival.find(config, example.image, example.diameter)
        here = example.holds(x, y)
        known = example.holds(example.x, example.y)
        picks = Picks.create(x[here], y[here], score[here])
        truth = Picks.create(example.x[known], example.y[known])
        uncertain = Picks.create(*example.avoid.reshape(-1, 2).T)
        outcome = match(picks, truth, uncertain, example.diameter / 2.0)
        matched.append(MatchedPicks(picks.score, outcome, len(truth)))
    return calibration_of(matched, given=True)
