"""From runs to the page: numbers as in ``metrics.json``, matching as in the run, text as text."""

import base64
import html
import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepcryopicker.evaluation.metrics import Curve
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.images.own_pictures import save_own_picture
from deepcryopicker.reporting.content import numbers, shown_micrographs
from deepcryopicker.reporting.content.verdicts import verdicts_table
from deepcryopicker.reporting.page.packing import pack, plain_curve
from deepcryopicker.reporting.page.page_model import Cell, PageTable, Row
from deepcryopicker.reporting.page.thumbnails import LARGEST, SMALLEST, longest_side
from deepcryopicker.reporting.reading.pick_sets import PickSet
from deepcryopicker.reporting.reading.run_folders import RunFolder, find_runs
from deepcryopicker.types import Picks
from deepcryopicker.viewing import served_run

from .common import (
    DIAMETER,
    HOSTILE,
    evaluated_in,
    make_dataset,
    make_pick_run,
    names_of,
    settings_of,
    write_run,
)


def holder(text, name):
    """Content of a script tag that holds data."""
    return re.search(rf'<script type="application/\S+" id="{name}">(.*?)</script>', text, re.S)[1]


def unpacked(text, name):
    return json.loads(zlib.decompress(base64.b64decode(holder(text, name))))


@pytest.fixture(scope="session")
def text(page):
    return page.read_text(encoding="utf-8")


def test_the_page_is_one_file_that_names_no_other(text):
    without_data = re.sub(r"<script type=.*?</script>", "", text, flags=re.S)
    assert "default-src 'none'" in html.unescape(text)
    assert re.findall(r'(?:src|href)="(?!#|data:|figures/)([^"]*)', without_data) == []
    assert "@import" not in text
    assert "url(" not in text


def test_names_are_escaped_wherever_they_stand(text):
    assert HOSTILE not in text
    assert text.count("<script>") == 1  # its own
    content = json.loads(html.unescape(holder(text, "content")))
    assert HOSTILE in [one["name"] for one in content["micrographs"]]


def test_candidates_are_exact_and_in_order(text, runs, data):
    content = json.loads(holder(text, "content"))
    index = [one["name"] for one in content["pickers"]].index("poor")
    packed = unpacked(text, f"picks-{index}")
    evaluated = list(evaluated_in(runs["poor"], data).values())
    assert [content["micrographs"][one["micrograph"]]["name"] for one in packed] == [
        one.name for one in evaluated
    ]
    for plain, one in zip(packed, evaluated, strict=True):
        order = np.argsort(-one.picks.score, kind="stable")
        assert plain["score"] == one.picks.score[order].tolist()
        assert plain["outcome"] == "".join("fh"[value] for value in one.outcome[order])
        assert plain["found"] == [value for value in one.found[order].tolist() if value >= 0]
        np.testing.assert_allclose(plain["x"], one.picks.x[order], atol=0.5)
        np.testing.assert_allclose(plain["truth"]["y"], one.truth.y, atol=0.5)
        assert plain["diameter"] == DIAMETER


def test_one_micrograph_of_several_runs_is_shown_once(text):
    content = json.loads(holder(text, "content"))
    names = [one["name"] for one in content["micrographs"]]
    assert sorted(names) == sorted([*names_of(2), HOSTILE, "lonely"])
    assert text.count('id="picture-') == 4


def test_the_table_has_the_numbers_of_metrics(text, runs):
    metrics = json.loads((runs["good"] / "metrics.json").read_text())
    low, high = metrics["f1_interval"]
    for shown in (f"{metrics['f1']:.3f}", f"[{low:.3f}, {high:.3f}]", f"{metrics['picks']}"):
        assert shown in text


def test_the_provenance_of_numbers_is_shown(text, runs):
    shown = html.unescape(text)
    assert "python -m deepcryopicker.pick picker=log dataset=folder" in shown
    assert "greedy by descending score" in shown
    for fact in ("8.0", "abc", str(runs["good"])):
        assert f"<dd>{fact}</dd>" in shown


