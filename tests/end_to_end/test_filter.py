"""``filter``: a finished run to new coordinate files, and on to the other commands."""

import starfile

from deepcryopicker.io.coordinates.formats import read_picks


def test_a_run_is_filtered_without_its_micrographs(shell, trained):
    answer = shell(
        "filter",
        f"filter.picks={trained.folder}",
        "filter.threshold=0.6",
        "filter.top=5",
        "outputs=[csv,relion,topaz]",
        run="filtered",
    )
    assert (answer.code, answer.err) == (0, "")
    assert "the best 5 of a micrograph: " in answer.out
    found = answer.metrics["filtered"]
    assert found["kept"] == sum(len(read_picks(path)) for path in _files(answer.folder))
    assert found["given"] - sum(rule["left_out"] for rule in found["rules"]) == found["kept"]
    for path in _files(answer.folder):
        before = read_picks(trained.folder / path.relative_to(answer.folder))
        assert read_picks(path).x.tolist() == before.x[before.score >= 0.6][:5].tolist()
    there, here = (
        starfile.read(folder / "relion" / "micrographs.star")
        for folder in (trained.folder, answer.folder)
    )
    assert here["optics"].equals(there["optics"])
    assert here["micrographs"].equals(there["micrographs"])
    # Weak picks of a filtered run count for the other commands as well.
    weak = shell(
        "filter", f"filter.picks={trained.folder}", "filter.threshold=0.01", run="filtered_weak"
    )
    again = shell("filter", f"filter.picks={weak.folder}", run="filtered_again")
    assert again.picks() == weak.picks()
    scored = shell(
        "evaluate",
        f"evaluate.picks={answer.folder}",
        f"evaluate.truth={weak.folder}",
        "evaluate.radius=1",
        run="filtered_scored",
    )
    assert scored.metrics["precision"] == 1.0
    assert scored.metrics["hits"] + scored.metrics["missed"] == weak.metrics["filtered"]["kept"]


def test_a_filtered_run_is_shown_in_a_report(shell, trained):
    answer = shell("filter", f"filter.picks={trained.folder}", "filter.top=3", run="filtered_shown")
    report = shell(
        "report", f"report.runs=[{trained.folder},{answer.folder}]", run="filtered_report"
    )
    assert (report.code, report.err) == (0, "")
    page = (report.folder / "report.html").read_text()
    assert "filtered_shown" in page
    assert "shown without micrographs" not in page
    # One picture for both, in which their picks are compared.
    assert page.count('id="picture-') == len(_files(answer.folder))


def _files(folder):
    return sorted((folder / "picks").rglob("*.csv"))
