"""The class of every position of a micrograph, as far as its labels say it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from deepcryopicker.class_set.samples import class_of
from deepcryopicker.class_set.sampling_sites import DOUBTFUL, EMPTY, OFF_CENTRE, Sites
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.class_set.split import assign_splits, needs_blocks
from deepcryopicker.frames import to_original
from deepcryopicker.types import CONTAMINANT, SHAPES, Mask

UNKNOWN = -1
"""Target where the labels do not say what is there."""

_CENTRE = 0.17  # diameters from the centre of a particle within which it should be found
_AROUND = 0.75  # diameters round a candidate that depend on it
_EMPTY = 0.75  # diameters round a position without particles that are empty too
TargetMap = npt.NDArray[np.int8]


def target_map(
    sites: Sites,
    used: Mask,
    shape: tuple[int, int],
    scale: float,
    diameter: float,
    stride: int,
    config: ClassSetConfig,
) -> TargetMap:
    """Return the class at every output of a scan.

    The nearest candidate decides. A particle has its class at its centre and is background where
    windows beside particles begin; between the two nothing is known. Contaminants are background,
    doubtful candidates unknown. Farther from all candidates, background is what lies round a
    position that was found to be empty.

    Parameters
    ----------
    sites : Sites
    used : (N,) bool
        Sites to learn from; the surroundings of the others are unknown.
    shape : (h, w)
        Of the map.
    scale : float
        Working pixels per original pixel.
    diameter : float
        Particle diameter, original pixels.
    stride : int
        Working pixels between outputs; output i lies at working pixel ``i * stride``.
    config : ClassSetConfig

    Returns
    -------
    (h, w) int8
        Index of the class, or `UNKNOWN`.
    """
    row, column = np.indices(shape)
    places = to_original(np.stack([column, row], axis=-1).reshape(-1, 2) * stride, scale)
    target = np.full(len(places), UNKNOWN, np.int8)
    positions = np.column_stack([sites.x, sites.y])

    empty = (sites.kind == EMPTY) & used
    if empty.any():
        away, _ = cKDTree(positions[empty]).query(places, distance_upper_bound=_EMPTY * diameter)
        target[np.isfinite(away)] = class_of(EMPTY, config)

    candidates = np.flatnonzero(np.isin(sites.kind, [*SHAPES, CONTAMINANT, DOUBTFUL]))
    if not len(candidates):
        return target.reshape(shape)
    limit = _AROUND * diameter
    away, nearest = cKDTree(positions[candidates]).query(places, distance_upper_bound=limit)
    close = np.flatnonzero(np.isfinite(away))
    away, site = away[close] / diameter, candidates[nearest[close]]
    kind = np.where(used[site], sites.kind[site], DOUBTFUL)
    known = np.full(len(close), UNKNOWN, np.int8)
    particle = np.isin(kind, SHAPES)
    beside = (kind == CONTAMINANT) | (particle & (away >= config.off_centre[0]))
    known[beside] = class_of(OFF_CENTRE, config)
    for name in SHAPES:
        known[(kind == name) & (away <= _CENTRE)] = class_of(name, config)
    target[close] = known
    return target.reshape(shape)


def used_for_training(
    sites: Sequence[Sites], strata: Sequence[str], config: ClassSetConfig, seed: int
) -> list[Mask]:
    """Return which positions of each micrograph are neither validated nor tested on.

    Guard bands between blocks are left out, unless that leaves a micrograph without particles.

    Parameters
    ----------
    sites : sequence of Sites
        One per micrograph.
    strata : sequence of str
        Group of each micrograph, see :func:`deepcryopicker.class_set.split.assign_splits`.
    config : ClassSetConfig
    seed : int

    Returns
    -------
    list of (N,) bool
    """
    if config.split_by == "copy":
        return [np.ones(len(one.x), bool) for one in sites]
    used = []
    splits = assign_splits(strata, config, seed)
    for one, stratum, blocks in zip(sites, strata, splits, strict=True):
        train = blocks[one.block] == "train"
        clear = train & ~one.guard
        blocked = needs_blocks(list(strata).count(stratum), config.test)
        guarded = blocked and np.isin(one.kind[clear], SHAPES).any()
        used.append(clear if guarded else train)
    return used
