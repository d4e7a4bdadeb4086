"""Scores calibrated on the micrographs themselves: one run, resumed, sharded or watched."""

import json
from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest
from PIL import Image
from scipy.special import expit

from deepcryopicker.dataset.catalogue import Entry
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.formats import read_picks, read_with_raw_scores
from deepcryopicker.picker.folder.window_features import Background
from deepcryopicker.pipeline.picking.batch import Batch
from deepcryopicker.pipeline.picking.results.folder_scores import FolderScores
from deepcryopicker.pipeline.picking.results.noise_control import classes_in_noise
from deepcryopicker.pipeline.picking.results.pick_files import Files
from deepcryopicker.pipeline.picking.results.recipe import Recipe
from deepcryopicker.pipeline.picking.results.window_files import read_windows
from deepcryopicker.pipeline.scoring.picked import evaluate_picks
from deepcryopicker.preprocessing.schema import PreprocessingConfig
from deepcryopicker.runs.folder import Run
from deepcryopicker.types import Picks

CHAIN = PreprocessingConfig(24.0, model_input="n", steps={"n": {"operation": "standardise"}})
PARTICLES, NOISE = 40, 160  # candidates of a micrograph
SHIFT = -3.0  # of the logits of this network: at a score of one half it finds hardly any particle


def candidates(seed, particles):
    """Candidates of a network whose scores of particles are too low."""
    rng = np.random.default_rng(seed)
    logit = np.r_[rng.normal(SHIFT + 2.0, 1.0, particles), rng.normal(SHIFT - 4.0, 1.2, NOISE)]
    order = np.argsort(-logit)
    x, y = rng.uniform(20, 280, (2, len(logit)))
    return Picks.create(x[order], y[order], expit(logit[order]), diameter=24.0)


def find(entry, preprocessed):
    """Find particles in micrographs, whose grey values are positive, and none in noise."""
    in_noise = preprocessed.micrograph.image.min() < 0
    return candidates(crc32(entry.name.encode()) + in_noise, 0 if in_noise else PARTICLES)


class _Flat:
    """What a micrograph looks like to `find`."""

    class micrograph:
        image = np.ones((2, 2))


@pytest.fixture
def entries(tmp_path):
    """Micrographs with a dark ring at most of the particles, which score highest."""
    made = []
    y, x = np.mgrid[:300, :300]
    for number in range(12):
        path = tmp_path / f"m{number:02d}.png"
        image = np.random.default_rng(number).normal(128, 30, (300, 300))
        found = find(Entry(path.stem, path, "g", 24.0), _Flat())
        for column, row in found.positions[:PARTICLES]:
            image -= 30 * (np.abs(np.hypot(x - column, y - row) - 9) < 3)
        Image.fromarray(np.clip(image, 1, 255).astype(np.uint8)).save(path)
        made.append(Entry(path.stem, path, "g", 24.0))
    return made


@pytest.fixture
def begin(tmp_path):
    """Begin a batch in a folder of the given name."""

    def begin(name, **changes):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        run = Run(folder, None, name, {"seed": 0})
        recipe = Recipe(CHAIN, lambda: find, 0.5, {"seed": 0}, assess=True, recalibrate=True)
        recipe = replace(recipe, outputs=("csv", "relion", "box"), **changes)
        return Batch(recipe, run, folder, ["g"], keep=True)

    return begin


def pick(batch, entries, drawn=()):
    batch.pick(batch.find_finished(entries), drawn, iter)
    batch.write_lists()
    return batch


def contents(batch, *kinds):
    folder = batch._run.folder
    return {
        str(path.relative_to(folder)): path.read_bytes().replace(str(folder).encode(), b"RUN")
        for kind in kinds or ("picks", "noise", "windows", "box", "relion")
        for path in sorted((folder / kind).rglob("*.*"))
    }


def test_half_is_as_likely_a_particle_as_not_and_raw_scores_are_kept(begin, entries):
    batch = pick(begin("one"), entries)
    for one in batch.done:
        picks, raw = read_with_raw_scores(one.path)
        assert (raw >= 0.5).sum() < PARTICLES / 2
        assert (picks.score >= 0.5).sum() == one.record.picks == pytest.approx(PARTICLES, abs=3)
        found = np.round(find(one.entry, _Flat()).score, 6)
        np.testing.assert_array_equal(np.sort(raw), np.sort(found))
        assert (np.diff(picks.score) <= 0).all()
    manifest = (batch._run.folder / "manifest.jsonl").read_text().splitlines()
    recorded = {line["name"]: line["picks"] for line in map(json.loads, manifest)}
    assert len(manifest) == len(entries)
    assert recorded == {one.entry.name: one.record.picks for one in batch.done}
    lines = (batch._run.folder / "box" / "m00.box").read_text().splitlines()
    assert len(lines) == batch.done[0].record.picks
    verdict = batch._run.verdicts["g"]
    assert verdict["verdict"] == "particles found"
    assert verdict["particles"] == pytest.approx(12 * PARTICLES, rel=0.05)
    assert {one.verdict for one in batch.done} == {"particles found"}
    assert verdict["averages"]["particles"] > 0.35
    with Image.open(batch._run.folder / "averages.png") as sheet:
        assert sheet.width > 128
    json.dumps(verdict)