def test_truth_that_has_changed_is_noticed(tmp_path, write_report):
    data = make_dataset(tmp_path / "data", names_of(2))
    run = make_pick_run(tmp_path / "run", data, names_of(2))
    path = data / "coordinates" / f"{names_of(1)[0]}.csv"
    write_csv(path, read_picks(path)[np.arange(20) < 5])
    _, code, said = write_report(run)
    assert code == 0
    assert "have changed since" in said


def test_without_micrographs_scores_and_picks_are_left(tmp_path, write_report):
    data = make_dataset(tmp_path / "data", names_of(2))
    run = make_pick_run(tmp_path / "run", data, names_of(2))
    data.rename(tmp_path / "elsewhere")
    path, code, said = write_report(run)
    page = path.read_text()
    assert code == 0
    assert "shown without micrographs and truth" in said
    assert 'id="picture-' not in page
    (first, _) = unpacked(page, "picks-0")
    assert "outcome" not in first
    assert len(first["x"]) > 10


def test_class_sheets_are_in_the_page_if_this_program_drew_them(tmp_path, write_report):
    data = make_dataset(tmp_path / "data", names_of(2))
    run = make_pick_run(tmp_path / "run", data, names_of(2))
    (run / "averages").mkdir()
    sheets = [run / "averages.png", run / "averages" / "klh.png", run / "classes.png"]
    for shade, sheet in enumerate(sheets):
        save_own_picture(Image.new("L", (9, 9), shade), sheet)
    Image.new("L", (9, 9), 77).save(run / "averages" / "foreign.png")
    page = write_report(run)[0].read_text()
    section = page[page.index('id="averages"') :]
    for sheet in sheets:
        assert base64.b64encode(sheet.read_bytes()).decode() in section
    assert section.count("data:image/png") == len(sheets)
    assert "run klh: likely candidates" in section
    for sheet in sheets:
        sheet.unlink()
    assert 'id="averages"' not in write_report(run)[0].read_text()


def test_pictures_can_be_left_out(runs, write_report):
    path, _, _ = write_report(runs["good"], options=["report.picture_megabytes=0"])
    page = path.read_text()
    assert 'id="picture-' not in page
    assert "outcome" in unpacked(page, "picks-0")[0]


@pytest.mark.thorough
def test_foreign_picks_lie_on_the_micrographs_of_another_run(tmp_path, runs, data, write_report):
    run = tmp_path / "theirs"
    overrides = [
        f"evaluate.picks={runs['poor'] / 'picks'}",
        f"evaluate.truth={data / 'coordinates'}",
        f"evaluate.radius={DIAMETER / 2}",
    ]
    write_run(run, settings_of("evaluate", *overrides)[1], overrides, {})
    path, code, _ = write_report(run, runs["good"])
    page = path.read_text()
    content = json.loads(holder(page, "content"))
    assert code == 0
    assert [one["dataset"] for one in content["pickers"]] == ["invented", "invented"]
    assert len(content["micrographs"]) == page.count('id="picture-') == 3


def test_foreign_picks_that_are_gone_are_said_to_be(tmp_path, write_report):
    overrides = [f"evaluate.picks={tmp_path / 'picks'}", f"evaluate.truth={tmp_path / 'truth'}"]
    write_run(tmp_path / "run", settings_of("evaluate", *overrides)[1], overrides, {})
    _, code, said = write_report(tmp_path / "run")
    assert code == 0
    assert "no picks are shown: evaluate.truth" in said


