"""Folders as programs leave them: micrographs are picked, what lies beside them is not."""

import csv
import shutil
import threading
import time

import mrcfile
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.thorough

HEIGHT, WIDTH = 128, 160
GIVEN = ("dataset=folder", "dataset.diameter=24")
LOG = (*GIVEN, "picker=log", "overlays=0")
WATCH = (*GIVEN, "watch=true", "watching.every=0.05", "watching.idle=1.5")


def blobs(seed):
    """A noisy image of dark particles."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    image = rng.normal(100, 4, (HEIGHT, WIDTH))
    for x in (32, 80, 128):
        for y in (32, 96):
            image -= 30 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 7.0**2))
    return image


def write(path, seed=0, shape=1.0):
    """Write a micrograph, as MRC or as a picture, binned by `shape`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = blobs(seed)[: int(HEIGHT * shape), : int(WIDTH * shape)]
    if path.suffix == ".mrc":
        mrcfile.write(path, image.astype(np.float32), voxel_size=2.0, overwrite=True)
    else:
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(path)


def fill(folder, *names):
    for seed, name in enumerate(names):
        write(folder / name, seed)
    return folder


def picked(answer):
    """The files in ``summary.csv``, sorted."""
    with (answer.folder / "summary.csv").open(newline="") as stream:
        return sorted(row["path"] for row in csv.DictReader(stream))


def names(answer):
    return [path.rpartition("/data/")[2] for path in picked(answer)]


