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
    for name in ("half", "quarter", "iou_0.5", "iou_0.6"):
        of_run = trained.metrics["protocols"][name]
        assert answer.metrics["protocols"][name]["f1"] == pytest.approx(of_run["f1"], abs=1e-9)
    assert answer.metrics["localisation"]["hits"] == trained.metrics["localisation"]["hits"] > 0
    assert "comparison" not in answer.metrics
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


def test_all_that_a_run_leaves_scores_alike(evaluated, trained):
    of_run, run = trained.metrics, trained.folder
    for where in ("cbox", "topaz.txt"):
        scores = evaluated(run / where, f"evaluate.radius={RADIUS}").metrics
        assert scores["candidates"] == of_run["candidates"]
        assert scores["average_precision"] == pytest.approx(of_run["average_precision"], abs=1e-3)
    for where in ("relion", "relion/particles.star"):
        scores = evaluated(run / where, f"evaluate.radius={RADIUS}").metrics
        assert scores["picks"] == of_run["picks"]
        assert scores["f1"] == pytest.approx(of_run["f1"], abs=1e-3)


def test_what_is_shown(evaluated, trained):
    answer = evaluated(trained.folder / "picks")
    shown = [line.split() for line in answer.out.splitlines()]
    for name, scores in answer.metrics["protocols"].items():
        (row,) = [words for words in shown if words and words[0] == name]
        assert row[1:4] == [f"{scores[key]:.3f}" for key in ("precision", "recall", "f1")]
    chance = answer.metrics["chance"]
    assert f"chance: F1 {chance['random']['f1']:.3f}" in answer.out
    assert 0 < chance["random"]["f1"] < answer.metrics["f1"]
    assert f"hits are {answer.metrics['localisation']['pixels']['median']:.1f} pixels" in answer.out


def test_a_run_knows_its_chance_level_but_not_that_of_each_group(trained):
    assert {"protocols", "chance", "localisation"} <= trained.metrics.keys()
    (group,) = trained.metrics["groups"].values()
    assert {"protocols", "chance"}.isdisjoint(group)


def test_two_pickers_are_compared(evaluated, trained, simulated):
    against = f"evaluate.against={simulated / 'coordinates'}"
    answer = evaluated(trained.folder / "picks", against, "evaluate.against_threshold=1")
    comparison = answer.metrics["comparison"]
    assert comparison["threshold"] == comparison["scores"]["f1"] == comparison["f1"]["second"] == 1
    assert comparison["f1"]["first"] == answer.metrics["f1"]
    assert comparison["micrographs"] == 3
    assert comparison["smallest_p"] == 0.25 <= comparison["f1"]["p"]
    assert f"F1 is {-comparison['f1']['difference']:.3f} lower" in answer.out
    assert "no difference on 3 micrographs can be significant" in answer.out
    assert evaluated(trained.folder / "picks").metrics["f1"] == answer.metrics["f1"]


def test_pickers_that_share_no_micrograph_are_refused(evaluated, trained, tmp_path):
    for index, name in enumerate(("one", "other")):
        (tmp_path / name).mkdir()
        picks = trained.folder / "picks" / f"apoferritin_00{index}.csv"
        (tmp_path / name / picks.name).write_bytes(picks.read_bytes())
    answer = evaluated(tmp_path / "one", f"evaluate.against={tmp_path / 'other'}")
    assert answer.code == 2
    assert "have no micrograph in common" in answer.err


def test_micrographs_without_picks_are_left_out_or_missed(evaluated, trained, tmp_path):
    picks = trained.folder / "picks" / "apoferritin_000.csv"
    (tmp_path / picks.name).write_bytes(picks.read_bytes())
    answer = evaluated(tmp_path)
    assert "2 of 3 truth files have no picks" in answer.out
    assert "evaluate.missing=missed" in answer.out
    left_out = answer.metrics
    missed = evaluated(tmp_path, "evaluate.missing=missed").metrics
    assert (left_out["micrographs"], missed["micrographs"]) == (1, 3)
    assert missed["truth"] == trained.metrics["truth"] > left_out["truth"]
    assert missed["hits"] == left_out["hits"] > 0
    assert missed["recall"] < left_out["recall"]


def test_sub_folders_and_uncertain_places(shell, tmp_path):
    for name in ("picks", "truth"):
        for sub in ("s1", "s2"):
            (tmp_path / name / sub).mkdir(parents=True)
            (tmp_path / name / sub / "a.csv").write_text("x,y,diameter\n10,10,6\n")
    (tmp_path / "picks" / "s2" / "a.csv").write_text("x,y,score\n40,40,7.5\n")
    (tmp_path / "truth" / "s2" / "a.uncertain.csv").write_text("x,y\n41,40\n")
    given = [f"evaluate.{name}={tmp_path / name}" for name in ("picks", "truth")]
    metrics = shell("evaluate", *given, run="sub").metrics
    assert [row["micrograph"] for row in metrics["per_micrograph"]] == ["s1/a", "s2/a"]
    assert (metrics["hits"], metrics["false"], metrics["missed"]) == (1, 0, 1)
    assert metrics["ignored"] == 1


def test_truth_is_perfect(evaluated, simulated):
    metrics = evaluated(simulated / "coordinates").metrics
    assert metrics["f1"] == metrics["average_precision"] == 1


def test_a_threshold_leaves_picks_out(evaluated, trained):
    metrics = evaluated(trained.folder / "picks", "evaluate.threshold=1").metrics
    assert metrics["picks"] == 0
    assert metrics["average_precision"] == pytest.approx(trained.metrics["average_precision"])


@pytest.mark.parametrize("threshold", [-1000, 7.5])
def test_scores_need_not_be_probabilities(shell, tmp_path, threshold):
    (tmp_path / "a.csv").write_text("x,y,diameter\n10,10,6\n")
    table = "image_name\tx_coord\ty_coord\tscore\na\t10\t10\t8\na\t50\t50\t-990\n"
    (tmp_path / "p.txt").write_text(table)
    given = [f"evaluate.picks={tmp_path / 'p.txt'}", f"evaluate.truth={tmp_path}"]
    metrics = shell("evaluate", *given, f"evaluate.threshold={threshold}", run="scores").metrics
    assert metrics["f1"] == (1 if threshold > 0 else 2 / 3)


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