def test_scores_of_any_size_are_kept(tmp_path, write_report):
    data = make_dataset(tmp_path / "data", names_of(1))
    run = make_pick_run(tmp_path / "run", data, names_of(1))
    scores = [-6.123456789012345, 1e9, 0.1 + 0.2]
    write_csv(run / "picks" / f"{names_of(1)[0]}.csv", Picks.create([1, 2, 3], [1, 2, 3], 1.0))
    rows = [f"{i},{i},{score!r}" for i, score in enumerate(scores)]
    (run / "picks" / f"{names_of(1)[0]}.csv").write_text("x,y,score\n" + "\n".join(rows))
    page = write_report(run)[0].read_text()
    assert unpacked(page, "picks-0")[0]["score"] == sorted(scores, reverse=True)
    (picker,) = json.loads(holder(page, "content"))["pickers"]
    assert (picker["low"], picker["high"]) == (scores[0], scores[1])


def test_a_curve_is_thinned_but_keeps_its_ends():
    count = 10_000
    curve = Curve(np.linspace(1, 0, count), np.linspace(1, 0.3, count), np.linspace(0, 0.9, count))
    plain = plain_curve(curve, most=100)
    assert 50 <= len(plain["recall"]) <= 100
    assert (plain["recall"][0], plain["recall"][-1]) == (0.0, 0.9)
    assert np.diff(plain["recall"]).max() < 0.03
    short = Curve(*(np.array([0.5, 0.25]) for _ in range(3)))
    assert plain_curve(short)["threshold"] == [0.5, 0.25]


def test_what_is_packed_comes_back():
    value = [{"name": "</script>", "score": [0.1, 1e-300]}]
    assert json.loads(zlib.decompress(base64.b64decode(pack(value)))) == value


@pytest.mark.parametrize(
    ("count", "megabytes", "side"), [(1, 8, LARGEST), (10**6, 8, SMALLEST), (10, 0, 0)]
)
def test_pictures_fit_into_what_they_may_take(count, megabytes, side):
    assert longest_side(count, megabytes) == side


def pick_set(metrics):
    run = RunFolder(Path("run"), command="pick")
    return PickSet("ours", run, run.path, 0.5, metrics, 3.0)


def test_rows_of_groups_follow_their_picker():
    groups = {"a": {"picks": 1, "f1": 0.25}, "b": {"picks": 2, "f1": 0.75}}
    metrics = {"picks": 3, "f1": 0.5, "best_f1": 0.6, "best_threshold": 0.4, "groups": groups}
    table = numbers.picks_table([pick_set(metrics)], {"ours": "both"})
    assert [(row.cells[0].text, row.part) for row in table.rows] == [
        ("ours", False),
        ("a", True),
        ("b", True),
    ]
    f1, best = (table.columns.index(name) for name in ("F1", "Best F1"))
    assert [row.cells[f1].number for row in table.rows] == [0.5, 0.25, 0.75]
    assert table.rows[0].cells[best] == Cell("0.600", 0.6, "at 0.4")
    assert table.rows[0].cells[-1].text == "3.0 s"


def test_the_papers_number_stands_beside_ours():
    settings = {"reference": {"patches.accuracy": {"class-set=five": 0.9989}}}
    metrics = {"patches": {"windows": 10, "accuracy": 0.98, "accuracy_interval": [0.9, 1.0]}}
    run = RunFolder(Path("run"), settings=settings, overrides=["class-set=five"], metrics=metrics)
    (row,) = numbers.windows_table([run]).rows
    assert Cell("0.980", 0.98, "[0.900, 1.000]", "paper 0.9989") in row.cells


def test_other_rules_have_a_table_where_runs_have_them():
    iou = {"rule": "boxes", "f1": 0.5, "precision": 0.25, "recall": 1, "average_precision": None}
    metrics = {"picks": 1, "protocols": {"half": {}, "iou_0.5": iou}}
    table = numbers.protocols_table([pick_set(metrics), pick_set({"picks": 1})])
    assert table.columns == ["Picker", "half", "iou 0.5"]
    assert table.note.endswith("iou 0.5: boxes.")
    (row,) = table.rows
    assert row.cells == [Cell("ours"), Cell("–"), Cell("0.500", 0.5, "P 0.250 R 1.000")]
    assert numbers.protocols_table([pick_set({"picks": 1})]) is None


