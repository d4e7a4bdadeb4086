"""Pixel sizes, diameters, polarity and numbers of picks that are likely wrong are said in one line.

The micrographs are files as other programs leave them; nothing of the package is imported.
"""

import csv
import re
from pathlib import Path

import mrcfile
import numpy as np
import pytest

pytestmark = pytest.mark.thorough

EITHER = (0, 3)  # 3: at a wrong scale, or with few particles, the verdict is doubtful
DIAMETER = 59.09  # of the simulated apoferritin, pixels
ANGSTROM = 130.0
SIDE = 300


def read_places(answer, threshold=0.5):
    """Positions (x, y) of the picks of every micrograph."""
    found = {}
    for path in sorted((answer.folder / "picks").glob("*.csv")):
        with path.open() as stream:
            rows = [row for row in csv.DictReader(stream) if float(row["score"]) >= threshold]
        found[path.stem] = np.array([(float(row["x"]), float(row["y"])) for row in rows])
    return found


def write_mrc(path, image, pixel_size):
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(np.ascontiguousarray(image, np.float32))
        if pixel_size:
            file.voxel_size = pixel_size
    return path


def lines(answer, *words):
    """Lines of the terminal that hold all words."""
    return [line for line in answer.out.splitlines() if all(word in line for word in words)]


@pytest.fixture(scope="module")
def pixel_size(simulated):
    (path, *_) = sorted((simulated / "micrographs").glob("*.mrc"))
    with mrcfile.open(path) as file:
        return float(file.voxel_size.x)


