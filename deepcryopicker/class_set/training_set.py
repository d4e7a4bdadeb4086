"""From labelled micrographs to a balanced training set without leaks."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from deepcryopicker.class_set import windows
from deepcryopicker.class_set.schema import BACKGROUND, NEGATIVE, ClassSetConfig
from deepcryopicker.class_set.split import (
    assign_splits,
    block_of,
    blocks_per_micrograph,
    needs_blocks,
)
from deepcryopicker.detection.windows import cut
from deepcryopicker.errors import NothingUsableError
from deepcryopicker.frames import to_working
from deepcryopicker.types import SHAPES, Candidates, Floats, Image, Micrograph, TrainingSet

_EMPTY_PER_MICROGRAPH = 400
SPLITS = ("train", "validation", "test")


def build_training_set(
    labelled: Iterable[tuple[Micrograph, Candidates]],
    strata: Sequence[str],
    working_diameter: float,
    size: int,
    config: ClassSetConfig,
    seed: int,
) -> TrainingSet:
    """Cut, split and balance the windows of every class.

    Parameters
    ----------
    labelled : iterable of (Micrograph, Candidates)
        Micrographs as the network sees them; consumed one at a time.
    strata : sequence of str
        What each micrograph shows. Every stratum is split by micrograph; if there are fewer than
        three micrographs in all, they are split into spatial blocks.
    working_diameter : float
        Particle diameter, working pixels.
    size : int
        Side of the windows, working pixels.
    config : ClassSetConfig
    seed : int

    Raises
    ------
    NothingUsableError
        If a split is left without particles or without anything to tell them from.
    """
    rng = np.random.default_rng(seed)
    blocks = needs_blocks(len(strata))
    units = ["block"] * (len(strata) * blocks_per_micrograph()) if blocks else strata
    splits = assign_splits(units, config.validation, config.test, seed)
    pool: dict[tuple[str, str], list[Image]] = defaultdict(list)
    for index, (micrograph, candidates) in enumerate(labelled):
        for name, centres in _sample(micrograph, candidates, working_diameter, config, rng):
            group = np.full(len(centres), index)
            if blocks:
                block = block_of(
                    centres[:, 0], centres[:, 1], micrograph.image.shape, working_diameter
                )
                group = np.where(block < 0, -1, index * blocks_per_micrograph() + block)
            cuts = cut(micrograph.image, centres, size)
            for split in SPLITS:
                chosen = (group >= 0) & (splits[group] == split)
                pool[split, name].append(cuts[chosen])
    return _balance({key: np.concatenate(cuts) for key, cuts in pool.items()}, config, rng)


def _sample(
    micrograph: Micrograph,
    candidates: Candidates,
    diameter: float,
    config: ClassSetConfig,
    rng: np.random.Generator,
) -> list[tuple[str, Floats]]:
    """Class names and window centres (N, 2), working pixels, of one micrograph."""
    picks, good = candidates.picks, candidates.good
    centres = np.column_stack(
        [to_working(picks.x, micrograph.scale), to_working(picks.y, micrograph.scale)]
    )
    samples = [
        (name, centres[good & (picks.label == name)]) for name in SHAPES if name in config.classes
    ]
    near, far = (share * diameter for share in config.off_centre)
    shape = (micrograph.image.shape[0], micrograph.image.shape[1])
    negatives = windows.off_centre(centres[good], centres, shape, near, far, rng)
    samples.append((NEGATIVE, negatives))
    if BACKGROUND in config.classes:
        places = windows.empty(
            centres,
            candidates.coverage,
            config.background_distance * diameter,
            config.background_coverage,
            _EMPTY_PER_MICROGRAPH,
            rng,
        )
        samples.append((BACKGROUND, places))
    return samples


def _balance(
    pool: dict[tuple[str, str], Image], config: ClassSetConfig, rng: np.random.Generator
) -> TrainingSet:
    """Bring every class that occurs in a split to the same number of windows."""
    parts: list[tuple[Image, int, str]] = []
    for split in SPLITS:
        share = {
            "validation": config.validation,
            "test": config.test,
            "train": 1.0 - config.validation - config.test,
        }[split]
        limit = max(4, round(config.samples_per_class * share))
        found = {name: pool[key, name] for key, name in pool if key == split}
        drawn = _draw_classes(found, limit, config, rng)
        for name, drawn_windows in drawn.items():
            parts.append((drawn_windows, config.classes.index(name), split))
        if split != "test":
            _require_both_kinds(drawn, split)
    return TrainingSet(
        np.concatenate([cuts for cuts, _, _ in parts]),
        np.concatenate([np.full(len(cuts), index) for cuts, index, _ in parts]),
        np.concatenate([np.full(len(cuts), split, dtype="<U10") for cuts, _, split in parts]),
        tuple(config.classes),
    )


def _draw_classes(
    found: dict[str, Image], limit: int, config: ClassSetConfig, rng: np.random.Generator
) -> dict[str, Image]:
    copies = 4 if config.rotations else 1
    particles = [len(cuts) for name, cuts in found.items() if name in SHAPES]
    target = min(limit, copies * max(particles, default=0))
    quota = dict.fromkeys(config.classes, target)
    if NEGATIVE not in config.classes:
        quota[NEGATIVE] = round(config.off_centre_share * target)
        quota[BACKGROUND] = target - quota[NEGATIVE]
    drawn: dict[str, list[Image]] = defaultdict(list)
    for name, cuts in found.items():
        if len(cuts) and quota.get(name):
            home = name if name in config.classes else BACKGROUND
            drawn[home].append(_draw(cuts, quota[name], config.rotations, rng))
    return {name: np.concatenate(cuts) for name, cuts in drawn.items()}


def _draw(cuts: Image, count: int, rotate: bool, rng: np.random.Generator) -> Image:
    """Draw exactly `count` windows: distinct ones first, then rotated copies, then repeats."""
    cuts = cuts[rng.permutation(len(cuts))]
    if len(cuts) < count and rotate:
        cuts = windows.rotations(cuts)
    index: npt.NDArray[np.int64] = np.arange(count) % len(cuts)
    return cuts[index]


def _require_both_kinds(drawn: dict[str, Image], split: str) -> None:
    if not set(drawn) & set(SHAPES) or not set(drawn) - set(SHAPES):
        missing = "particles" if not set(drawn) & set(SHAPES) else "background"
        raise NothingUsableError(
            f"the labeler left no {missing} for the {split} split. "
            "Look at its overlays, check dataset.diameter and dataset.polarity, "
            "or give more micrographs"
        )
