"""The experiment over CryoPPP's test sets, on a made tree of the layout of CryoPPP."""

import csv

import cv2
import mrcfile
import numpy as np
import pytest

import deepcryopicker as d
from tests.nights import DONE_IN_DOUBT

DIAMETER = 60
SHAPE = (384, 448)
SETS = (10017, 10028, 10081, 10093, 10345, 10532, 11056)
ABSENT = 10028
LITE = 10017
HEADER = "X-Coordinate,Y-Coordinate,Diameter,Angle-Psi\n"


def add(folder, number, name, seed, labelled=True):
    """Write one simulated micrograph; positions are those of the picture, which is turned over."""
    micrograph, particles = d.simulate_micrograph(shape=SHAPE, seed=seed)
    stem = f"{seed:021d}_{name}_patch_aligned" if number == 11056 else name
    path = folder / "micrographs" / stem
    if number == LITE:
        low, high = np.percentile(micrograph.image, [0.1, 99.9])
        grey = np.clip((micrograph.image[::-1] - low) / (high - low) * 255, 0, 255)
        cv2.imwrite(f"{path}.jpg", grey.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 100])
    else:
        size = 0.673 if number == 10345 else 1.0
        mrcfile.write(f"{path}.mrc", micrograph.image.astype(np.float32), voxel_size=size)
    if labelled:
        rows = [
            f"{x:.0f},{SHAPE[0] - 1 - y:.0f},{DIAMETER},0\n"
            for x, y in zip(particles.x, particles.y, strict=True)
        ]
        target = folder / "ground_truth" / "particle_coordinates" / f"{name}.csv"
        target.write_text(HEADER + "".join(rows))
    return len(particles) if labelled else 0


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The tree, and the number of labelled particles of every set in it."""
    root = tmp_path_factory.mktemp("cryoppp")
    labelled = {}
    for number in sorted(set(SETS) - {ABSENT}):
        folder = root / str(number)
        (folder / "micrographs").mkdir(parents=True)
        (folder / "ground_truth" / "particle_coordinates").mkdir(parents=True)
        labelled[number] = add(folder, number, "made_0", seed=number)
        if number == 10093:
            add(folder, number, "made_1", seed=1, labelled=False)
    return root, labelled


def rows_of(answer):
    with (answer.folder / "sweep.csv").open(encoding="utf-8") as stream:
        return {int(row["dataset"].removeprefix("cryoppp_")): row for row in csv.DictReader(stream)}


def test_every_set_is_picked_and_scored_and_an_absent_one_is_an_empty_row(shell, tree):
    root, labelled = tree
    given = ("+experiment=cryoppp7", f"dataset.root={root}", "overlays=0", "outputs=[csv]")
    answer = shell("pick", *given, run="cryoppp7", sweep=True)
    assert answer.code in (0, DONE_IN_DOUBT)
    rows = rows_of(answer)
    assert tuple(rows) == SETS
    empty = rows.pop(ABSENT)
    assert (empty["status"], empty["f1"]) == ("not there", "")
    assert [line for line in answer.err.splitlines() if line.startswith("error: ")] == [
        f"error: dataset=cryoppp_{ABSENT}: {root / str(ABSENT) / 'micrographs'} does not exist"
    ]
    for number, row in rows.items():
        assert (int(row["truth"]), int(row["micrographs"])) == (labelled[number], 1), number
        assert float(row["f1"]) > 0.6, number
        assert float(row["protocols.closest.macro.f1"]) > 0.6, number
        assert float(row["radius"]) == DIAMETER / 2
    column = "paper.protocols.closest.macro.f1"
    assert {number: row[column] for number, row in rows.items() if row[column]} == {
        10081: "0.871", 10093: "0.54", 10345: "0.266", 10532: "0.389"
    }  # fmt: skip
    assert "cryoppp_10093: 1 of 2 micrographs have no coordinates" in answer.out
    assert "super-resolution" not in answer.out
    assert "closest macro f1" in " ".join(answer.out.split())


@pytest.mark.thorough
def test_by_a_choice_each_set_is_trained_on_without_labels(shell, tree):
    root, labelled = tree
    given = (
        *("+experiment=cryoppp7_no_labels", f"dataset.root={root}"),
        *("dataset=cryoppp_10081,cryoppp_11056", "trainer.epochs=2", "overlays=0"),
        "class_set.samples_per_class=64",
    )
    answer = shell("train", *given, run="cryoppp7_no_labels", sweep=True)
    assert answer.code in (0, DONE_IN_DOUBT)
    rows = rows_of(answer)
    assert list(rows) == [10081, 11056]
    for number, row in rows.items():
        assert row["label_use"] == "none"
        assert (int(row["truth"]), float(row["f1"]) > 0.6) == (labelled[number], True)
