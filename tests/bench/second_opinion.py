"""Fit the second opinion to simulated micrographs, and print its coefficients.

python tests/bench/second_opinion.py [FOLDERS]

Each folder is one simulated micrograph of random particles, of all kinds in turn; none shows a
known structure, and no real micrograph has a part. The general weights pick them as `pick` does.
The tables are those of ``deepcryopicker/picker/folder/opinion_model.py``. Before them, eight-fold
cross-validation over folders: F1 at 0.5, best F1 and average precision with scores as they are
and corrected, and how many folders with and without particles are taken for the other.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from scipy.optimize import minimize
from scipy.special import expit, log_expit

sys.path.insert(0, str(Path(__file__).parents[2]))

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.dataset.simulator.micrographs.micrograph_kinds import KINDS_OF_MICROGRAPHS
from deepcryopicker.dataset.simulator.micrographs.plans import Variety, plan
from deepcryopicker.dataset.simulator.variety import simulate_any
from deepcryopicker.evaluation.metrics import average_precision, best_f1, scores_at
from deepcryopicker.evaluation.scores import evaluate_micrograph
from deepcryopicker.io.console import track
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import GENERAL, load_weights
from deepcryopicker.picker.folder.candidate_windows import cut_windows, most_windows, strongest
from deepcryopicker.picker.folder.curve import apply_curve, fit_curve
from deepcryopicker.picker.folder.opinion_model import (
    MEDIANS,
    UPPER_QUANTILES,
    LinearModel,
)
from deepcryopicker.picker.folder.score_counts import count_scores
from deepcryopicker.picker.folder.second_opinion import (
    ClassifiedCandidates,
    classify_likely,
    describe_folder,
    is_considered,
    revised_sureness,
)
from deepcryopicker.picker.folder.window_features import FEATURES
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.picker.search import build_search, search_beside_noise
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Floats, Mask, Micrograph, Picks

KINDS = (*KINDS_OF_MICROGRAPHS, "particles", "particles", "stain", "contaminated", "carbon")
SIDE, SEED, COUNT = 34, 21_000_000, 640  # diameters, first seed, folders
PARTS = 8
MOSTLY, AT_ALL = 0.5, 0.4
"""Precision of the picks of folders that the first model is fitted to, and that have particles."""
RIDGE, FOLDER_RIDGE = 3.0, 1.7
PICKS_OF_A_FOLDER = 30.0  # that each folder weighs as much as, on average
TABLE_FEATURES = (
    *(f"{name}, median" for name in MEDIANS),
    *(f"{name}, upper" for name in UPPER_QUANTILES),
    "gain",
    "sure",
)


@dataclass(frozen=True)
class Folder:
    """A picked folder: its likely candidates, which of them are particles, and its description."""

    kind: str
    classified: ClassifiedCandidates
    true: Mask
    particles: int
    described: Floats

    @property
    def unlike(self) -> Floats:
        """Features less the median of the picks."""
        return self.classified.features - np.median(self.classified.of_picks, axis=0)

    @property
    def precision(self) -> float:
        """Of the picks."""
        return float(self.true[self.classified.sureness > 0].mean())


def folders(count: int) -> Iterator[Folder]:
    """Simulate and pick folders."""
    trained = load_weights(GENERAL)
    chain = chain_on(trained.preprocessing, GENERAL)
    search = build_search(trained, DenseConfig())
    variety = Variety(KINDS)
    for seed in track(range(SEED, SEED + count), "simulating and picking"):
        simulated, planned = simulate_any(SIDE, seed, variety), plan(seed, variety)
        diameter = planned.conditions.diameter
        micrograph = Micrograph(str(seed), Path(), simulated.image.astype(np.float32))
        seen = Preprocessed(micrograph, diameter, chain)
        if seen.is_blank:
            continue
        entry = Entry(str(seed), micrograph.path, "", diameter)
        found, noise = search_beside_noise(search, entry, seen, DenseConfig().mask)
        true = Picks.create(simulated.x, simulated.y)
        matched = evaluate_micrograph(str(seed), found, true, Picks.empty(), diameter / 2)
        picks = matched.picks
        curve = fit_curve(count_scores(picks.score), count_scores(noise))
        index = strongest(picks, most_windows(seen))
        windows = cut_windows(seen, picks[index])
        chance = apply_curve(picks.score[index], curve)
        classified = classify_likely([windows], [chance])
        if classified is None:
            continue
        hit = matched.outcome[index][is_considered(chance)] == 1
        described = describe_folder(classified, curve.gain)
        yield Folder(planned.kind, classified, hit, len(true), described)


def fit_logistic(
    features: Floats,
    true: Mask,
    weight: Floats,
    offset: Floats,
    penalty: Floats,
    sign: Floats | None = None,
) -> Floats:
    """Fit coefficients by penalised maximum likelihood, (F,) float64; `sign` limits their signs."""

    def loss(coefficient: Floats) -> tuple[float, Floats]:
        value = offset + features @ coefficient
        missed = -weight * np.where(true, log_expit(value), log_expit(-value))
        slope = features.T @ (weight * (expit(value) - true))
        return (
            float(missed.sum() + penalty @ coefficient**2),
            slope + 2.0 * penalty * coefficient,
        )

    limits = {0: (None, None), 1: (0.0, None), -1: (None, 0.0)}
    bounds = None if sign is None else [limits[int(each)] for each in sign]
    return np.asarray(
        minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    )


def fit_candidates(known: Sequence[Folder]) -> LinearModel:
    """Fit the first model: which candidates of a folder with particles are particles."""
    chosen = [one for one in known if one.particles and one.precision > MOSTLY]
    unlike = np.concatenate([one.unlike for one in chosen])
    true = np.concatenate([one.true for one in chosen])
    offset = np.concatenate([one.classified.sureness for one in chosen])
    weight = np.concatenate([np.full(len(one.true), len(one.true) ** -0.5) for one in chosen])
    weight *= PICKS_OF_A_FOLDER * len(chosen) / weight.sum()
    low, high = np.percentile(unlike, (1, 99), axis=0)
    high[FEATURES.index("blob")] = 0.0  # more than usual is a particle or a contaminant
    spread = unlike.std(axis=0) + 1e-9
    scaled = np.clip(unlike, low, high) / spread
    penalty = np.full(len(FEATURES), RIDGE)
    return LinearModel(fit_logistic(scaled, true, weight, offset, penalty) / spread, low, high)


def fit_folders(known: Sequence[Folder]) -> LinearModel:
    """Fit the second model: which folders have particles. Both sorts weigh as much.

    Signs are given: sharper averages, surer scores and centred particles never speak against
    particles, on whatever micrographs.
    """
    described = np.stack([one.described for one in known])
    true = np.array([one.precision > AT_ALL for one in known])
    low, high = np.percentile(described, (3, 97), axis=0)
    limited = np.clip(described, low, high)
    centre, spread = limited.mean(axis=0), limited.std(axis=0) + 1e-9
    scaled = np.column_stack([(limited - centre) / spread, np.ones(len(limited))])
    weight = np.where(true, 0.5 / true.mean(), 0.5 / (1.0 - true.mean()))
    penalty = np.array([*np.full(len(centre), FOLDER_RIDGE), 0.0])
    sign = np.array([-1.0 if "off_centre" in name else 1.0 for name in TABLE_FEATURES] + [0.0])
    offset = np.zeros(len(true))
    *scaled_weight, bias = fit_logistic(scaled, true, weight, offset, penalty, sign)
    own = np.array(scaled_weight) / spread
    return LinearModel(own, low, high, float(bias - own @ centre))


def revised(one: Folder, model: LinearModel) -> Floats:
    """Return the corrected logits of the candidates of a folder."""
    typical = np.median(one.classified.of_picks, axis=0)
    return revised_sureness(one.classified.features, one.classified.sureness, typical, model)


def validate(known: Sequence[Folder], console: Console) -> None:
    """Print what models do on folders that had no part in them."""
    rows, chance = [], np.zeros(len(known))
    for part in range(PARTS):
        training = [one for n, one in enumerate(known) if n % PARTS != part]
        candidates, whole = fit_candidates(training), fit_folders(training)
        for n in range(part, len(known), PARTS):
            one = known[n]
            chance[n] = expit(whole.value(one.described))
            if one.particles == 0:
                continue
            row = []
            for sureness in (one.classified.sureness, revised(one, candidates)):
                scored = expit(sureness), one.true.astype(np.int8), one.particles
                f1 = scores_at(*scored, 0.5).f1
                row += [f1, best_f1(*scored)[0], average_precision(*scored)]
            rows.append(row)
    mean = np.mean([row for row in rows if row[1] >= 0.6], axis=0)
    console.print("F1, best F1, AP: as they are {:.3f} {:.3f} {:.3f}".format(*mean[:3]))
    console.print("corrected {:.3f} {:.3f} {:.3f}".format(*mean[3:]))
    true = np.array([one.precision > AT_ALL for one in known])
    for limit in (0.1, 0.25, 0.4, 0.5):
        lost, kept = (chance[true] < limit).mean(), (chance[~true] >= limit).mean()
        console.print(
            f"below {limit}: {lost:.3f} of those with particles; not {kept:.3f} of others"
        )


def show(name: str, features: Sequence[str], model: LinearModel, console: Console) -> None:
    """Print a table as Python."""
    console.print(f"{name} = LinearModel.of(\n    {{", markup=False)
    for feature, weight, low, high in zip(
        features, model.weight, model.low, model.high, strict=True
    ):
        console.print(f'        "{feature}": ({weight:.3f}, {low:.3f}, {high:.3f}),', markup=False)
    bias = f"    {model.bias:.3f},\n" if model.bias else ""
    console.print(f"    }},\n{bias})", markup=False)


def main() -> None:
    """Simulate, validate, fit and print."""
    torch.set_num_threads(1)
    console = Console(highlight=False, width=140)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    known = list(folders(count))
    console.print(f"{count} folders, {len(known)} with enough candidates")
    validate(known, console)
    show("CANDIDATES", FEATURES, fit_candidates(known), console)
    show("FOLDER", TABLE_FEATURES, fit_folders(known), console)


if __name__ == "__main__":
    main()
