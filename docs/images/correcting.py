"""Draw docs/images/correcting.png: the page of `view` on simulated micrographs, with corrections.

python docs/images/correcting.py
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, sync_playwright

SIMULATED = ("dataset=simulated", "dataset.kinds=[ribosome]", "dataset.micrographs_per_kind=4")
PLACES = ((0.31, 0.42), (0.62, 0.27), (0.81, 0.66))  # shares of the picture
PROGRAM = (sys.executable, "-m", "deepcryopicker")


def start(folder: Path, command: str, *typed: str) -> None:
    """Run a command of the program in a folder."""
    words = [*PROGRAM, command, *typed, "overlays=0"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=folder)


def correct(page: Page) -> None:
    """Add three picks and remove one."""
    page.wait_for_selector("html[data-ready]")
    page.click("#edit")
    page.evaluate("document.getElementById('viewer').scrollIntoView()")
    box = page.locator("#canvas").bounding_box()
    if box is None:
        raise RuntimeError("the page has no canvas")
    for x, y in PLACES:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.move(0, 0)
    page.eval_on_selector(
        "#low-pass", "e => { e.value = '3'; e.dispatchEvent(new Event('input')) }"
    )
    page.get_by_text("All corrections are saved.").wait_for()


def main(target: Path) -> None:
    """Pick, serve, correct, and save the picture."""
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        start(folder, "pick", *SIMULATED, "hydra.run.dir=first")
        (cache,) = (folder / "outputs" / "simulated").iterdir()
        shutil.move(cache / "micrographs", folder / "DIR")
        given = ("dataset=folder", "dataset.micrographs=DIR", "dataset.diameter_angstrom=270")
        start(folder, "pick", *given, "hydra.run.dir=picks")
        words = [*PROGRAM, "view", "view.run=picks"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=folder) as served:
            lines = iter(served.stdout or ())
            address = next(found[1] for line in lines if (found := re.match(r"open (\S+)", line)))
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 1060})
            page.goto(address)
            correct(page)
            page.screenshot(path=str(target))
            browser.close()
            served.terminate()
    # A palette is enough.
    with Image.open(target) as picture:
        picture.convert("RGB").quantize(256).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(__file__).with_name("correcting.png"))
