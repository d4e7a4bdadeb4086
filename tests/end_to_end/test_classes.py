"""``classes``: averages of the picks of a run, and of other programs' files."""

import mrcfile
import numpy as np
import pytest
import starfile

from deepcryopicker.io.star.relion_star import read_star_by_micrograph

DIAMETER = "dataset.diameter=59"


@pytest.fixture
def averaged(shell, simulated):
    """Sort given coordinates of the simulated micrographs into classes."""

    def sort(coordinates, *overrides, run="classes"):
        given = f"dataset.micrographs={simulated / 'micrographs'}"
        return shell(
            "classes", given, DIAMETER, f"dataset.coordinates={coordinates}", *overrides, run=run
        )

    return sort


def test_the_particles_of_a_simulated_dataset_are_rings(averaged, simulated):
    answer = averaged(simulated / "coordinates", "classes.count=3")
    assert (answer.code, answer.err) == (0, "")
    with mrcfile.open(answer.folder / "classes.mrcs", permissive=False) as file:
        averages, voxel = file.data.copy(), float(file.voxel_size.x)
    side = averages.shape[1]
    radius = np.hypot(*(np.mgrid[:side, :side] - side // 2)) / (side / 1.5)  # diameters
    ring, hollow, outside = (
        averages[0][(low < radius) & (radius < high)].mean()
        for low, high in ((0.3, 0.45), (0.0, 0.15), (0.6, 0.75))
    )
    assert ring > hollow
    assert ring > outside
    assert voxel == pytest.approx(2.2 * 59 / 40, rel=0.01)
    rows = answer.metrics["classes"]
    assert sum(row["picks"] for row in rows) == sum(
        len(path.read_text().splitlines()) - 1
        for path in (simulated / "coordinates").glob("*.csv")
        if "uncertain" not in path.name
    )
    assert (answer.folder / "classes.png").is_file()
    assert "averages: " in answer.out


def test_relion_reads_averages_and_particles(averaged, simulated):
    folder = averaged(simulated / "coordinates", "classes.count=2", run="classes_star").folder
    listed = starfile.read(folder / "classes.star")
    for number, name in enumerate(listed["rlnReferenceImage"], 1):
        assert name == f"{number:06d}@{folder / 'classes.mrcs'}"
    assert listed["rlnClassDistribution"].sum() == pytest.approx(1.0)
    assert (listed["rlnEstimatedResolution"] < 59 * 2.2).all()
    tables = starfile.read(folder / "particles.star")
    particles = tables["particles"]
    assert set(particles["rlnClassNumber"]) <= {1, 2}
    by_name = read_star_by_micrograph(folder / "particles.star")
    for name, moved in by_name.items():
        stem = name.rsplit("/", 1)[-1].removesuffix(".mrc")
        rows = (simulated / "coordinates" / f"{stem}.csv").read_text().splitlines()[1:]
        given = np.array([[float(cell) for cell in row.split(",")[:2]] for row in rows])
        assert len(moved) == len(given)
        assert np.hypot(*(moved.positions - given).T).max() <= 0.25 * 59


def test_the_picks_of_a_run_are_those_above_its_threshold(averaged, trained):
    answer = averaged(trained.folder, run="classes_run")
    assert answer.code == 0
    assert sum(row["picks"] for row in answer.metrics["classes"]) == trained.metrics["picks"]


def test_a_folder_without_picks_is_refused(shell, simulated):
    answer = shell(
        "classes", f"dataset.micrographs={simulated / 'micrographs'}", DIAMETER, run="classes_none"
    )
    assert answer.code == 2
    assert "classes need picks: give dataset.coordinates=RUN" in answer.err.splitlines()[0]


def test_it_may_be_repeated_in_its_folder(averaged, simulated):
    for count in (2, 3):
        answer = averaged(simulated / "coordinates", f"classes.count={count}", run="classes_again")
        assert answer.code == 0
    assert len(answer.metrics["classes"]) <= 3


def test_a_wrong_number_of_classes_is_refused_by_name(averaged, simulated):
    answer = averaged(simulated / "coordinates", "classes.count=0", run="classes_wrong")
    assert answer.code == 2
    assert "classes.count must lie in [1, 200], got 0" in answer.err
