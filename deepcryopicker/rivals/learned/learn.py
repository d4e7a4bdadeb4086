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
from deepcryopicker.io.console import console, track
from deepcryopicker.picker.calibration import calibrated
from deepcryopicker.picker.prepare import choose_device
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.rivals.learned.factory import fit
from deepcryopicker.rivals.learned.rival import Found, Rival
from deepcryopicker.rivals.learned.rival_weights import Learned, name_of, save
from deepcryopicker.rivals.learned.schema import LearnedConfig
from deepcryopicker.rivals.training.examples import Example, split_examples
from deepcryopicker.runs.folder import Run, provenance
from deepcryopicker.types import Calibration, Micrograph, Picks


@dataclass(frozen=True)
class Lesson:
    """One micrograph that was read to learn from.

    Attributes
    ----------
    name : str
    example : Example
    diameter : float
        Of its particles, original pixels.
    """

    name: str
    example: Example
    diameter: float


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
        Of the micrographs to train on; their images are kept at working scale.
    preprocessing : PreprocessingConfig
    seed : int
        The same gives the same weights on the same CPU.
    run : Run

    Returns
    -------
    Learned
        Its scores calibrated on the micrographs kept for validation: 0.5 is near the threshold of
        the best F1 there.
    """
    lessons: list[Lesson] = []
    for entry in track([one for one in catalogue.entries if one.truth is not None], "reading"):
        work = partial(read_lesson, entry, preprocessing)
        lesson = run.attempt("read", entry.name, entry.path, work)
        if lesson is not None:
            lessons.append(lesson)
    run.require(len(lessons), "training")
    examples = [one.example for one in lessons]
    particles = sum(int(one.holds(one.x, one.y).sum()) for one in examples)
    name = name_of(config)
    console.print(f"{name}: training on {particles} particles of {len(lessons)} micrographs")
    rival = fit(config, examples, seed, track)
    learned = Learned(
        rival,
        config,
        asdict(preprocessing),
        float(np.median([one.diameter for one in lessons])),
        particles,
        {
            **provenance(),
            "dataset": catalogue.name,
            "seed": seed,
            "micrographs": [one.name for one in lessons],
        },
        _calibrate(rival, config, split_examples(examples, seed)[1]),
    )
    save(run.folder, learned)
    return learned


def read_lesson(entry: Entry, preprocessing: PreprocessingConfig) -> Lesson:
    """Read a micrograph and its truth, at working scale."""
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
    return Lesson(entry.name, example, preprocessed.diameter)


def finder(learned: Learned, config: LearnedConfig) -> Callable[[Entry, Preprocessed], Picks]:
    """Return a function from a preprocessed micrograph to picks.

    Parameters
    ----------
    learned : Learned
    config : LearnedConfig
        How to pick: threshold, distance, floor, device.

    Raises
    ------
    UsageError
        If there is no such device.
    """
    rival = learned.rival.to(choose_device(config.device))

    def pick(entry: Entry, preprocessed: Preprocessed) -> Picks:
        seen, diameter = preprocessed.standard, preprocessed.working_diameter
        found = rival.find(config, seen.image, diameter)
        return as_picks(found, seen, diameter, learned.calibration)

    return pick


def as_picks(found: Found, seen: Micrograph, diameter: float, calibration: Calibration) -> Picks:
    """Turn what was found at working scale into picks; none is cut by an invalid border.

    Parameters
    ----------
    found : (N,) x, (N,) y, (N,) score
    seen : Micrograph
        In which they were found.
    diameter : float
        Working pixels.
    calibration : Calibration
        Of the scores.

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
    """Fit what makes probabilities of the scores, where training was allowed."""
    matched = []
    for example in track(examples[:CALIBRATE_ON], "calibrating"):
        x, y, score = rival.find(config, example.image, example.diameter)
        here = example.holds(x, y)
        known = example.holds(example.x, example.y)
        picks = Picks.create(x[here], y[here], score[here])
        truth = Picks.create(example.x[known], example.y[known])
        uncertain = Picks.create(*example.avoid.reshape(-1, 2).T)
        outcome = match(picks, truth, uncertain, example.diameter / 2.0)
        matched.append(MatchedPicks(picks.score, outcome, len(truth)))
    return calibration_of(matched, given=True)
