"""A picker and its baseline on the same micrographs: who learns from what, and where it is kept."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from deepcryopicker.config.schemas import TrainConfig
from deepcryopicker.dataset.catalogue import Catalogue, Entry
from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.labeler.schema import LogConfig
from deepcryopicker.logger.tracker import Tracker
from deepcryopicker.picker.schema import LabelerPickerConfig
from deepcryopicker.pipeline.picking import benchmark
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Picks

STEPS = {"n": {"operation": "normalise"}}
CHAIN = PreprocessingConfig(24.0, model_input="n", steps=STEPS)
PICKER = LabelerPickerConfig(threshold=0.5, labeler=LogConfig())
BASELINE = LabelerPickerConfig(threshold=0.2, labeler=LogConfig())
TRUTH = Picks.create([30.0, 70.0, 110.0], [40.0, 40.0, 40.0], label="top", diameter=24.0)


@pytest.fixture
def entries(tmp_path):
    """Three micrographs of noise with three true particles each."""
    made = []
    for number in range(3):
        path, truth = tmp_path / f"m{number}.png", tmp_path / f"m{number}.csv"
        noise = np.random.default_rng(number).integers(90, 160, (100, 140), np.uint8)
        Image.fromarray(noise).save(path)
        write_csv(truth, TRUTH)
        made.append(Entry(f"m{number}", path, "g", 24.0, truth=truth))
    return made


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return Run(
        tmp_path / "run",
        None,
        "run",
        {"seed": 0},
        choices={"picker": "log", "picker@baseline": "_labeler"},
    )


@pytest.fixture
def built(monkeypatch):
    """Pickers that find two of three particles, the baseline one; what each was built with."""
    calls = []

    def build_picker(config, catalogue, preprocessing, trained, run, examples=None):
        names = [entry.name for entry in catalogue.entries]
        given = {"config": config, "trained": trained, "examples": examples, "names": names}
        calls.append(SimpleNamespace(**given))
        count = 2 if config is PICKER else 1
        score = np.array([0.9, 0.4, 0.3])[:count]
        found = replace(TRUTH[np.arange(count)], score=score)
        return lambda entry, preprocessed: found

    monkeypatch.setattr(benchmark, "build_picker", build_picker)
    return calls


def configure(**changes):
    settings = {"preprocessing": CHAIN, "picker": PICKER, "baseline": BASELINE, "dataset": None}
    return TrainConfig(**settings | changes)


def test_both_are_scored_at_their_own_threshold(entries, run, built, capsys):
    whole = Catalogue("noise", tuple(entries))
    scores = benchmark.pick_and_score(whole, whole, None, configure(), run, Tracker())
    assert (scores["candidates"], scores["hits"], scores["missed"]) == (6, 3, 6)
    assert (scores["baseline"]["candidates"], scores["baseline"]["hits"]) == (3, 3)
    assert sorted(path.name for path in (run.folder / "picks").iterdir()) == [
        "m0.csv",
        "m1.csv",
        "m2.csv",
    ]
    assert len(list((run.folder / "baseline" / "picks").iterdir())) == 3
    shown = capsys.readouterr().out
    assert "log" in shown  # a picker without a network has the name of its option
    assert "labeler (baseline)" in shown
    assert "network" not in shown


def test_without_a_baseline_there_is_none(entries, run, built):
    whole = Catalogue("noise", tuple(entries))
    scores = benchmark.pick_and_score(whole, whole, None, configure(baseline=None), run, Tracker())
    assert scores["baseline"] is None
    assert not (run.folder / "baseline").exists()
    assert len(built) == 1


def test_a_picker_learns_from_the_micrographs_that_are_not_scored(entries, run, built):
    scored, known = (Catalogue("noise", tuple(part)) for part in (entries[:1], entries[1:]))
    benchmark.pick_and_score(scored, known, None, configure(held_out=0.3), run, Tracker())
    assert [one.examples for one in built] == [known, known]


def test_where_nothing_is_held_out_a_picker_learns_from_no_truth(entries, run, built):
    whole = Catalogue("noise", tuple(entries))
    benchmark.pick_and_score(whole, whole, None, configure(), run, Tracker())
    assert [one.examples for one in built] == [None, None]


def test_one_picker_also_picks_what_its_threshold_is_calibrated_on(entries, run, monkeypatch):
    """Particles score 0.3 or more, others mostly 0.1, and the default threshold takes neither."""
    built = []

    def build_picker(config, catalogue, preprocessing, trained, run, examples=None):
        built.append([entry.name for entry in catalogue.entries])
        x = [30.0, 70.0, 110.0, 30.0, 70.0, 110.0]
        y = [40.0, 40.0, 40.0, 80.0, 80.0, 80.0]
        found = Picks.create(x, y, [0.3, 0.31, 0.32, 0.1, 0.11, 0.31], diameter=24.0)
        return lambda entry, preprocessed: found

    monkeypatch.setattr(benchmark, "build_picker", build_picker)
    scored, known = (Catalogue("noise", tuple(part)) for part in (entries[:1], entries[1:]))
    config = configure(held_out=0.3, calibrate_on_known=True, baseline=None)
    scores = benchmark.pick_and_score(scored, known, None, config, run, Tracker())
    assert built == [["m0", "m1", "m2"]]
    assert (scores["micrographs"], scores["picks"], scores["f1"]) == (1, 0, 0.0)
    alike = scores["calibrated"]
    assert 0.11 < alike["threshold"] < 0.3
    assert (alike["recall"], alike["precision"]) == (1.0, 0.75)
    assert {path.stem for path in (run.folder / "picks").iterdir()} == {"m0"}
    assert {path.stem for path in (run.folder / "calibration" / "picks").iterdir()} == {"m1", "m2"}


def test_scores_that_say_nothing_give_no_threshold(entries, run, built):
    scored, known = (Catalogue("noise", tuple(part)) for part in (entries[:1], entries[1:]))
    config = configure(held_out=0.3, calibrate_on_known=True, baseline=None)
    scores = benchmark.pick_and_score(scored, known, None, config, run, Tracker())
    assert scores["calibrated"] is None  # all picks are particles


def test_calibration_needs_micrographs_of_its_own():
    with pytest.raises(UsageError, match="calibrate_on_known=true needs micrographs"):
        configure(calibrate_on_known=True)
