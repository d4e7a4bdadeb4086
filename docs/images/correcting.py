"""Draw docs/images/correcting.png: the page of a run on simulated micrographs, with corrections.

python docs/images/correcting.py
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import sync_playwright

RUN = ("dataset=simulated", "dataset.kinds=[ribosome]", "dataset.micrographs_per_kind=4")
PLACES = ((0.31, 0.42), (0.62, 0.27), (0.81, 0.66))  # shares of the picture


def start(folder: Path, command: str, *typed: str) -> None:
    """Run a command of the program in a folder."""
    words = [sys.executable, "-m", "deepcryopicker", command, *typed]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=folder)


def main(target: Path) -> None:
    """Pick, report, correct three places, and save the picture."""
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        start(folder, "pick", *RUN, "overlays=0", "hydra.run.dir=RUN")
        start(folder, "report", "report.runs=[RUN]", "hydra.run.dir=report")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto((folder / "report" / "report.html").as_uri())
        page.wait_for_selector("html[data-ready]")
        page.click("#edit")
        page.locator("#viewer").scroll_into_view_if_needed()
        page.evaluate("document.getElementById('viewer').scrollIntoView()")
        box = page.locator("#canvas").bounding_box()
        for x, y in PLACES:
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)
        page.screenshot(path=str(target))
        browser.close()
        # Sixty-four greys and colours are enough.
        with Image.open(target) as picture:
            picture.convert("RGB").quantize(64).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(__file__).with_name("correcting.png"))
