"""Corrections of a person: training on them, picking again, and what is said about it."""

import json

import numpy as np
import pytest

from deepcryopicker.io.coordinates.formats import read_picks
from deepcryopicker.types import Picks
from tests.end_to_end.conftest import SHORT


@pytest.fixture
def corrected(trained, simulated, tmp_path):
    """Corrections of two micrographs by their truth, and one that is excluded."""
    micrographs = []
    for path in sorted((trained.folder / "picks").glob("*.csv"))[:2]:
        picks = read_picks(path)
        picks = picks[picks.score >= 0.5]
        truth = read_picks(simulated / "coordinates" / path.name)
        far = np.hypot(*(truth.positions[:, None] - picks.positions[None]).T).T
        near = far.min(axis=1) <= 20
        found = far.min(axis=0) <= 20
        micrographs.append(
            {
                "name": path.stem,
                "diameter": 59,
                "kept": _rows(picks[found]),
                "added": [row[:2] for row in _rows(truth[~near])],
                "removed": _rows(picks[~found]),
                "seen": None,
            }
        )
    micrographs.append({"name": "apoferritin_002", "excluded": True})

    def write(weights):
        file = tmp_path / "corrections.json"
        content = {"deepcryopicker_corrections": 1, "threshold": 0.5, "weights": weights}
        file.write_text(json.dumps(content | {"micrographs": micrographs}))
        return file

    return write


def _rows(picks: Picks):
    return np.column_stack([picks.positions, picks.score]).tolist()


def test_training_continues_from_what_picked_and_spends_no_micrograph(
    shell, trained, simulated, corrected
):
    file = corrected(str(trained.folder))
    typed = (
        f"dataset.micrographs={simulated / 'micrographs'}",
        "dataset.diameter=59",
        f"dataset.coordinates={file}",
    )
    answer = shell("train", "+experiment=corrections", *typed, *SHORT, run="corrected")
    assert (answer.code, answer.err) == (0, "")
    assert "corrections of 2 micrographs; training continues from" in answer.out
    assert "a network trained on a whole folder seldom improves by so few" in answer.out
    assert "labels of 2 micrographs, cut into 16 parts each: " in answer.out
    assert "none for the test" in answer.out
    assert "1 excluded micrograph left out" in answer.out
    assert sorted(answer.picks()) == ["apoferritin_000.csv", "apoferritin_001.csv"]
    for one in json.loads(file.read_text())["micrographs"][:2]:
        picks = read_picks(answer.folder / "picks" / f"{one['name']}.csv")
        picked = picks.positions[picks.score >= 0.5]
        for place in one["added"]:
            assert np.hypot(*(picked - place).T).min() <= 30
        right = np.array([row[:2] for row in one["kept"] + one["added"]])
        for *place, _ in one["removed"]:
            if np.hypot(*(right - place).T).min() > 30:  # else it was moved
                near = np.hypot(*(picked - place).T) <= 29.5
                others = np.hypot(*(picked[near][:, None] - right).T).T.min(axis=1)
                assert (others <= 29.5).all()
    card = (answer.folder / "model.yaml").read_text()
    assert "name: compact" in card
    filtered = shell(
        "filter",
        f"filter.picks={trained.folder}",
        f"filter.corrections={file}",
        run="corrected_files",
    )
    assert set(filtered.picks()) == {"apoferritin_000.csv", "apoferritin_001.csv"}
    scored = shell(
        "evaluate",
        f"evaluate.picks={filtered.folder}",
        f"evaluate.truth={file}",
        "evaluate.radius=2",
        run="corrected_scored",
    )
    assert (scored.metrics["precision"], scored.metrics["recall"]) == (1.0, 1.0)


def test_weights_that_are_gone_are_replaced_by_the_general_ones(shell, simulated, corrected):
    answer = shell(
        "train",
        "+experiment=corrections",
        f"dataset.micrographs={simulated / 'micrographs'}",
        "dataset.diameter=59",
        f"dataset.coordinates={corrected('gone')}",
        "until=samples",
        run="corrected_general",
    )
    assert answer.code == 0
    assert "gone, whose picks were corrected, is not there" in answer.out
    assert "training continues from the general weights (start_from)" in answer.out
    assert "seldom improves" not in answer.out


def test_a_file_without_corrections_is_refused(shell, simulated, tmp_path):
    file = tmp_path / "corrections.json"  # as `view` saves it when only the threshold was moved
    file.write_text('{"deepcryopicker_corrections": 1, "threshold": 0.3, "micrographs": []}')
    answer = shell(
        "train",
        "+experiment=corrections",
        f"dataset.micrographs={simulated / 'micrographs'}",
        f"dataset.coordinates={file}",
        run="corrected_nothing",
    )
    assert answer.code == 2
    assert answer.err.startswith(f"error: dataset.coordinates={file}: no particle is kept or added")
