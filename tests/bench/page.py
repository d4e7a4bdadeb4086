"""How fast the page of a report answers a click, in Chromium.

python tests/bench/page.py [PICKS]

The page has twenty micrographs of 4096 x 4096 pixels with PICKS picks each (1,000). Times are from
the click to the picture that shows it: the median and the longest of thirty corrections.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import mrcfile
import numpy as np
from playwright.sync_api import sync_playwright
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2]))

from deepcryopicker.io.coordinates.candidate_csv import write_csv
from deepcryopicker.types import Picks

COUNT, SIDE, CLICKS = 20, 4096, 30
# From the press of a button until two frames later, when its picture is on the screen.
MEASURE = """
window.drawn = [];
document.getElementById('canvas').addEventListener('pointerup', () => {
  const start = performance.now();
  const done = () => window.drawn.push(performance.now() - start);
  requestAnimationFrame(() => requestAnimationFrame(done));
});
"""


def make_run(folder: Path, picks: int) -> Path:
    """Make micrographs of noise and a run with random picks."""
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (SIDE, SIDE)).astype(np.float16)
    for number in range(COUNT):
        path = folder / "micrographs" / f"m{number:02d}.mrc"
        path.parent.mkdir(exist_ok=True)
        with mrcfile.new(path) as file:
            file.set_data(np.roll(image, number * 100))
        found = Picks.create(*(rng.random((picks, 2)) * SIDE).T, 0.9, diameter=100.0)
        write_csv(folder / "given" / f"m{number:02d}.csv", found)
    run = folder / "run"
    typed = ["picker=imported", f"picker.picks={folder / 'given'}", "dataset=folder", "overlays=0"]
    typed += [f"dataset.micrographs={folder / 'micrographs'}", "dataset.diameter=100"]
    start("pick", *typed, f"hydra.run.dir={run}")
    return run


def start(command: str, *typed: str) -> None:
    """Run a command of the program."""
    words = [sys.executable, "-m", "deepcryopicker", command, *typed]
    subprocess.run(words, check=False, stdout=subprocess.DEVNULL)


def main(picks: int = 1000) -> None:
    """Measure, and print the times."""
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        run = make_run(folder, picks)
        start("report", f"report.runs=[{run}]", f"hydra.run.dir={folder / 'report'}")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_context(viewport={"width": 1400, "height": 1000}, bypass_csp=True)
        tab = page.new_page()
        tab.goto((folder / "report" / "report.html").as_uri())
        tab.wait_for_selector("html[data-ready]")
        tab.evaluate(MEASURE)
        tab.click("#edit")
        tab.locator("#canvas").scroll_into_view_if_needed()
        box = tab.locator("#canvas").bounding_box()
        rng = np.random.default_rng(1)
        for x, y in rng.random((CLICKS, 2)) * 0.9 + 0.05:
            tab.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
            tab.wait_for_timeout(100)
        times = tab.evaluate("window.drawn")
        browser.close()
    Console().print(
        f"{picks} picks in view: a click is drawn after {median(times):.0f} ms, at most "
        f"{max(times):.0f} ms, of {len(times)}"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
