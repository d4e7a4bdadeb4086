"""``report``: real runs of every command on one page."""

import html
import re

import pytest

from .conftest import SMALL


@pytest.fixture(scope="module")
def reported(shell, trained, simulated):
    """A training, a labelling, a baseline, foreign picks of the same, and a run that failed."""
    labelled = shell("label", *SMALL, run="labelled_to_report").folder
    picked = shell("pick", *SMALL, "picker=log", run="picked_log").folder
    compared = shell(
        "evaluate",
        f"evaluate.picks={picked / 'picks'}",
        f"evaluate.truth={simulated / 'coordinates'}",
        run="compared",
    ).folder
    failed = shell("pick", *SMALL, "picker.weights=nowhere", run="failed").folder
    runs = [trained.folder, labelled, picked, compared, failed]
    return shell("report", f"report.runs=[{','.join(map(str, runs))}]", run="reported")


def test_it_says_where_the_page_is(reported):
    assert (reported.code, reported.err) == (0, "")
    assert f"page: {reported.folder / 'report.html'}" in reported.out
    assert reported.out.splitlines()[-1] == f"run folder: {reported.folder}"


def test_every_picker_agrees_with_its_run(reported):
    assert "have changed since" not in reported.out
    assert "no picks are shown" not in reported.out


def test_a_refused_run_says_why(reported):
    page = html.unescape((reported.folder / "report.html").read_text())
    assert re.search(r"<b>failed</b>: failed: .*nowhere", page)


def test_the_papers_figures_are_files_and_in_the_page(reported):
    page = (reported.folder / "report.html").read_text()
    files = {path.name for path in (reported.folder / "figures").iterdir()}
    expected = {
        "figure_03_picks.png",
        "figure_04_by_shape.png",
        "figure_06_simulated.png",
        "figure_07_simulated.png",
        "figure_08_training_time.png",
        *(f"figure_{number}_apoferritin.png" for number in (10, 11, 12, 13)),
    }
    assert expected <= files
    for name in files:
        assert f'href="figures/{name}"' in page
    for number in (5, 14, 15, 16):  # nothing unseen, and no side views
        assert f"Figure {number}, " in page


@pytest.mark.thorough
def test_a_sweep_has_a_row_for_each_job(shell):
    sweep = shell(
        "pick", *SMALL, "picker=log", "picker.threshold=0.4,0.6", run="thresholds", sweep=True
    ).folder
    answer = shell("report", f"report.runs=[{sweep}]", "report.figures=false", run="reported_sweep")
    page = (answer.folder / "report.html").read_text()
    for threshold in (0.4, 0.6):
        assert f"picker.threshold={threshold}" in page
    assert not (answer.folder / "figures").exists()