def test_the_control_is_what_is_picked_in_noise(begin, entries):
    batch = pick(begin("one"), entries)
    verdict = batch._run.verdicts["g"]
    drawn = batch._scores.with_noise(batch.done)
    assert len(drawn) == 8
    scores = [read_picks(batch._files.noise(one.entry)).score for one in drawn]
    curve = verdict["curve"]
    logit = np.log(np.concatenate(scores) / (1.0 - np.concatenate(scores)))
    above = (curve["slope"] * logit + curve["intercept"] >= 0).sum()
    assert verdict["in_noise"] == pytest.approx(above / len(drawn))  # noise is as large as they are
    windows = [read_windows(batch._files.noise_windows(one.entry)) for one in drawn]
    assert {stack.shape[1:] for stack in windows} == {(32, 32)}
    assert {len(stack) for stack in windows} == {60}
    classes = classes_in_noise(drawn, batch._files, Background(1.0, 1.0))
    assert classes.count.sum() == 60 * len(drawn)
    assert classes_in_noise(drawn[:0], batch._files, Background(1.0, 1.0)) is None
    with Image.open(batch._run.folder / "averages.png") as sheet:
        with_control = sheet.height
    for one in drawn:
        batch._files.noise_windows(one.entry).unlink()
    batch.write_lists()
    with Image.open(batch._run.folder / "averages.png") as sheet:
        assert sheet.height < with_control


def test_the_control_has_the_scores_that_the_picks_have(begin, entries):
    batch = pick(begin("one", recalibrate=False, threshold=0.01), entries)
    drawn = batch._scores.with_noise(batch.done)
    scores = [read_picks(batch._files.noise(one.entry)).score for one in drawn]
    above = (np.concatenate(scores) >= 0.01).sum()
    assert batch._run.verdicts["g"]["in_noise"] == pytest.approx(above / len(drawn))
    assert above > 0
    assert not any(batch._files.noise_windows(one.entry).exists() for one in drawn)


def test_a_resumed_run_has_the_scores_of_one_run(begin, entries):
    whole = contents(pick(begin("one"), entries))
    pick(begin("two"), entries[:5])
    for _ in range(2):
        found = contents(pick(begin("two"), entries))
        assert whole.items() <= found.items()  # and the noise of others


def test_files_that_come_one_by_one_have_the_scores_of_one_run(begin, entries):
    whole = contents(pick(begin("one"), entries))
    batch = begin("two")
    for entry in reversed(entries):
        batch.pick([entry], (), iter)
        batch.write_lists()
    found = contents(batch, "picks", "windows", "box", "relion")
    assert found == {path: text for path, text in whole.items() if "noise" not in path}


def test_while_more_are_expected_scores_that_hardly_change_stay(begin, entries):
    whole = contents(pick(begin("one"), entries), "picks", "box")
    batch = begin("two")
    batch.pick(entries[:8], (), iter)
    batch.write_lists(complete=False)
    first = contents(batch, "picks")
    batch.pick(entries[8:], (), iter)
    batch.write_lists(complete=False)
    assert first.items() <= contents(batch, "picks").items()
    assert {one.record.picks > 30 for one in batch.done} == {True}
    batch.write_lists()
    assert contents(batch, "picks", "box") == whole


def test_shards_together_have_the_scores_of_one_run(begin, entries):
    whole = contents(pick(begin("one"), entries))
    shards = [pick(begin(f"shard{n}"), entries[n::3]) for n in range(3)]
    batch = begin("two")
    for shard in shards:
        batch.copy_finished(shard._run.folder, entries)
    found = contents(pick(batch, entries), "picks", "windows", "box", "relion")
    assert found == {path: text for path, text in whole.items() if "noise" not in path}


