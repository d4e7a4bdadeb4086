"""Picks of other programs, read and matched as the command does, score as is known of them."""

import pytest

from deepcryopicker.config.sections import EvaluateSection
from deepcryopicker.errors import UsageError
from deepcryopicker.evaluation.scores import score_pooled
from deepcryopicker.pipeline.scoring.external import match_coordinates

# Precision and recall on the whole data set, of which some micrographs are here.
EXTERNAL = {
    "repic_cryolo": (0.86, 0.95),
    "repic_topaz": (0.73, 0.86),
    "repic_deeppicker": (0.51, 0.25),
    "cassper": (0.82, 0.71),
    "cassper_cryolo": (0.87, 0.83),
    "cassper_gautomatch": (0.80, 0.39),
}


@pytest.mark.real
@pytest.mark.parametrize("picker", EXTERNAL)
def test_picks_of_other_programs_score_as_known(real_data, picker):
    folder = real_data / "beta_galactosidase"
    matched = match_coordinates(
        EvaluateSection(
            picks=str(folder / "external_picks" / picker), truth=str(folder / "coordinates")
        )
    )
    assert matched.radius == 54
    assert len(matched.picks) >= 10
    scores = score_pooled(matched.picks, threshold=-1000.0)
    assert (scores["precision"], scores["recall"]) == pytest.approx(EXTERNAL[picker], abs=0.03)
    assert scores["picks"] == scores["candidates"] > 1000


def coordinates(folder, **files):
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return str(folder)


def test_the_radius_comes_from_the_truth_that_is_used(tmp_path):
    truth = coordinates(
        tmp_path / "truth",
        a="x,y,diameter\n1,1,10\n",
        b="x,y,diameter\n1,1,30\n",
        c="no,coordinates\n1,1\n",
    )
    picks = coordinates(tmp_path / "picks", a="x,y\n1,1\n")
    against = coordinates(tmp_path / "against", b="x,y\n1,1\n")
    alone = match_coordinates(EvaluateSection(picks, truth))
    assert (alone.radius, alone.against) == (5, None)
    both = match_coordinates(EvaluateSection(picks, truth, against=against))
    assert both.radius == 10
    assert [one.name for one in both.picks] == ["a"]
    assert [one.name for one in both.against] == ["b"]
    with pytest.raises(UsageError, match=r"c.csv: needs columns x and y"):
        match_coordinates(EvaluateSection(picks, truth, missing="missed"))
