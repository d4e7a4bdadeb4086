"""Look, correct, filter, train on it, pick again: in a browser and by commands."""

import pytest

from deepcryopicker.io.coordinates.corrections import read_corrections
from deepcryopicker.io.coordinates.formats import read_picks
from tests.end_to_end.conftest import SHORT, places_to_correct

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

HEIGHT, WIDTH, DIAMETER = 384, 448, 60
EACH = 10  # corrections of a micrograph


def test_thirty_corrections_become_better_picks(shell, trained, simulated, chromium, tmp_path):
    report = shell("report", f"report.runs=[{trained.folder}]", run="loop_report")
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((report.folder / "report.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    page.fill("#number-A", "0.6")
    page.keyboard.press("Tab")
    page.click("#edit")
    names = sorted(path.stem for path in (trained.folder / "picks").glob("*.csv"))
    for name in names:
        page.select_option("#micrograph", label=name)
        page.wait_for_selector("#canvas[aria-busy=false]")
        correct(page, trained.folder, simulated, name)
    assert f"in {len(names)} micrographs" in page.inner_text("#edits")
    with page.expect_download() as found:
        page.click("#save-json")
    file = tmp_path / "corrections.json"
    found.value.save_as(file)
    typed = page.inner_text("#command-train").split()[3:]
    page.close()
    assert said == []
    corrections = read_corrections(file)
    assert corrections.threshold == 0.6
    assert corrections.weights == str(trained.folder)
    made = [len(one.added) + len(one.removed) for one in corrections.by_name.values()]
    assert made == [EACH] * len(names)

    filtered = shell(
        "filter",
        f"filter.picks={trained.folder}",
        f"filter.corrections={file}",
        "outputs=[csv,relion,box,cbox,topaz]",
        run="loop_filtered",
    )
    assert filtered.code == 0
    for name in names:
        kept = read_picks(filtered.folder / "picks" / f"{name}.csv")
        assert len(kept) == len(corrections.by_name[name].particles)
    assert typed == []  # simulated micrographs are not the user's own
    again = shell(
        "train",
        "+experiment=corrections",
        f"dataset.micrographs={simulated / 'micrographs'}",
        "dataset.diameter=59",
        f"dataset.coordinates={file}",
        *SHORT,
        run="loop_again",
    )
    assert again.code in (0, 3)  # few steps: in doubt on some processors
    assert len(again.picks()) == len(names)


def correct(page, run, simulated, name):
    """Correct a micrograph with clicks: true particles are added, false picks removed."""
    picks = read_picks(run / "picks" / f"{name}.csv")
    picks = picks[picks.score >= 0.6]
    truth = read_picks(simulated / "coordinates" / f"{name}.csv")
    # Whatever is right already is corrected as well, so that there are always ten.
    places = places_to_correct(picks, truth, DIAMETER)[:EACH]
    page.locator("#canvas").scroll_into_view_if_needed()
    box = page.locator("#canvas").bounding_box()
    for x, y in places:
        page.mouse.click(
            box["x"] + (x + 0.5) * box["width"] / WIDTH,
            box["y"] + (y + 0.5) * box["height"] / HEIGHT,
        )
