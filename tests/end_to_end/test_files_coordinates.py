"""Coordinates that do not fit the micrographs as they are read: the fault is named, or refused."""

import shutil

import cv2
import mrcfile
import numpy as np
import pytest

pytestmark = pytest.mark.thorough

DIAMETER = "dataset.diameter=60"


def table(path):
    """x and y of a CSV of the simulator, or of the real micrographs."""
    lines = [line.split(",") for line in path.read_text().splitlines()]
    x, y = lines[0].index("x"), lines[0].index("y")
    return np.array([[float(line[x]), float(line[y])] for line in lines[1:]])


def rewritten(source, target, change):
    """Coordinate files of a folder, changed."""
    target.mkdir(parents=True)
    for path in sorted(source.glob("*.csv")):
        if ".uncertain" not in path.name:
            rows = "".join(f"{x:.3f},{y:.3f}\n" for x, y in change(table(path)))
            (target / path.name).write_text(f"x,y\n{rows}")
    return target


def turned(height):
    return lambda places: np.column_stack([places[:, 0], height - 1 - places[:, 1]])


def scaled(factor):
    return lambda places: (places + 0.5) * factor - 0.5


def swapped(places):
    return places[:, ::-1]


FAULTS = {
    "turned": (turned(384), "dataset.coordinates_from_bottom=true"),
    "swapped": (swapped, "dataset.coordinates_swapped=true"),
    "half": (scaled(1 / 2), "dataset.coordinates_scale=2"),
    "third": (scaled(1 / 3), "dataset.coordinates_scale=3"),
    "quarter": (scaled(1 / 4), "dataset.coordinates_scale=4"),
    "double": (scaled(2.0), "dataset.coordinates_scale=0.5"),
    "of_binned_and_turned": (
        lambda places: scaled(1 / 2)(turned(384)(places)),
        "dataset.coordinates_scale=2 dataset.coordinates_from_bottom=true",
    ),
    "mirrored": (
        lambda places: np.column_stack([447 - places[:, 0], places[:, 1]]),
        "no option mirrors x",
    ),
    "corners": (lambda places: places - 40.0, "centres of particles"),
    "from_the_middle": (lambda places: places - [224.0, 192.0], "from the top-left corner"),
}


def given(simulated, coordinates):
    micrographs = f"dataset.micrographs={simulated / 'micrographs'}"
    return ["dataset=folder", DIAMETER, micrographs, f"dataset.coordinates={coordinates}"]


LONGER = ("third", "double", "mirrored", "of_binned_and_turned")


@pytest.mark.parametrize(
    "fault",
    [pytest.param(one, marks=[pytest.mark.thorough] if one in LONGER else []) for one in FAULTS],
)
def test_training_on_coordinates_that_do_not_fit_is_refused(shell, simulated, tmp_path, fault):
    change, advice = FAULTS[fault]
    coordinates = rewritten(simulated / "coordinates", tmp_path / "truth", change)
    typed = ["labeler=truth", *given(simulated, coordinates)]
    answer = shell("label", *typed, run=f"misread_{fault}")
    assert answer.code == 2
    assert advice in answer.err
    assert "dataset.coordinates_check=false" in answer.err
    assert len(answer.err.strip().splitlines()) <= 3
    assert not (answer.folder / "summary.csv").exists()


def test_coordinates_that_fit_are_taken_without_a_word(shell, simulated):
    answer = shell(
        "label", "labeler=truth", *given(simulated, simulated / "coordinates"), run="fit"
    )
    assert (answer.code, answer.err) == (0, "")
    assert "chance" not in answer.out


@pytest.mark.thorough
def test_the_option_that_is_named_reads_them(shell, simulated, tmp_path):
    """The labels are those of the coordinates that fit."""
    coordinates = rewritten(simulated / "coordinates", tmp_path / "truth", FAULTS["quarter"][0])
    options = [FAULTS["quarter"][1], "labeler=truth", *given(simulated, coordinates)]
    right = [*given(simulated, simulated / "coordinates"), "labeler=truth"]
    one, other = shell("label", *options, run="quartered"), shell("label", *right, run="whole")
    assert one.code == other.code == 0
    for path in sorted((other.folder / "picks").glob("*.csv")):
        found = table(one.folder / "picks" / path.name)
        np.testing.assert_allclose(found, table(path), atol=0.01)


@pytest.mark.thorough
def test_the_check_can_be_left_out(shell, simulated, tmp_path):
    coordinates = rewritten(simulated / "coordinates", tmp_path / "truth", turned(384))
    typed = ["labeler=truth", "dataset.coordinates_check=false", *given(simulated, coordinates)]
    answer = shell("label", *typed, run="unchecked")
    assert (answer.code, answer.err) == (0, "")
    assert "chance" not in answer.out


