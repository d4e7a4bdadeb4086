"""Splits by micrograph, or by spatial block if there are too few micrographs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.types import Floats, Strings

_FEWEST_MICROGRAPHS, _FEWEST_WITHOUT_TEST = 3, 6
_PER_SIDE = 4
BLOCKS = _PER_SIDE**2
"""Number of spatial blocks of a micrograph."""


def shares_of(config: ClassSetConfig) -> dict[str, float]:
    """Return the fraction of each split.

    Examples
    --------
    >>> shares = shares_of(ClassSetConfig(["top", "background"]))
    >>> {name: round(1500 * share) for name, share in shares.items()}
    {'train': 960, 'validation': 240, 'test': 300}
    """
    validation = config.validation * (1.0 - config.test)
    return {
        "train": 1.0 - config.test - validation,
        "validation": validation,
        "test": config.test,
    }


def assign_splits(strata: Sequence[str], config: ClassSetConfig, seed: int) -> Strings:
    """Assign every block of every micrograph to ``train``, ``validation`` or ``test`` at random.

    Parameters
    ----------
    strata : sequence of str
        Group of each of the M micrographs, such as its dataset. Every stratum is split separately.
        Of few micrographs every block is assigned on its own, see :func:`needs_blocks`; of others
        all blocks have the same split. Every split with a non-zero fraction gets at least one.
    config : ClassSetConfig
        For the fractions.
    seed : int
        Equal seeds give equal splits.

    Returns
    -------
    (M, 16) str
    """
    shares = shares_of(config)
    rng = np.random.default_rng(seed)
    splits = np.full((len(strata), BLOCKS), "train", dtype="<U10")
    for stratum in dict.fromkeys(strata):
        members = np.flatnonzero(np.asarray(strata) == stratum)
        if needs_blocks(len(members), config.test):
            blocks = _shuffled(len(members) * BLOCKS, shares, rng)
            splits[members] = blocks.reshape(-1, BLOCKS)
        else:
            splits[members] = _shuffled(len(members), shares, rng)[:, None]
    return splits


def _shuffled(count: int, shares: dict[str, float], rng: np.random.Generator) -> Strings:
    names: list[str] = []
    for name, left in (("validation", 2), ("test", 1)):  # `left` for the remaining splits
        wanted = max(1, round(shares[name] * count)) if shares[name] > 0 else 0
        names += [name] * min(wanted, count - len(names) - left)
    splits = np.array((names + ["train"] * count)[:count], dtype="<U10")
    return rng.permutation(splits)


def needs_blocks(micrographs: int, test: float) -> bool:
    """Return whether a dataset is too small to be split by micrograph.

    Parameters
    ----------
    micrographs : int
    test : float
        Share for the test. Without one, blocks of few micrographs are sufficient to choose the
        best epoch, and all micrographs are learned from.
    """
    return micrographs < (_FEWEST_MICROGRAPHS if test else _FEWEST_WITHOUT_TEST)


def block_of(x: Floats, y: Floats, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Return the index of the spatial block (4 x 4, row by row) of each position, (N,).

    Parameters
    ----------
    x, y : (N,) float64
        Pixels of the micrograph.
    shape : (H, W)
        Of the micrograph.
    """
    index = np.zeros(len(x), np.int64)
    for position, length in ((y, shape[0]), (x, shape[1])):
        place = np.clip(np.floor((position + 0.5) * _PER_SIDE / length), 0, _PER_SIDE - 1)
        index = index * _PER_SIDE + place.astype(np.int64)
    return index


def near_seam(x: Floats, y: Floats, shape: tuple[int, int], guard: float) -> npt.NDArray[np.bool_]:
    """Return which positions lie in the guard bands between blocks, (N,) bool.

    Parameters
    ----------
    x, y : (N,) float64
    shape : (H, W)
    guard : float
        Width of the band along each seam between blocks, pixels: the side of a window, so that
        windows of two blocks do not overlap.
    """
    near = np.zeros(len(x), bool)
    for position, length in ((y, shape[0]), (x, shape[1])):
        seams = np.arange(1, _PER_SIDE) * length / _PER_SIDE - 0.5
        near |= np.abs(position[:, None] - seams).min(axis=1) < guard / 2.0
    return near