def test_nothing_is_written_again_if_no_score_changes(begin, entries):
    batch = pick(begin("one"), entries)
    before = {path: path.stat().st_mtime_ns for path in (batch._run.folder / "picks").iterdir()}
    pick(begin("one"), entries)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_overlays_show_the_calibrated_picks(begin, entries):
    whole = pick(begin("one"), entries, drawn={"m00"})
    (overlay,) = (whole._run.folder / "overlays").iterdir()
    expected = overlay.read_bytes()
    part = pick(begin("two"), entries[:5], drawn={"m00"})
    pick(begin("two"), entries, drawn={"m00"})
    assert (part._run.folder / "overlays" / "m00.png").read_bytes() == expected
    overlay.unlink()  # as if the run had been killed before it was drawn
    pick(begin("one"), entries, drawn={"m00"})
    assert overlay.read_bytes() == expected


def test_a_micrograph_that_is_gone_keeps_its_overlay(begin, entries):
    part = pick(begin("one"), entries[:5], drawn={"m00"})
    overlay = part._run.folder / "overlays" / "m00.png"
    before = overlay.read_bytes()
    part.pick(entries[5:], (), iter)
    entries[0].path.unlink()
    part.write_lists()
    assert overlay.read_bytes() == before
    assert len(part.done) == 12


def test_a_count_that_was_not_recorded_is_recorded(begin, entries):
    """As if the run had been killed between the picks and the record."""
    batch = pick(begin("one"), entries)
    expected = {one.entry.name: one.record.picks for one in batch.done}
    batch._manifest.replace(replace(one.record, picks=0) for one in batch.done)
    again = pick(begin("one"), entries)
    assert {one.entry.name: one.record.picks for one in again.done} == expected


def test_without_noise_the_scores_stay(begin, entries):
    """As after a signal, when no more is picked."""
    batch = begin("one")
    batch.pick(entries, (), iter)
    for entry in entries:
        batch._files.noise(entry).unlink(missing_ok=True)
    batch.write_lists(complete=False)
    assert batch._run.verdicts == {}
    assert len(contents(batch, "box")) == 12
    assert (batch._run.folder / "relion" / "autopick.star").is_file()


def test_what_was_interrupted_before_calibration_is_calibrated(begin, entries):
    """The files have no raw scores yet, and noise is missing."""
    whole = contents(pick(begin("one"), entries))
    batch = pick(begin("two"), entries)
    for one in batch.done:
        picks, raw = read_with_raw_scores(one.path)
        write_csv(one.path, replace(picks, score=raw))
        batch._files.noise(one.entry).unlink(missing_ok=True)
    assert contents(pick(begin("two"), entries)) == whole


def test_windows_that_are_missing_are_cut_again(begin, entries):
    """As in a folder of an earlier version, or after they were removed to save space."""
    whole = contents(pick(begin("one"), entries))
    batch = pick(begin("two"), entries)
    for one in batch.done[::2]:
        batch._files.windows(one.entry).unlink()
    assert contents(pick(begin("two"), entries)) == whole


def test_outcomes_follow_the_corrected_order(begin, entries, tmp_path):
    truth = tmp_path / "truth.csv"
    found = find(entries[0], _Flat())
    rows = "".join(f"{x:.3f},{y:.3f}\n" for x, y in found.positions[:PARTICLES])
    truth.write_text(f"x,y\n{rows}")
    known = [replace(entries[0], truth=truth), *entries[1:]]
    one = pick(begin("one"), known).done[0]
    again = replace(one)  # reads the outcomes that were written
    matched = evaluate_picks(one.entry, one.load(), one.entry.load_truth(), 24.0, (300, 300))
    np.testing.assert_array_equal(again.evaluated.outcome, matched.outcome)
    np.testing.assert_array_equal(again.evaluated.picks.score, one.load().score)


def test_without_calibration_scores_stay_and_are_weighed(begin, entries):
    batch = pick(begin("one", recalibrate=False), entries)
    for one in batch.done:
        assert one.path.read_text().splitlines()[0] == "x,y,score,class,diameter,size,contrast"
        assert read_picks(one.path).score.max() == pytest.approx(
            find(one.entry, _Flat()).score.max(), abs=1e-6
        )
    assert batch._run.verdicts["g"]["recall"] < 0.5


def test_the_noise_of_eight_is_picked_and_those_of_a_part_include_them(tmp_path):
    scores = FolderScores(Files.of(tmp_path, ["a", "b"]))
    entries = [Entry(f"m{n}", tmp_path / f"m{n}.mrc", "ab"[n % 2], 24.0) for n in range(60)]
    whole = scores.drawn_for_noise(entries)
    assert len(whole) == 16
    for part in (entries[:20], entries[20:33], entries[33:]):
        assert whole & {entry.name for entry in part} <= scores.drawn_for_noise(part)
