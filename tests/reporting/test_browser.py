"""The report in a real browser, opened from disk."""

import json

import numpy as np
import pytest

from deepcryopicker.evaluation.metrics import scores_at
from deepcryopicker.evaluation.scores import pooled
from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.picker.pick_counts import far_from_others
from deepcryopicker.types import Picks

from .common import HOSTILE, evaluated_in, make_dataset, make_pick_run, names_of

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

THRESHOLDS = [0.0, 0.25, 0.5, 0.743, 1.0]
NARROW, WIDE = 390, 1400
PATIENCE = 180_000  # milliseconds: machines may be busy


class Tab:
    """A page in the browser, with what it said and what it asked for."""

    def __init__(self, browser, path, width=WIDE):
        self.context = browser.new_context(viewport={"width": width, "height": 900})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]")

    def choose(self, selector, label):
        self.page.select_option(selector, label=label)
        self.page.wait_for_selector("#canvas[aria-busy=false]")

    def wait_for_zoom(self, low, high):
        """Wait until the picture is so much larger than the whole."""
        for _ in range(PATIENCE // 50):  # the page lets no text be run that asks for it
            zoom = float(self.page.get_attribute("#canvas", "data-zoom"))
            if low <= zoom <= high:
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"the zoom stays {zoom}")

    def slide(self, letter, value):
        """Move the slider as the hand does: its value changes, and it says so."""
        self.page.eval_on_selector(
            f"#slider-{letter}",
            "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')) }",
            str(value),
        )

    def counts(self, title):
        """The row of the table below the sliders: numbers as shown, and scores in full."""
        row = self.page.locator("#counts tbody tr", has_text=title)
        cells = row.locator("td").all_inner_texts()
        return [int(cell) for cell in cells[:4]], json.loads(row.get_attribute("data-scores"))

    def drawn(self, what):
        """How many marks of a kind the picture has, such as ``hitA``."""
        data = self.page.eval_on_selector("#canvas", "canvas => ({...canvas.dataset})")
        return int(data[what])


@pytest.fixture
def open_tab(chromium):
    tabs = []

    def open_page(path, width=WIDE):
        tabs.append(Tab(chromium, path, width))
        return tabs[-1]

    yield open_page
    for tab in tabs:
        tab.context.close()


@pytest.fixture
def tab(open_tab, page):
    return open_tab(page)


def check(tab, title, evaluated, threshold):
    """Compare a row of counts with what ``evaluate`` gives."""
    score, outcome, n_truth = pooled(evaluated)
    expected = scores_at(score, outcome, n_truth, threshold)
    counts, scores = tab.counts(title)
    picks = int((score >= threshold).sum())
    assert counts == [picks, expected.hits, expected.false, expected.missed]
    assert scores == {key: getattr(expected, key) for key in ("precision", "recall", "f1")}
    return expected


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.thorough
def test_it_opens_without_an_error_and_asks_nobody(open_tab, page, width):
    tab = open_tab(page, width)
    tab.page.mouse.wheel(0, 10_000)
    assert tab.said == []
    outside = [url for url in tab.asked if not url.startswith("data:")]
    assert outside == [page.as_uri()]
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("threshold", THRESHOLDS)
@pytest.mark.thorough
def test_the_slider_gives_the_numbers_of_evaluate(tab, runs, data, threshold):
    tab.choose("#picker-A", "poor")
    tab.choose("#micrograph", "one_0001")
    tab.slide("A", threshold)
    evaluated = evaluated_in(runs["poor"], data)
    check(tab, "A, all 3", list(evaluated.values()), threshold)
    here = check(tab, "A, this micrograph", [evaluated["one_0001"]], threshold)
    assert (tab.drawn("hitA"), tab.drawn("falseA"), tab.drawn("missedA")) == (
        here.hits,
        here.false,
        here.missed,
    )
    assert tab.drawn("marks") == here.hits + here.false + here.missed


