"""Which positions count: no score is a pick, scores of ours obey a threshold, others do not."""

import math
from pathlib import Path

import numpy as np
import pytest

from deepcryopicker.io.coordinates import selected_picks
from deepcryopicker.io.coordinates.boxes import write_box, write_cbox
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.coordinate_tables import read_table
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.coordinates.run_picks import threshold_near
from deepcryopicker.io.coordinates.selected_picks import UNLIMITED, Selection, read_selected
from deepcryopicker.io.coordinates.topaz_table import write_topaz
from deepcryopicker.io.star.relion_star import write_coordinates_star
from deepcryopicker.types import Picks
from deepcryopicker.types.picks import COLUMNS

OURS = Picks.create([1, 2, 3], [4, 4, 4], [0.9, 0.5, 0.2], diameter=9.0)
BOX = "data_cryolo\nloop_\n_CoordinateX\n_CoordinateY\n_Width\n_Height\n_Confidence\n"
STAR = "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnAutopickFigureOfMerit\n"

WITHOUT = ["<NA>", "nan", "NaN", "NA", "None", "null", "-999", "-999.000000", "-99", "-9999"]


@pytest.mark.parametrize("cell", WITHOUT)
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.star", STAR + "1 2 {0}\n3 4 0.25\n"),
        ("a.cbox", BOX + "1 2 3 3 {0}\n3 4 3 3 0.25\n"),
        ("a.csv", "x,y,score\n1,2,{0}\n3,4,0.25\n"),
        ("a.tsv", "image_name\tx_coord\ty_coord\tscore\na\t1\t2\t{0}\na\t3\t4\t0.25\n"),
        ("a.box", "1 2 3 3 {0}\n3 4 3 3 0.25\n"),
    ],
)
def test_no_score_counts_row_by_row(tmp_path, name, form, cell):
    path = tmp_path / name
    path.write_text(form.format(cell))
    assert read_picks(path).score.tolist() == [1.0, 0.25]
    if name == "a.tsv":
        read_table(path)
    for threshold in (0.5, 1e6):
        kept = read_selected(path, Selection(threshold=threshold))
        assert (len(kept.picks), kept.given) == (1, 2)


def test_no_score_beside_other_scores_than_probabilities(tmp_path):
    path = tmp_path / "a.star"
    path.write_text(STAR + "1 2 -999\n3 4 7.5\n5 6 -2\n")
    assert read_picks(path).score.tolist() == [7.5, 7.5, -2]
    path.write_text(STAR + "1 2 high\n")
    with pytest.raises(Exception, match="must be a number, line 6 has 'high'"):
        read_picks(path)


def written(folder):
    """The same candidates in every format that holds scores, by us."""
    write_csv(folder / "a.csv", OURS)
    write_cbox(folder / "a.cbox", OURS)
    write_box(folder / "a.box", OURS)
    write_coordinates_star(folder / "a.star", OURS)
    write_topaz(folder / "a.txt", [("a", OURS), ("b", OURS)])
    return {"a.csv": None, "a.cbox": None, "a.box": None, "a.star": None, "a.txt": "a"}


def test_ours_are_cut_at_the_threshold_of_their_run(tmp_path):
    for name, row in written(tmp_path).items():

        def count(name=name, row=row, **settings):
            return len(read_selected(tmp_path / name, Selection(row, **settings)).picks)

        assert count() == 2
        assert count(own_threshold=0.6) == 1
        assert count(threshold=0.1) == 3
        assert count(own_threshold=UNLIMITED) == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.star", STAR + "1 2 0.1\n3 4 0.2\n"),  # RELION's correlations
        ("a.box", "1 2 3 3 0.1\n3 4 3 3 0.2\n"),  # REPIC's weights
        ("a.csv", "x,y,score\n1,2,-3\n3,4,0.2\n"),
        ("a.tsv", "image_name\tx_coord\ty_coord\tscore\na\t1\t2\t-3\na\t3\t4\t0.2\n"),
        ("a.csv", "x,y\n1,2\n3,4\n"),
        ("a.csv", "x,y,score\n1,2,1\n3,4,1\n"),
    ],
)
def test_those_of_others_are_not(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert len(read_selected(tmp_path / name).picks) == 2
    assert len(read_selected(tmp_path / name, Selection(threshold=0.15)).picks) == (
        2 if ",y\n" in content or ",1\n" in content else 1
    )


def test_flags_of_a_labeler_count_rather_than_scores(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y,score,good\n1,2,0.1,1\n3,4,0.9,0\n5,6,0.4,1\n")
    kept = read_selected(path)
    assert (kept.picks.x.tolist(), kept.flagged, kept.threshold) == ([1, 5], True, None)
    assert read_selected(path, Selection(threshold=0.5)).picks.x.tolist() == [3]
    assert len(read_picks(path)) == 3


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, 0.5),
        ("picker:\n  threshold: 0.3\n", 0.3),
        ("picker:\n  threshold: high\n", 0.5),
        ("picker: log\n", 0.5),
        ("- 1\n", 0.5),
        ("a: [\n", 0.5),
    ],
)
def test_the_threshold_of_a_run(tmp_path, config, expected):
    run = tmp_path / "run"
    (run / "relion" / "mine" / "raw").mkdir(parents=True)
    (run / "picks").mkdir()
    if config is not None:
        (run / "config.yaml").write_text(config)
    for place in (run, run / "picks", run / "relion" / "mine" / "raw" / "a_autopick.star"):
        assert threshold_near(place) == expected
    assert threshold_near(Path("/")) == 0.5


def test_the_threshold_of_a_baseline(tmp_path):
    text = "picker:\n  threshold: 0.3\nbaseline:\n  threshold: 0.7\n"
    (tmp_path / "config.yaml").write_text(text)
    assert threshold_near(tmp_path / "baseline" / "picks") == 0.7


def test_a_table_that_changes_is_read_again(tmp_path):
    write_topaz(tmp_path / "t.txt", [("a", OURS)])
    assert read_table(tmp_path / "t.txt") is read_table(tmp_path / "t.txt")
    write_topaz(tmp_path / "t.txt", [("b", OURS)])
    with pytest.raises(Exception, match="no longer has a"):
        read_selected(tmp_path / "t.txt", Selection("a"))
    assert math.isclose(float(np.sum(read_table(tmp_path / "t.txt")["b"].score)), 1.6)


@pytest.mark.parametrize("threshold", [None, 0.3, 1.0, UNLIMITED])
def test_files_of_ours_are_selected_as_the_careful_reader_selects(tmp_path, monkeypatch, threshold):
    rng = np.random.default_rng(0)
    picks = Picks.create(
        *rng.uniform(0, 900, (2, 50)),
        rng.random(50).round(6),
        rng.choice(["top", "side"], 50),
        diameter=30.0,
        size=np.where(rng.random(50) < 0.2, np.nan, rng.uniform(20, 40, 50).round(1)),
        contrast=rng.normal(0, 1, 50).round(2),
    )
    write_csv(tmp_path / "a.csv", picks, rng.random(50))
    selection = Selection(threshold=threshold, own_threshold=0.6)
    at_once = read_selected(tmp_path / "a.csv", selection)
    monkeypatch.setattr(selected_picks, "read_above", lambda *_: None)
    carefully = read_selected(tmp_path / "a.csv", selection)
    for column in COLUMNS:
        np.testing.assert_array_equal(
            getattr(at_once.picks, column), getattr(carefully.picks, column)
        )
    assert (at_once.given, at_once.threshold) == (carefully.given, carefully.threshold)
    np.testing.assert_array_equal(at_once.scores, carefully.scores)
