"""The files of one micrograph: what is written is what is scored, and it is matched once."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from deepcryopicker.config.schemas import OUTPUTS
from deepcryopicker.dataset.catalogue import Block, Entry
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.pipeline.picking.prepared import find_candidates
from deepcryopicker.pipeline.picking.results import pick_files
from deepcryopicker.pipeline.picking.results.pick_files import Files, write_candidates
from deepcryopicker.pipeline.scoring.pick_outcomes import read_outcomes
from deepcryopicker.preprocessing.preprocessed import Preprocessed
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.types import Picks

CHAIN = PreprocessingConfig(24.0, model_input="n", steps={"n": {"operation": "normalise"}})
TRUTH = Picks.create([30.0, 70.0, 110.0], [40.0, 40.0, 40.0], label="top", diameter=24.0)
FOUND = Picks.create(
    [30.00049, 50.0, 71.0, 110.0], [40.0] * 4, [0.9, 0.8, 0.7, 0.2], "top", diameter=24.0
)


@pytest.fixture
def entry(tmp_path):
    """A micrograph of noise, 100 x 140 pixels, with three true particles and a doubtful place."""
    path, truth = tmp_path / "m.png", tmp_path / "truth_of_the_dataset" / "m.csv"
    noise = np.random.default_rng(0).integers(90, 160, (100, 140), np.uint8)
    Image.fromarray(noise).save(path)
    write_csv(truth, TRUTH)
    write_csv(truth.with_suffix(".uncertain.csv"), Picks.create([50.0], [45.0]))
    return Entry("m", path, "g", 24.0, truth=truth)


@pytest.fixture
def files(tmp_path):
    return Files.of(tmp_path / "run", ["g"], OUTPUTS)


def pick(entry, files, found=FOUND):
    """Pick a micrograph, and write the formats beside CSV."""
    preprocessed = Preprocessed(entry.load(), 24.0, CHAIN)
    picks = find_candidates(entry, preprocessed, lambda *_: found, files)
    snr = write_candidates(entry, preprocessed, picks, files)
    height = len(preprocessed.micrograph.image)
    files.write_others(entry, picks, 0.5, height, files.wanted(entry))
    return picks, snr


def outcomes_in(entry, files):
    picks = entry.from_micrograph(read_picks(files.candidates(entry)))
    return read_outcomes(files.outcomes(entry), entry.name, picks, *entry.load_truth())


def test_the_outcome_of_every_candidate_is_written_beside_it(entry, files):
    picks, snr = pick(entry, files)
    first = files.candidates(entry).read_text().splitlines()[0]
    assert first == "x,y,score,class,diameter,size,contrast"
    assert (files.folder / "outcomes" / "m.csv").read_text() == (
        "# matched within 12.0 pixels\noutcome,particle\nhit,0\nignored,\nhit,1\nhit,2\n"
    )
    assert outcomes_in(entry, files).missed_at(0.5).x.tolist() == [110.0]
    assert read_picks(files.folder / "truth" / "m.csv").x.tolist() == [30, 70, 110]
    assert picks.x.tolist() == read_picks(files.candidates(entry)).x.tolist() == [30, 50, 71, 110]
    assert np.isfinite(snr)


def test_what_is_matched_has_the_decimals_of_the_file(entry, files):
    at_the_radius = replace(FOUND[:1], x=np.array([42.0004]))
    pick(entry, files, at_the_radius)  # 12.0004 pixels off, 12.000 as written
    assert outcomes_in(entry, files).outcome.tolist() == [1]


def test_picks_are_matched_once_and_truth_is_read_once(entry, files, monkeypatch):
    calls = []
    load, match = Entry.load_truth, pick_files.evaluate_picks
    monkeypatch.setattr(Entry, "load_truth", lambda one: calls.append("truth") or load(one))
    monkeypatch.setattr(pick_files, "evaluate_picks", lambda *a: calls.append("match") or match(*a))
    pick(entry, files)
    assert calls == ["truth", "match"]


def test_box_holds_the_picks_and_cbox_all_candidates(entry, files):
    pick(entry, files)
    assert len(read_picks(files.folder / "box" / "m.box")) == 3
    assert len(read_picks(files.folder / "cbox" / "m.cbox")) == 4


def test_only_what_is_asked_for_is_written_beside_the_csv(entry, tmp_path):
    pick(entry, Files.of(tmp_path / "run", ["g"], ["csv"]))
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"picks", "truth", "outcomes"}
    pick(entry, Files.of(tmp_path / "other", ["g"]))
    names = {path.name for path in (tmp_path / "other").iterdir()}
    assert names == {"picks", "truth", "outcomes", "relion"}


def test_a_block_is_written_in_the_frame_of_its_micrograph(entry, files):
    block = replace(entry, name="m_block1", block=Block("m", 20, 40, 60, 80))
    inside = FOUND[1:3].moved(-40, -20)
    picks, _ = pick(block, files, inside)
    assert picks.positions.tolist() == [[50.0, 40.0], [71.0, 40.0]]
    assert read_picks(files.truth(block)[0]).x.tolist() == [70.0, 110.0]
    evaluated = outcomes_in(block, files)
    assert evaluated.outcome.tolist() == [-1, 1]
    assert evaluated.found.tolist() == [-1, 0]
    assert not (files.folder / "relion").exists()


def test_what_was_scored_before_is_removed_with_its_truth(entry, files):
    pick(entry, files)
    picks, snr = pick(replace(entry, truth=None), files)
    assert (len(picks), snr) == (4, None)
    assert [
        path for path in files.folder.rglob("*") if path.parent.name in ("truth", "outcomes")
    ] == []


def test_all_files_are_copied_from_a_shard(entry, files, tmp_path):
    pick(entry, files)
    write_csv(files.noise(entry), FOUND)
    for path in (files.overlay(entry), *files.masks(entry)):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"a picture")
    whole = Files.of(tmp_path / "whole", ["g"])
    whole.copy_from(files, entry)
    theirs, ours = (
        {path.relative_to(each.folder): path.read_bytes() for path in each.folder.rglob("*.*")}
        for each in (files, whole)
    )
    assert ours == theirs
    assert len(ours) == 11
    whole.remove(entry)
    assert [path for path in whole.folder.rglob("*.*") if path.is_file()] == []
