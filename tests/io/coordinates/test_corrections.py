"""``corrections.json``: what it means, and that damaged files are refused in a line."""

import json

import pytest

from deepcryopicker.errors import UsageError
from deepcryopicker.io.coordinates.corrections import (
    read_corrected_by_micrograph,
    read_corrections,
)

GOOD = {
    "deepcryopicker_corrections": 1,
    "threshold": 0.4,
    "micrographs": [
        {
            "name": "grid/a",
            "diameter": 20,
            "kept": [[10, 10, 0.9], [90, 90, 0.8]],
            "added": [[30, 30]],
            "removed": [[33, 33, 0.7], [60, 60, 0.6]],
            "seen": [[0, 0, 70, 70]],
        },
        {"name": "b", "excluded": True, "kept": [[1, 1, 0.5]], "added": [], "removed": []},
        {"name": "c", "kept": [], "added": [], "removed": [], "seen": None},
    ],
}


def written(tmp_path, content):
    path = tmp_path / "corrections.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_was_added_kept_and_seen_is_a_particle(tmp_path):
    corrections = read_corrections(written(tmp_path, GOOD))
    assert corrections.threshold == 0.4
    one = corrections.by_name["grid/a"]
    assert one.particles.positions.tolist() == [[10, 10], [30, 30]]
    assert one.particles.score.tolist() == [0.9, 1.0]
    assert one.particles.diameter.tolist() == [20, 20]
    assert one.uncertain.positions.tolist() == [[90, 90]]  # nobody looked there
    assert corrections.by_name["b"].excluded
    assert corrections.by_name["c"].seen is None


def test_excluded_micrographs_have_no_labels(tmp_path):
    found = read_corrected_by_micrograph(written(tmp_path, GOOD))
    assert {name: len(picks) for name, picks in found.items()} == {"grid/a": 2, "c": 0}


def changed(key, value):
    content = json.loads(json.dumps(GOOD))
    content["micrographs"][0][key] = value
    return content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is damaged"),
        ("[" * 100_000, "is damaged"),
        ("[]", "holds no corrections"),
        ({"threshold": 1}, "holds no corrections"),
        (GOOD | {"deepcryopicker_corrections": 2}, "version 2"),
        (GOOD | {"threshold": "high"}, "not a position, size or score: high"),
        (GOOD | {"micrographs": {}}, "must be a list"),
        (GOOD | {"micrographs": [1]}, "needs a name"),
        (GOOD | {"micrographs": GOOD["micrographs"] * 2}, "name of its own"),
        (changed("name", ""), "needs a name"),
        (changed("added", [[1]]), r"\[x, y\]"),
        (changed("kept", {"x": 1}), r"\[x, y\]"),
        (changed("removed", [[1, True]]), "True"),
        (changed("removed", [[1, 1e300]]), r"1e\+300"),
        (json.dumps(changed("added", [[1, 2]])).replace("[1, 2]", "[1, NaN]"), "nan"),
        (changed("seen", [[1, 2, 3]]), "seen"),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, said):
    with pytest.raises(UsageError, match=said):
        read_corrections(written(tmp_path, content))


def test_missing_files_and_folders_are_refused(tmp_path):
    for path in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(UsageError):
            read_corrections(path)
