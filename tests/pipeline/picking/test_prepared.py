"""Micrographs read and preprocessed ahead: what is in memory while they are picked."""

import threading
import time
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.pipeline.inputs import prefetch
from deepcryopicker.pipeline.picking import prepared
from deepcryopicker.pipeline.picking.prepared import FoundPicks, prepare_ahead
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Picks

CHAIN = PreprocessingConfig(24.0, model_input="n", steps={"n": {"operation": "normalise"}})
COUNT = 6


@pytest.fixture
def entries(tmp_path):
    made = []
    for number in range(COUNT):
        path = tmp_path / f"m{number}.png"
        noise = np.random.default_rng(number).integers(90, 160, (100, 140), np.uint8)
        Image.fromarray(noise).save(path)
        made.append(Entry(path.stem, path, "a", 24.0, turned_over=number == 0))
    return made


def test_a_micrograph_has_no_pixels_while_it_is_picked(entries):
    seen = {}

    def find(entry, preprocessed):
        seen[entry.name] = bool(np.isfinite(preprocessed.micrograph.image).all())
        assert np.isfinite(preprocessed.flat.image).all()
        return FoundPicks(Picks.empty(), None)

    with closing(prepare_ahead(entries, CHAIN, find, lambda name: name == "m3")) as coming:
        results = [take() for take in coming]
    # One that is turned over is preprocessed again, in the order of the MRC file.
    assert seen == {f"m{number}": number == 0 for number in range(COUNT)}
    assert [one.background is not None for one in results] == [n == 3 for n in range(COUNT)]
    assert all(one.found is not None for one in results)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_half_of_the_threads_read(entries, monkeypatch, threads):
    monkeypatch.setattr(prepared, "count_threads", lambda: threads)
    monkeypatch.setattr(prefetch, "count_threads", lambda: threads)
    lock, reading, most = threading.Lock(), [], []
    prepare = prepared.prepare

    def slow(*given):
        with lock:
            reading.append(1)
            most.append(len(reading))
        time.sleep(0.02)
        done = prepare(*given)
        with lock:
            reading.pop()
        return done

    monkeypatch.setattr(prepared, "prepare", slow)
    found = FoundPicks(Picks.empty(), None)
    with closing(prepare_ahead(entries, CHAIN, lambda *_: found, lambda _: False)) as coming:
        assert len([take() for take in coming]) == COUNT
    assert max(most) <= max(1, threads // 2)


def test_without_a_network_the_pixels_stay(entries):
    with closing(prepare_ahead(entries, CHAIN, None, lambda _: True)) as coming:
        results = [take() for take in coming]
    assert all(np.isfinite(one.preprocessed.micrograph.image).all() for one in results)
    assert all(one.background is not None for one in results)