@pytest.mark.parametrize("fault", ["turned", pytest.param("quarter", marks=pytest.mark.thorough)])
def test_scores_of_coordinates_that_do_not_fit_have_a_warning_beside_them(
    shell, simulated, tmp_path, fault
):
    change, advice = FAULTS[fault]
    coordinates = rewritten(simulated / "coordinates", tmp_path / "truth", change)
    typed = ["picker=log", "overlays=0", *given(simulated, coordinates)]
    answer = shell("pick", *typed, run=f"scored_{fault}")
    assert (answer.code, answer.err) == (0, "")
    (line,) = [line for line in answer.out.splitlines() if "above chance" in line]
    assert advice in line
    assert answer.out.index("F1") < answer.out.index(line)


def test_coordinates_outside_are_refused_before_anything_is_picked(shell, simulated, tmp_path):
    coordinates = rewritten(simulated / "coordinates", tmp_path / "truth", FAULTS["double"][0])
    typed = ["picker=log", "overlays=0", *given(simulated, coordinates)]
    answer = shell("pick", *typed, run="outside")
    assert answer.code == 2
    assert FAULTS["double"][1] in answer.err


@pytest.mark.thorough
def test_other_coordinates_fit_no_better_than_chance(shell, simulated, tmp_path):
    """Such as those of other micrographs; few are needed to say so."""
    rng = np.random.default_rng(0)
    anywhere = rewritten(
        simulated / "coordinates",
        tmp_path / "truth",
        lambda places: rng.uniform(30, 350, places.shape),
    )
    answer = shell("label", "labeler=truth", *given(simulated, anywhere), run="anywhere")
    assert answer.code == 0
    assert answer.out.count("no better than random places") == 1


