"""Windows of the strongest candidates of a micrograph, small enough to be kept."""

import numpy as np
import numpy.typing as npt

from deepcryopicker.detection.windows import cut
from deepcryopicker.frames import to_working
from deepcryopicker.picker.folder.window_features import DIAMETER, SIDE
from deepcryopicker.picker.pick_counts import disc_share
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Floats, Image, Picks

Stored = npt.NDArray[np.int8]
"""(N, S, S): windows in sixteenths of a robust standard deviation of their micrograph."""

_STEPS = 16.0
_LARGEST = 127
_MOST, _MOST_OF_ALL = 0.5, 2000
"""Share of the area under the discs of candidates whose windows are kept, and their number."""


def cut_windows(preprocessed: Preprocessed, picks: Picks) -> Stored:
    """Cut the windows of candidates of a micrograph.

    Parameters
    ----------
    preprocessed : Preprocessed
    picks : Picks
        Original pixels of `preprocessed`.

    Returns
    -------
    (N, S, S) int8
        Particles have the same diameter in all micrographs.
    """
    seen = preprocessed.at(DIAMETER / preprocessed.working_diameter).standard
    x, y = (to_working(position, seen.scale) for position in (picks.x, picks.y))
    windows = cut(seen.image, np.column_stack([x, y]), SIDE, "mean")
    levels = np.clip(np.rint(windows * _STEPS), -_LARGEST, _LARGEST)
    return levels.astype(np.int8)


def most_windows(preprocessed: Preprocessed) -> int:
    """Return of how many candidates of a micrograph the windows are kept."""
    share = disc_share(1, preprocessed.diameter, preprocessed.micrograph.image.shape)
    return min(int(_MOST / share), _MOST_OF_ALL)


def strongest(picks: Picks, count: int) -> npt.NDArray[np.int64]:
    """Return the indices of the candidates with the highest scores, (N,) int64, N at most `count`.

    Scores of 0, those of masked candidates, are left out; equal ones are ordered by position, so
    that the order of the candidates does not matter.
    """
    order = np.lexsort((picks.y, picks.x, -picks.score))[:count]
    return order[picks.score[order] > 0]


def best_first(score: Floats, picks: Picks) -> npt.NDArray[np.int64]:
    """Return the order of candidates by calibrated and then by raw scores, (N,) int64.

    Parameters
    ----------
    score : (N,) float64
        Calibrated.
    picks : Picks
        With raw scores.
    """
    return np.lexsort((picks.y, picks.x, -picks.score, -score))


def restored(windows: Stored) -> Image:
    """Return stored windows in standard deviations, (N, S, S) float32."""
    return windows.astype(np.float32) / np.float32(_STEPS)
