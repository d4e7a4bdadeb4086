"""``label``: candidates with a verdict, pictures, and the images of every stage."""

import csv

import cv2
import numpy as np
import pytest
import yaml

from deepcryopicker._conf import CONF_DIR


@pytest.fixture(scope="session")
def labelled(shell, simulated):
    return shell(
        "label",
        "dataset=folder",
        f"dataset.micrographs={simulated / 'micrographs'}",
        f"dataset.coordinates={simulated / 'coordinates'}",
        "dataset.diameter=59.1",
        "preprocessing=matlab",
        "preprocessing.save_stages=true",
        "overlays=2",
        run="labelled",
    )


def test_it_succeeds_and_says_where(labelled):
    assert (labelled.code, labelled.err) == (0, "")
    assert labelled.out.splitlines()[-1] == f"run folder: {labelled.folder}"


def test_every_candidate_is_good_or_has_a_reason(labelled):
    files = sorted((labelled.folder / "labels").iterdir())
    assert len(files) == 3
    for path in files:
        with path.open() as stream:
            candidates = list(csv.DictReader(stream))
        assert list(candidates[0]) == ["x", "y", "score", "class", "diameter", "good", "reason"]
        for row in candidates:
            assert (row["good"], row["reason"] == "") in {("1", True), ("0", False)}


def test_the_metrics_count_the_files(labelled):
    (row,) = labelled.metrics["labels"]
    texts = [path.read_text() for path in (labelled.folder / "labels").iterdir()]
    assert row["candidates"] == sum(text.count("\n") - 1 for text in texts)
    assert row["good"] == sum(text.count(",1,\n") for text in texts)
    assert 0 <= row["purity"] <= 1
    assert 0 <= row["yield"] <= 1


def test_as_many_pictures_as_asked_for(labelled):
    assert len(list((labelled.folder / "label_overlays").iterdir())) == 2


def test_every_stage_is_a_picture_of_16_bit(labelled):
    steps = yaml.safe_load((CONF_DIR / "preprocessing" / "matlab.yaml").read_text())["steps"]
    for stem in ("apoferritin_000", "apoferritin_001", "apoferritin_002"):
        folder = labelled.folder / "stages" / stem
        assert {path.stem for path in folder.iterdir()} == {"rescaled", *steps}
        for path in folder.iterdir():
            stage = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            assert stage.dtype == np.uint16
            assert stage.shape == (195, 228)  # 384 x 448 at 30 / 59.1
            assert stage.max() > stage.min()
