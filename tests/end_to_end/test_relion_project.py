"""From three micrographs picked by hand in a RELION project to the particles of all of them.

The project is laid out as RELION 3.1 leaves it, and no file of it is renamed or touched.
"""

import subprocess
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from deepcryopicker.dataset.schema import SimulatedConfig
from deepcryopicker.dataset.simulated import open_simulated

pytestmark = [pytest.mark.thorough, pytest.mark.relion]

MOTION, MANUAL = Path("MotionCorr/job002"), Path("ManualPick/job004")
COUNT, PICKED, BOX = 6, 3, 80
OPTICS = """
# version 30001

data_optics

loop_
_rlnOpticsGroupName #1
_rlnOpticsGroup #2
_rlnMicrographPixelSize #3
_rlnVoltage #4
_rlnSphericalAberration #5
_rlnAmplitudeContrast #6
opticsGroup1            1     {size:.6f}   300.000000     2.700000     0.100000


# version 30001

data_micrographs

loop_
_rlnMicrographName #1
_rlnMicrographMetadata #2
_rlnOpticsGroup #3
{rows}

"""
PICKS = """
# version 30001

data_

loop_
_rlnCoordinateX #1
_rlnCoordinateY #2
_rlnClassNumber #3
_rlnAnglePsi #4
_rlnAutopickFigureOfMerit #5
{rows}

"""


def truth_of(path):
    table = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8")
    return np.column_stack([table["x"], table["y"]])


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project after motion correction, and manual picking of three micrographs."""
    folder = tmp_path_factory.mktemp("project")
    cache = str(folder.parent / "made_for_relion")
    settings = SimulatedConfig("s", ["apoferritin"], COUNT, [384, 448], cache=cache)
    catalogue = open_simulated(settings, lambda items, description: items)
    for place in (MOTION, MANUAL):
        (folder / place / "Movies").mkdir(parents=True)
    for number, entry in enumerate(catalogue.entries):
        image = mrcfile.read(entry.path)
        with mrcfile.open(entry.path) as file:
            size = float(file.voxel_size.x)
        name = f"20170629_{number:05d}_frameImage"
        movies = folder / MOTION / "Movies"
        for suffix, pixels in (
            ("", image),
            ("_noDW", image),
            ("_PS", np.abs(np.fft.fft2(image)).astype(np.float32)),
        ):
            mrcfile.write(movies / f"{name}{suffix}.mrc", pixels, voxel_size=size)
        for suffix in (".star", ".log", "_shifts.eps"):
            (movies / f"{name}{suffix}").write_text("\ndata_general\n\n_rlnImageSizeX 448\n\n")
        if number < PICKED:
            rows = "\n".join(
                f"{x:12.6f} {y:12.6f}            2  -999.00000  -999.00000"
                for x, y in truth_of(entry.truth).round()
            )
            picked = folder / MANUAL / "Movies" / f"{name}_manualpick.star"
            picked.write_text(PICKS.format(rows=rows))
    rows = "\n".join(
        f"{path.relative_to(folder)} {path.relative_to(folder).with_suffix('.star')}            1"
        for path in sorted(movies.glob("*_frameImage.mrc"))
    )
    listed = OPTICS.format(size=size, rows=rows)
    (folder / MOTION / "corrected_micrographs.star").write_text(listed)
    (folder / MANUAL / "micrographs_selected.star").write_text(listed)
    (folder / MANUAL / "coords_suffix_manualpick.star").write_text(
        f"{MOTION}/corrected_micrographs.star\n"
    )
    for place in (MOTION, MANUAL):
        for name in ("job.star", "run.out", "run.err", "note.txt", "default_pipeline.star"):
            (folder / place / name).write_text("\ndata_job\n\n_rlnJobType 0\n\n")
        (folder / place / "RELION_JOB_EXIT_SUCCESS").touch()
    (folder / "default_pipeline.star").write_text(
        "\ndata_pipeline_general\n\n_rlnPipeLineJobCounter 5\n\n"
    )
    return folder


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for place in ("MotionCorr", "ManualPick")
        for path in (folder / place).rglob("*")
        if path.is_file()
    }


def test_labels_of_three_micrographs_become_particles_of_all(relion, shell, project):
    before = contents(project)
    here = type(shell)(project)
    answer = here(
        "train",
        "dataset=folder",
        "labeler=truth",
        f"dataset.micrographs={MOTION}",
        f"dataset.coordinates={MANUAL}",
        "dataset.diameter=59",
        "class_set.test=0",
        "class_set.samples_per_class=128",
        "trainer.epochs=3",
        "trainer.epoch_windows=400",
        "rounds=1",
        "baseline=null",
        run="External/job005",
    )
    assert answer.code == 0, answer.err
    assert contents(project) == before
    assert "labels of 3 micrographs, cut into 16 parts each: " in answer.out
    summary = (answer.folder / "summary.csv").read_text().splitlines()
    assert len(summary) == 1 + COUNT  # neither power spectra nor sums without dose weighting

    command = (
        f"relion_preprocess --i {MOTION}/corrected_micrographs.star "
        "--coord_dir External/job005/relion/ --coord_suffix _autopick.star "
        "--part_star Extract/job006/particles.star --part_dir Extract/job006/ --extract "
        f"--extract_size {BOX} --norm --bg_radius 36 --invert_contrast"
    )
    done = subprocess.run(
        command.split(), capture_output=True, text=True, timeout=120, cwd=project, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    stacks = {
        path.name: mrcfile.read(path) for path in sorted((project / "Extract").rglob("*.mrcs"))
    }
    rows = [line.split(",") for line in summary[1:]]
    picks = {Path(row[1]).with_suffix(".mrcs").name: int(row[2]) for row in rows}
    assert {name: len(stack) for name, stack in stacks.items()} == picks
    assert sum(picks.values()) > 15 * COUNT

    average = np.concatenate(list(stacks.values())).mean(0)
    # A shell: its centre of mass is that of the particle.
    weights = np.clip(average - np.percentile(average, 60), 0, None)
    rows_, columns = np.mgrid[:BOX, :BOX]
    inside = np.hypot(rows_ - BOX // 2, columns - BOX // 2) < 32
    weights = weights * inside
    for axis in (rows_, columns):
        assert abs((axis * weights).sum() / weights.sum() - BOX // 2) < 1.5
    disc = np.hypot(rows_ - BOX // 2, columns - BOX // 2) < 28
    assert average[disc].mean() > average[~disc].mean() + 0.1


def test_the_list_of_micrographs_is_as_good_as_the_folder(relion, shell, project):
    """Labels of the job, micrographs of its list: the same six, with the optics of the project."""
    here = type(shell)(project)
    given = ["dataset=folder", f"dataset.coordinates={MANUAL}", "dataset.diameter=59"]
    listed = f"dataset.micrographs={MOTION}/corrected_micrographs.star"
    answer = here("label", "labeler=truth", *given, listed, run="External/job007")
    assert answer.code == 0, answer.err
    labelled = [path.name for path in (answer.folder / "picks").rglob("*.csv")]
    assert len(labelled) == PICKED
    assert "labels" in answer.metrics
