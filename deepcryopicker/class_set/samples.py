"""Draw the windows of a training set: split, balanced, and with rotated copies."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from deepcryopicker.class_set.sampling_sites import BETWEEN, EMPTY, OFF_CENTRE, Sites
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.class_set.split import BLOCKS, assign_splits, needs_blocks, shares_of
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.types import (
    BACKGROUND,
    CONTAMINANT,
    NEGATIVE,
    PARTICLE,
    SHAPES,
    Floats,
    Strings,
)

SPLITS = ("train", "validation", "test")
_FEWEST = 4  # windows of a class in a split
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """N windows to be cut.

    Attributes
    ----------
    micrograph : (N,) int64
    x, y : (N,) float64
        Original pixels.
    quarter_turns : (N,) int64
        Rotation of the copy, multiples of 90 degrees.
    site : (N,) int64
        Number of the position; its copies share it.
    unit : (N,) int64
        Number of the micrograph, or of the spatial block if blocks are split.
    kind : (N,) str
        As in :class:`Sites`.
    target : (N,) int64
        Index of the class.
    near : (N,) int64
        Index of the class of the particle at or near the position; -1 for none.
    heat : (N,) float64
        As in :class:`Sites`.
    split : (N,) str
    """

    micrograph: Index
    x: Floats
    y: Floats
    quarter_turns: Index
    site: Index
    unit: Index
    kind: Strings
    target: Index
    near: Index
    heat: Floats
    split: Strings

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: npt.NDArray[np.bool_] | Index) -> Self:
        return type(self)(
            **{field.name: getattr(self, field.name)[index] for field in fields(self)}
        )


def draw_samples(
    sites: Sequence[Sites], strata: Sequence[str], config: ClassSetConfig, seed: int
) -> Samples:
    """Split the positions of all micrographs, and draw the same number of windows of each class.

    Positions near the seam of two blocks of different splits are left out, as windows there would
    overlap; unless this leaves a split without particles or background, on few micrographs.

    Parameters
    ----------
    sites : sequence of Sites
        One per micrograph.
    strata : sequence of str
        Group of each micrograph; see :func:`assign_splits`. Within a class the strata alternate,
        so that a large dataset does not dominate a small one.
    config : ClassSetConfig
    seed : int

    Raises
    ------
    NothingUsableError
        A split has no particles, or only particles.
    """
    shares = shares_of(config)
    splits = assign_splits(strata, config, seed)
    pool, guard = _pool(sites, strata, splits, config)
    stratum = np.asarray(strata)[pool.micrograph]
    rng = np.random.default_rng(seed)
    limits = {name: max(_FEWEST, round(config.samples_per_class * shares[name])) for name in SPLITS}
    if not shares["test"]:
        limits["test"] = 0
    if config.split_by == "copy":
        drawn = pool[np.zeros(0, np.int64)]
        if len(pool):
            drawn = _scatter(_draw(pool, stratum, sum(limits.values()), config, rng), limits, rng)
    else:
        parts = []
        for name in SPLITS:
            members = pool.split == name
            if _has_both_kinds(pool[members & ~guard]):
                members &= ~guard
            parts.append(_draw(pool[members], stratum[members], limits[name], config, rng))
        drawn = _join(parts)
    require_both_kinds(drawn)
    return drawn


def require_both_kinds(samples: Samples) -> None:
    """Refuse samples without particles or without background for training or validation.

    Raises
    ------
    NothingUsableError
        Names what is missing, and the split.
    """
    for split in ("train", "validation"):
        members = samples[samples.split == split]
        if not _has_both_kinds(members):
            missing = "background" if np.isin(members.kind, SHAPES).any() else "particles"
            raise NothingUsableError(
                f"the labeler found no {missing} for the {split} split. "
                "Look at its overlays, check dataset.diameter and dataset.polarity, "
                "or give more micrographs"
            )


def _has_both_kinds(samples: Samples) -> bool:
    """Whether there are particles and background."""
    is_particle = np.isin(samples.kind, SHAPES)
    return bool(is_particle.any() and not is_particle.all())


def _pool(
    sites: Sequence[Sites], strata: Sequence[str], splits: Strings, config: ClassSetConfig
) -> tuple[Samples, npt.NDArray[np.bool_]]:
    """Return all positions, and which of them lie in a guard band between splits."""
    micrograph = np.repeat(np.arange(len(sites)), [len(one.x) for one in sites])
    gathered = {
        name: np.concatenate([getattr(one, name) for one in sites])
        for name in ("x", "y", "kind", "shape", "heat", "block", "guard")
    }
    blocked = np.array([needs_blocks(list(strata).count(name), config.test) for name in strata])[
        micrograph
    ]
    block = np.where(blocked, gathered["block"], 0)
    target = [class_of(kind, config) for kind in gathered["kind"]]
    pool = Samples(
        micrograph=micrograph,
        x=gathered["x"],
        y=gathered["y"],
        quarter_turns=np.zeros(len(micrograph), np.int64),
        site=np.arange(len(micrograph)),
        unit=micrograph * BLOCKS + block,
        kind=gathered["kind"],
        target=np.array(target, np.int64),
        near=np.array([class_of(shape, config) for shape in gathered["shape"]], np.int64),
        heat=gathered["heat"],
        split=splits[micrograph, block],
    )
    used = pool.target >= 0
    return pool[used], (blocked & gathered["guard"])[used]


def class_of(kind: str, config: ClassSetConfig) -> int:
    """Return the index of the class of a kind of position; -1 for none."""
    name = BACKGROUND if kind == EMPTY else kind
    if kind in (OFF_CENTRE, BETWEEN, CONTAMINANT):
        name = NEGATIVE
    if name in SHAPES and PARTICLE in config.classes:
        name = PARTICLE
    if name == NEGATIVE and NEGATIVE not in config.classes:
        name = BACKGROUND
    return config.classes.index(name) if name in config.classes else -1


def _draw(
    pool: Samples, stratum: Strings, limit: int, config: ClassSetConfig, rng: np.random.Generator
) -> Samples:
    """Draw the same number of windows of every class that occurs, unless configured otherwise."""
    parts = [pool[np.zeros(0, np.int64)]]
    for index, most in enumerate(_sizes(pool, limit, config)):
        members = np.flatnonzero(pool.target == index)
        for kinds, count in _quotas(pool.kind[members], most, config).items():
            chosen = members[np.isin(pool.kind[members], kinds)]
            order = _alternating(stratum[chosen], rng)
            places, rotation = _copies(chosen[order], count, config.rotations)
            parts.append(replace(pool[places], quarter_turns=rotation))
    return _join(parts)


def _sizes(pool: Samples, limit: int, config: ClassSetConfig) -> list[int]:
    """Return the number of windows of each class, should it occur."""
    of_particles = pool.target[np.isin(pool.kind, SHAPES)]
    particles = np.bincount(of_particles, minlength=len(config.classes))
    wanted = min(limit, _rotations(config) * int(particles.max()))
    share = np.ones(len(particles))
    if not config.balanced and particles.any():
        occurs = particles > 0
        share[occurs] = particles[occurs] / particles[occurs].mean()
    if BACKGROUND in config.classes:
        share[config.classes.index(BACKGROUND)] = config.background_windows
    return [round(part * wanted) for part in share]


def _rotations(config: ClassSetConfig) -> int:
    """Return the number of orientations in which a position may be used."""
    return 1 if config.rotations == "none" else 4


def _quotas(kinds: Strings, wanted: int, config: ClassSetConfig) -> dict[tuple[str, ...], int]:
    """Return the number of windows of each kind of position in one class; shapes count as one."""
    empty = 0.0 if NEGATIVE in config.classes else 1.0 - config.off_centre_share
    beside = 1.0 - empty  # off-centre windows, and those that replace them

    def of(kind: str, wished: float) -> float:
        """Return the fraction of a kind, limited by its positions in all orientations."""
        return min(wished, np.count_nonzero(kinds == kind) * _rotations(config) / max(wanted, 1))

    between = of(BETWEEN, beside * config.between_share)
    contaminants = of(CONTAMINANT, (beside - between) * config.contaminant_share)
    share: dict[tuple[str, ...], float] = {
        SHAPES: 1.0,
        (EMPTY,): empty if set(kinds) != {EMPTY} else 1.0,
        (OFF_CENTRE,): beside - between - contaminants,
        (BETWEEN,): between,
        (CONTAMINANT,): contaminants,
    }
    present = {key: part for key, part in share.items() if part > 0 and np.isin(kinds, key).any()}
    total = sum(present.values())
    edges = np.rint(np.cumsum([0.0, *present.values()]) / max(total, 1e-12) * wanted).astype(int)
    return dict(zip(present, np.diff(edges).tolist(), strict=True))


def _alternating(stratum: Strings, rng: np.random.Generator) -> Index:
    """Return a random order in which the strata alternate until the smaller ones are used up."""
    order = rng.permutation(len(stratum))
    rank = np.zeros(len(order), np.int64)
    for name in np.unique(stratum):
        members = stratum[order] == name
        rank[members] = np.arange(np.count_nonzero(members))
    return order[np.argsort(rank, kind="stable")]


def _copies(places: Index, count: int, rotations: str) -> tuple[Index, Index]:
    """Return exactly `count` copies: index of the position, and rotation in quarter turns."""
    each = np.arange(1 if rotations == "none" else 4)
    if rotations == "all":
        repeated, turned = np.repeat(places, len(each)), np.tile(each, len(places))
    else:
        repeated, turned = np.tile(places, len(each)), np.repeat(each, len(places))
    chosen = np.arange(count) % len(repeated)
    return repeated[chosen], turned[chosen]


def _scatter(drawn: Samples, limits: dict[str, int], rng: np.random.Generator) -> Samples:
    """Split copies at random, regardless of their micrograph."""
    split = drawn.split.copy()
    edges = np.cumsum([limits[name] for name in SPLITS]) / sum(limits.values())
    for index in np.unique(drawn.target):
        members = rng.permutation(np.flatnonzero(drawn.target == index))
        parts = np.split(members, np.rint(edges[:-1] * len(members)).astype(int))
        for name, part in zip(SPLITS, parts, strict=True):
            split[part] = name
    return replace(drawn, split=split)


def _join(parts: Sequence[Samples]) -> Samples:
    return Samples(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Samples)
        }
    )