def cryoppp(folder, micrographs, coordinates):
    """A tree of CryoPPP, and one of CryoPPP_Lite: 8-bit pictures that are turned over.

    Binned twice, so that a pixel is a thirtieth of a particle. The columns of the coordinates are
    those of CryoPPP, in the frame of the pictures.
    """
    full, lite = folder / "cryoppp" / "10017", folder / "lite" / "10017"
    for tree in (full, lite):
        (tree / "micrographs").mkdir(parents=True)
        (tree / "ground_truth" / "particle_coordinates").mkdir(parents=True)
    for path in sorted(micrographs.glob("*.mrc")):
        with mrcfile.open(path) as file:
            height, width = file.data.shape
            image = file.data.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
        mrcfile.write(full / "micrographs" / path.name, image.astype(np.float32))
        low, high = np.percentile(image, [0.1, 99.9])
        picture = np.clip((image[::-1] - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        best = [cv2.IMWRITE_JPEG_QUALITY, 100]
        cv2.imwrite(str(lite / "micrographs" / f"{path.stem}.jpg"), picture, best)
        places = scaled(1 / 2)(table(coordinates / f"{path.stem}.csv"))
        rows = "".join(f"{x:.0f},{y:.0f},32,0\n" for x, y in turned(len(image))(places))
        for tree in (full, lite):
            text = f"X-Coordinate,Y-Coordinate,Diameter,Angle-Psi\n{rows}"
            (tree / "ground_truth" / "particle_coordinates" / f"{path.stem}.csv").write_text(text)
    return full, lite


def distances(first, second, height, threshold=0.5):
    """From each pick of one run to the nearest of the other, whose micrographs are turned over.

    Candidates of the other run count from a threshold of their own.
    """
    found = []
    for path in sorted((first.folder / "picks").glob("*.csv")):
        paths = path, second.folder / "picks" / path.name
        for one, other in (paths, paths[::-1]):
            near = turned(height)(picked(other, threshold))
            between = np.linalg.norm(picked(one)[:, None] - near[None], axis=2)
            found += [*between.min(axis=1)]
    return np.array(found)


def test_cryoppp_and_its_pictures_are_scored_alike(shell, simulated, tmp_path):
    full, lite = cryoppp(tmp_path, simulated / "micrographs", simulated / "coordinates")
    answers = [
        shell("pick", "dataset=cryoppp", f"dataset.root={tree}", "overlays=0", run=f"of_{name}")
        for name, tree in (("cryoppp", full), ("lite", lite))
    ]
    assert [answer.code for answer in answers] == [0, 0]
    assert min(answer.metrics["f1"] for answer in answers) > 0.8
    for answer in answers:
        assert answer.err == ""
        assert "above chance" not in answer.out
        assert "32 pixels" in answer.out  # published, not estimated
    assert np.median(distances(*answers, height=192)) < 1.0


@pytest.fixture(scope="module")
def larger(shell):
    """Folder with four simulated micrographs of 1000x1100 pixels, with 214 particles."""
    typed = ["dataset.kinds=[ribosome]", "dataset.shape=[1000,1100]", "labeler=log"]
    assert shell("label", *typed, "overlays=0", run="simulate_larger").code == 0
    for path in shell.folder.glob("outputs/simulated/*/micrographs"):
        first = path / "ribosome_000.mrc"
        if not first.exists():
            continue
        with mrcfile.open(first, header_only=True) as file:
            if (file.header.ny, file.header.nx) == (1000, 1100):
                return path.parent
    raise FileNotFoundError(shell.folder)


@pytest.mark.thorough
@pytest.mark.parametrize("picker", ["log", "dense"])
def test_cryoppp_and_its_pictures_give_the_same_picks(shell, larger, tmp_path, picker):
    """Within a pixel, and F1 within 0.01; a pick near one half may be one near it in the other."""
    full, lite = cryoppp(tmp_path, larger / "micrographs", larger / "coordinates")
    answers = [
        shell(
            *("pick", "dataset=cryoppp", f"dataset.root={tree}", "dataset.diameter=32"),
            *(f"picker={picker}", "overlays=0"),
            run=f"larger_{tree.parent.name}_{picker}",
        )
        for tree in (full, lite)
    ]
    for answer in answers:
        assert (answer.code, answer.err) == (0, "")
        assert "above chance" not in answer.out
    of_full, of_lite = (answer.metrics["f1"] for answer in answers)
    assert of_full == pytest.approx(of_lite, abs=0.01)
    threshold = 0.5 if picker == "log" else 0.4
    assert distances(*answers, height=500, threshold=threshold).max() < 1.0


FINISHED = (0, 3)  # without and with a doubt about the picks, which says nothing of coordinates
REAL = {
    "turned": (turned(4096), "dataset.coordinates_from_bottom=true"),
    "half": (scaled(1 / 2), "dataset.coordinates_scale=2"),
    "swapped": (swapped, "dataset.coordinates_swapped=true"),
}


@pytest.fixture(scope="module")
def few(real_data, tmp_path_factory):
    """Three micrographs of beta-galactosidase in a list, and the folder of their coordinates."""
    root = (real_data / "beta_galactosidase").resolve()
    names = sorted(path.stem for path in (root / "micrographs").glob("*.jpg"))[::5]
    folder = tmp_path_factory.mktemp("few")
    (folder / "coordinates").mkdir()
    for name in names:
        shutil.copy(root / "coordinates" / f"{name}.csv", folder / "coordinates")
    rows = [f"{root / 'micrographs' / name}.jpg\n" for name in names]
    (folder / "micrographs.txt").write_text("".join(rows))
    return folder


@pytest.mark.real
@pytest.mark.thorough
@pytest.mark.parametrize("fault", REAL)
def test_the_fault_of_real_coordinates_is_named(shell, few, tmp_path, fault):
    """In training, and beside the scores of picks."""
    change, advice = REAL[fault]
    coordinates = rewritten(few / "coordinates", tmp_path / "truth", change)
    typed = [
        *("dataset=folder", f"dataset.micrographs={few / 'micrographs.txt'}"),
        *("dataset.diameter=108", f"dataset.coordinates={coordinates}"),
    ]
    answer = shell("train", "labeler=truth", "until=samples", *typed, run=f"real_{fault}")
    assert answer.code == 2
    assert advice in answer.err
    answer = shell("pick", "overlays=0", *typed, run=f"real_picked_{fault}")
    assert answer.code in FINISHED
    assert answer.err == ""
    (line,) = [line for line in answer.out.splitlines() if "above chance" in line]
    assert advice in line


@pytest.mark.real
@pytest.mark.thorough
def test_real_coordinates_that_fit_are_scored_without_a_word(shell, few):
    typed = ["dataset=folder", f"dataset.micrographs={few / 'micrographs.txt'}"]
    typed += ["dataset.diameter=108", f"dataset.coordinates={few / 'coordinates'}"]
    answer = shell("pick", "overlays=0", *typed, run="real_fit")
    assert answer.code in FINISHED
    assert answer.err == ""
    assert "above chance" not in answer.out


def picked(path, threshold=0.5):
    """Places of the picks of a run."""
    lines = [line.split(",") for line in path.read_text().splitlines()[1:]]
    return np.array([[float(x), float(y)] for x, y, score, *_ in lines if float(score) > threshold])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (turned(384), "turned over"),
        pytest.param(scaled(1 / 2), "multiplied by 2", marks=pytest.mark.thorough),
    ],
)
def test_evaluate_names_what_the_picks_speak_for(shell, trained, simulated, tmp_path, change, word):
    truth = rewritten(simulated / "coordinates", tmp_path / "truth", change)
    picks = [f"evaluate.picks={trained.folder / 'picks'}", "evaluate.threshold=0.3"]
    typed = [*picks, f"evaluate.truth={truth}", "evaluate.radius=30"]
    answer = shell("evaluate", *typed, run=f"evaluate_{word[:6]}")
    assert (answer.code, answer.err) == (0, "")
    (line,) = [line for line in answer.out.splitlines() if "above chance" in line]
    assert word in line
    right = [*picks, f"evaluate.truth={simulated / 'coordinates'}", "evaluate.radius=30"]
    assert "above chance" not in shell("evaluate", *right, run=f"evaluate_right_{word[:6]}").out
