"""The RELION folder: where the files lie, and what RELION itself extracts with them."""

import os
import subprocess
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import tifffile

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.io.star.relion_folder import coordinate_file
from deepcryopicker.io.star.relion_star import micrograph_names, read_star_by_micrograph
from deepcryopicker.types import Picks
from tests.relion_folder import write_relion_folder

HEIGHT, WIDTH, BOX = 300, 420, 64
CENTRES = np.array([[60, 50], [150, 70], [350, 60], [80, 230], [200, 160], [370, 240]])


def particle(x, y, columns, rows):
    """Return a dark blob with a darker mark at (x + 9, y + 5): no mirror image fits it."""
    blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 5.0**2))
    mark = np.exp(-((columns - x - 9) ** 2 + (rows - y - 5) ** 2) / (2 * 2.0**2))
    return -3 * blob - 2 * mark


def micrograph(centres, seed):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    image = np.random.default_rng(seed).normal(10, 0.3, (HEIGHT, WIDTH))
    return (image + sum(particle(x, y, columns, rows) for x, y in centres)).astype(np.float32)


def run_extraction(folder):
    command = (
        f"relion_preprocess --i {folder}/micrographs.star --coord_dir {folder}/ "
        f"--coord_suffix _autopick.star --part_star particles.star --part_dir Extract/ --extract "
        f"--extract_size {BOX} --norm --bg_radius 24 --invert_contrast"
    )
    done = subprocess.run(command.split(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "micrographs").mkdir()
    return tmp_path


def assert_particles(stack, count, flipped=False):
    """Check the number of particles, and that their average is the centred particle."""
    assert stack.shape == (count, BOX, BOX)
    average = stack.mean(0)
    rows, columns = np.mgrid[:BOX, :BOX] - BOX // 2
    expected = -particle(0, 0, columns, -rows if flipped else rows)  # RELION inverts the contrast
    assert np.corrcoef(average.ravel(), expected.ravel())[0, 1] > 0.9
    row, column = np.unravel_index(average.argmax(), average.shape)
    assert abs(row - BOX // 2) <= 1
    assert abs(column - BOX // 2) <= 1
    mirrored = np.corrcoef(average[::-1].ravel(), expected.ravel())[0, 1]
    assert np.corrcoef(average.ravel(), expected.ravel())[0, 1] > mirrored + 0.02


@pytest.mark.relion
def test_relion_extracts_the_particles(relion, project):
    named = []
    for index, centres in enumerate((CENTRES, CENTRES[:4])):
        path = Path("micrographs") / ("data_0.mrc", "grid 1.mrc")[index]
        mrcfile.write(path, micrograph(centres, index), voxel_size=1.5)
        named.append((path, HEIGHT, Picks.create(*centres.T, diameter=30)))
    named.append((named[0][0].with_name("none.mrc"), HEIGHT, Picks.empty()))
    mrcfile.write(named[-1][0], micrograph([], 9), voxel_size=1.5)
    write_relion_folder(project / "out", named, 1.5)
    run_extraction("out")
    assert_particles(mrcfile.read("Extract/micrographs/data_0.mrcs"), 6)
    assert_particles(mrcfile.read("Extract/micrographs/grid 1.mrcs"), 4)
    found = read_star_by_micrograph(Path("particles.star"))
    assert {name: len(picks) for name, picks in found.items()} == {
        "micrographs/data_0.mrc": 6,
        "micrographs/grid 1.mrc": 4,
    }


@pytest.mark.relion
def test_relion_extracts_from_tiff_and_from_job_and_outside_folders(
    relion, project, tmp_path_factory
):
    outside = tmp_path_factory.mktemp("elsewhere") / "a.mrc"
    job = Path("MotionCorr/job002/raw/b.mrc")
    job.parent.mkdir(parents=True)
    mrcfile.write(outside, micrograph(CENTRES, 1), voxel_size=1.5)
    mrcfile.write(job, micrograph(CENTRES, 2), voxel_size=1.5)
    tifffile.imwrite("micrographs/c.tif", micrograph(CENTRES, 3))
    picks = Picks.create(*CENTRES.T)
    paths = (outside, job, Path("micrographs/c.tif"))
    write_relion_folder(Path("out"), [(path, HEIGHT, picks) for path in paths], 1.5)
    run_extraction("out")
    assert_particles(mrcfile.read(f"Extract/{outside.with_suffix('.mrcs')}"), 6)
    assert_particles(mrcfile.read("Extract/raw/b.mrcs"), 6)
    assert_particles(mrcfile.read("Extract/micrographs/c.mrcs"), 6, flipped=True)


def test_files_of_the_folder(project):
    picks = Picks.create([10.5, 20], [30, 40.25], [0.5, 1], ["side", "top"])
    write_relion_folder(Path("out"), [(Path("micrographs/a.mrc"), HEIGHT, picks)], None)
    written = sorted(path.as_posix() for path in Path("out").rglob("*") if path.is_file())
    assert written == [
        "out/autopick.star",
        "out/micrographs.star",
        "out/micrographs/a_autopick.star",
        "out/particles.star",
    ]
    assert micrograph_names(Path("out/micrographs.star")) == ["micrographs/a.mrc"]
    assert micrograph_names(Path("out/autopick.star")) == ["micrographs/a.mrc"]
    assert "\tout/micrographs/a_autopick.star" in Path("out/autopick.star").read_text()
    read = read_picks(Path("out/micrographs/a_autopick.star"))
    assert (read.x.tolist(), read.y.tolist()) == (picks.x.tolist(), picks.y.tolist())
    assert read.label.tolist() == ["side", "top"]


def test_only_tiff_files_are_flipped_and_say_so(project):
    picks = Picks.create([10], [0])
    paths = [Path("micrographs/a.TIF"), Path("micrographs/b.mrc")]
    write_relion_folder(Path("out"), [(path, HEIGHT, picks) for path in paths], 1.0)
    a, b = (Path("out/micrographs") / f"{name}_autopick.star" for name in "ab")
    assert read_picks(a).y.tolist() == [HEIGHT - 1]
    assert read_picks(b).y.tolist() == [0]
    assert a.read_text().startswith("# y is H - 1 - y for TIFF files")
    assert "TIFF" not in b.read_text()
    particles = read_star_by_micrograph(Path("out/particles.star"))
    assert [float(p.y[0]) for p in particles.values()] == [HEIGHT - 1, 0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x.mrc", "x"),
        ("raw/x.y.mrc", "raw/x.y"),
        ("/data/raw/x.mrc", "data/raw/x"),
        ("MotionCorr/job002/raw/x.mrc", "raw/x"),
        ("/p/MotionCorr/job1002/x.mrc", "x"),
        ("job003/raw/x.mrc", "raw/x"),
        ("job003/Import/job001/x.mrc", "x"),
        ("myjob003/x.mrc", "myjob003/x"),
    ],
)
def test_coordinate_files_lie_where_relion_reads_them(name, expected):
    assert coordinate_file(Path("out"), name) == Path(f"out/{expected}_autopick.star")


def test_dots_and_links_do_not_lead_out_of_the_folder(project):
    outside = Path("../../../a/../x.mrc")
    write_relion_folder(Path("out"), [(outside, HEIGHT, Picks.empty())], 1.0)
    name = os.path.abspath(outside)  # noqa: PTH100
    assert micrograph_names(Path("out/micrographs.star")) == [name]
    assert Path("out" + name).with_name("x_autopick.star").is_file()
    Path("target").mkdir()
    Path("out/micrographs").symlink_to(project / "target")
    with pytest.raises(UsageError, match="is a link out of out"):
        write_relion_folder(Path("out"), [(Path("micrographs/a.mrc"), 1, Picks.empty())], 1.0)
    assert not list(Path("target").iterdir())


def test_two_micrographs_of_one_coordinate_file_are_refused(project):
    named = [(Path(f"micrographs/a.{suffix}"), 8, Picks.empty()) for suffix in ("mrc", "tif")]
    with pytest.raises(UsageError, match=r"both micrographs/a.mrc and micrographs/a.tif"):
        write_relion_folder(Path("out"), named, 1.0)