@pytest.mark.thorough
def test_two_pickers_have_thresholds_of_their_own(tab, runs, data):
    tab.choose("#picker-A", "good")
    tab.choose("#picker-B", "poor")
    tab.slide("A", 0.3)
    tab.slide("B", 0.6)
    a = check(tab, "A, all 3", list(evaluated_in(runs["good"], data).values()), 0.3)
    b = check(tab, "B, all 3", list(evaluated_in(runs["poor"], data).values()), 0.6)
    assert a != b
    assert tab.drawn("hitA") > 0
    assert tab.drawn("hitB") > 0
    assert "found by both" in tab.page.inner_text("#agreement")
    tab.choose("#picker-B", "none")
    assert tab.drawn("hitB") == 0
    assert tab.page.inner_text("#agreement") == ""


def test_best_f1_is_that_of_the_table(tab, runs):
    metrics = json.loads((runs["poor"] / "metrics.json").read_text())
    tab.choose("#picker-A", "poor")
    tab.page.click("#best-A")
    _, scores = tab.counts("A, all 3")
    assert scores["f1"] == pytest.approx(metrics["best_f1"], abs=1e-12)
    row = tab.page.locator("#picks tbody tr", has_text="poor")
    assert f"{metrics['best_f1']:.3f}" in row.inner_text()


def test_marks_lie_on_the_picture_in_their_colours(tab):
    def pixels(colour):
        return tab.page.eval_on_selector(
            "#canvas",
            """(canvas, colour) => {
                const {width, height} = canvas;
                const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
                let count = 0;
                for (let i = 0; i < data.length; i += 4)
                    if (colour.every((value, j) => Math.abs(data[i + j] - value) < 12)) count += 1;
                return count;
            }""",
            list(colour),
        )

    blue, vermillion = (0, 132, 219), (233, 94, 0)
    tab.choose("#picker-A", "poor")
    tab.slide("A", 0.2)
    tab.page.wait_for_timeout(100)
    assert pixels(blue) > 100
    assert pixels(vermillion) > 100
    tab.page.locator("#key button", has_text="false").click()  # the legend hides them
    tab.page.wait_for_timeout(100)
    assert pixels(blue) > 100
    assert pixels(vermillion) == 0


def test_a_hostile_name_is_text(tab):
    assert HOSTILE in tab.page.locator("#micrograph option").all_inner_texts()
    tab.choose("#micrograph", HOSTILE)
    assert HOSTILE in tab.page.get_attribute("#canvas", "aria-label")
    assert tab.said == []


