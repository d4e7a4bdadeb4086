"""The key ``dataset.structure``: one file or several, refused before anything is read."""

from pathlib import Path

import pytest

from deepcryopicker.dataset.structures.given_structures import given_structures, is_model
from deepcryopicker.errors import UsageError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.pdb", "b.MRC.gz", "c.cif", "d,e.map"):
        (tmp_path / name).write_text("x")
    return tmp_path


def test_one_file_or_several_in_the_working_directory(here):
    assert given_structures(None) == []
    assert given_structures("a.pdb") == [Path("a.pdb")]
    assert given_structures(["a.pdb", "b.MRC.gz", "d,e.map"]) == [
        *(Path("a.pdb"), Path("b.MRC.gz"), Path("d,e.map"))
    ]
    assert given_structures(str(here / "c.cif")) == [here / "c.cif"]


def test_models_and_maps_are_known_by_their_suffix():
    names = ("a.pdb", "a.ENT.gz", "a.cif.bz2", "a.mmcif", "a.mrc", "a.map.gz", "a.ccp4")
    assert [is_model(Path(name)) for name in names] == [True] * 4 + [False] * 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("gone.pdb", "dataset.structure: gone.pdb: cannot be read: No such file"),
        (["a.pdb", "gone.mrc"], "dataset.structure: gone.mrc: cannot be read"),
        ("a.txt", "dataset.structure: a.txt is neither a model"),
        (".", r"dataset.structure: \. is neither"),
        ("", "dataset.structure must be a file or a list"),
        ([], "dataset.structure must be a file or a list"),
        (["a.pdb", 3], "dataset.structure must be a file or a list"),
        (3, "dataset.structure must be a file or a list"),
        ({"a": 1}, "dataset.structure must be a file or a list"),
        ("a\0.pdb", "dataset.structure: "),
    ],
)
def test_others_are_refused_by_the_name_of_the_key(here, given, message):
    with pytest.raises(UsageError, match=message):
        given_structures(given)
