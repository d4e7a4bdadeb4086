"""Corrections on the page: clicks, keys, what the browser keeps, and the files that it saves."""

import json
from dataclasses import replace

import numpy as np
import pytest

from deepcryopicker.config.sections import FilterSection
from deepcryopicker.io.coordinates.boxes import read_box
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.corrections import read_corrections
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.pipeline.filtering.filter_picks import filter_picks
from deepcryopicker.pipeline.filtering.filtered_files import write_filtered
from deepcryopicker.pipeline.filtering.picked_micrographs import open_picked
from deepcryopicker.runs.manifest import Record, write_records

from .common import DIAMETER, HEIGHT, WIDTH, make_dataset, make_pick_run, names_of
from .test_browser import Tab

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

NAMES = names_of(3)
READOUT = "#box-readout"
BOX = ((0.35, 0.2), (0.8, 0.7))  # corners, shares of the plot


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Make a run on two MRC files and a TIFF file, without truth."""
    data = make_dataset(tmp_path_factory.mktemp("corrected_data"), NAMES, with_truth=False)
    folder = make_pick_run(tmp_path_factory.mktemp("corrected_run") / "run", data, NAMES)
    suffixes = (".mrc", ".mrc", ".tif")
    write_records(
        folder,
        [
            Record(name, f"raw/{name}{suffix}", 1, 1, "", HEIGHT, WIDTH, DIAMETER, 2.5, None, 1, 1)
            for name, suffix in zip(NAMES, suffixes, strict=True)
        ],
    )
    return folder


@pytest.fixture(scope="session")
def corrected_page(write_report, run):
    for path in (folder := run / "picks").iterdir():  # best first, as `pick` writes them
        picks = read_picks(path)
        rng = np.random.default_rng(len(picks))
        contrast, size = rng.normal(0.5, 0.3, len(picks)), rng.uniform(12, 20, len(picks))
        measured = replace(picks, contrast=contrast.round(2), size=size.round(1))
        write_csv(folder / path.name, measured[np.argsort(-picks.score, kind="stable")])
    path, code, said = write_report(run)
    assert code == 0, said
    return path


class Corrected(Tab):
    """A page on which picks are corrected."""

    def at(self, x, y):
        """Return the place on the screen of original pixels, at the smallest zoom."""
        canvas = self.page.locator("#canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        scale = box["width"] / WIDTH
        return box["x"] + (x + 0.5) * scale, box["y"] + (y + 0.5) * scale

    def click(self, x, y):
        self.page.mouse.click(*self.at(x, y))

    def drag(self, start, end):
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        for share in (0.3, 0.7, 1.0):
            self.page.mouse.move(*self.at(*(np.array(start) * (1 - share) + np.array(end) * share)))
        self.page.mouse.up()

    def save(self, kind, folder):
        with self.page.expect_download() as found:
            self.page.click(f"#save-{kind}")
        path = folder / found.value.suggested_filename
        found.value.save_as(path)
        return path

    @property
    def edits(self):
        return self.page.inner_text("#edits")


@pytest.fixture
def tab(chromium, corrected_page):
    opened = Corrected(chromium, corrected_page)
    opened.choose("#micrograph", NAMES[0])
    yield opened
    assert opened.said == []
    opened.context.close()


def lonely(run, name, threshold=0.5):
    """A pick farther than a diameter from all others, and an empty place."""
    picks = read_picks(run / "picks" / f"{name}.csv")
    picks = picks[picks.score >= threshold]
    away = np.hypot(*(picks.positions[:, None] - picks.positions[None]).T)
    np.fill_diagonal(away, np.inf)
    one = int(away.min(axis=0).argmax())
    grid = np.stack(np.meshgrid(np.arange(20, WIDTH - 20, 4), np.arange(20, HEIGHT - 20, 4)), -1)
    places = grid.reshape(-1, 2).astype(float)
    far = np.hypot(*(places[:, None] - picks.positions[None]).T).T.min(axis=1)
    return picks.positions[one], places[far.argmax()], len(picks)


def test_clicks_add_and_remove_and_are_undone(tab, run):
    pick, empty, count = lonely(run, NAMES[0])
    tab.click(*pick)  # nothing is changed before the tool is chosen
    assert tab.drawn("pickA") == count
    tab.page.keyboard.press("e")
    tab.click(*pick)
    tab.click(*empty)
    assert (tab.drawn("pickA"), tab.drawn("removed"), tab.drawn("added")) == (count - 1, 1, 1)
    assert tab.edits.startswith("Here: 1 added, 1 removed.")
    for key, removed, added in (("z", 1, 0), ("z", 0, 0), ("y", 1, 0), ("Control+y", 1, 1)):
        tab.page.keyboard.press(key)
        assert (tab.drawn("removed"), tab.drawn("added")) == (removed, added)
    tab.click(*pick)  # takes it back
    tab.click(*empty)  # the added one goes
    assert (tab.drawn("pickA"), tab.drawn("removed"), tab.drawn("added")) == (count, 0, 0)


def test_picks_are_moved_and_the_view_is_not(tab, run, tmp_path):
    pick, empty, _ = lonely(run, NAMES[0])
    tab.page.click("#edit")
    tab.drag(pick, empty)
    assert float(tab.page.get_attribute("#canvas", "data-zoom")) == 1
    correction = read_corrections(tab.save("json", tmp_path)).by_name[NAMES[0]]
    assert correction.removed.positions == pytest.approx(pick[None], abs=1e-3)
    assert correction.added.positions == pytest.approx(empty[None], abs=0.6)


def test_the_browser_keeps_corrections_until_they_are_discarded(tab, run):
    _, empty, _ = lonely(run, NAMES[0])
    tab.page.click("#edit")
    tab.click(*empty)
    tab.page.keyboard.press("n")
    tab.page.click("#exclude")
    assert tab.page.inner_text("#exclude") == "Excluded: take it back"
    tab.slide("A", 0.3)
    tab.page.reload()
    tab.page.wait_for_selector("html[data-ready]")
    assert tab.page.input_value("#number-A") == "0.3"
    assert "1 added, 0 removed in 1 micrograph, 1 excluded; now " in tab.edits
    tab.page.click("#forget")
    assert "1 added" in tab.edits  # asked first
    tab.page.click("#forget")
    assert "0 added, 0 removed in 0 micrographs" in tab.edits


def test_saved_files_are_those_of_filter(tab, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tab.slide("A", 0.4)
    tab.page.keyboard.press("e")
    for name in NAMES:
        tab.choose("#micrograph", name)
        pick, empty, _ = lonely(run, name, 0.4)
        tab.click(*pick)
        tab.click(*empty)
    files = {kind: tab.save(kind, tmp_path) for kind in ("json", "star", "csv", "box")}
    assert files["json"].name == "corrections.json"
    command = tab.page.inner_text("#command-filter")
    assert f"filter.picks={run} filter.corrections=corrections.json" in command
    assert "dataset.coordinates=corrections.json" in tab.page.inner_text("#command-train")
    settings = FilterSection(picks=str(run), corrections=str(files["json"]))
    kept, tally = filter_picks(open_picked(str(run), ".mrc"), settings)
    write_filtered(tmp_path / "out", kept, ["relion", "box"], tally.note)
    assert (tally.added, tally.left_out["removed by hand"]) == (3, 3)
    by_filter, by_page = (
        [line for line in path.read_text().splitlines() if not line.startswith("# filtered")]
        for path in (tmp_path / "out" / "relion" / "particles.star", files["star"])
    )
    assert by_page == by_filter
    assert any(".tif" in line for line in by_page)
    from deepcryopicker.io.coordinates.coordinate_tables import read_table

    for name, picks in read_table(files["csv"]).items():
        written = read_picks(tmp_path / "out" / "picks" / f"{name}.csv")
        assert picks.positions.tolist() == written.positions.tolist()
    last = NAMES[-1]
    assert files["box"].name == f"{last}.box"
    assert files["box"].read_text() == (tmp_path / "out" / "box" / f"{last}.box").read_text()
    assert len(read_box(files["box"])) == len(written)


def test_a_box_in_contrast_against_score_keeps_what_is_inside(tab, run, tmp_path):
    every = tab.drawn("pickA")
    plot = tab.page.locator("#scatter canvas")
    plot.scroll_into_view_if_needed()
    area = plot.bounding_box()
    corners = [(area["x"] + u * area["width"], area["y"] + v * area["height"]) for u, v in BOX]
    tab.page.mouse.move(*corners[0])
    tab.page.mouse.down()
    tab.page.mouse.move(*corners[1], steps=4)
    tab.page.mouse.up()
    files = {kind: tab.save(kind, tmp_path) for kind in ("json", "star")}
    content = json.loads(files["json"].read_text())
    low, high = content["rules"]["contrast"]
    threshold, most = content["threshold"], content["rules"]["maxscore"]
    assert 0 < threshold < 0.5 < most < 1
    assert -0.5 < low < 0.5 < high < 1.2
    picks = read_picks(run / "picks" / f"{NAMES[0]}.csv")
    inside = (picks.score >= threshold) & (picks.score <= most)
    inside &= (picks.contrast >= low) & (picks.contrast <= high)
    assert tab.drawn("pickA") == inside.sum() not in (0, every)
    assert f"'filter.contrast=[{low:g},{high:g}]'" in tab.page.inner_text("#command-filter")
    settings = FilterSection(picks=str(run), corrections=str(files["json"]))
    kept, tally = filter_picks(open_picked(str(run), ".mrc"), settings)
    write_filtered(tmp_path / "out", kept, ["relion"], tally.note)
    by_filter, by_page = (
        [line for line in path.read_text().splitlines() if not line.startswith("# filtered")]
        for path in (tmp_path / "out" / "relion" / "particles.star", files["star"])
    )
    assert by_page == by_filter
    tab.page.reload()
    tab.page.wait_for_selector("html[data-ready]")
    assert f"contrast {low:g} to {high:g}, score at most {most:g}" in tab.page.inner_text(READOUT)
    tab.page.fill("#box-low", "")
    tab.page.press("#box-low", "Tab")
    assert f"contrast any to {high:g}" in tab.page.inner_text(READOUT)
    kept_here = tab.drawn("pickA")
    tab.page.click("#box-all")
    assert "All contrasts are kept." in tab.page.inner_text(READOUT)
    assert tab.drawn("pickA") == every  # at the threshold before the box
    tab.page.click("#undo")
    assert tab.drawn("pickA") == kept_here
    assert float(tab.page.input_value("#number-A")) == threshold
    tab.page.click("#redo")
    assert tab.drawn("pickA") == every


def test_counts_are_those_after_corrections(tab, run):
    def counts(title):
        row = tab.page.locator("#counts tbody tr", has_text=title)
        return int(row.locator("td").first.inner_text())

    pick, empty, count = lonely(run, NAMES[0])
    every = counts("A, all 3")
    assert counts("A, this micrograph") == count
    tab.page.keyboard.press("e")
    tab.click(*pick)
    assert (counts("A, this micrograph"), counts("A, all 3")) == (count - 1, every - 1)
    tab.click(*empty)
    tab.page.keyboard.press("x")
    assert counts("A, all 2") == every - count
    tab.page.fill("#number-A", "1.7")
    tab.page.keyboard.press("Tab")
    assert float(tab.page.input_value("#number-A")) == 1


def test_excluded_micrographs_and_parts_that_were_seen_are_saved(tab, tmp_path):
    tab.page.keyboard.press("x")
    assert tab.drawn("marks") == 0
    tab.page.keyboard.press("n")
    tab.page.click("#zoom-in")
    tab.page.click("#only-view")
    path = tab.save("json", tmp_path)
    found = read_corrections(path)
    assert found.by_name[NAMES[0]].excluded
    ((left, top, right, bottom),) = found.by_name[NAMES[1]].seen
    assert 0 < left < right < WIDTH
    assert 0 < top < bottom < HEIGHT
    assert json.loads(path.read_text())["threshold"] == 0.5


def test_contrast_and_low_pass_change_the_picture_alone(tab):
    before = tab.page.locator("#canvas").screenshot()
    marks = tab.drawn("marks")
    tab.page.check("#local")
    tab.page.eval_on_selector(
        "#low-pass", "e => { e.value = '4'; e.dispatchEvent(new Event('input')) }"
    )
    tab.page.wait_for_timeout(300)
    both = tab.page.locator("#canvas").screenshot()
    assert both != before
    for _ in range(3):
        tab.page.click("#zoom-in")
    tab.page.wait_for_timeout(300)
    local = tab.page.locator("#canvas").screenshot()
    tab.page.uncheck("#local")
    tab.page.wait_for_timeout(300)
    assert tab.page.locator("#canvas").screenshot() != local  # also with a low-pass
    assert tab.drawn("marks") == marks