def test_verdicts_need_no_truth_and_trust_nothing():
    found = {
        "verdict": "doubtful",
        "reason": "<b>hardly",
        "precision": 0.5,
        "recall": None,
        "particles": 120.4,
        "interval": [100.2, 140.0],
        "in_noise": 2.25,
    }
    metrics = {"picks": 1, "verdicts": {"klh": found, "ours": "broken"}}
    table = verdicts_table([pick_set(metrics), pick_set({"picks": 1, "verdicts": [3]})])
    assert [row.cells[1].text for row in table.rows] == ["klh", "ours"]
    assert [cell.text for cell in table.rows[0].cells] == [
        *("ours", "klh", "doubtful", "0.50", "–", "120", "2.2", "<b>hardly"),
    ]
    assert table.rows[0].cells[5].note == "[100, 140]"
    assert {cell.text for cell in table.rows[1].cells[2:]} == {"–"}
    assert verdicts_table([pick_set({"picks": 1})]) is None


def test_a_column_of_numbers_is_distinguished_from_text():
    table = PageTable(
        "t", ["a", "b"], [Row([Cell("x"), Cell("–")]), Row([Cell("y"), Cell("1", 1.0)])]
    )
    assert [table.is_number(0), table.is_number(1)] == [False, True]


@pytest.fixture
def many(tmp_path):
    """Twelve micrographs, and a second picker that has picked two of them."""
    data = make_dataset(tmp_path / "data", names_of(12))
    runs = [make_pick_run(tmp_path / "all", data, names_of(12))]
    return [*runs, make_pick_run(tmp_path / "two", data, names_of(12)[3:5], skill=0.1)]


def test_a_page_of_too_many_micrographs_shows_some_and_says_so(monkeypatch, many, write_report):
    whole, *_ = write_report(*many)
    everything = json.loads(html.unescape(holder(whole.read_text(), "content")))
    monkeypatch.setattr(shown_micrographs, "_MANY", 10)
    monkeypatch.setattr(shown_micrographs, "_MOST_PLACES", 200)  # of some 500
    page, code, said = write_report(*many)
    text = page.read_text()
    content = json.loads(html.unescape(holder(text, "content")))
    count = len(content["micrographs"])
    assert code == 0
    assert 3 <= count < 8
    assert content["total"] == len(everything["micrographs"]) == 12
    assert f"{count} of 12 micrographs are shown here" in text
    assert f"12 micrographs ({count} of them in the viewer)" in said
    assert "are shown here" not in whole.read_text()
    for index, picker in enumerate(content["pickers"]):  # each shows some, its curve is of all
        assert len(unpacked(text, f"picks-{index}")) == len(picker["micrographs"]) > 0
        assert picker["curve"] == everything["pickers"][index]["curve"]
        assert picker["best"] == everything["pickers"][index]["best"]
    for _, picture in re.findall(r'id="(picture-(\d+))"', text):
        assert int(picture) < count


def test_pictures_limit_the_micrographs_of_a_page(monkeypatch, many, write_report):
    """Noise is larger than smoothed micrographs: its pictures are measured."""
    monkeypatch.setattr(shown_micrographs, "_MANY", 10)
    page, *_ = write_report(*many, options=["report.picture_megabytes=0.15"])
    text = page.read_text()
    count = len(json.loads(html.unescape(holder(text, "content")))["micrographs"])
    pictures = re.findall(r'id="(picture-\d+)"', text)
    assert len(pictures) == count < 11
    assert sum(len(holder(text, name)) for name in pictures) < 0.15e6


def test_the_page_of_view_shows_all_micrographs(monkeypatch, many):
    monkeypatch.setattr(shown_micrographs, "_MANY", 10)
    monkeypatch.setattr(shown_micrographs, "_MOST_PLACES", 200)
    page = served_run._assemble(find_runs([str(many[0])]), None)
    assert len(page.micrographs) == page.total == 12
