"""Outputs as other people and programs want them: modes, names, pixel sizes, nodes, words."""

import os
import shutil
import sys
from pathlib import Path

import cv2
import mrcfile
import numpy as np
import pytest

from deepcryopicker import relion_external

pytestmark = pytest.mark.thorough

SHAPE = (384, 448)


def modes(folder):
    """Files of a folder by mode; links have none of their own."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found.setdefault(oct(path.stat().st_mode & 0o777), []).append(str(path))
    return found


@pytest.fixture
def umask():
    """Set the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def usual():
    """Mode that the umask of this process gives to a new file."""
    mask = os.umask(0o022)
    os.umask(mask)
    return oct(0o666 & ~mask)


def test_every_file_of_a_training_has_the_mode_of_the_umask(trained):
    assert set(modes(trained.folder)) == {usual()}


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_every_file_of_picking_has_the_mode_of_the_umask(shell, simulated, umask, mask):
    umask(mask)
    given = [f"dataset.micrographs={simulated / 'micrographs'}", "dataset.diameter=59"]
    run = f"modes_{mask:o}"
    answer = shell("pick", "picker=log", "dataset=folder", *given, "overlays=1", run=run)
    assert answer.code == 0
    assert set(modes(answer.folder)) == {oct(0o666 & ~mask)}


@pytest.mark.parametrize("command", ["pick", "label"])
def test_micrographs_are_asked_for(shell, trained, command):
    typed = [f"picker.weights={trained.folder}"] if command == "pick" else []
    answer = shell(command, *typed, run=f"{command}_nothing")
    assert answer.code == 2
    assert "dataset.micrographs=DIR" in answer.err
    assert not (answer.folder / "picks").exists()


def test_few_micrographs_are_not_spent_without_a_word(shell, simulated):
    short = ["trainer.epochs=1", "trainer.epoch_windows=64", "class_set.samples_per_class=16"]
    places = [f"dataset.micrographs={simulated / 'micrographs'}", "dataset.diameter=59"]
    answer = shell("train", "dataset=folder", *places, *short, "until=samples", run="divided")
    assert answer.code == 0
    said = "labels of 3 micrographs: 1 for training, 1 for validation, 1 for the test"
    assert said in answer.out
    assert "class_set.test=0" in answer.out


def star_table(path, block):
    """Rows of a block of a STAR file as dictionaries; written for this test."""
    lines = f"\n{path.read_text()}".split(f"\ndata_{block}\n")[1].split("\ndata_")[0].splitlines()
    columns = [line.split()[0][1:] for line in lines if line.startswith("_")]
    rows = [line.split() for line in lines if line[:1] not in ("", "_", "#") and line != "loop_"]
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_one_file_without_a_pixel_size_leaves_that_of_the_others(shell, simulated, tmp_path):
    """A picture has no pixel size; the MRC files keep theirs."""
    for path in sorted((simulated / "micrographs").iterdir())[:2]:
        shutil.copy(path, tmp_path)
    image = mrcfile.read(path)
    low, high = np.percentile(image, [0.5, 99.5])
    grey = np.clip((image - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "picture.png"), grey)
    with mrcfile.open(path) as file:
        size = float(file.voxel_size.x)
    given = ["dataset=folder", f"dataset.micrographs={tmp_path}", "dataset.diameter=59"]
    answer = shell("pick", "picker=log", *given, "overlays=0", run="one_without")
    assert answer.code == 0
    for name, block in (("micrographs", "micrographs"), ("particles", "particles")):
        file = answer.folder / "relion" / f"{name}.star"
        sizes = {
            row["rlnOpticsGroup"]: float(row.get("rlnMicrographPixelSize", "nan"))
            for row in star_table(file, "optics")
        }
        group = {row["rlnMicrographName"]: row["rlnOpticsGroup"] for row in star_table(file, block)}
        mrc = {sizes[number] for listed, number in group.items() if listed.endswith(".mrc")}
        assert sorted(mrc) == [pytest.approx(size, abs=1e-4)]
        alone = {number for listed, number in group.items() if listed.endswith(".png")}
        assert not alone & {n for listed, n in group.items() if listed.endswith(".mrc")}
    assert "picture.png" in answer.out


