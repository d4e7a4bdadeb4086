"""Coordinates of our runs and of others as labels, truth and picks: none is lost or added."""

import csv
import shutil

import pytest

pytestmark = pytest.mark.thorough

STEMS = [f"apoferritin_{index:03d}" for index in range(3)]
RADIUS = "evaluate.radius=29.5"


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def star(path, places, columns=(), cells=""):
    """A STAR file of one micrograph with further columns that are the same in every row."""
    names = ["rlnCoordinateX", "rlnCoordinateY", *columns]
    head = "".join(f"_{name} #{number}\n" for number, name in enumerate(names, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"data_\n\nloop_\n{head}" + "".join(f"{one['x']} {one['y']} {cells}\n" for one in places)
    )


@pytest.fixture
def truth(simulated):
    return {stem: rows(simulated / "coordinates" / f"{stem}.csv") for stem in STEMS}


@pytest.fixture
def one(simulated, tmp_path):
    """The first micrograph alone, labelled by coordinates."""
    folder = tmp_path / "micrographs"
    folder.mkdir()
    shutil.copy(simulated / "micrographs" / f"{STEMS[0]}.mrc", folder)
    given = [f"dataset.micrographs={folder}", "dataset.diameter=59.1", "overlays=0"]
    return ["dataset=folder", *given, "labeler=truth"]


def labelled(shell, one, given, run):
    answer = shell("label", *one, f"dataset.coordinates={given}", run=run)
    assert answer.code == 0, answer.err
    return answer, rows(answer.folder / "picks" / f"{STEMS[0]}.csv")


def test_labels_from_a_run_are_its_picks(shell, one, trained):
    candidates = rows(trained.folder / "picks" / f"{STEMS[0]}.csv")
    picked = [each for each in candidates if float(each["score"]) >= 0.5]
    assert 0 < len(picked) < len(candidates)
    answer, found = labelled(shell, one, trained.folder / "picks", "labels_of_a_run")
    assert [(each["x"], each["y"]) for each in found] == [(each["x"], each["y"]) for each in picked]
    line = f"{len(picked)} of {len(candidates)} have a score of 0.5 or more"
    assert f"coordinates: {line} (dataset.coordinates_threshold); the others" in answer.out


def test_candidates_that_the_labeler_rejected_are_left_out(shell, one, trained):
    candidates = rows(trained.folder / "labels" / f"{STEMS[0]}.csv")
    good = [each for each in candidates if each["good"] == "1"]
    assert 0 < len(good) < len(candidates)
    answer, found = labelled(shell, one, trained.folder / "labels", "labels_of_labels")
    assert len(found) == len(good)
    assert f"{len(good)} of {len(candidates)} are marked as good" in answer.out


def test_class_numbers_of_relion_are_not_views(shell, one, truth, tmp_path):
    star(tmp_path / "c" / f"{STEMS[0]}.star", truth[STEMS[0]], ["rlnClassNumber"], "2")
    _, found = labelled(shell, one, tmp_path / "c", "labels_with_classes")
    assert len(found) == len(truth[STEMS[0]])
    assert {each["class"] for each in found} == {"irregular"}


def scored(shell, simulated, picks, run):
    given = [f"evaluate.picks={picks}", f"evaluate.truth={simulated / 'coordinates'}", RADIUS]
    answer = shell("evaluate", *given, run=run)
    assert answer.code == 0, answer.err
    return answer.metrics


def test_picks_by_hand_count_without_a_score(shell, simulated, truth, tmp_path):
    job = tmp_path / "ManualPick" / "job004"
    columns = ["rlnClassNumber", "rlnAnglePsi", "rlnAutopickFigureOfMerit"]
    for number, stem in enumerate(STEMS):
        # One file has both kinds: a pick of a program that was corrected by hand.
        star(job / "raw" / f"{stem}_manualpick.star", truth[stem], columns, "2 -999.0 -999.0")
        if number == 0:
            path = job / "raw" / f"{stem}_manualpick.star"
            path.write_text(path.read_text().replace("-999.0\n", "0.9\n", 1))
    metrics = scored(shell, simulated, job, "by_hand")
    assert metrics["picks"] == metrics["hits"] == sum(map(len, truth.values()))


def test_linked_folders_have_picks_too(shell, simulated, tmp_path):
    for number, stem in enumerate(STEMS):
        (tmp_path / "disk" / str(number)).mkdir(parents=True)
        shutil.copy(simulated / "coordinates" / f"{stem}.csv", tmp_path / "disk" / str(number))
    picks = tmp_path / "picks"
    picks.mkdir()
    (picks / "loop").symlink_to(picks)
    shutil.copytree(tmp_path / "disk" / "0", picks / "session0")
    for number in (1, 2):
        (picks / f"session{number}").symlink_to(tmp_path / "disk" / str(number))
    assert scored(shell, simulated, picks, "linked")["micrographs"] == 3


def test_scores_of_a_table_are_read_alike_in_every_micrograph(shell, simulated, tmp_path):
    """Log-odds: 0.4 is above the threshold of 0.5 as a probability, also where none is negative."""
    lines = [f"{STEMS[0]}\t100\t100\t-3\n", *(f"{STEMS[1]}\t{x}\t100\t0.4\n" for x in (100, 200))]
    (tmp_path / "t.txt").write_text("image_name\tx_coord\ty_coord\tscore\n" + "".join(lines))
    for stem in STEMS[:2]:
        (tmp_path / "m").mkdir(exist_ok=True)
        shutil.copy(simulated / "micrographs" / f"{stem}.mrc", tmp_path / "m")
    given = ["dataset=folder", f"dataset.micrographs={tmp_path / 'm'}", "dataset.diameter=59.1"]
    given += ["picker=imported", f"picker.picks={tmp_path / 't.txt'}", "picker.threshold=0.5"]
    answer = shell("pick", *given, "overlays=0", run="log_odds")
    assert answer.code == 0
    assert [row["picks"] for row in rows(answer.folder / "summary.csv")] == ["0", "2"]


def job_of_relion(folder, truth):
    """A job of picks by hand, as RELION 4 leaves it, in a project."""
    lines = []
    for stem in STEMS:
        file = f"ManualPick/job004/raw/{stem}_manualpick.star"
        star(folder / file, truth[stem], ["rlnAutopickFigureOfMerit"], "-999")
        lines.append(f"MotionCorr/job002/raw/{stem}.mrc {file}\n")
    (folder / "ManualPick" / "job004" / "manualpick.star").write_text(
        "data_coordinate_files\n\nloop_\n_rlnMicrographName\n_rlnMicrographCoordinates\n"
        + "".join(lines)
    )
    (folder / "ManualPick" / "job004" / "job.star").write_text("data_job\n\n_rlnJobIsContinue 0\n")


def table_of_all(folder, truth):
    """A particles.star as exported by cryoSPARC."""
    lines = [
        f"J2/motioncorrected/00857856557416174501_{stem}_patch_aligned_doseweighted.mrc "
        f"{one['x']} {one['y']}\n"
        for stem in STEMS
        for one in truth[stem]
    ]
    (folder / "particles.star").write_text(
        "data_\nloop_\n_rlnMicrographName\n_rlnCoordinateX\n_rlnCoordinateY\n" + "".join(lines)
    )


def boxes_by_hand(folder, truth):
    """CBOX files, in which boxes drawn by hand have no confidence."""
    (folder / "cbox").mkdir()
    columns = ("CoordinateX", "CoordinateY", "Width", "Height", "Confidence")
    head = "data_cryolo\n\nloop_\n" + "".join(f"_{name}\n" for name in columns)
    for stem in STEMS:
        rows = [f"{float(e['x']) - 30} {float(e['y']) - 30} 60 60 <NA>\n" for e in truth[stem]]
        (folder / "cbox" / f"{stem}.cbox").write_text(head + "".join(rows))


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (job_of_relion, "ManualPick/job004/manualpick.star"),
        pytest.param(job_of_relion, "ManualPick/job004", marks=pytest.mark.thorough),
        pytest.param(table_of_all, "particles.star", marks=pytest.mark.thorough),
        pytest.param(boxes_by_hand, "cbox", marks=pytest.mark.thorough),
    ],
)
def test_labels_of_other_programs(shell, one, truth, tmp_path, make, given):
    make(tmp_path, truth)
    _, found = labelled(shell, one, tmp_path / given, f"labels_{given.replace('/', '_')}")
    for axis in "xy":
        expected = [float(each[axis]) for each in truth[STEMS[0]]]
        assert [float(each[axis]) for each in found] == pytest.approx(expected, abs=1e-3)
    assert {e["score"] for e in found} == {"1.000000"}


@pytest.mark.thorough
@pytest.mark.parametrize("make", [job_of_relion, table_of_all, boxes_by_hand])
def test_picks_of_other_programs(shell, simulated, truth, tmp_path, make):
    make(tmp_path, truth)
    given = ["dataset=folder", f"dataset.micrographs={simulated / 'micrographs'}", "overlays=0"]
    given += ["dataset.diameter=59.1", "picker=imported", f"picker.picks={tmp_path}"]
    answer = shell("pick", *given, run=f"picks_of_{make.__name__}")
    assert answer.code == 0
    counts = [str(len(truth[stem])) for stem in STEMS]
    assert [row["picks"] for row in rows(answer.folder / "summary.csv")] == counts
    assert scored(shell, simulated, tmp_path, f"score_of_{make.__name__}")["f1"] == 1
