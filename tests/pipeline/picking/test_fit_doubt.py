"""Particles of another size or polarity are named where those that were picked are doubtful."""

from dataclasses import replace

import pytest

import deepcryopicker as d
from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.errors import MicrographError
from deepcryopicker.model.cards import chain_on
from deepcryopicker.model.weights import GENERAL, load_weights
from deepcryopicker.picker.folder.assessment import DOUBTFUL, FOUND, NOTHING
from deepcryopicker.picker.schema import DenseConfig
from deepcryopicker.picker.search import build_search
from deepcryopicker.pipeline.picking import fit_doubt as module
from deepcryopicker.pipeline.picking.fit_doubt import fit_doubt, is_unsure


@pytest.fixture(scope="module")
def general():
    return load_weights(GENERAL)


@pytest.fixture(scope="module")
def micrograph():
    return d.simulate_micrograph("apoferritin", shape=(512, 600), seed=2)


@pytest.fixture
def doubt(general, micrograph, monkeypatch, tmp_path):
    """Return the doubt about a micrograph that is picked with a factor of the true diameter."""
    simulated, particles = micrograph
    search = build_search(general, DenseConfig())
    preprocessing = chain_on(general.preprocessing, GENERAL)

    def of(factor=1.0, sign=1, polarity="dark"):
        shown = replace(simulated, image=sign * simulated.image)
        monkeypatch.setattr(Entry, "load", lambda _: shown)
        diameter = factor * float(particles.diameter[0])
        entry = Entry("m", tmp_path / "m.mrc", "g", diameter, polarity=polarity)
        found = fit_doubt(entry, preprocessing, lambda _, seen: search(seen).picks)
        if found is not None:
            assert found.subject == ("polarity" if "polarity" in found.text else "size")
        return None if found is None else found.text

    return of


def test_nothing_fits_better_than_what_is_right(doubt):
    assert doubt() is None


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_clearly_better_size_is_named(doubt, micrograph, factor):
    _, particles = micrograph
    assert f"particles of {particles.diameter[0]:.3g} pixels stand out" in doubt(factor)


@pytest.mark.parametrize(("polarity", "other"), [("dark", "bright"), ("bright", "dark")])
def test_the_other_polarity_is_named(doubt, polarity, other):
    assert f"type dataset.polarity={other}" in doubt(sign=-1, polarity=polarity)


def test_a_micrograph_that_was_moved_away_is_not_doubted(general, monkeypatch, tmp_path):
    def missing(_):
        raise MicrographError("gone")

    monkeypatch.setattr(Entry, "load", missing)
    assert fit_doubt(Entry("m", tmp_path / "m", "g", 50.0), general.preprocessing, None) is None


@pytest.mark.parametrize(
    ("verdict", "gain", "unsure"),
    [(FOUND, 5.0, False), (FOUND, 1.2, True), (DOUBTFUL, 5.0, True), (NOTHING, 0.0, True)],
)
def test_only_doubtful_picks_are_compared(verdict, gain, unsure):
    assert is_unsure({"verdict": verdict, "gain": gain}) == unsure


@pytest.mark.parametrize(
    ("half", "twice", "given", "turned", "said"),
    [
        (90.0, 90.0, 0.0, 20.0, None),  # not clear
        (110.0, 200.0, 0.0, 20.0, "particles of 40 pixels"),
        (290.0, 200.0, 100.0, 0.0, None),  # not clearer
        (310.0, 200.0, 100.0, 0.0, "particles of 10 pixels"),
        (500.0, 0.0, 1.0, 30.0, "dataset.polarity=bright"),
    ],
)
def test_what_is_clearly_better(doubt, monkeypatch, half, twice, given, turned, said):
    image = []

    def gain(entry, part, diameter, *_):
        image.append(part.image)
        if diameter == 20.0:
            return given if (part.image == image[0]).all() else turned
        return half if diameter == 10.0 else twice

    monkeypatch.setattr(module, "_gain", gain)
    monkeypatch.setattr(Entry, "particle_diameter", lambda *_: 20.0)
    text = doubt()
    assert text is None if said is None else said in text
