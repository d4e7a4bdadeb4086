"""Micrographs whose particles lie on a grid, and the way from them to windows."""

from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from deepcryopicker.class_set.cutting import cut_windows
from deepcryopicker.class_set.samples import draw_samples
from deepcryopicker.class_set.sampling_sites import find_sites
from deepcryopicker.class_set.schema import ClassSetConfig
from deepcryopicker.config.paths import CONF_DIR
from deepcryopicker.frames import to_original
from deepcryopicker.types import Candidates, Micrograph, Picks

DIAMETER, SIZE = 24.0, 43
SHAPE = (260, 300)
SCALE = 0.5
WINDOW = SIZE / SCALE  # original pixels
GRID = np.array([(x, y) for y in range(30, 231, 50) for x in range(30, 271, 60)], float)
LABELS = np.resize(["top", "side", "irregular"], len(GRID))


def configure(name, **changes):
    settings = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "class-set" / f"{name}.yaml"))
    del settings["defaults"]
    return ClassSetConfig(**settings | {"samples_per_class": 60} | changes)


def candidates(labels=LABELS, good=None, coverage=None):
    x, y = (to_original(GRID[:, axis], SCALE) for axis in (0, 1))
    good = np.ones(len(GRID), bool) if good is None else good
    return Candidates(
        picks=Picks.create(x, y, label=labels),
        good=good,
        reason=np.where(good, "", "touching"),
        coverage=np.zeros(SHAPE, np.float32) if coverage is None else coverage,
        clusters=np.zeros(SHAPE, np.uint8),
        mask=np.zeros(SHAPE, bool),
        scale=SCALE,
    )


def sites_of(found, config, seed=0):
    """Sites of several micrographs; original pixels are twice the working ones."""
    shape = (round(SHAPE[0] / SCALE), round(SHAPE[1] / SCALE))
    return [
        find_sites(
            one, shape, DIAMETER / SCALE, WINDOW, config, np.random.default_rng([seed, index])
        )
        for index, one in enumerate(found)
    ]


def draw(found, config, strata=None, seed=0):
    strata = ["a"] * len(found) if strata is None else strata
    return draw_samples(sites_of(found, config, seed), strata, config, seed)


def cut_all(samples, images):
    windows = np.zeros((len(samples), SIZE, SIZE), np.float32)
    for index, image in enumerate(images):
        members = samples.micrograph == index
        micrograph = Micrograph("m", Path("m"), image, scale=SCALE)
        windows[members] = cut_windows(samples[members], micrograph, SIZE)
    return windows
