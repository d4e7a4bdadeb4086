"""Search preprocessed micrographs with a trained network."""

from collections.abc import Callable
from dataclasses import dataclass

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.model.weights import Trained
from deepcryopicker.picker import dense
from deepcryopicker.picker.folder.noise_image import find_in_noise
from deepcryopicker.picker.masking.masked import leave_out, mask_of
from deepcryopicker.picker.scanning.scan import build_scan
from deepcryopicker.picker.schema import DenseConfig, SlidingConfig
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.types import Floats, Picks, ScoreMap


@dataclass(frozen=True)
class SearchResult:
    """What a network found in one micrograph.

    Attributes
    ----------
    seen : Preprocessed
        The micrograph at the scale of the scan.
    scores : ScoreMap
    picks : Picks
        Every candidate, original pixels, best first.
    """

    seen: Preprocessed
    scores: ScoreMap
    picks: Picks


def build_search(
    trained: Trained, config: DenseConfig | SlidingConfig
) -> Callable[[Preprocessed], SearchResult]:
    """Make the configured picker: a function from a preprocessed micrograph to what is found.

    Raises
    ------
    UsageError
        If the network cannot have the stride, or there is no such device.
    """
    scan = build_scan(trained, config)

    def search(preprocessed: Preprocessed) -> SearchResult:
        seen = preprocessed.at(config.scale_factor)
        picks, scores = dense.pick(seen.flat, scan, seen.working_diameter, config)
        return SearchResult(seen, scores, picks)

    return search


def search_beside_noise(
    search: Callable[[Preprocessed], SearchResult],
    entry: Entry,
    preprocessed: Preprocessed,
    mask: str | None,
) -> tuple[Picks, Floats]:
    """Search a micrograph, and noise like it.

    Parameters
    ----------
    search : callable
        Of :func:`build_search`.
    entry : Entry
    preprocessed : Preprocessed
    mask : str or None
        As ``picker.mask``.

    Returns
    -------
    Picks
        Every candidate, original pixels; those in the mask come last, with a score of 0.
    (M,) float64
        Scores of the candidates in noise, see :func:`find_in_noise`.
    """
    hidden = mask_of(mask, entry, preprocessed)
    picks = leave_out(search(preprocessed).picks, hidden, preprocessed.flat.scale)
    _, in_noise = find_in_noise(lambda noise: search(noise).picks, preprocessed, picks)
    return picks, in_noise.score