@pytest.fixture(scope="module")
def binned(simulated, pixel_size, tmp_path_factory):
    """The simulated micrographs at half the size, their headers at twice the pixel size."""
    folder = tmp_path_factory.mktemp("binned")
    for path in sorted((simulated / "micrographs").glob("*.mrc")):
        with mrcfile.open(path) as file:
            image = file.data
        half = image.reshape(image.shape[0] // 2, 2, image.shape[1] // 2, 2).mean(axis=(1, 3))
        write_mrc(folder / path.name, half, 2 * pixel_size)
    return f"dataset.micrographs={folder}"


def agree(binned, whole):
    """Fraction of the picks of whole micrographs that are at the same place of the binned ones."""
    near = 0
    for name, places in whole.items():
        scaled = 2 * binned[name] + 0.5
        distance = np.hypot(*(places[:, None] - scaled[None]).transpose(2, 0, 1))
        near += int((distance.min(axis=1) < DIAMETER / 4).sum())
    return near / sum(map(len, whole.values()))


@pytest.mark.parametrize("watched", [False, True])
def test_binned_micrographs_are_picked_at_the_scale_of_their_header(
    shell, trained, binned, pixel_size, watched
):
    typed = [f"picker.weights={trained.folder}", "dataset=folder", binned]
    if watched:
        typed += ["watch=true", "watching.every=0.1", "watching.idle=0.3"]
    answer = shell("pick", *typed, run=f"scale_binned_{watched}")
    assert answer.code in EITHER
    assert answer.err == ""
    found, whole = read_places(answer), read_places(trained)
    numbers = [sum(map(len, places.values())) for places in (found, whole)]
    assert numbers[1] > 60
    assert abs(numbers[0] / numbers[1] - 1) < 0.1
    assert agree(found, whole) > 0.9
    assert len(lines(answer, "picked at 29.5", f"{2 * pixel_size:.4g} Angstrom per pixel")) == 1


def test_a_diameter_that_agrees_in_angstrom_is_accepted(shell, trained, binned):
    answer = shell(
        "pick",
        f"picker.weights={trained.folder}",
        "dataset=folder",
        binned,
        f"dataset.diameter={DIAMETER / 2}",
        run="scale_agrees",
    )
    assert answer.code in EITHER
    assert answer.err == ""
    assert agree(read_places(answer), read_places(trained)) > 0.9
    assert lines(answer, "the weights were trained at") == []


def test_another_diameter_is_used_with_one_warning(shell, trained, simulated):
    answer = shell(
        "pick",
        f"picker.weights={trained.folder}",
        "dataset=folder",
        f"dataset.micrographs={simulated / 'micrographs'}",
        "dataset.diameter_angstrom=200",
        run="scale_other",
    )
    assert answer.code in EITHER
    (line,) = lines(answer, "the weights were trained at")
    assert "200 Angstrom" in line
    assert "59.09 pixels" in line


def test_a_given_pixel_size_is_used_with_one_warning(shell, binned, pixel_size):
    answer = shell(
        "pick",
        "dataset=folder",
        binned,
        f"dataset.diameter_angstrom={ANGSTROM}",
        f"dataset.pixel_size={pixel_size}",
        run="scale_given",
    )
    assert answer.code in EITHER
    values = f"{pixel_size:.5g}", f"{2 * pixel_size:.5g}"
    (line,) = lines(answer, f"dataset.pixel_size={values[0]} is used", values[1])
    assert "a factor of 2" in line


def test_a_header_against_a_star_file_stops_the_run(shell, binned, pixel_size, tmp_path):
    """Also where only a later micrograph contradicts its group."""
    folder = binned.removeprefix("dataset.micrographs=")
    listed = sorted(path.name for path in Path(folder).iterdir())
    star = tmp_path / "micrographs.star"
    groups = [2, 2, 1]
    star.write_text(
        "data_optics\nloop_\n_rlnOpticsGroup #1\n_rlnOpticsGroupName #2\n"
        f"_rlnMicrographPixelSize #3\n1 wrong {pixel_size:.6f}\n2 right {2 * pixel_size:.6f}\n\n"
        "data_micrographs\nloop_\n_rlnMicrographName #1\n_rlnOpticsGroup #2\n"
        + "".join(f"{folder}/{name} {group}\n" for name, group in zip(listed, groups, strict=True))
    )
    typed = ["dataset=folder", f"dataset.micrographs={star}", "dataset.diameter=29.5"]
    answer = shell("pick", *typed, run="scale_star")
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 2
    assert f"dataset.pixel_size={2 * pixel_size:.5g} or dataset.pixel_size=" in answer.err
    given = f"dataset.pixel_size={2 * pixel_size:.5g}"
    assert shell("pick", *typed, given, run="scale_star_given").code in EITHER


def blobs(count, diameter=30, seed=0, depth=2.0):
    """Noise with dark blobs at random places that do not touch, (SIDE, SIDE)."""
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 1, (SIDE, SIDE))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    places = []
    while len(places) < count:
        place = rng.uniform(diameter, SIDE - diameter, 2)
        if all(np.hypot(*(place - other)) > 1.2 * diameter for other in places):
            places.append(place)
            distance = np.hypot(rows - place[0], columns - place[1])
            image -= depth * np.exp(-0.5 * (distance / (diameter / 3)) ** 2)
    return image


@pytest.fixture
def pick(shell, tmp_path, request):
    """Pick images of so many blobs as somebody's folder of MRC files."""

    def run(images, *options, sizes=(2.0,)):
        for number, image in enumerate(images):
            path = tmp_path / "files" / f"m{number:02d}.mrc"
            write_mrc(path, image, sizes[number % len(sizes)])
        typed = ("dataset=folder", f"dataset.micrographs={tmp_path / 'files'}", *options)
        name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
        return shell("pick", *typed, "overlays=0", run=f"scale_{name}")

    return run


def test_a_header_of_1_counts_as_unknown(pick):
    answer = pick([blobs(10)], "dataset.diameter_angstrom=30", sizes=(1.0,))
    assert answer.code == 2
    assert "dataset.pixel_size=ANGSTROM" in answer.err


def test_the_opposite_polarity_is_named_where_it_clearly_fits(pick):
    answer = pick([-blobs(25, seed=seed) for seed in range(2)], "dataset.diameter=30")
    assert answer.code in EITHER
    assert len(lines(answer, "type dataset.polarity=bright")) == 1


