"""Outcomes that a run wrote are shown as they are; what does not fit is matched again, and said."""

import json
from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.evaluation import scores
from deepcryopicker.evaluation.scores import evaluate_micrograph
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.pipeline.scoring.pick_outcomes import write_outcomes
from deepcryopicker.report import report
from deepcryopicker.reporting.content import run_outcomes
from deepcryopicker.reporting.content.scored_pickers import score_picker
from deepcryopicker.reporting.reading.pick_sets import list_pick_sets
from deepcryopicker.reporting.reading.run_folders import find_runs
from deepcryopicker.types import Picks

from .common import (
    DIAMETER,
    WIDTH,
    candidates,
    evaluated_in,
    make_dataset,
    make_pick_run,
    names_of,
    particles,
    typed,
)

RADIUS = DIAMETER / 2


def keep_outcomes(folder, evaluated, radius=RADIUS):
    """Write what a run keeps of each scored micrograph, in the micrograph's frame."""
    for name, one in evaluated.items():
        write_csv(folder / "truth" / f"{name}.csv", one.truth)
        matched = evaluate_micrograph(name, one.picks, one.truth, Picks.empty(), radius)
        write_outcomes(folder / "outcomes" / f"{name}.csv", matched)


def shown(folder):
    """What the report makes of the only picker of a run."""
    (pick_set,) = list_pick_sets(find_runs([str(folder)]))
    return score_picker(pick_set, None)


@pytest.fixture
def matched(monkeypatch):
    """Names of the micrographs that are matched again."""
    calls = []

    def count(name, *rest):
        calls.append(name)
        return scores.evaluate_micrograph(name, *rest)

    monkeypatch.setattr(run_outcomes, "evaluate_micrograph", count)
    return calls


@pytest.fixture
def run(tmp_path):
    """A run of three micrographs with its outcomes."""
    data = make_dataset(tmp_path / "data", names_of(3))
    folder = make_pick_run(tmp_path / "run", data, names_of(3))
    keep_outcomes(folder, evaluated_in(folder, data))
    return folder


def test_outcomes_are_read_and_nothing_is_matched_again(run, matched, tmp_path):
    expected = evaluated_in(run, tmp_path / "data")
    scored = shown(run)
    assert (scored.notes, matched) == ([], [])
    for one in scored.micrographs:
        assert one.radius == one.evaluated.radius == RADIUS
        np.testing.assert_array_equal(one.evaluated.outcome, expected[one.name].outcome)
        np.testing.assert_array_equal(one.evaluated.found, expected[one.name].found)


def test_the_radius_is_the_one_of_the_run(run, matched, tmp_path):
    """The configuration says 8 pixels; the run wrote down another radius."""
    keep_outcomes(run, evaluated_in(run, tmp_path / "data"), radius=2.5)
    assert {one.radius for one in shown(run).micrographs} == {2.5}
    assert matched == []


def test_a_run_without_outcomes_is_matched_again_without_a_note(run, matched):
    for path in (run / "outcomes").iterdir():
        path.unlink()
    (run / "outcomes").rmdir()
    scored = shown(run)
    assert scored.notes == []
    assert matched == names_of(3)
    assert {one.radius for one in scored.micrographs} == {RADIUS}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"\xff\xfe\x00"),
        lambda path: path.write_text(path.read_text() + "false,\n"),
        lambda path: path.write_text(path.read_text().replace("hit,", "hit,99", 1)),
        lambda path: path.write_text("# matched within 1e999 pixels\noutcome,particle\n"),
    ],
)
@pytest.mark.thorough
def test_outcomes_that_do_not_fit_are_matched_again_and_said_once(run, matched, damage):
    for name in names_of(2):
        damage(run / "outcomes" / f"{name}.csv")
    scored = shown(run)
    assert matched == names_of(2)
    (note,) = scored.notes
    assert note.startswith(
        "outcomes of 2 micrographs cannot be used, so picks were matched again: "
        "outcomes/one_0000.csv: "
    )
    assert "\n" not in note


def test_blocks_of_a_micrograph_are_put_together(tmp_path, matched):
    """Two halves were picked and matched one by one; the page shows them as one micrograph."""
    (name,) = names_of(1)
    data = make_dataset(tmp_path / "data", [name])
    run = make_pick_run(tmp_path / "run", data, [name])
    (run / "picks" / f"{name}.csv").unlink()
    truth, picks = particles(0), candidates(particles(0), 0)
    for number, left in enumerate((0, WIDTH / 2)):
        part = f"{name}_block{number}"
        real, found = (
            each[(each.x >= left) & (each.x < left + WIDTH / 2)] for each in (truth, picks)
        )
        write_csv(run / "picks" / f"{part}.csv", found)
        keep_outcomes(run, {part: evaluate_micrograph(part, found, real, Picks.empty(), RADIUS)})
    rows = [{"micrograph": f"{name}_block0"}, {"micrograph": f"{name}_block1"}]
    scored = shown(with_rows(run, rows))
    (one,) = scored.micrographs
    assert (one.name, matched, len(one.picks)) == (name, [], len(picks))
    assert one.evaluated.n_truth == len(truth)
    hit = one.evaluated.found >= 0
    assert hit.sum() > 5
    shift = one.picks.positions[hit] - one.evaluated.truth.positions[one.evaluated.found[hit]]
    assert np.hypot(*shift.T).max() <= RADIUS + 0.01
    np.testing.assert_array_equal(one.evaluated.outcome == 1, hit)


def with_rows(run, rows):
    """The run, with other micrographs scored than its metrics say."""
    metrics = json.loads((run / "metrics.json").read_text())
    for key in ("hits", "false", "missed"):
        del metrics[key]
    (run / "metrics.json").write_text(json.dumps(metrics | {"per_micrograph": rows}))
    return run


@pytest.mark.thorough
def test_folders_are_listed_equally_often_for_few_and_many_micrographs(tmp_path, monkeypatch):
    counts, walk = [], Path.rglob
    for count in (2, 6):
        data = make_dataset(tmp_path / f"data{count}", names_of(count))
        folder = make_pick_run(tmp_path / f"run{count}", data, names_of(count))
        keep_outcomes(folder, evaluated_in(folder, data))
        calls = []

        def counted(path, *given, seen=calls, **options):
            seen.append(path)
            return walk(path, *given, **options)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "rglob", counted)
            assert len(shown(folder).micrographs) == count
        counts.append(len(calls))
    assert counts[0] == counts[1] > 0


def test_picks_that_were_edited_are_noticed(run):
    path = run / "picks" / f"{names_of(1)[0]}.csv"
    picks = read_picks(path)
    write_csv(path, picks.moved(40.0, 0.0))
    first, second = shown(run).notes
    assert "a hit lies farther from its particle than the radius" in first
    assert "have changed since" in second


@pytest.mark.thorough
def test_a_second_report_in_a_folder_keeps_no_figure_of_the_first(run, tmp_path):
    folder = tmp_path / "page"
    words = [f"report.runs=[{run}]", "report.figures=false", f"hydra.run.dir={folder}"]
    assert typed(report, "report", *words) == (0, "")
    (folder / "figures").mkdir()
    (folder / "figures" / "figure_3.png").write_bytes(b"old")
    assert typed(report, "report", *words, "report.title=again")[0] == 0
    assert "again" in (folder / "report.html").read_text()
    assert list((folder / "figures").iterdir()) == []
