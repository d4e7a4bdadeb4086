"""Outcomes survive the file; a file of other picks or of another truth is refused."""

import re

import numpy as np
import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.scores import evaluate_micrograph
from deepcryopicker.pipeline.scoring.pick_outcomes import read_outcomes, write_outcomes
from deepcryopicker.types import Picks

TRUTH = Picks.create([10.0, 50.0, 90.0], [10.0, 50.0, 90.0])
VAGUE = Picks.create([70.0], [70.0])
PICKS = Picks.create([52.0, 71.0, 30.0, 9.0], [50.0, 70.0, 30.0, 9.0], [0.9, 0.8, 0.7, 0.6])


def test_what_is_written_is_a_row_for_every_pick(tmp_path):
    path = tmp_path / "outcomes" / "a.csv"
    write_outcomes(path, evaluate_micrograph("a", PICKS, TRUTH, VAGUE, 10 / 3))
    assert path.read_text() == (
        "# matched within 3.3333333333333335 pixels\n"
        "outcome,particle\nhit,1\nignored,\nfalse,\nhit,0\n"
    )


@pytest.mark.parametrize("radius", [5.0, 59.1 / 2, 1 / 3])
def test_outcomes_are_read_as_they_were_written(tmp_path, radius):
    rng = np.random.default_rng(0)
    truth = Picks.create(*rng.uniform(0, 200, (2, 40)))
    near = truth.positions + rng.normal(0, radius / 2, (40, 2))
    picks = Picks.create(*near.T, rng.random(40))
    written = evaluate_micrograph("a", picks, truth, VAGUE, radius)
    assert set(written.outcome.tolist()) >= {0, 1}
    write_outcomes(tmp_path / "a.csv", written)
    found = read_outcomes(tmp_path / "a.csv", "a", picks, truth, VAGUE)
    assert found.radius == radius
    np.testing.assert_array_equal(found.outcome, written.outcome)
    np.testing.assert_array_equal(found.found, written.found)
    assert (found.outcome.dtype, found.found.dtype) == (np.int8, np.int64)


def test_a_micrograph_without_candidates_still_has_its_radius(tmp_path):
    none = Picks.empty()
    write_outcomes(tmp_path / "a.csv", evaluate_micrograph("a", none, TRUTH, VAGUE, 12.5))
    found = read_outcomes(tmp_path / "a.csv", "a", none, TRUTH, VAGUE)
    assert (found.radius, len(found.outcome), len(found.missed)) == (12.5, 0, 3)


ROWS = "hit,1\nignored,\nfalse,\nhit,0\n"
GOOD = f"# matched within 5.0 pixels\noutcome,particle\n{ROWS}"


def test_the_good_file_is_read(tmp_path):
    (tmp_path / "a.csv").write_text(GOOD)
    found = read_outcomes(tmp_path / "a.csv", "a", PICKS, TRUTH, VAGUE)
    assert found.outcome.tolist() == [1, -1, 0, 1]
    assert found.found.tolist() == [1, -1, -1, 0]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (GOOD, "", "first line"),
        ("# matched within 5.0 pixels\n", "", "first line"),
        ("5.0", "nan", "first line"),
        ("5.0", "-1", "first line"),
        ("5.0", "five", "first line"),
        ("outcome,particle", "particle,outcome", "header"),
        ("hit,0\n", "", "3 outcomes of 4 picks"),
        ("hit,0\n", "hit,0\nfalse,\n", "5 outcomes of 4 picks"),
        ("hit,0", "hit,3", "line 6 names particle 3 of 3"),
        ("hit,0", "hit,-1", "names particle -1 of 3"),
        ("hit,0", f"hit,{'9' * 5000}", "names particle 99999999999999999999 of 3"),
        ("hit,0", "hit,1_0", "names particle"),
        ("hit,0", "hit,", "not an outcome"),
        ("false,", "false,2", "not an outcome"),
        ("false,", "maybe,", "not an outcome"),
        ("false,", "false,,", "cells"),
        ("hit,0", "hit,1", "hit of two picks"),
        ("hit,0", "hit,2", "farther from its particle than the radius"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line(tmp_path, old, new, reason):
    path = tmp_path / "a.csv"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(UsageError, match=re.escape(reason)) as refused:
        read_outcomes(path, "a", PICKS, TRUTH, VAGUE)
    assert str(refused.value).startswith(f"{path}: ")
    assert len(str(refused.value)) < 300


def test_anything_but_a_text_file_is_refused(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x80")
    for name in ("missing", "folder", "binary"):
        with pytest.raises(UsageError):
            read_outcomes(tmp_path / f"{name}.csv", name, PICKS, TRUTH, VAGUE)