def test_the_right_polarity_is_not_doubted(pick):
    answer = pick([blobs(25, seed=seed) for seed in range(2)], "dataset.diameter=30")
    assert answer.code in EITHER
    assert len(read_places(answer)["m00"]) > 15
    assert lines(answer, "dataset.polarity=") == []
    assert lines(answer, "m00") == []


@pytest.mark.parametrize(
    ("option", "typed"),
    [
        ("dataset.diameter=5", "dataset.diameter_angstrom=50"),
        ("dataset.diameter=150", "dataset.diameter_angstrom=150"),
    ],
)
def test_a_diameter_that_does_not_fit_is_doubted(pick, option, typed):
    image = blobs(10)
    answer = pick([image[:100, :100] if option.endswith("=5") else image], option)
    assert answer.code in EITHER
    (line,) = lines(answer, "particles of", typed)
    assert "5 pixels" in line or "150 pixels" in line


def test_few_picks_and_their_micrographs_are_named(pick):
    noise = [blobs(0, seed=seed) for seed in range(5)]
    # Without a verdict, because candidates are hidden.
    answer = pick(noise, "dataset.diameter=30", "picker.threshold=0.8", "picker.max_picks=99")
    assert answer.code == 0
    (line,) = lines(answer, "on 5 micrographs", "type picker.threshold=0.4")
    assert re.search(r"\(m00: \d picks?, m01: \d picks?, m02: \d picks? and 2 others\)", line)


def test_where_nothing_is_found_one_line_says_so(pick):
    noise = [blobs(0, seed=seed) for seed in range(5)]
    answer = pick(noise, "dataset.diameter=30", "picker.threshold=0.8")
    assert answer.code == 3
    (line,) = lines(answer, "warning: folder: ")
    assert "nothing found: " in line
    assert "check dataset.diameter and dataset.polarity" in line


def test_micrographs_far_from_the_others_are_named(pick):
    """Beside about 25 picks: those of noise on one, few more on another."""
    counts = [25, 0, 24, 1, 26]
    images = [blobs(count, seed=seed) for seed, count in enumerate(counts)]
    answer = pick(images, "dataset.diameter=30")
    assert answer.code in EITHER
    (line,) = lines(answer, "2 of 5 micrographs are far from the median")
    assert re.search(r"\(m01: \d picks?, m03: \d picks?\)", line)
    with (answer.folder / "summary.csv").open() as stream:
        noted = [row["micrograph"] for row in csv.DictReader(stream) if row["note"]]
    assert noted == ["m01", "m03"]


def test_picks_that_touch_everywhere_are_doubted(pick):
    """Two or three picks on each particle, which is half as large as was typed."""
    rows, columns = np.mgrid[:400, :400]
    grid = -np.cos(rows * 2 * np.pi / 32) * np.cos(columns * 2 * np.pi / 32)
    noise = np.random.default_rng(0).normal(0, 0.3, grid.shape)
    answer = pick([2 * grid + noise], "dataset.diameter=36", "picker=log")
    assert answer.code in EITHER
    assert len(lines(answer, "of the picks are closer than 0.75 diameters", "m00")) == 1


def test_one_diameter_in_pixels_at_several_pixel_sizes_is_doubted(pick):
    images = [blobs(10, seed=seed) for seed in range(3)]
    answer = pick(images, "dataset.diameter=30", sizes=(2.0, 2.0, 4.0))
    assert answer.code in EITHER
    (line,) = lines(answer, "dataset.diameter_angstrom=ANGSTROM")
    assert "from 2 (m00) to 4 Angstrom (m02)" in line


def test_pixel_sizes_are_written_without_the_noise_of_single_precision(pick):
    answer = pick([blobs(10)], "dataset.diameter=30", sizes=(1.0742,))
    with (answer.folder / "summary.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    assert row["pixel_size"] == "1.0742"
