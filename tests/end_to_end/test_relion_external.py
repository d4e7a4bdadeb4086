"""An External job of RELION: its command line, its markers, and a whole project of RELION 3.1."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from deepcryopicker import relion_external
from deepcryopicker.io.star.optics_reading import read_optics
from deepcryopicker.io.star.relion_star import read_star_by_micrograph
from tests.nights import PIXEL_SIZE, write_micrograph

pytestmark = pytest.mark.thorough

JOB = Path("External/job002")
MARKERS = {relion_external.SUCCESS, relion_external.FAILURE, relion_external.ABORTED}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pytest"])
    for name in ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        monkeypatch.setenv(name, "1")
    JOB.mkdir(parents=True)
    return tmp_path


@pytest.fixture
def run_job(project, monkeypatch):
    """Run a job whose picking ends with a given code; what `pick` was given."""

    def run(code, *others):
        monkeypatch.setattr(relion_external, "command", lambda *_: code)
        given = ["--o", f"{JOB}/", "--in_mics", "Import/job001/micrographs.star", "--j", "3"]
        assert relion_external.main([*given, *others]) == code
        return sys.argv[1:]

    return run


@pytest.mark.parametrize(
    ("code", "marker"),
    [
        (0, relion_external.SUCCESS),
        (3, relion_external.SUCCESS),
        (1, relion_external.FAILURE),
        (2, relion_external.FAILURE),
        (130, relion_external.ABORTED),
        (143, relion_external.ABORTED),
    ],
)
def test_the_outcome_is_reported_to_relion(run_job, code, marker):
    for name in (*MARKERS, relion_external.ABORT_NOW):  # of an earlier attempt
        (JOB / name).touch()
    run_job(code)
    there = {path.name for path in JOB.iterdir()}
    assert there & {*MARKERS, relion_external.ABORT_NOW} == {marker}
    assert (relion_external.NODES in there) == (code in (0, 3))


def test_labels_and_values_of_the_form_become_keys(run_job):
    others = ["--picker.weights", "a run", "--dataset.diameter_angstrom", "130", "overlays=0"]
    assert run_job(0, *others, "--pipeline_control", "External/job002/") == [
        "dataset=folder",
        "picker.weights=a run",
        "dataset.diameter_angstrom=130",
        "overlays=0",
        "dataset.micrographs='Import/job001/micrographs.star'",
        "hydra.run.dir='External/job002'",
    ]
    assert os.environ["OMP_NUM_THREADS"] == "3"


# First lines of the pipeline, the column of node types and the words of RELION 4 and 5.
PIPELINES = {
    "3.1": ("30001", "_rlnPipeLineNodeType #2", "1"),
    "4": ("30001", "_rlnPipeLineNodeTypeLabel #2", "MicrographsData.star.relion.ctf"),
    "5": (
        "50001",
        "_rlnPipeLineNodeTypeLabel #2\n_rlnPipeLineNodeTypeLabelDepth #3",
        "MicrographGroupMetadata.star.relion.ctf 1",
    ),
}
# What each version reads from the list of nodes, and offers as input of Extract.
COORDINATES = {
    "3.1": ("_rlnPipeLineNodeType", "2"),
    "4": ("_rlnPipeLineNodeTypeLabel", "MicrographsCoords.star.relion"),
    "5": ("_rlnPipeLineNodeTypeLabel", "MicrographCoordsGroup.star.relion"),
}


def write_pipeline(version):
    number, columns, kind = PIPELINES[version]
    Path("default_pipeline.star").write_text(
        f"\n# version {number}\n\ndata_pipeline_nodes\n\nloop_\n_rlnPipeLineNodeName #1\n"
        f"{columns}\nCtfFind/job001/micrographs_ctf.star {kind}\n\n"
    )


def registered(version):
    """Names that a version of RELION registers with the type that its Extract job takes."""
    lines = (JOB / relion_external.NODES).read_text().splitlines()
    assert lines[0] == "data_output_nodes"
    columns = [line.split()[0] for line in lines if line.startswith("_rln")]
    rows = [line.split() for line in lines[3 + len(columns) :] if line.strip()]
    column, kind = COORDINATES[version]
    nodes = [dict(zip(columns, row, strict=True)) for row in rows]
    return [one["_rlnPipeLineNodeName"] for one in nodes if one[column] == kind]


def extract_options(node):
    """Coordinates as Extract of RELION 4 and 5 passes them on; 3.1 always passes a suffix."""
    if "coords_suffix" in Path(node).name:
        suffix = Path(node).name.replace("coords_suffix", "")
        return ["--coord_dir", f"{Path(node).parent}/", "--coord_suffix", suffix]
    return ["--coord_list", node]


@pytest.mark.parametrize("version", ["3.1", "4", "5"])
def test_the_coordinates_are_a_node_of_every_version(run_job, version):
    write_pipeline(version)
    run_job(0)
    folder = f"{JOB}/relion/"
    (node,) = registered(version)
    if version == "3.1":
        assert extract_options(node)[1:] == [folder, "--coord_suffix", "_autopick.star"]
        assert Path(node).read_text() == "Import/job001/micrographs.star\n"
    else:
        assert extract_options(node) == ["--coord_list", f"{folder}autopick.star"]


@pytest.mark.parametrize("pipeline", [None, b"\xff\xfe\x00 not text"])
def test_without_a_readable_pipeline_the_node_suits_all_versions(run_job, pipeline):
    if pipeline is not None:
        Path("default_pipeline.star").write_bytes(pipeline)
    run_job(0)
    (node,) = registered("3.1")
    assert registered("5") == [node]
    assert extract_options(node) == extract_options(f"{JOB}/relion/coords_suffix_autopick.star")
    assert Path(node).is_file()


def pipeline(*options):
    command = ["relion_pipeliner", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "ERROR" not in done.stderr, done.stderr[-2000:]


def run_in_pipeline(kind, number, **options):
    """Add a job to the project as its window does, and run it."""
    typed = ";".join(f"{label} == {value}" for label, value in options.items())
    pipeline("--addJob", kind, "--addJobOptions", typed)
    job = Path(kind) / f"job{number:03d}"
    pipeline("--RunJobs", f"{job}/", "--sec_wait_after", "1")
    assert (job / "RELION_JOB_EXIT_SUCCESS").exists(), (job / "run.err").read_text()
    return job


@pytest.mark.relion
def test_a_project_of_relion_picks_and_extracts(relion, project):
    """Import, External and Extract, as RELION runs them, down to the average particle."""
    shutil.rmtree("External")
    Path("Micrographs").mkdir()
    for seed in range(3):
        write_micrograph(Path("Micrographs") / f"m{seed}.mrc", seed)
    Path("default_pipeline.star").write_text(
        "\n# version 30001\n\ndata_pipeline_general\n\n_rlnPipeLineJobCounter 1\n\n"
    )
    executable = project / "picker"
    executable.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m deepcryopicker.relion_external "$@"\n'
    )
    executable.chmod(0o755)

    imported = run_in_pipeline(
        "Import",
        1,
        **{
            "Import raw movies/micrographs?": "Yes",
            "Raw input files:": "Micrographs/*.mrc",
            "Are these multi-frame movies?": "No",
            "Pixel size (Angstrom):": PIXEL_SIZE,
            "Voltage (kV):": 200,
            "Spherical aberration (mm):": 1.4,
        },
    )
    job = run_in_pipeline(
        "External",
        2,
        **{
            "External executable:": executable,
            "Input micrographs: ": imported / "micrographs.star",
            "Param1 - label:": "picker",
            "Param1 - value:": "log",
            "Param2 - label:": "dataset.diameter_angstrom",
            "Param2 - value:": 48,
            "Number of threads:": 1,
        },
    )
    optics = read_optics(job / "relion" / "micrographs.star")
    assert {one.pixel_size for one in optics.values()} == {PIXEL_SIZE}
    assert {float(dict(one.values)["rlnVoltage"]) for one in optics.values()} == {200.0}
    node = f"{job}/relion/coords_suffix_autopick.star"
    assert node in Path("default_pipeline.star").read_text()

    extracted = run_in_pipeline(
        "Extract",
        3,
        **{
            "micrograph STAR file: ": imported / "micrographs.star",
            "Input coordinates: ": node,
            "Particle box size (pix):": 48,
        },
    )
    stacks = [mrcfile.read(path) for path in sorted(extracted.rglob("*.mrcs"))]
    picks = read_star_by_micrograph(job / "relion" / "particles.star")
    assert [len(stack) for stack in stacks] == [len(each) for each in picks.values()]
    average = np.concatenate(stacks).mean(0)
    row, column = np.unravel_index(average.argmax(), average.shape)  # the contrast is inverted
    assert abs(row - 24) <= 2
    assert abs(column - 24) <= 2
    rows, columns = np.mgrid[:48, :48] - 24.0
    expected = np.exp(-(rows**2 + columns**2) / (2 * 6.0**2))
    assert np.corrcoef(average.ravel(), expected.ravel())[0, 1] > 0.8
