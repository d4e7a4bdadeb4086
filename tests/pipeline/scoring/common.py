"""Picked micrographs made by hand: 100 x 140 pixels, truth and candidates as files."""

import numpy as np
from PIL import Image

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.pipeline.scoring.picked import Picked
from deepcryopicker.runs.manifest import Record

SHAPE = (100, 140)


def make_entry(folder, name, truth=None, **settings):
    """A micrograph of one grey value and, if given, its true particles."""
    path, coordinates = folder / f"{name}.png", folder / "truth" / f"{name}.csv"
    Image.fromarray(np.full(SHAPE, 90, np.uint8)).save(path)
    if truth is not None:
        write_csv(coordinates, truth)
    settings = {"group": "g", "truth": None if truth is None else coordinates, **settings}
    return Entry(name, path, **settings)


def make_picked(folder, entry, picks, diameter, snr=None):
    """The micrograph after picking with a diameter, original pixels; no outcomes are written."""
    path = folder / "picks" / f"{entry.name}.csv"
    write_csv(path, picks)
    count = int((picks.score >= 0.5).sum())
    record = Record(
        entry.name, str(entry.path), 1, 1, "", *SHAPE, diameter, None, snr, count, len(picks)
    )
    return Picked(entry, record, path, folder / "outcomes" / f"{entry.name}.csv")
