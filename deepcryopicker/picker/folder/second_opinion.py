"""A second opinion on candidates: scores corrected by what their windows average to.

Two logistic models were fitted to simulated micrographs (:mod:`opinion_model`). One corrects the
scores of candidates whose windows differ from those of the other picks of the folder; the other
estimates whether the picks of the folder are particles at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from deepcryopicker.picker.folder.candidate_windows import Stored, restored
from deepcryopicker.picker.folder.opinion_model import (
    CANDIDATES,
    FOLDER,
    MEDIANS,
    UPPER_QUANTILES,
    LinearModel,
)
from deepcryopicker.picker.folder.window_features import (
    FEATURES,
    WindowClasses,
    background_of,
    classify_candidates,
    features_of,
)
from deepcryopicker.types import Floats, Mask

NO_PARTICLES = 0.25
"""Probability that picks average to particles below which nothing is said to be found."""

NO_PICKS = 0.15
"""The same below which nothing is picked: one in twenty simulated folders with particles."""

_CONSIDERED = 0.1
"""Least probability of a candidate whose window is considered."""
_FEWEST, _FEWEST_PICKS = 20, 5  # with fewer, windows say nothing
_MOST = 2000  # windows that classes are found in
_BACKGROUND = 0.2  # share of the candidates, the weakest, that are background
_MOST_RISE = 1.0  # of a logit: most corrections lower it
_QUANTILE, _SURE = 0.85, 3.0  # of features of the picks, and logit of sure picks
_CLOSEST = 1e-6  # of probabilities to 0 and 1


@dataclass(frozen=True)
class ClassifiedCandidates:
    """The likely candidates of some micrographs, and the classes of their windows.

    Attributes
    ----------
    classes : WindowClasses
    features : (N, F) float64
    sureness : (N,) float64
        Logits of their probabilities.
    """

    classes: WindowClasses
    features: Floats
    sureness: Floats

    @property
    def of_picks(self) -> Floats:
        """Features of the candidates that are as likely particles as not, (P, F) float64."""
        return self.features[self.sureness > 0]


@dataclass(frozen=True)
class SecondOpinion:
    """What the windows of a folder say.

    Attributes
    ----------
    classes : WindowClasses
    typical : (F,) float64
        Median features of the picks.
    particles : float
        Probability that the picks are particles at all.
    """

    classes: WindowClasses
    typical: Floats
    particles: float


def form_opinion(
    windows: Sequence[Stored], probability: Sequence[Floats], gain: float
) -> SecondOpinion | None:
    """Look at the windows of the candidates of some micrographs.

    Parameters
    ----------
    windows : sequence of (N, S, S) int8
        Of the strongest candidates of each micrograph.
    probability : sequence of (N,) float64
        Their scores, calibrated on the folder.
    gain : float
        Of the curve of the folder, see :class:`deepcryopicker.picker.folder.curve.FolderCurve`.

    Returns
    -------
    SecondOpinion or None
        None if there are too few candidates or picks.
    """
    classified = classify_likely(windows, probability)
    if classified is None:
        return None
    particles = float(expit(FOLDER.value(describe_folder(classified, gain))))
    return SecondOpinion(classified.classes, np.median(classified.of_picks, axis=0), particles)


def classify_likely(
    windows: Sequence[Stored], probability: Sequence[Floats]
) -> ClassifiedCandidates | None:
    """Sort the windows of likely candidates into classes, and describe them.

    Returns
    -------
    ClassifiedCandidates or None
        Of at most two thousand candidates; None if there are too few.
    """
    rng = np.random.default_rng(0)
    chance = np.concatenate([np.zeros(0), *probability])
    chosen = np.flatnonzero(is_considered(chance))
    if len(chosen) > _MOST:
        chosen = np.sort(rng.permutation(chosen)[:_MOST])
    sureness = sureness_of(chance[chosen])
    if len(chosen) < _FEWEST or (sureness > 0).sum() < _FEWEST_PICKS:
        return None
    stack = np.concatenate(windows)
    weakest = np.argsort(chance, kind="stable")[: max(int(_BACKGROUND * len(chance)), 1)]
    background = background_of(restored(stack[weakest]))
    shown = restored(stack[chosen])
    classes = classify_candidates(shown, sureness, background, rng)
    return ClassifiedCandidates(classes, features_of(shown, classes), sureness)


def describe_folder(classified: ClassifiedCandidates, gain: float) -> Floats:
    """Describe the picks of a folder, (G,) float64 in the order of the model's coefficients.

    Medians and upper quantiles of features of the picks, the logarithm of the gain of the curve
    per expected particle, and the share of sure picks.

    Parameters
    ----------
    classified : ClassifiedCandidates
    gain : float
        As for :func:`form_opinion`.
    """
    middle, upper = np.quantile(classified.of_picks, (0.5, _QUANTILE), axis=0)
    particles = max(float(expit(classified.sureness).sum()), 1.0)
    picked = classified.sureness > 0
    sure = float((classified.sureness > _SURE).sum() / picked.sum())
    return np.array(
        [
            *(middle[FEATURES.index(name)] for name in MEDIANS),
            *(upper[FEATURES.index(name)] for name in UPPER_QUANTILES),
            np.log(max(gain, 0.1) / particles),
            sure,
        ]
    )


def revise(windows: Stored, probability: Floats, opinion: SecondOpinion) -> Floats:
    """Correct the probabilities of candidates by their windows.

    Parameters
    ----------
    windows : (N, S, S) int8
    probability : (N,) float64
        Calibrated on the folder.
    opinion : SecondOpinion

    Returns
    -------
    (N,) float64
        Unlikely candidates keep theirs.
    """
    chosen = is_considered(probability)
    features = features_of(restored(windows[chosen]), opinion.classes)
    revised = probability.copy()
    sureness = sureness_of(probability[chosen])
    revised[chosen] = expit(revised_sureness(features, sureness, opinion.typical))
    return revised


def apply_opinion(
    probability: Floats,
    index: npt.NDArray[np.int64],
    windows: Stored,
    opinion: SecondOpinion | None,
) -> Floats:
    """Correct the probabilities of all candidates of a micrograph.

    Parameters
    ----------
    probability : (N,) float64
        Calibrated on the folder.
    index : (M,) int64
        Candidates with a window.
    windows : (M, S, S) int8
    opinion : SecondOpinion or None
        None leaves them as they are.

    Returns
    -------
    (N,) float64
    """
    if opinion is None:
        return probability
    corrected = probability.copy()
    corrected[index] = revise(windows, probability[index], opinion)
    return if_particles(corrected, opinion)


def if_particles(probability: Floats, opinion: SecondOpinion) -> Floats:
    """Lower the probabilities of all candidates where the picks do not average to particles.

    The probability of a particle is that of the folder holding any times that of the candidate if
    it does. The first is taken for 1 from `NO_PICKS` on, since losing particles is worse than
    picking something else.

    Parameters
    ----------
    probability : (N,) float64
        Of a folder that holds particles.
    opinion : SecondOpinion

    Returns
    -------
    (N,) float64
        In the same order.
    """
    return probability * (opinion.particles if opinion.particles < NO_PICKS else 1.0)


def revised_sureness(
    features: Floats,
    sureness: Floats,
    typical: Floats,
    model: LinearModel = CANDIDATES,
) -> Floats:
    """Return the corrected logits of candidates, (N,) float64.

    Parameters
    ----------
    features : (N, F) float64
    sureness : (N,) float64
        Logits before.
    typical : (F,) float64
        Median features of the picks.
    model : LinearModel
        Of features less typical ones.
    """
    correction = np.minimum(model.value(features - typical), _MOST_RISE)
    return np.asarray(sureness + correction)


def is_considered(probability: Floats) -> Mask:
    """Return which candidates' windows are considered, (N,) bool."""
    return np.asarray(probability >= _CONSIDERED)


def sureness_of(probability: Floats) -> Floats:
    """Return the logits of probabilities, (N,) float64, a little away from 0 and 1."""
    return np.asarray(logit(np.clip(probability, _CLOSEST, 1.0 - _CLOSEST)))
