"""``evaluate``: the same numbers as the run that made the picks, from any format."""

import pytest

RADIUS = 130 / 2.2 / 2
SCORES = ("f1", "average_precision", "precision", "recall", "best_f1", "per_micrograph")


@pytest.fixture
def evaluated(shell, simulated):
    """Compare a folder of picks with the simulated truth."""

    def compare(folder, *overrides):
        truth = f"evaluate.truth={simulated / 'coordinates'}"
        return shell("evaluate", f"evaluate.picks={folder}", truth, *overrides, run="evaluated")

    return compare


@pytest.mark.parametrize("given", [[], [f"evaluate.radius={RADIUS}"]])
def test_it_agrees_with_the_run_that_picked(evaluated, trained, given):
    answer = evaluated(trained.folder / "picks", *given)
    assert (answer.code, answer.err) == (0, "")
    for key in SCORES:
        expected = trained.metrics[key]
        assert answer.metrics[key] == (
            expected if key == "per_micrograph" else pytest.approx(expected, abs=1e-9)
        )
    assert answer.metrics["radius"] == pytest.approx(RADIUS, abs=0.01)
    assert (answer.folder / "precision_recall.png").is_file()
    assert answer.out.splitlines()[-1] == f"run folder: {answer.folder}"


def test_box_and_star_give_the_scores_of_their_picks(evaluated, trained):
    stars = next((trained.folder / "relion").rglob("apoferritin_000_autopick.star")).parent
    for folder in (trained.folder / "box", stars):
        scores = evaluated(folder, f"evaluate.radius={RADIUS}").metrics
        # These hold only what was picked, in pixels that may be rounded.
        assert scores["candidates"] == scores["picks"] == trained.metrics["picks"]
        assert scores["f1"] == pytest.approx(trained.metrics["f1"], abs=0.03)


def test_truth_is_perfect(evaluated, simulated):
    metrics = evaluated(simulated / "coordinates").metrics
    assert metrics["f1"] == metrics["average_precision"] == 1


def test_a_threshold_leaves_picks_out(evaluated, trained):
    metrics = evaluated(trained.folder / "picks", "evaluate.threshold=1").metrics
    assert metrics["picks"] == 0
    assert metrics["average_precision"] == pytest.approx(trained.metrics["average_precision"])


def test_folders_that_do_not_belong_together_are_refused(evaluated, tmp_path):
    (tmp_path / "other.csv").write_text("x,y\n1,2\n")
    answer = evaluated(tmp_path)
    assert answer.code == 2
    assert "share no file name" in answer.err
    assert "other" in answer.err


def test_damaged_picks_are_refused_by_name(evaluated, tmp_path):
    (tmp_path / "apoferritin_000.csv").write_text("x,y\n1,two\n")
    answer = evaluated(tmp_path)
    assert answer.code == 2
    assert "apoferritin_000.csv" in answer.err
    assert "two" in answer.err


def test_a_truth_without_diameters_needs_a_radius(shell, tmp_path):
    for name in ("picks", "truth"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text("x,y\n10,10\n")
    given = [f"evaluate.{name}={tmp_path / name}" for name in ("picks", "truth")]
    answer = shell("evaluate", *given, run="radius")
    assert answer.code == 2
    assert "give evaluate.radius=PIXELS" in answer.err
    assert shell("evaluate", *given, "evaluate.radius=3", run="radius").metrics["f1"] == 1