def left_out(answer):
    with (answer.folder / "left_out.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row["path"].rpartition("/data/")[2]: row["reason"] for row in rows}


class Later(threading.Thread):
    """Calls functions, each once a file of the run is there."""

    def __init__(self, folder, *steps):
        super().__init__(daemon=True)
        self.folder, self.steps = folder, steps

    def run(self):
        for name, step in self.steps:
            deadline = time.monotonic() + 20
            while not (self.folder / name).exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            step()


def watched(shell, data, run, *steps, overrides=()):
    """Pick while files arrive."""
    later = Later(shell.folder / run, *steps)
    later.start()
    answer = shell("pick", *WATCH, f"dataset.micrographs={data}", *overrides, run=run)
    later.join()
    return answer


def test_case_1_overlays_written_while_watching_are_not_picked(shell):
    data = fill(shell.folder / "case_1" / "data", "a.mrc", "b.mrc")
    answer = watched(shell, data, "case_1/data/run", overrides=["watching.refresh=0.1"])
    assert answer.code in (0, 3)
    assert (answer.folder / "overlays" / "a.png").is_file()
    assert names(answer) == ["a.mrc", "b.mrc"]
    # Two overlays, two stacks of windows, and two of windows in noise.
    assert "6 files left out: 6 outputs of this program; see left_out.csv" in answer.out


@pytest.mark.parametrize("run", ["data/run", pytest.param("data", marks=pytest.mark.thorough)])
def test_case_1b_the_same_command_again_picks_the_same_files(shell, run):
    place = shell.folder / f"case_1b_{run.replace('/', '_')}"
    data = fill(place / "data", "a.mrc", "b.mrc")
    typed = (*LOG, f"dataset.micrographs={data}", "overlays=9")
    first = shell("pick", *typed, run=f"{place.name}/{run}")
    assert (first.folder / "overlays" / "b.png").is_file()
    again = shell("pick", *typed, run=f"{place.name}/{run}")
    assert (first.code, again.code) == (0, 0)
    assert names(again) == ["a.mrc", "b.mrc"]
    assert "2 micrographs already finished by an earlier run" in again.out


def test_case_1b_nothing_is_learned_from_the_pictures_of_runs(shell):
    """Pictures of `label`, an overlay beside them and one that was moved away."""
    data = fill(shell.folder / "case_1b_label" / "data", "a.mrc", "b.mrc")
    typed = (*GIVEN, f"dataset.micrographs={data}", "labeler=log")
    first = shell("label", *typed, run="case_1b_label/data/labels")
    assert first.code == 0
    written = sorted(first.folder.rglob("*.png"))
    assert len(written) == 4  # masks and panels
    (data / "pictures").mkdir()
    shutil.copy(first.folder / "panels" / "a.png", data / "pictures" / "talk.png")
    again = shell("label", *typed, run="case_1b_label/data/again")
    assert again.code == 0
    with (again.folder / "summary.csv").open(newline="") as stream:
        assert [row["micrograph"] for row in csv.DictReader(stream)] == ["a", "b"]


def test_case_2_a_later_file_of_the_same_coordinates_is_refused(shell):
    data = fill(shell.folder / "case_2" / "data", "job002/a.mrc")
    step = ("picks/job002/a.csv", lambda: write(data / "job003" / "a.mrc", 5))
    answer = watched(shell, data, "case_2/run", step)
    assert names(answer) == ["job002/a.mrc"]
    listed = (answer.folder / "relion" / "autopick.star").read_text()
    assert listed.count("_autopick.star") == 1
    assert answer.code == 3
    failures = (answer.folder / "failures.csv").read_text()
    assert "job003/a.mrc" in failures
    assert "RELION reads the coordinates" in failures


def test_case_2_a_later_preview_is_not_picked(shell):
    data = fill(shell.folder / "case_2_jpg" / "data", "a.mrc")
    step = ("picks/a.csv", lambda: write(data / "a.jpg", 0, 0.5))
    answer = watched(shell, data, "case_2_jpg/run", step)
    assert (answer.code, names(answer)) == (0, ["a.mrc"])


def test_case_2b_previews_beside_micrographs_are_left_out(shell):
    data = fill(shell.folder / "case_2b" / "data", "a.mrc", "b.mrc", "a.jpg", "b.jpg")
    for command in ("pick", "label"):
        typed = LOG if command == "pick" else (*GIVEN, "labeler=log", "overlays=0")
        answer = shell(command, *typed, f"dataset.micrographs={data}", run=f"case_2b/{command}")
        assert answer.code == 0
        assert "2 files left out: 2 previews; see left_out.csv" in answer.out
        assert left_out(answer) == {"a.jpg": "preview", "b.jpg": "preview"}
        assert len(answer.picks()) == 2


def test_case_10_only_the_micrographs_of_a_motion_correction_are_picked(shell):
    forms = ("", "_noDW", "_PS", "_EVN", "_ODD")
    movies = "MotionCorr/job002/Movies"
    files = [f"{movies}/{stem}{form}.mrc" for stem in ("a1", "b1") for form in forms]
    data = fill(shell.folder / "case_10" / "data", *files)
    answer = shell("pick", *LOG, f"dataset.micrographs={data}", run="case_10/run")
    assert (answer.code, names(answer)) == (0, [f"{movies}/a1.mrc", f"{movies}/b1.mrc"])
    said = "8 files left out: 4 odd or even halves, 2 power spectra, 2 twins of dose-weighted"
    assert said in answer.out


def test_case_11_linked_folders_are_searched(shell):
    place = shell.folder / "case_11"
    data = fill(place / "data", "a.mrc")
    fill(place / "elsewhere", "b.mrc")
    (data / "linked").symlink_to(place / "elsewhere")
    (data / "round").symlink_to(data)
    answer = shell("pick", *LOG, f"dataset.micrographs={data}", run="case_11/run")
    assert (answer.code, names(answer)) == (0, ["a.mrc", "linked/b.mrc"])


@pytest.mark.thorough
def test_the_glob_in_the_message_is_the_answer(shell):
    data = fill(shell.folder / "doubt" / "data", "m_1.mrc", "m_1_foo.mrc", "m_2.mrc", "m_2_foo.mrc")
    typed = (*LOG, f"dataset.micrographs={data}")
    answer = shell("pick", *typed, run="doubt/run")
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 2
    advice = answer.err.splitlines()[1].partition(": ")[2].partition("; to use both")[0]
    wanted = (["m_1.mrc", "m_2.mrc"], ["m_1_foo.mrc", "m_2_foo.mrc"])
    for number, (choice, expected) in enumerate(zip(advice.split(" or "), wanted, strict=True)):
        # As a shell passes it: single quotes are removed, what they hold is left as it is.
        chosen = choice.replace("'", "")
        answer = shell("pick", *LOG, chosen, run=f"doubt/run_{number}")
        assert (answer.code, answer.err) == (0, "")
        assert names(answer) == expected


@pytest.mark.thorough
def test_a_better_form_that_arrives_later_replaces_the_earlier_one(shell):
    data = fill(shell.folder / "better" / "data", "a_noDW.mrc", "b.jpg")

    def later():
        write(data / "a.mrc")
        write(data / "b.mrc", 1)

    answer = watched(shell, data, "better/run", ("picks/a_noDW.csv", later))
    assert (answer.code, names(answer)) == (0, ["a.mrc", "b.mrc"])
    assert sorted(answer.picks()) == ["a.csv", "b.csv"]
    assert "left out now, picks removed: " in answer.out
    assert "a_noDW" not in (answer.folder / "relion" / "particles.star").read_text()


def test_a_later_file_in_doubt_is_refused_and_another_size_is_a_warning(shell):
    data = fill(shell.folder / "later" / "data", "a.mrc")

    def later():
        write(data / "a.tif")
        write(data / "c.mrc", 3, 0.8)

    answer = watched(shell, data, "later/run", ("picks/a.csv", later))
    assert (answer.code, names(answer)) == (3, ["a.mrc", "c.mrc"])
    failures = (answer.folder / "failures.csv").read_text()
    assert "a.tif" in failures
    assert "may be the same micrograph as" in failures
    assert "c has 128x102 pixels (2 Angstrom), but a, which was picked before, " in answer.out
    # Resumed, what is picked stays, and the other is refused again.
    again = watched(shell, data, "later/run")
    assert (again.code, names(again)) == (3, ["a.mrc", "c.mrc"])


def test_movies_are_named(shell):
    data = fill(shell.folder / "movies" / "data", "a.mrc")
    for name in ("b.eer", "c.rec", "d.mrcs"):
        (data / name).write_bytes(b"x" * 2000)
    answer = shell("pick", *LOG, f"dataset.micrographs={data}", run="movies/run")
    assert (answer.code, names(answer)) == (0, ["a.mrc"])
    assert sorted(left_out(answer)) == ["b.eer", "c.rec", "d.mrcs"]


@pytest.mark.thorough
def test_a_map_is_read_if_it_is_named(shell):
    data = fill(shell.folder / "maps" / "data", "a.mrc")
    (data / "a.mrc").rename(data / "a.map")
    for given in ("a.map", "*.map"):
        run = "maps/run" + str(len(given))
        answer = shell("pick", *LOG, f"dataset.micrographs='{data / given}'", run=run)
        assert (answer.code, names(answer)) == (0, ["a.map"])
    answer = shell("pick", *LOG, f"dataset.micrographs={data}", run="maps/folder")
    assert answer.code == 2
    assert "1 tomogram, map or tilt series" in answer.err
