"""Splits by micrograph, or by spatial block where there are too few micrographs."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from deepcryopicker.types import Floats, Strings

_FEWEST_MICROGRAPHS = 3
_BLOCKS = 4  # per side


def assign_splits(strata: Sequence[str], validation: float, test: float, seed: int) -> Strings:
    """Assign micrographs (or blocks) to ``train``, ``validation`` or ``test`` at random.

    Parameters
    ----------
    strata : sequence of str
        What each of them is a member of, such as its particle species. Strata of fewer than
        three count as one together. Within a stratum of three or more, every split that has a
        share gets at least one; the members of a smaller one train.
    validation, test : float
        Shares.
    seed : int
        The same gives the same splits.

    Returns
    -------
    (N,) str
    """
    rng = np.random.default_rng(seed)
    splits = np.full(len(strata), "train", dtype="<U10")
    sizes = Counter(strata)
    merged = np.array(["small" if needs_blocks(sizes[s]) else f"of {s}" for s in strata])
    for stratum in dict.fromkeys(merged.tolist()):
        members = np.flatnonzero(merged == stratum)
        if not needs_blocks(len(members)):
            splits[members] = _shuffled(len(members), validation, test, rng)
    return splits


def _shuffled(count: int, validation: float, test: float, rng: np.random.Generator) -> Strings:
    held_out = [max(1, round(share * count)) if share > 0 else 0 for share in (validation, test)]
    names = ["validation"] * held_out[0] + ["test"] * held_out[1]
    splits = np.array((names + ["train"] * count)[:count], dtype="<U10")
    return rng.permutation(splits)


def needs_blocks(micrographs: int) -> bool:
    """Whether a dataset is too small to be split by micrograph."""
    return micrographs < _FEWEST_MICROGRAPHS


def block_of(x: Floats, y: Floats, shape: tuple[int, ...], guard: float) -> npt.NDArray[np.int64]:
    """Index the spatial block (4 x 4 per micrograph) of each position.

    Positions within half of `guard` of a seam between blocks get -1, so that what is left of two
    blocks is at least `guard` apart.

    Parameters
    ----------
    x, y : (N,) float64
        Working pixels.
    shape : (H, W)
    guard : float
        Width of the guard band, working pixels: one particle diameter.
    """
    index = np.zeros(len(x), np.int64)
    blocked = np.zeros(len(x), bool)
    for position, length in ((y, shape[0]), (x, shape[1])):
        size = length / _BLOCKS
        place = np.clip(np.floor((position + 0.5) / size), 0, _BLOCKS - 1).astype(np.int64)
        seam = np.arange(1, _BLOCKS) * size - 0.5
        blocked |= np.abs(position[:, None] - seam).min(axis=1) < guard / 2.0
        index = index * _BLOCKS + place
    return np.where(blocked, -1, index)


def blocks_per_micrograph() -> int:
    """Return the number of blocks of one micrograph."""
    return _BLOCKS**2
