"""A session with the local server in a real browser."""

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.io.coordinates.corrections import read_corrections
from deepcryopicker.io.coordinates.formats import read_picks
from tests.reporting.common import HEIGHT, WIDTH, make_dataset, make_pick_run, names_of
from tests.reporting.test_browser import HOSTILE

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

NAMES = [*names_of(2), HOSTILE]


@pytest.fixture
def run(tmp_path):
    data = make_dataset(tmp_path / "data", NAMES, with_truth=False)
    return make_pick_run(tmp_path / "run", data, NAMES)


class Program:
    """The command, as a process of its own."""

    def __init__(self, run, folder):
        where = f"hydra.run.dir={folder / 'view'}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deepcryopicker", "view", f"view.run={run}", where],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
        )
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            found = re.match(r"open (http://127\.0\.0\.1:\d+/\S+/)", line)
            if found:
                self.address = found[1]
                return
        pytest.fail("".join(self.said))

    def end(self, how=signal.SIGINT):
        os.kill(self.process.pid, how)
        self.said += self.process.stdout.readlines()
        self.process.stdout.close()
        return self.process.wait(timeout=60)


@pytest.fixture
def program(run, tmp_path):
    one = Program(run, tmp_path)
    yield one
    if one.process.poll() is None:
        one.end(signal.SIGKILL)


def opened(browser, address):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.said = []
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("dialog", lambda dialog: page.said.append(dialog.message))
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    return page


def click(page, x, y):
    page.locator("#canvas").scroll_into_view_if_needed()
    box = page.locator("#canvas").bounding_box()
    scale = box["width"] / WIDTH
    page.mouse.click(box["x"] + (x + 0.5) * scale, box["y"] + (y + 0.5) * scale)


def wait_until_saved(page, count):
    page.wait_for_selector(f"#server[data-saved='{count}']", state="attached")


def test_corrections_are_saved_at_once_and_survive_a_kill(run, program, chromium, tmp_path):
    page = opened(chromium, program.address)
    page.click("#edit")
    for number, x in enumerate((20, 50, 80), 1):
        click(page, x, 60)
        wait_until_saved(page, number)
    program.end(signal.SIGKILL)
    saved = read_corrections(run / "corrections.json")
    changed = sum(len(one.added) + len(one.removed) for one in saved.by_name.values())
    assert changed == 3
    click(page, 110, 60)
    page.get_by_text("Not saved: the server does not answer.").wait_for()
    again = Program(run, tmp_path)
    other = opened(chromium, again.address)
    edits = other.inner_text("#edits")
    assert "in 1 micrograph" in edits
    assert page.said == other.said == []
    assert again.end() == 0
    assert "ended\n" in again.said


def test_two_windows_and_the_later_one_is_warned(run, program, chromium):
    one, other = (opened(chromium, program.address) for _ in range(2))
    for page in (one, other):
        page.click("#edit")
    click(one, 20, 60)
    wait_until_saved(one, 1)
    click(other, 50, 60)
    other.get_by_text("Somebody else has saved corrections").wait_for()
    saved = read_corrections(run / "corrections.json").by_name
    assert sum(len(each.added) + len(each.removed) for each in saved.values()) == 1
    other.reload()
    other.wait_for_selector("html[data-ready]")
    other.click("#edit")
    click(other, 50, 60)
    wait_until_saved(other, 2)


def test_original_pixels_are_shown_and_names_are_text(program, chromium):
    page = opened(chromium, program.address)
    page.select_option("#micrograph", label=HOSTILE)
    page.wait_for_selector("#canvas[aria-busy=false]")
    for _ in range(6):
        page.click("#zoom-in")
    page.wait_for_selector("#canvas[data-part]")
    page.wait_for_timeout(1000)  # until the last part is drawn
    left, top, right, bottom = map(int, page.get_attribute("#canvas", "data-part").split())
    assert right - left < WIDTH / 4
    assert bottom - top < HEIGHT / 4
    assert page.said == []


def test_corrected_files_are_written_by_a_button(run, program, chromium, tmp_path):
    page = opened(chromium, program.address)
    assert page.is_visible("#job-train")
    page.click("#edit")
    click(page, 20, 60)
    wait_until_saved(page, 1)
    page.click("#job-filter")
    page.wait_for_selector("#job[data-code='0']", state="attached", timeout=60_000)
    assert (tmp_path / "run_filtered" / "relion" / "particles.star").is_file()
    assert f"Done: {run}_filtered (for RELION: {run}_filtered/relion)." in page.inner_text("#job")


def test_five_hundred_micrographs(chromium, tmp_path):
    names = names_of(500)
    data = make_dataset(tmp_path / "data", names, with_truth=False)
    run = make_pick_run(tmp_path / "run", data, names)
    program = Program(run, tmp_path)
    page = opened(chromium, program.address)
    assert page.locator("#micrograph option").count() == 500
    assert page.locator("#bars .bar").count() == 500
    page.select_option("#micrograph", label=names[-1])
    page.wait_for_selector("#canvas[aria-busy=false]")
    page.click("#edit")
    click(page, 20, 60)
    wait_until_saved(page, 1)
    page.keyboard.press("p")
    click(page, 50, 60)
    wait_until_saved(page, 2)
    page.fill("#number-A", "0.7")
    page.keyboard.press("Tab")
    wait_until_saved(page, 3)
    saved = read_corrections(run / "corrections.json")
    assert sorted(saved.by_name) == names[-2:]
    assert saved.threshold == 0.7
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.input_value("#number-A") == "0.7"
    assert page.said == []
    assert program.end() == 0


def test_corrections_stay_with_their_micrograph_when_more_are_picked(run, program, chromium):
    page = opened(chromium, program.address)
    assert page.is_hidden("#renew")
    page.select_option("#micrograph", label=NAMES[0])
    page.wait_for_selector("#canvas[aria-busy=false]")
    page.click("#edit")
    picks = read_picks(run / "picks" / f"{NAMES[0]}.csv")
    best = picks[picks.score >= 0.9]
    click(page, best.x[0], best.y[0])
    click(page, 75, 60)
    wait_until_saved(page, 2)
    before = page.inner_text("#edits")
    # One that comes before the others, and other scores of the corrected one.
    data = run.parent / "data" / "micrographs"
    shutil.copy(data / f"{NAMES[0]}.mrc", data / "another.mrc")
    write_csv(run / "picks" / "another.csv", picks)
    picks.score[:] = picks.score[::-1]
    write_csv(run / "picks" / f"{NAMES[0]}.csv", picks)
    (run / "summary.csv").write_text((run / "summary.csv").read_text())
    page.wait_for_selector("#renew", state="visible")
    page.click("#renew")
    page.wait_for_function("() => document.getElementById('micrograph').options.length === 4")
    page.wait_for_selector("html[data-ready]")
    page.select_option("#micrograph", label=NAMES[0])
    page.wait_for_selector("#canvas[aria-busy=false]")
    assert page.inner_text("#edits").split("; now")[0] == before.split("; now")[0]
    page.wait_for_timeout(2500)
    assert page.is_hidden("#renew")
    assert page.said == []