def test_no_other_script_runs(tab):
    tab.page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.intruded = true';
            document.body.append(script);
            const picture = '<img src="x" onerror="intruded = true">';
            document.body.insertAdjacentHTML('beforeend', picture);
        }"""
    )
    tab.page.wait_for_timeout(100)
    assert tab.page.evaluate("window.intruded") is None


def test_failed_and_foreign_runs_say_so(tab):
    said = tab.page.inner_text(".problems")
    assert "failed: picking: no micrograph could be used" in said
    assert "foreign: not a run folder" in said
    assert "untold: without truth" in said


def test_picks_without_truth_are_drawn_and_counted(tab):
    tab.choose("#picker-A", "untold")
    assert tab.page.eval_on_selector("#micrograph", "list => list.selectedOptions[0].text") == (
        "lonely"
    )
    assert tab.drawn("hitA") == tab.drawn("missedA") == 0
    before = tab.drawn("marks")
    tab.slide("A", 0.8)
    assert tab.drawn("marks") < before
    row = tab.page.locator("#counts tbody tr").first.locator("td").all_inner_texts()
    assert row == [str(tab.drawn("marks")), *["–"] * 6]


def test_it_works_by_keyboard(tab):
    tab.page.focus("#canvas")
    tab.page.keyboard.press("+")
    tab.wait_for_zoom(1.5, 1.5)
    tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.press("0")
    tab.wait_for_zoom(1, 1)
    tab.page.focus("#slider-A")
    tab.page.keyboard.press("End")
    assert tab.counts("A, all 3")[0][0] == 0
    tab.page.focus("#bars")
    tab.page.keyboard.press("ArrowRight")
    assert tab.page.input_value("#micrograph") == "1"
    chart = tab.page.locator("#curve-charts .chart").first
    chart.focus()
    tab.page.keyboard.press("ArrowRight")
    assert "precision" in tab.page.inner_text("#curve-charts .readout")
    assert tab.said == []


def test_a_bar_leads_to_its_micrograph(tab):
    tab.page.locator(".bar").nth(2).click()
    assert tab.page.input_value("#micrograph") == "2"


def test_a_wheel_enlarges_and_a_drag_moves(tab):
    canvas = tab.page.locator("#canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = canvas.screenshot()
    tab.page.mouse.move(*middle)
    tab.page.mouse.wheel(0, -400)
    tab.wait_for_zoom(2, 10)
    enlarged = canvas.screenshot()
    tab.page.mouse.down()
    tab.page.mouse.move(middle[0] + 80, middle[1] + 40, steps=3)
    tab.page.mouse.up()
    tab.page.wait_for_timeout(100)
    assert len({before, enlarged, canvas.screenshot()}) == 3


def test_columns_are_sorted_at_a_click(tab):
    def first():
        return tab.page.locator("#picks tbody th").first.inner_text()

    tab.page.click("#picks thead button:text-is('F1')")
    assert first() == "good"
    tab.page.click("#picks thead button:text-is('F1')")
    assert first() == "poor"
    assert tab.page.get_attribute("#picks th[aria-sort]", "aria-sort") == "ascending"


def test_every_control_has_a_name(tab):
    nameless = tab.page.evaluate(
        """() => [...document.querySelectorAll('button, select, input')]
            .filter(one => !one.closest('[hidden]') && !one.hidden)
            .filter(one => !one.textContent.trim() && !one.ariaLabel && !(one.labels || []).length)
            .map(one => one.outerHTML)"""
    )
    assert nameless == []


def test_in_print_there_are_results_but_no_controls(tab):
    tab.page.emulate_media(media="print")
    assert not tab.page.is_visible("nav")
    assert not tab.page.is_visible(".zoom")
    assert tab.page.is_visible("#picks table")
    assert tab.page.is_visible("#canvas")


@pytest.mark.slow
def test_a_thousand_micrographs_open(open_tab, write_report, tmp_path):
    names = names_of(1000)
    data = make_dataset(tmp_path / "data", names)
    run = make_pick_run(tmp_path / "many", data, names)
    path, code, _ = write_report(run, options=["report.picture_megabytes=100"])
    assert code == 0
    tab = open_tab(path)
    assert tab.page.locator("#micrograph option").count() == 1000
    assert tab.page.locator(".bar").count() == 1000
    tab.choose("#micrograph", "one_0999")
    assert tab.drawn("marks") > 0
    assert tab.said == []


@pytest.mark.thorough
def test_a_part_of_many_micrographs_opens_and_saves_corrections_alone(
    open_tab, write_report, tmp_path
):
    names = names_of(70)
    data = make_dataset(tmp_path / "data", names)
    run = make_pick_run(tmp_path / "many", data, names)
    tab = open_tab(write_report(run, options=["report.picture_megabytes=0.2"])[0])
    count = tab.page.locator("#micrograph option").count()
    assert 1 <= count < 70
    assert f"{count} of 70 micrographs are shown here" in tab.page.inner_text("#part")
    assert f"{count} of 70 micrographs" in tab.page.inner_text("#histogram-A-title")
    assert tab.page.is_disabled("#save-star")
    assert tab.page.is_disabled("#save-csv")
    assert tab.page.is_enabled("#save-json")
    assert tab.said == []


@pytest.mark.thorough
def test_micrographs_far_from_the_others_are_those_of_the_commands(
    open_tab, tmp_path, write_report
):
    counts = [348, 0, 402, 1, 290, 455, 0, 3, 198, 371]
    names = names_of(len(counts))
    data = make_dataset(tmp_path / "data", names, with_truth=False)
    folder = make_pick_run(tmp_path / "run", data, names)
    for name, count in zip(names, counts, strict=True):
        write_csv(folder / "picks" / f"{name}.csv", Picks.create(np.arange(count), [9.0] * count))
    text = open_tab(write_report(folder)[0]).page.inner_text("#outliers")
    shown = ", ".join(
        f"{name} ({count})"
        for name, count, far in zip(names, counts, far_from_others(counts), strict=True)
        if far
    )
    assert text == f"Median 244 picks. Outliers: {shown}."
    assert shown.count("(") == 4