@pytest.fixture(scope="module")
def copies(simulated, tmp_path_factory):
    """Pictures half as large as the MRC files of the same names."""
    folder = tmp_path_factory.mktemp("copies")
    for place in ("jpg", "mrc"):
        (folder / place).mkdir()
    for path in sorted((simulated / "micrographs").iterdir())[:2]:
        image = mrcfile.read(path)
        low, high = np.percentile(image, [0.5, 99.5])
        grey = np.clip((image - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / "jpg" / f"{path.stem}.png"), grey)
        large = np.kron(image, np.ones((2, 2), np.float32))
        mrcfile.write(folder / "mrc" / path.name, large, voxel_size=1.25)
    return folder


def test_picks_on_pictures_name_the_mrc_files_in_their_pixels(shell, copies):
    """The binned preview is picked; STAR files are those of the micrographs."""
    given = ["dataset=folder", f"dataset.micrographs={copies / 'jpg'}", "dataset.diameter=59"]
    suffix = f"picker.micrograph_suffix={copies / 'mrc'}"
    answer = shell("pick", "picker=log", *given, suffix, "overlays=0", run="named")
    assert answer.code == 0
    folder = answer.folder / "relion"
    listed = [
        row["rlnMicrographName"] for row in star_table(folder / "micrographs.star", "micrographs")
    ]
    assert listed == [str(path) for path in sorted((copies / "mrc").iterdir())]
    pairs = star_table(folder / "autopick.star", "coordinate_files")
    assert [row["rlnMicrographName"] for row in pairs] == listed
    (optics,) = star_table(folder / "particles.star", "optics")
    assert float(optics["rlnMicrographPixelSize"]) == 1.25
    particles = star_table(folder / "particles.star", "particles")
    for path, name in zip(sorted((answer.folder / "picks").iterdir()), listed, strict=True):
        table = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8")
        chosen = table[table["score"] >= 0.5]
        there = [row for row in particles if row["rlnMicrographName"] == name]
        for axis, column in (("x", "rlnCoordinateX"), ("y", "rlnCoordinateY")):
            expected = (chosen[axis] + 0.5) * 2 - 0.5
            assert np.allclose([float(row[column]) for row in there], expected, atol=1e-3)


def test_a_picture_of_another_shape_than_the_mrc_file_is_refused(shell, copies, tmp_path):
    for path in (copies / "jpg").iterdir():
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(tmp_path / path.name), image.T)
    given = ["dataset=folder", f"dataset.micrographs={tmp_path}", "dataset.diameter=59"]
    suffix = f"picker.micrograph_suffix={copies / 'mrc'}"
    answer = shell("pick", "picker=log", *given, suffix, run="turned")
    assert answer.code == 2
    assert "384x448 pixels, but" in answer.err
    assert "896x768" in answer.err


PIPELINE = """
# version {number}

data_pipeline_nodes

loop_
_rlnPipeLineNodeName #1
_rlnPipeLineNodeTypeLabel #2
{depth}Import/job001/micrographs.star {word}

"""
# What RELION 4 and 5 offer as coordinates to their jobs.
WORDS = {4: "MicrographsCoords.star.relion", 5: "MicrographCoordsGroup.star.relion"}


@pytest.mark.parametrize("version", [4, 5])
def test_relion_4_and_5_register_the_coordinates(simulated, tmp_path, monkeypatch, version):
    """Each takes a node with the word for coordinates that its own jobs ask for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pytest"])
    for name in ("OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        monkeypatch.setenv(name, "1")
    depth = "_rlnPipeLineNodeTypeLabelDepth #3\n" if version == 5 else ""
    word = {4: "MicrographsData.star.relion", 5: "MicrographGroupMetadata.star.relion 1"}[version]
    number = 50001 if version == 5 else 30001
    Path("default_pipeline.star").write_text(PIPELINE.format(number=number, depth=depth, word=word))
    Path("micrographs.star").write_text(
        "\ndata_micrographs\n\nloop_\n_rlnMicrographName #1\n"
        f"{min((simulated / 'micrographs').iterdir())}\n\n"
    )
    given = ["--o", "External/job002/", "--in_mics", "micrographs.star", "--picker", "log"]
    assert relion_external.main([*given, "--dataset.diameter", "59", "--overlays", "0"]) == 0
    nodes = star_table(Path("External/job002/RELION_OUTPUT_NODES.star"), "output_nodes")
    words = [node["rlnPipeLineNodeTypeLabel"] for node in nodes]
    assert words == [WORDS[version]]
    assert nodes[0]["rlnPipeLineNodeName"] == "External/job002/relion/autopick.star"
    assert len(star_table(Path(nodes[0]["rlnPipeLineNodeName"]), "coordinate_files")) == 1
