"""Calibrate the scores of one micrograph on itself, as those of a folder of one."""

from dataclasses import replace

from deepcryopicker.picker.folder.candidate_windows import (
    best_first,
    cut_windows,
    most_windows,
    strongest,
)
from deepcryopicker.picker.folder.curve import apply_curve, fit_curve
from deepcryopicker.picker.folder.score_counts import count_scores
from deepcryopicker.picker.folder.second_opinion import apply_opinion, form_opinion
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Floats, Picks


def calibrate_alone(preprocessed: Preprocessed, picks: Picks, in_noise: Floats) -> Picks:
    """Calibrate the scores of the candidates of a micrograph.

    Parameters
    ----------
    preprocessed : Preprocessed
    picks : Picks
        Every candidate, original pixels.
    in_noise : (M,) float64
        Scores of the candidates in noise like the micrograph.

    Returns
    -------
    Picks
        Best first.
    """
    curve = fit_curve(count_scores(picks.score), count_scores(in_noise))
    index = strongest(picks, most_windows(preprocessed))
    windows = cut_windows(preprocessed, picks[index])
    score = apply_curve(picks.score, curve)
    opinion = form_opinion([windows], [score[index]], curve.gain)
    score = apply_opinion(score, index, windows, opinion)
    calibrated = replace(picks, score=score)
    return calibrated[best_first(score, picks)]
